package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/guid"
	"licensor/internal/identity"
)

// A12.
const (
	deviceLife     = 15 * time.Minute
	deviceInterval = 5 * time.Second
)

// device is the ticket of a device that waits for a person to sign in.
type device struct {
	Client string    `json:"client"` // an appId; it is looked up in the tenant of the user who signs in
	Tenant uuid.UUID `json:"tenant"` // zero until it is known
	Scopes scopes    `json:"scopes"`
	State  state     `json:"state"`
	User   uuid.UUID `json:"user"`
	Since  time.Time `json:"since"`

	// Of the user who has approved, and of the application at that time; see identity.User.
	UserSerial   uint32 `json:"userSerial,omitempty"`
	ClientSerial uint32 `json:"clientSerial,omitempty"`
}

type state string

// The states of a device: initially it waits; then a user approves or declines, or the tokens are
// issued.
const (
	waiting  state = ""
	approved state = "approved"
	declined state = "declined"
	redeemed state = "redeemed"
)

// deviceAnswer is the response of RFC 8628 section 3.2.
type deviceAnswer struct {
	DeviceCode      string `json:"device_code"`
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	ExpiresIn       int    `json:"expires_in"`
	Interval        int    `json:"interval"`
	Message         string `json:"message"`
}

// deviceCode answers a device with the code that its user must enter (A12).
func (s *Server) deviceCode(c *call) (any, error) {
	form, err := readForm(c.Request)
	if err != nil {
		return nil, err
	}
	return s.newDevice(c, form.Get("client_id"), form.Get("scope"))
}

// deviceAnswerV1 is the response of the older endpoint, whose numbers are texts.
type deviceAnswerV1 struct {
	deviceAnswer
	VerificationURI string `json:"verification_uri,omitempty"` // not sent
	VerificationURL string `json:"verification_url"`
	ExpiresIn       string `json:"expires_in"`
	Interval        string `json:"interval"`
}

// deviceCodeV1 answers {tenant}/oauth2/devicecode, which accepts a resource instead of a scope;
// ADAL uses GET.
func (s *Server) deviceCodeV1(c *call) (any, error) {
	form := c.URL.Query()
	err := once(form)
	if c.Method != http.MethodGet {
		form, err = readForm(c.Request)
	}
	if err != nil {
		return nil, err
	}
	d, err := s.newDevice(c, form.Get("client_id"), scopeV1(form.Get("resource"), form.Get("scope")))
	if err != nil {
		return nil, err
	}
	return deviceAnswerV1{
		deviceAnswer: d, VerificationURL: d.VerificationURI,
		ExpiresIn: strconv.Itoa(d.ExpiresIn), Interval: strconv.Itoa(d.Interval),
	}, nil
}

// newDevice issues a code for a device of an application, with the requested scopes.
func (s *Server) newDevice(c *call, id, scope string) (deviceAnswer, error) {
	var none deviceAnswer
	if id == "" {
		return none, missingParameter("client_id")
	}
	if err := s.devices.ask(c.RemoteAddr, s.config.Now()); err != nil {
		return none, err
	}
	appID, err := s.deviceClient(c, id)
	if err != nil {
		return none, err
	}
	asked, err := parseScopes(scope, c.root)
	if err != nil {
		return none, err
	}
	if err := s.devices.give(s.config.Now()); err != nil {
		return none, err
	}
	secret, userCode, err := s.addDevice(c.Context(), device{Client: appID.String(), Tenant: c.tenant, Scopes: asked})
	if err != nil {
		return none, err
	}
	uri := c.root + devicePath
	return deviceAnswer{
		DeviceCode: secret, UserCode: userCode, VerificationURI: uri,
		ExpiresIn: int(deviceLife.Seconds()), Interval: int(deviceInterval.Seconds()),
		Message: fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to "+
			"authenticate.", uri, userCode),
	}, nil
}

