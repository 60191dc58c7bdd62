package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/google/uuid"
)

// oauthError is a refusal of the authority's endpoints, as RFC 6749 section 5.2 and A30 have it.
type oauthError struct {
	status int
	code   int    // AADSTS code
	name   string // error of RFC 6749
	text   string
}

func (e *oauthError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.text) }

func missingParameter(name string) error {
	return &oauthError{
		http.StatusBadRequest, 900144, "invalid_request",
		fmt.Sprintf("The request body must contain the following parameter: '%s'.", name),
	}
}

func malformedRequest(status int, text string) error {
	return &oauthError{status, 9002313, "invalid_request", "Invalid request. " + text}
}

func onlyPOST(method string) error {
	return &oauthError{
		http.StatusMethodNotAllowed, 900561, "invalid_request",
		fmt.Sprintf("The endpoint only accepts POST requests. Received a %s request.", short(method)),
	}
}

func unknownTenant(name string) error {
	return &oauthError{
		http.StatusBadRequest, 90002, "invalid_request",
		fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID or a verified domain name of it.", short(name)),
	}
}

func noTenant(name string) error {
	return &oauthError{
		http.StatusBadRequest, 50059, "invalid_request",
		fmt.Sprintf("No tenant-identifying information found: an application asks in the name of its tenant, not of '%s'.", name),
	}
}

func unsupportedGrant(name string) error {
	return &oauthError{
		http.StatusBadRequest, 70003, "unsupported_grant_type",
		fmt.Sprintf("The app requested an unsupported grant type '%s'. Supported: 'client_credentials'.", short(name)),
	}
}

func badScope(scope, root string) error {
	return &oauthError{
		http.StatusBadRequest, 70011, "invalid_scope",
		fmt.Sprintf("The provided value for the input parameter 'scope' is not valid. The scope %s is not valid: ask for %s/.default, %s/.default or %s/.default.",
			short(scope), GraphURL, GraphAppID, root),
	}
}

func unknownApp(id string, tenant uuid.UUID) error {
	return &oauthError{
		http.StatusBadRequest, 700016, "unauthorized_client",
		fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'. You may have sent your authentication request to the wrong tenant.", short(id), tenant),
	}
}

func disabledApp(app App) error {
	return &oauthError{
		http.StatusBadRequest, 7000112, "unauthorized_client",
		fmt.Sprintf("Application '%s'(%s) is disabled.", app.AppID, app.DisplayName),
	}
}

func badSecret(app App) error {
	return &oauthError{
		http.StatusUnauthorized, 7000215, "invalid_client",
		fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app.AppID),
	}
}

func expiredSecret(app App) error {
	return &oauthError{
		http.StatusUnauthorized, 7000222, "invalid_client",
		fmt.Sprintf("The provided client secret keys for app '%s' are expired. Create a new secret for it.", app.AppID),
	}
}

func badAssertion() error {
	return &oauthError{
		http.StatusUnauthorized, 700027, "invalid_client",
		"Client assertions are not accepted by this server yet: send a 'client_secret'.",
	}
}

// short keeps what a client sent from filling the answer.
func short(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// oauthErrorBody is the answer (A30).
type oauthErrorBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

// refuse answers an error. One that is no oauthError is ours, not the client's: it is logged, and shown as 503 with nothing
// but the ids to find it by.
func (a *Authority) refuse(w http.ResponseWriter, r *http.Request, err error) {
	trace, correlation := a.traceIDs(r)
	refusal := (*oauthError)(nil)
	if !errors.As(err, &refusal) {
		slog.ErrorContext(r.Context(), "the token endpoint failed", "error", err, "traceId", trace, "correlationId", correlation)
		refusal = &oauthError{
			http.StatusServiceUnavailable, 90033, "temporarily_unavailable",
			"A transient error has occurred. Try again later, and search the server's log for the trace ID if it remains.",
		}
	}
	switch refusal.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm=""`) // RFC 6749 section 5.2
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	now := a.now().UTC().Format("2006-01-02 15:04:05Z")
	writeJSON(w, refusal.status, oauthErrorBody{
		Error: refusal.name,
		Description: fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
			refusal.Error(), trace, correlation, now),
		Codes: []int{refusal.code}, Timestamp: now, TraceID: trace, CorrelationID: correlation,
		URI: fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", refusal.code),
	})
}

// traceIDs are the id of this answer and the one by which the client knows its request. Without randomness, which is then
// most likely the error to be told, the first is nil.
func (a *Authority) traceIDs(r *http.Request) (trace, correlation string) {
	id, _ := a.newID()
	if wanted, err := uuid.Parse(r.Header.Get("client-request-id")); err == nil {
		return id.String(), wanted.String()
	}
	return id.String(), id.String()
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // only for types that have no JSON
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has gone; nobody is left to tell
}
