package identity

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

const (
	maxForm          = 64 << 10
	formType         = "application/x-www-form-urlencoded"
	defaultScope     = "/.default"
	grantCredentials = "client_credentials"
)

// tokenAnswer is the answer to a grant (A10).
type tokenAnswer struct {
	Type             string `json:"token_type"`
	ExpiresIn        int    `json:"expires_in"`
	ExtendedExpireIn int    `json:"ext_expires_in"`
	AccessToken      string `json:"access_token"`
}

// token answers POST /{tenant}/oauth2/v2.0/token.
func (a *Authority) token(r *http.Request) (any, error) {
	if r.Method != http.MethodPost {
		return nil, onlyPOST(r.Method)
	}
	tenant, anyTenant, err := a.named(r)
	if err != nil {
		return nil, err
	}
	form, err := readForm(r)
	if err != nil {
		return nil, err
	}
	switch grant := form.Get("grant_type"); {
	case grant == "":
		return nil, missingParameter("grant_type")
	case grant != grantCredentials:
		return nil, unsupportedGrant(grant)
	case anyTenant:
		return nil, noTenant(r.PathValue("tenant"))
	}
	return a.clientCredentials(r, tenant, form)
}

// tokenV1 refuses the older endpoint, which takes a resource in place of a scope.
func (a *Authority) tokenV1(r *http.Request) (any, error) {
	return nil, malformedRequest(http.StatusBadRequest,
		"The v1.0 endpoint is not served here: post to /oauth2/v2.0/token, with 'scope={resource}/.default' in place of 'resource'.")
}

// clientCredentials gives an application a token for itself, with all it is permitted in the tenant (A10).
func (a *Authority) clientCredentials(r *http.Request, tenant uuid.UUID, form url.Values) (any, error) {
	root := a.Root(r)
	audience, err := audienceOf(form.Get("scope"), root)
	if err != nil {
		return nil, err
	}
	app, err := a.client(r, tenant, form)
	if err != nil {
		return nil, err
	}
	token, err := a.Issue(Claims{
		Root: root, Audience: audience, Tenant: tenant, ObjectID: app.ID, AppID: app.AppID,
		Permissions: app.Permissions,
	})
	if err != nil {
		return nil, err
	}
	seconds := int(Lifetime.Seconds())
	return tokenAnswer{Type: "Bearer", ExpiresIn: seconds, ExtendedExpireIn: seconds, AccessToken: token}, nil
}

// audienceOf is the resource of a scope {resource}/.default, one of those that mean us (A14). Whichever it is, the token's
// permissions are those of Graph.
func audienceOf(scope, root string) (string, error) {
	if scope == "" {
		return "", missingParameter("scope")
	}
	resource, ok := strings.CutSuffix(scope, defaultScope)
	resource = strings.TrimSuffix(resource, "/")
	if !ok || !(issuer{root: root}).accepts(resource) {
		return "", badScope(scope, root)
	}
	return resource, nil
}

// client finds the application that asks and has it prove who it is. That it is disabled it learns only then.
func (a *Authority) client(r *http.Request, tenant uuid.UUID, form url.Values) (App, error) {
	id, secret, err := credentials(r, form)
	if err != nil {
		return App{}, err
	}
	appID, err := uuid.Parse(id)
	if err != nil {
		return App{}, unknownApp(id, tenant)
	}
	app, ok := a.tenants.Application(tenant, appID)
	if !ok {
		return App{}, unknownApp(id, tenant)
	}
	switch found, ok := app.find(secret); {
	case !ok:
		return App{}, badSecret(app)
	case found.expired(a.now()):
		return App{}, expiredSecret(app)
	case !app.Enabled:
		return App{}, disabledApp(app)
	}
	return app, nil
}

// credentials are the client's id and secret, in the form or in the header (RFC 6749 section 2.3.1), not in both.
func credentials(r *http.Request, form url.Values) (id, secret string, err error) {
	id, secret = form.Get("client_id"), form.Get("client_secret")
	if name, password, basic := r.BasicAuth(); basic {
		if secret != "" {
			return "", "", malformedRequest(http.StatusBadRequest, "The client secret is in the body and in the Authorization header: send one of them.")
		}
		if name, secret, err = unescape(name, password); err != nil {
			return "", "", err
		}
		if id != "" && id != name {
			return "", "", malformedRequest(http.StatusBadRequest, "The 'client_id' in the body is another than that in the Authorization header.")
		}
		id = name
	}
	switch {
	case id == "":
		return "", "", missingParameter("client_id")
	case form.Has("client_assertion"):
		return "", "", badAssertion()
	case secret == "":
		return "", "", missingParameter("client_secret")
	}
	return id, secret, nil
}

func unescape(name, password string) (id, secret string, err error) {
	id, errID := url.QueryUnescape(name)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		return "", "", malformedRequest(http.StatusBadRequest, "The Authorization header is not form-encoded (RFC 6749 section 2.3.1).")
	}
	return id, secret, nil
}

// readForm reads the body only: a secret in an address would end up in logs. A parameter that stands twice is refused
// (RFC 6749 section 3.2), for it could mean one thing to us and another to what looks at requests before us.
func readForm(r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != formType {
		return nil, malformedRequest(http.StatusUnsupportedMediaType, "The body must be of type "+formType+".")
	}
	err = r.ParseForm()
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, malformedRequest(http.StatusRequestEntityTooLarge, "The body is larger than 64 KB.")
	}
	if err != nil {
		return nil, malformedRequest(http.StatusBadRequest, "The body is not well formed.")
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if len(r.PostForm[name]) > 1 {
			return nil, malformedRequest(http.StatusBadRequest, "The parameter '"+short(name)+"' is there more than once.")
		}
	}
	return r.PostForm, nil
}
