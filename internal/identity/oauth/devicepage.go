package oauth

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"licensor/internal/identity"
	"licensor/internal/signins"
	"licensor/internal/store"
)

// devicePath is the path that people open. It is short, because it is read from one screen and
// typed on another.
const devicePath = "/devicelogin"

// deviceAuth answers {tenant}/oauth2/deviceauth: a person enters the code that a device shows,
// signs in, and approves or declines that the device may act for them (RFC 8628 section 3.3).
func (s *Server) deviceAuth(v *visit) error {
	if v.action == "code" {
		v.query = url.Values{"code": {readUserCode(v.form.Get("code"))}}
	}
	entered := v.query.Get("code")
	if entered == "" {
		return s.show(v, "device", pageData{Title: "Enter the code", Code: v.query.Get("otc")})
	}
	ticket, found, problem, err := s.findDevice(v, entered)
	if err != nil {
		return err
	}
	if problem != nil {
		return s.show(v, "device", pageData{
			Title: "Enter the code", Code: entered, Status: problem.status, Problem: problem.text,
		})
	}
	if v.anyTenant() && found.Tenant != uuid.Nil {
		return v.sendOn(found.Tenant.String(), v.endpoint(), v.query)
	}
	if v.action == "code" {
		return v.sendOn(v.PathValue("tenant"), v.endpoint(), v.query)
	}
	if v.anyTenant() {
		return s.chooseTenant(v)
	}
	return s.decide(v, ticket, found)
}

// findDevice finds the device that waits with a code. It slows down guessing.
func (s *Server) findDevice(
	v *visit, entered string,
) (ticket store.Ticket, found device, problem *refusalError, err error) {
	from, of := s.codesOf(v.call)
	leave, err := s.attempts.enter(v.Context(), s.config.Now(), of, from)
	if refused := asRefusal(err); refused != nil {
		return ticket, found, &refusalError{
			refused.status, refused.code, refused.name,
			"There were too many wrong codes. Wait " + waitOf(refused) + " and try again.",
		}, nil
	}
	defer leave()
	unknown := &refusalError{
		http.StatusBadRequest, 70018, "bad_verification_code",
		"This code is not known, or has expired. Check it, or start again on the device.",
	}
	var id []byte
	if _, ok, err := s.ticket(v.Context(), forUserCode.id(entered), &id); err != nil ||
		!ok || len(id) != len(ticket.ID) {
		return ticket, found, unknown, err
	}
	ticket, ok, err := s.ticket(v.Context(), [32]byte(id), &found)
	if err != nil || !ok || found.State != waiting ||
		(!v.anyTenant() && found.Tenant != uuid.Nil && found.Tenant != v.tenant) {
		return ticket, found, unknown, err
	}
	s.attempts.forgive(from)
	return ticket, found, nil, nil
}

// codesOf returns the limit for codes that a browser enters: by the browser, if people have signed
// in there before, otherwise by the address.
func (s *Server) codesOf(c *call) (limit, class) {
	if d, ok := s.knownDevice(c); ok {
		return limit{
			key:     keyOfAttempts("codes of device", string(d.id[:])),
			free:    freeOfAddress,
			longest: longestOfAddress,
		}, known
	}
	network, _ := networkOf(c.RemoteAddr)
	return limit{key: keyOfAttempts("codes", network.String()), free: freeOfAddress, longest: longestOfAddress}, stranger
}

// decide asks the person for approval. The page names the application, because an attacker who
// wants to sign in as the person may have sent the code (RFC 8628 section 5.4).
func (s *Server) decide(v *visit, ticket store.Ticket, found device) error {
	app, err := s.application(v.call, found.Client)
	if err != nil {
		return err
	}
	if !app.Enabled {
		return disabledApp(app)
	}
	who, answered, err := s.identify(v, wish{app: app, hint: v.query.Get("login_hint")})
	if err != nil || answered {
		return err
	}
	data := pageData{
		Title: "Sign in on another device",
		App:   app.DisplayName,
		AppID: app.AppID.String(),
		Name:  who.user.Name,
		Code:  v.query.Get("code"),
	}
	switch v.action {
	case "deny", "cancel":
		return s.settle(v, ticket, found, who, declined, app)
	case "approve", "accept":
		answered, err := s.agree(v, who, app, found.Scopes, agreement{})
		if err != nil || answered {
			return err
		}
		return s.settle(v, ticket, found, who, approved, app)
	}
	return s.show(v, "confirm", data)
}

// settle records the person's decision, the first one.
func (s *Server) settle(v *visit, ticket store.Ticket, found device, who *person, word state, app identity.App) error {
	found.State, found.Tenant, found.User, found.Since = word, v.tenant, who.user.ID, who.since
	found.UserSerial, found.ClientSerial = who.user.Serial, app.Serial
	if won, err := s.changeTicket(v.Context(), ticket, found); err != nil {
		return err
	} else if !won {
		return refuse(70018, "bad_verification_code", "This code was used in the meantime. Start again on the device.")
	}
	if word == approved {
		s.reportUser(v.call, app, signins.KindInteractive, who.user, 0)
	}
	data := pageData{Title: "You have signed in", App: app.DisplayName, Name: who.user.Name, Display: "yes"}
	if word == declined {
		data.Title, data.Display = "You have not signed in", ""
	}
	return s.show(v, "done", data)
}
