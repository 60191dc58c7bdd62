package oauth

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"licensor/internal/guid"
	"licensor/internal/identity"
)

// client is the calling application, and how it has authenticated.
type client struct {
	identity.App
	proof identity.Proof
}

// public reports whether it has not authenticated.
func (c client) public() bool { return c.proof == identity.ProofNone }

// credentials are the credentials of a client.
type credentials struct {
	id, secret, assertion string
}

// client finds the calling application, and checks its credentials. A client without credentials is
// public, and the caller decides whether that is sufficient. Only an authenticated client is told
// that it is disabled.
func (s *Server) client(c *call) (client, error) {
	sent, err := readCredentials(c)
	if err != nil {
		return client{}, err
	}
	app, err := s.application(c, sent.id)
	if err != nil {
		return client{}, err
	}
	allowOrigin(c, app)
	found := client{App: app, proof: identity.ProofNone}
	switch {
	case sent.secret != "":
		found.proof, err = identity.ProofSecret, s.checkSecret(app, sent.secret)
	case sent.assertion != "":
		found.proof, err = identity.ProofAssertion, s.checkAssertion(c, app, sent.assertion)
	}
	if err == nil && !app.Enabled {
		err = disabledApp(app)
	}
	if refused := asRefusal(err); refused != nil {
		s.config.Log.InfoContext(c.Context(), "an application failed to authenticate",
			"tenant", c.tenant, "appId", app.AppID, "code", refused.code, "address", c.RemoteAddr)
	}
	return found, err
}

// confidential is client for endpoints that require authentication (RFC 6749 section 2.1).
func (s *Server) confidential(c *call) (client, error) {
	found, err := s.client(c)
	if err == nil && found.public() {
		err = noProof()
	}
	return found, err
}

// application finds an application of the call's tenant that can sign in, enabled or not.
func (s *Server) application(c *call, id string) (identity.App, error) {
	appID, ok := guid.Parse(id)
	if !ok {
		return identity.App{}, unknownApp(id, c.tenant)
	}
	app, err := s.config.Tenants.Application(c.Context(), c.tenant, appID)
	if err == nil && app.ID == uuid.Nil {
		err = unknownApp(id, c.tenant)
	}
	return app, err
}

func (s *Server) checkSecret(app identity.App, text string) error {
	switch secret, ok := app.Secret(text); {
	case !ok:
		return badSecret(app)
	case secret.Expired(s.config.Now()):
		return expiredSecret(app)
	}
	return nil
}

// readCredentials reads the client's id and secret in the form or in the header (RFC 6749 section
// 2.3.1), or its assertion (RFC 7523 section 2.2). A client must send only one of these.
func readCredentials(c *call) (credentials, error) {
	sent := credentials{c.form.Get("client_id"), c.form.Get("client_secret"), c.form.Get("client_assertion")}
	ways := 0
	if name, password, basic := c.BasicAuth(); basic {
		id, secret, err := unescape(name, password)
		if err != nil {
			return sent, err
		}
		if sent.id != "" && sent.id != id {
			return sent, malformedRequest(http.StatusBadRequest,
				"The 'client_id' in the body is another than that in the Authorization header.")
		}
		if ways++; sent.secret != "" {
			ways++
		}
		sent.id, sent.secret = id, secret
	} else if sent.secret != "" {
		ways++
	}
	if sent.assertion != "" {
		ways++
		if kind := c.form.Get("client_assertion_type"); kind != assertionType {
			return sent, badAssertion("the 'client_assertion_type' is not '" + assertionType + "'.")
		}
	}
	switch {
	case ways > 1:
		return sent, malformedRequest(http.StatusBadRequest, "There are several of a secret in the body, one in "+
			"the Authorization header, and an assertion: send one of them.")
	case sent.id == "":
		return sent, missingParameter("client_id")
	}
	return sent, nil
}

func unescape(name, password string) (id, secret string, err error) {
	id, errID := url.QueryUnescape(name)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		return "", "", malformedRequest(http.StatusBadRequest,
			"The Authorization header is not form-encoded (RFC 6749 section 2.3.1).")
	}
	return id, secret, nil
}
