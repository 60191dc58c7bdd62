package oauth

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"licensor/internal/identity"
)

// The response modes (A11).
const (
	modeQuery    = "query"
	modeFragment = "fragment"
	modeForm     = "form_post"
)

// maxNonce limits the nonce, which is stored with a code and contained in ID tokens. No other free
// text of a request is stored.
const maxNonce = 512

// authorization is the request of a client that sends a person here (RFC 6749 section 4.1.1, OpenID
// Connect Core section 3.1.2.1).
type authorization struct {
	app             identity.App
	redirect, mode  string
	kind            platform
	wants           wants
	state, nonce    string
	challenge       string
	asked           scopes
	prompts         []string
	hint            string        // the user name for signing in
	oldest          time.Duration // maximum age of the sign-in; zero: sign in again
	hasOldest, info bool
}

// wants are the requested results: the words of the response_type.
type wants struct{ code, idToken, token bool }

// responseTypes are the supported combinations, as in the real service.
var responseTypes = map[wants]bool{
	{code: true}: true, {idToken: true}: true, {code: true, idToken: true}: true,
	{idToken: true, token: true}: true, {token: true}: true,
}

// tokens reports whether tokens are requested. They are never sent in a query, which servers log.
func (w wants) tokens() bool { return w.idToken || w.token }

func (a *authorization) prompt(name string) bool { return slices.Contains(a.prompts, name) }

// readAuthorization parses the request. Until the redirect address is known to be the client's,
// nothing may be sent there, and only an error is returned; later errors come with an authorization
// to respond to.
func (s *Server) readAuthorization(v *visit) (*authorization, error) {
	a, err := s.readClient(v)
	if err != nil {
		return nil, err
	}
	a.nonce, a.challenge = v.query.Get("nonce"), v.query.Get("code_challenge")
	if len(a.nonce) > maxNonce {
		return a, tooLong("nonce", maxNonce)
	}
	a.prompts, a.info = strings.Fields(v.query.Get("prompt")), v.query.Get("client_info") == "1"
	for _, read := range []func(*authorization, *visit) error{
		readMode, readType, readChallenge, readPrompt, readScopes,
	} {
		if err := read(a, v); err != nil {
			return a, err
		}
	}
	return a, nil
}

// readClient reads the client, and the address for the response, which must be the client's.
func (s *Server) readClient(v *visit) (*authorization, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if v.query.Get(name) == "" {
			return nil, missingQuery(name)
		}
	}
	app, err := s.application(v.call, v.query.Get("client_id"))
	if err != nil {
		return nil, err
	}
	if !app.Enabled {
		return nil, disabledApp(app)
	}
	redirect := v.query.Get("redirect_uri")
	kind, ok := platformOf(app, redirect)
	if !ok {
		return nil, refuse(50011, "invalid_request",
			"The redirect URI '%s' specified in the request does not match the redirect URIs configured for the "+
				"application '%s'. Make sure the redirect URI sent in the request matches one added to your "+
				"application.", short(redirect), app.AppID)
	}
	return &authorization{
		app: app, redirect: redirect, kind: kind, mode: modeQuery,
		state: v.query.Get("state"), hint: strings.TrimSpace(v.query.Get("login_hint")),
	}, nil
}

func readMode(a *authorization, v *visit) error {
	for _, word := range strings.Fields(v.query.Get("response_type")) {
		a.wants.code = a.wants.code || word == "code"
		a.wants.idToken = a.wants.idToken || word == "id_token"
		a.wants.token = a.wants.token || word == "token"
	}
	if a.wants.tokens() {
		a.mode = modeFragment
	}
	switch mode := v.query.Get("response_mode"); mode {
	case "":
	case modeQuery:
		if a.wants.tokens() {
			return refuse(70007, "invalid_request", "'query' is not a supported value of 'response_mode' when "+
				"requesting a token: use fragment or form_post.")
		}
	case modeFragment:
		a.mode = mode
	case modeForm:
		if originOf(a.redirect) == "" {
			return refuse(70007, "invalid_request", "The 'response_mode' form_post needs a redirect address of https.")
		}
		a.mode = mode
	default:
		return refuse(70007, "invalid_request", "'%s' is not a supported value of 'response_mode': use query, "+
			"fragment or form_post.", short(mode))
	}
	return nil
}

