package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"licensor/internal/identity"
)

// authorize answers {tenant}/oauth2/v2.0/authorize: it identifies the person and obtains consent,
// on as many pages as necessary, and sends the person back with a code or tokens (A11). All pages
// are at this address with the client's query, so that no state is stored in between.
func (s *Server) authorize(v *visit) error {
	if v.Method == "POST" && v.action == "" {
		// A POST request of a client; its query is the form.
		return v.sendOn(v.PathValue("tenant"), v.endpoint(), v.form)
	}
	if v.anyTenant() {
		return s.chooseTenant(v)
	}
	a, err := s.readAuthorization(v)
	if a == nil {
		return err
	}
	v.formTo = []string{formTarget(a.redirect)}
	if err != nil {
		return s.sendError(v, a, err)
	}
	if err = s.ask(v, a); asRefusal(err) != nil {
		return s.sendError(v, a, err)
	}
	return err
}

// ask performs the steps: identification and consent.
func (s *Server) ask(v *visit, a *authorization) error {
	who, answered, err := s.identify(v, wish{
		app: a.app, hint: a.hint, fresh: a.prompt("login"), choose: a.prompt("select_account"),
		silent: a.prompt("none"), oldest: a.oldest, hasOldest: a.hasOldest,
	})
	switch {
	case err != nil || answered:
		return err
	case who == nil:
		return refuse(50058, "login_required", "A silent sign-in request was sent but no user is signed in.")
	}
	answered, err = s.agree(v, who, a.app, a.asked, agreement{always: a.prompt("consent"), silent: a.prompt("none")})
	if err != nil || answered {
		return err
	}
	values, err := s.give(v, a, who)
	if err != nil {
		return err
	}
	s.reportSession(v, who, a.app)
	return s.sendBack(v, a, values)
}

// give creates the requested results: a code, an ID token, an access token.
func (s *Server) give(v *visit, a *authorization, who *person) (url.Values, error) {
	values := url.Values{"session_state": {who.family.String()}}
	if a.info {
		values.Set("client_info", clientInfo(who.user.ID, v.tenant))
	}
	if a.wants.code {
		secret, err := s.newCode(v, a, who)
		if err != nil {
			return nil, err
		}
		values.Set("code", secret)
	}
	if !a.wants.tokens() {
		return values, nil
	}
	return values, s.giveTokens(v, a, who, values)
}

// giveTokens adds the tokens that are sent without redeeming a code. The client has not
// authenticated, so there is no refresh token; the ID token has hashes of the code and access token
// that belong to it (OpenID Connect Core section 3.3.2.11).
func (s *Server) giveTokens(v *visit, a *authorization, who *person, values url.Values) error {
	d, err := s.delegate(v.Context(), v.tenant, client{a.app, identity.ProofNone}, who.user, who.since, a.asked)
	if err != nil {
		return err
	}
	d.nonce = a.nonce
	if a.wants.token {
		access, err := s.accessToken(v.call, d)
		if err != nil {
			return err
		}
		for name, text := range map[string]string{
			"access_token": access, "token_type": "Bearer", "scope": a.asked.answer(d.names), "expires_in": strconv.Itoa(int(identity.Lifetime.Seconds())),
		} {
			values.Set(name, text)
		}
	}
	if !a.wants.idToken {
		return nil
	}
	claims := s.idToken(v.call, d)
	claims.CodeHash, claims.AccessHash = halfHash(values.Get("code")), halfHash(values.Get("access_token"))
	token, err := s.config.Authority.Sign(claims)
	values.Set("id_token", token)
	return err
}

// newCode issues a code.
func (s *Server) newCode(v *visit, a *authorization, who *person) (string, error) {
	if !s.codes.take(who.user.ID.String(), 1, s.config.Now()) {
		return "", tooMany("There were too many sign-ins of this user in a short time. Try again in a few seconds.")
	}
	secret, err := s.newSecret()
	if err != nil {
		return "", err
	}
	family, err := s.config.Authority.NewID()
	if err != nil {
		return "", err
	}
	own, err := s.config.Authority.NewID() // the code stays known after the end of its family
	if err != nil {
		return "", err
	}
	_, err = s.addTicket(v.Context(), forCode.id(secret), v.tenant, own, codeLife, code{
		Client: a.app.AppID, ClientSerial: a.app.Serial, User: who.user.ID, UserSerial: who.user.Serial,
		Since: who.since, Redirect: a.redirect, Kind: a.kind, Challenge: a.challenge,
		Scopes: a.asked, Nonce: a.nonce, Family: family,
	})
	return secret, err
}

// chooseTenant sends a person who comes to common or organizations to their own tenant: the tenant
// of their session, or that of the domain of their user name.
func (s *Server) chooseTenant(v *visit) error {
	prompts := strings.Fields(v.query.Get("prompt"))
	name := v.query.Get("login_hint")
	if v.action == "account" {
		name = v.form.Get("username")
		v.query.Set("login_hint", strings.TrimSpace(name))
	} else if name == "" && !slices.Contains(prompts, "login") && !slices.Contains(prompts, "select_account") {
		who, err := s.signedIn(v.call)
		if err != nil {
			return err
		}
		if who != nil {
			return v.sendOn(who.tenant.String(), v.endpoint(), v.query)
		}
	}
	if name == "" {
		if domain := v.query.Get("domain_hint"); domain != "" && domain != organizations {
			name = "@" + domain
		}
	}
	if name != "" && s.tenantOf(v.call, name) == nil {
		return v.sendOn(v.tenant.String(), v.endpoint(), v.query)
	}
	problem := ""
	if v.action == "account" {
		problem = "There is no organization here with the domain of this user name. Check the part after the @."
	}
	return s.show(v, "account", pageData{Title: "Who are you?", Name: name, Problem: problem})
}
