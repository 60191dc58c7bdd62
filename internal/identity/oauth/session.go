package oauth

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// sessionLife is how long a browser stays signed in.
const sessionLife = 24 * time.Hour

// session is the ticket of a browser in which a person has signed in.
type session struct {
	User   uuid.UUID `json:"user"`
	Serial uint32    `json:"serial,omitempty"` // see identity.User
	Since  time.Time `json:"since"`
	App    uuid.UUID `json:"app"` // the appId of the application that the password was entered for
}

// person is a person who has signed in.
type person struct {
	user   identity.User
	tenant uuid.UUID
	since  time.Time
	family uuid.UUID
	app    uuid.UUID // see session
}

const (
	sessionCookie = "licensor-session"
	formCookie    = "licensor-form"
)

// cookieName returns the name of a cookie, with the prefix that makes browsers refuse one that
// another host or an insecure page has set.
func (c *call) cookieName(name string) string {
	if c.secure() {
		return "__Host-" + name
	}
	return name
}

func (c *call) cookie(name string) string {
	cookie, err := c.Request.Cookie(c.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie keeps a value in the browser until it is closed; an empty one removes it.
func (c *call) setCookie(name, value string) {
	if value == "" {
		c.keepCookie(name, value, -time.Second)
		return
	}
	c.keepCookie(name, value, 0)
}

// keepCookie keeps a value in the browser for a time. It is Lax, because clients send people here.
func (c *call) keepCookie(name, value string, life time.Duration) {
	http.SetCookie(c.w, &http.Cookie{
		Name: c.cookieName(name), Value: value, Path: "/",
		HttpOnly: true, Secure: c.secure(), SameSite: http.SameSiteLaxMode,
		MaxAge: int(life.Seconds()),
	})
}

// signedIn returns the person who has signed in in this browser, in the call's tenant if it has
// one; nil if there is no valid session.
func (s *Server) signedIn(c *call) (*person, error) {
	secret := c.cookie(sessionCookie)
	if secret == "" {
		return nil, nil
	}
	var found session
	ticket, ok, err := s.ticket(c.Context(), forSession.id(secret), &found)
	if err != nil || !ok || (!c.anyTenant() && ticket.Tenant != c.tenant) {
		return nil, err
	}
	user, err := s.config.Tenants.User(c.Context(), ticket.Tenant, found.User)
	if err != nil || !user.Enabled || found.Since.Before(user.SessionsFrom) ||
		identity.IsAnother(found.Serial, user.Serial) {
		return nil, err
	}
	return &person{user: user, tenant: ticket.Tenant, since: found.Since, family: ticket.Family, app: found.App}, nil
}

// startSession signs a user in, for an application. The session is always a new one: a cookie that
// an attacker has planted in the browser never becomes that of a user (session fixation), and the
// previous session ends.
func (s *Server) startSession(c *call, app identity.App, user identity.User) error {
	if err := s.endSession(c); err != nil {
		return err
	}
	secret, err := s.newSecret()
	if err != nil {
		return err
	}
	family, err := s.config.Authority.NewID()
	if err != nil {
		return err
	}
	if _, err := s.addTicket(c.Context(), forSession.id(secret), c.tenant, family,
		sessionLife, session{user.ID, user.Serial, s.config.Now().UTC(), app.AppID}); err != nil {
		return err
	}
	if err := s.newestFamily(c, "session", user.ID, family, sessionLife); err != nil {
		return err
	}
	c.setCookie(sessionCookie, secret)
	return nil
}

// endSession ends the browser's session, if it has one.
func (s *Server) endSession(c *call) error {
	secret := c.cookie(sessionCookie)
	if secret == "" {
		return nil
	}
	c.setCookie(sessionCookie, "")
	var found session
	ticket, ok, err := s.ticket(c.Context(), forSession.id(secret), &found)
	if err != nil || !ok {
		return err
	}
	return s.config.Tickets.DropFamily(c.Context(), ticket.Family)
}