func readType(a *authorization, v *visit) error {
	known := func(word string) bool { return word == "code" || word == "id_token" || word == "token" }
	switch words := strings.Fields(v.query.Get("response_type")); {
	case len(words) == 0:
		return missingQuery("response_type")
	case !responseTypes[a.wants], slices.ContainsFunc(words, func(word string) bool { return !known(word) }):
		return refuse(70005, "unsupported_response_type",
			"The 'response_type' '%s' is not supported: use code, with PKCE; id_token; code id_token; or "+
				"id_token token.",
			short(v.query.Get("response_type")))
	case a.wants.token && !implicit(a.app).AccessTokens:
		return refuse(700051, "unsupported_response_type", "response_type 'token' is not enabled for the "+
			"application. Set web.implicitGrantSettings.enableAccessTokenIssuance, or use code.")
	case a.wants.idToken && !implicit(a.app).IDTokens:
		return refuse(700054, "unsupported_response_type", "response_type 'id_token' is not enabled for the "+
			"application. Set web.implicitGrantSettings.enableIdTokenIssuance, or use code.")
	case a.wants.idToken && a.nonce == "":
		return missingQuery("nonce")
	case v.query.Has("request"):
		return refuse(9002313, "request_not_supported", "The parameter 'request' is not supported.")
	case v.query.Has("request_uri"):
		return refuse(9002313, "request_uri_not_supported", "The parameter 'request_uri' is not supported.")
	}
	return nil
}

// implicit returns which tokens the application allows without a code.
func implicit(app identity.App) identity.Implicit {
	if app.Implicit == nil {
		return identity.Implicit{}
	}
	return app.Implicit()
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// readChallenge accepts only S256: with plain, anyone who sees the request can redeem the code.
func readChallenge(a *authorization, v *visit) error {
	method := v.query.Get("code_challenge_method")
	switch {
	case !a.wants.code:
		return nil
	case a.challenge == "" && method == "" && a.kind == web:
		return nil
	case a.challenge == "":
		return refuse(9002325, "invalid_request", "Proof Key for Code Exchange is required for authorization code "+
			"redemption of public clients: send 'code_challenge'.")
	case method != "S256":
		return refuse(501491, "invalid_request", "The 'code_challenge_method' must be S256.")
	case !challengeForm.MatchString(a.challenge):
		return refuse(501491, "invalid_request", "The 'code_challenge' must be the base64url form of a SHA-256 hash, 43 characters.")
	}
	return nil
}

func readPrompt(a *authorization, v *visit) error {
	for _, prompt := range a.prompts {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, prompt) || (prompt == "none" && len(a.prompts) > 1) {
			return refuse(90023, "invalid_request", "The value '%s' of 'prompt' is not supported: use none, or "+
				"some of login, consent and select_account.", short(v.query.Get("prompt")))
		}
	}
	if text := v.query.Get("max_age"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 || seconds > 1<<30 {
			return refuse(90023, "invalid_request", "The value '%s' of 'max_age' is not a number of seconds.", short(text))
		}
		a.oldest, a.hasOldest = time.Duration(seconds)*time.Second, true
	}
	return nil
}

func readScopes(a *authorization, v *visit) (err error) {
	scope := v.query.Get("scope")
	if strings.HasSuffix(v.URL.Path, "/oauth2/authorize") { // the older endpoint
		if resource := v.query.Get("resource"); resource != "" {
			scope = "openid profile offline_access " + scopeV1(resource, "")
		} else if scope == "" {
			scope = "openid profile"
		}
	}
	if scope == "" {
		return missingQuery("scope")
	}
	if a.asked, err = parseScopes(scope, v.root); err == nil && a.wants.idToken && !a.asked.has("openid") {
		err = badScope(scope, "an ID token requires the scope openid")
	}
	return err
}

// sendBack responds to the client, with its state.
func (s *Server) sendBack(v *visit, a *authorization, values url.Values) error {
	if a.state != "" {
		values.Set("state", a.state)
	}
	if a.mode == modeForm {
		return s.formPost(v, a, values)
	}
	return v.redirect(withValues(a.redirect, a.mode, values))
}

// sendError responds to the client with a refusal.
func (s *Server) sendError(v *visit, a *authorization, err error) error {
	_, body := s.describe(v.Request, err)
	return s.sendBack(v, a, url.Values{"error": {body.Error}, "error_description": {body.Description}, "error_uri": {body.URI}})
}
