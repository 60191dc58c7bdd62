package oauth

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// logIn checks a user's name and password. An unknown name, a user without a password, and a wrong
// password have the same response, which takes the same time. Only a caller with the right password
// is told that the user is disabled.
func (s *Server) logIn(c *call, of attempt, name, password string) (identity.User, error) {
	name = strings.TrimSpace(name)
	account := ofAccount(c.tenant.String(), name)
	from, leave, err := s.enter(c, account)
	if refused := asRefusal(err); refused != nil {
		user, unread := s.config.Tenants.UserByName(c.Context(), c.tenant, name)
		if unread == nil {
			s.reportAttempt(c, of, user, refused.code)
		}
		return identity.User{}, err
	}
	if err != nil {
		return identity.User{}, err
	}
	defer leave()
	user, err := s.config.Tenants.UserByName(c.Context(), c.tenant, name)
	if err != nil {
		return user, err
	}
	hash := ""
	if user.ID != uuid.Nil {
		if hash, err = s.config.Tenants.Password(c.Context(), c.tenant, user.ID); err != nil {
			return user, err
		}
	}
	if len(password) > identity.MaxPassword {
		password, hash = "", "" // it cannot be right; do not hash it
	}
	known := hash != ""
	if !known {
		hash = s.config.Cost.NoPassword()
	}
	switch right, err := identity.CheckPassword(c.Context(), hash, password); {
	case err != nil:
		return user, err
	case !right || !known:
		s.config.Log.InfoContext(c.Context(), "a sign-in failed", "tenant", c.tenant, "user", user.ID, "address", c.RemoteAddr)
		s.reportAttempt(c, of, user, codeBadPassword)
		return identity.User{}, badPassword()
	}
	s.attempts.forget(from.lane)
	s.attempts.forgive(from.others...)
	if !user.Enabled {
		s.config.Log.InfoContext(c.Context(), "a sign-in of a disabled user failed",
			"tenant", c.tenant, "user", user.ID, "address", c.RemoteAddr)
		s.reportAttempt(c, of, user, codeDisabledUser)
		return identity.User{}, disabledUser()
	}
	s.config.Log.InfoContext(c.Context(), "a user has signed in", "tenant", c.tenant, "user", user.ID, "address", c.RemoteAddr)
	if err := s.rememberPlace(c, account, user.ID); err != nil {
		return user, err
	}
	s.reportAttempt(c, of, user, 0)
	return user, nil
}

// enter waits for the turn of a guess at an account's password.
func (s *Server) enter(c *call, account key) (source, func(), error) {
	from, err := s.sourceOf(c, account)
	if err != nil {
		return from, nil, err
	}
	limits := append(from.others, from.lane)
	leave, err := s.attempts.enter(c.Context(), s.config.Now(), from.class, limits...)
	from.others = limits[:len(from.others)]
	return from, leave, err
}

// password answers with tokens for a user's name and password (A13, RFC 6749 section 4.3). The
// application sees the password, so the tenant must allow it.
func (s *Server) password(c *call) (*tokenAnswer, error) {
	name := c.form.Get("username")
	if name == "" {
		return nil, missingParameter("username")
	}
	if c.anyTenant() {
		if err := s.tenantOf(c, name); err != nil {
			return nil, err
		}
	}
	signIn, err := s.config.Tenants.SignIn(c.Context(), c.tenant)
	if err != nil {
		return nil, err
	}
	if !signIn.AllowPasswordGrant {
		return nil, refuse(70003, "unsupported_grant_type", "The grant type 'password' is not allowed in the directory '%s'.", c.tenant)
	}
	client, err := s.client(c)
	if err != nil {
		return nil, err
	}
	kind := web
	if client.public() {
		if kind = native; !mayBePublic(client.App) {
			return nil, noProof()
		}
	}
	asked, err := parseScopes(c.form.Get("scope"), c.root)
	if err != nil {
		return nil, err
	}
	user, err := s.logIn(c, attempt{app: client.App}, name, c.form.Get("password"))
	if err != nil {
		return nil, err
	}
	since := s.config.Now()
	if user, err = s.userFor(c.Context(), c.tenant, user.ID, user.Serial, since); err != nil {
		s.reportOutcome(c, client.App, user, err)
		return nil, err
	}
	return s.seen(c, client, user, since, asked, kind)
}

// tenantOf finds the tenant by the domain of a user's name.
func (s *Server) tenantOf(c *call, name string) error {
	_, domain, _ := strings.Cut(strings.TrimSpace(strings.ToLower(name)), "@")
	tenant, err := s.config.Tenants.Tenant(c.Context(), domain)
	if err != nil {
		return err
	}
	if tenant == uuid.Nil || domain == "" {
		return unknownTenant(domain)
	}
	c.tenant = tenant
	return nil
}

// first returns the first tokens of a sign-in that has no code.
func (s *Server) first(
	c *call, client client, user identity.User, since time.Time, asked scopes, kind platform,
) (*tokenAnswer, error) {
	d, err := s.delegate(c.Context(), c.tenant, client, user, since, asked)
	if err != nil {
		return nil, err
	}
	id, err := s.config.Authority.NewID()
	if err != nil {
		return nil, err
	}
	if d.refresh, err = s.startFamily(c, d, id, kind); err != nil {
		return nil, err
	}
	return s.write(c, d)
}

// seen is first for a sign-in that no person has confirmed on a page.
func (s *Server) seen(
	c *call, client client, user identity.User, since time.Time, asked scopes, kind platform,
) (*tokenAnswer, error) {
	answer, err := s.first(c, client, user, since, asked, kind)
	s.reportOutcome(c, client.App, user, err)
	return answer, err
}