// deviceClient returns the application of a device. For common and organizations it is one that
// some tenant has.
func (s *Server) deviceClient(c *call, id string) (uuid.UUID, error) {
	if c.anyTenant() {
		appID, ok := guid.Parse(id)
		_, firstParty := identity.FirstPartyByID(appID)
		if !ok {
			return uuid.Nil, unknownAppAnywhere(id)
		}
		known, err := s.config.Tenants.Known(c.Context(), appID)
		if err == nil && !known && !firstParty {
			err = unknownAppAnywhere(id)
		}
		return appID, err
	}
	app, err := s.application(c, id)
	if err == nil && !app.Enabled {
		err = disabledApp(app)
	}
	return app.AppID, err
}

// addDevice stores a device under its own code and the one for people.
func (s *Server) addDevice(ctx context.Context, d device) (secret, userCode string, err error) {
	if secret, err = s.newSecret(); err != nil {
		return "", "", err
	}
	family, err := s.config.Authority.NewID()
	if err != nil {
		return "", "", err
	}
	id := forDevice.id(secret)
	if _, err = s.addTicket(ctx, id, d.Tenant, family, deviceLife, d); err != nil {
		return "", "", err
	}
	for { // a code for people is short, so another device may have it
		if userCode, err = newUserCode(s.config.Random); err != nil {
			return "", "", err
		}
		first, err := s.addTicket(ctx, forUserCode.id(userCode), d.Tenant, family, deviceLife, id[:])
		if err != nil || first {
			return secret, userCode, err
		}
	}
}

// userCodeLetters form no words and cannot be confused (RFC 8628 section 6.1). Nine of them are 39
// bits, and guessing is slowed down.
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 9
)

func newUserCode(random io.Reader) (string, error) {
	text := make([]byte, 0, userCodeLength)
	var b [1]byte
	for len(text) < userCodeLength {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("make a user code: %w", err)
		}
		if most := 256 - 256%len(userCodeLetters); int(b[0]) < most { // each letter is equally likely
			text = append(text, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(text), nil
}

// readUserCode reads a code in the forms that people write.
func readUserCode(text string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(strings.TrimSpace(text)))
}

// redeemDevice answers a device that polls for its user's sign-in.
func (s *Server) redeemDevice(c *call) (*tokenAnswer, error) {
	text := c.form.Get("device_code")
	if text == "" {
		if text = c.form.Get("code"); text == "" { // the name of older clients
			return nil, missingParameter("device_code")
		}
	}
	var found device
	ticket, ok, err := s.ticket(c.Context(), forDevice.id(text), &found)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, refuse(70020, "expired_token", "The provided value for the input parameter 'device_code' is "+
			"not valid. This device code has expired, or was not given out here.")
	case !c.anyTenant() && found.Tenant != uuid.Nil && c.tenant != found.Tenant:
		return nil, badGrant(700005, "The provided device code is intended to be used against another tenant.")
	case !sameID(found.Client, c.form.Get("client_id")):
		return nil, badGrant(70000, "The provided device code was given to another application.")
	}
	if err := s.notApproved(ticket.ID, found.State); err != nil {
		return nil, err
	}
	c.tenant = found.Tenant
	client, err := s.client(c)
	if err != nil {
		return nil, err
	}
	if identity.IsAnother(found.ClientSerial, client.Serial) {
		return nil, badGrant(70000, "The provided device code was given to another application.")
	}
	if client.public() && !mayBePublic(client.App) {
		return nil, noProof()
	}
	user, err := s.userFor(c.Context(), c.tenant, found.User, found.UserSerial, found.Since)
	if err != nil {
		return nil, err
	}
	found.State = redeemed
	if won, err := s.changeTicket(c.Context(), ticket, found); err != nil {
		return nil, err
	} else if !won {
		return nil, s.notApproved(ticket.ID, redeemed)
	}
	return s.first(c, client, user, found.Since, found.Scopes, native)
}

// sameID reports whether two texts are the same id, in any letter case.
func sameID(one, other string) bool {
	a, okA := guid.Parse(one)
	b, okB := guid.Parse(other)
	return okA && okB && a == b
}

// notApproved returns the response for a device that is not, or no longer, approved.
func (s *Server) notApproved(id [32]byte, is state) error {
	switch is {
	case waiting:
		return s.polls.pending(id, s.config.Now())
	case declined:
		return refuse(65004, "authorization_declined", "The user declined to sign in.")
	case redeemed:
		return badGrant(54005, "The device code was already redeemed.")
	}
	return nil
}
