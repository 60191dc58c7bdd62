package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"licensor/internal/excerpt"
	"licensor/internal/guid"
)

// refusalError is an error response of the authority, in the form of RFC 6749 section 5.2 and A30.
type refusalError struct {
	status int
	code   int    // AADSTS code
	name   string // error of RFC 6749
	text   string
}

func (e *refusalError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.code, e.text) }

// refuse returns a refusal with the status 400, which nearly all have.
func refuse(code int, name, format string, args ...any) error {
	return &refusalError{http.StatusBadRequest, code, name, fmt.Sprintf(format, args...)}
}

// short limits the size of a client's text in a response.
func short(text string) string { return excerpt.Of(text, 200) }

// refusalBody is the body of the response (A30).
type refusalBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
	Sub           string `json:"suberror,omitempty"`
}

// refuse answers an error.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	refused, body := s.describe(r, err)
	switch refused.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", challenge(refused))
	case http.StatusForbidden:
		w.Header().Set("WWW-Authenticate", `Bearer error="`+refused.name+`"`) // RFC 6750 section 3.1
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodGet)
		if refused.code == codeOnlyPOST {
			w.Header().Set("Allow", http.MethodPost)
		}
	}
	writeJSON(w, refused.status, body)
}

// challenge returns the WWW-Authenticate header of RFC 6749 section 5.2 for clients, and of RFC
// 6750 section 3 for tokens.
func challenge(refused *refusalError) string {
	if refused.name == "invalid_token" {
		return `Bearer error="invalid_token"`
	}
	return `Basic realm=""`
}

// describe converts an error to a response as in A30. An error that is not a refusal is not the
// client's fault, unless the client has disconnected: it is logged, and shown as a 503 with only
// the ids that identify it in the log.
func (s *Server) describe(r *http.Request, err error) (*refusalError, refusalBody) {
	trace, correlation := s.traceIDs(r)
	refused, ok := errors.AsType[*refusalError](err)
	if !ok {
		level := slog.LevelError
		if r.Context().Err() != nil {
			level = slog.LevelDebug
		}
		s.config.Log.Log(r.Context(), level, "the authority failed", "error", err,
			"path", r.URL.Path, "traceId", trace, "correlationId", correlation)
		refused = &refusalError{
			http.StatusServiceUnavailable, 90033, "temporarily_unavailable",
			"A transient error has occurred. Try again later, and search the server's log for the trace ID " +
				"if it remains.",
		}
	}
	now := s.config.Now().UTC().Format("2006-01-02 15:04:05Z")
	body := refusalBody{
		Error: refused.name,
		Description: fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s",
			refused.Error(), trace, correlation, now),
		Codes: []int{refused.code}, Timestamp: now, TraceID: trace, CorrelationID: correlation,
		URI: fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", refused.code),
	}
	if refused.code == codeNoConsent {
		body.Sub = "consent_required" // clients then ask the user
	}
	return refused, body
}

// traceIDs returns the id of this response and the client's id of its request. Without randomness,
// which is then probably the error itself, the first is nil.
func (s *Server) traceIDs(r *http.Request) (trace, correlation string) {
	id, _ := s.config.Authority.NewID()
	if wanted, ok := guid.Parse(r.Header.Get("client-request-id")); ok {
		return id.String(), wanted.String()
	}
	return id.String(), id.String()
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // only for types without a JSON form
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has disconnected
}
