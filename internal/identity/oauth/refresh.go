package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/signins"
)

// The lifetime of refresh tokens: 90 days after each use, but at most 180 since the user has signed
// in; for a page in a browser, where a token is easier to steal, a day since the sign-in.
const (
	refreshIdle = 90 * 24 * time.Hour
	refreshMost = 180 * 24 * time.Hour
	refreshPage = 24 * time.Hour
)

// family is the ticket of all refresh tokens of one sign-in (A11). A refresh token is the secret of
// the family, followed by a dot and the secret of its generation; only the newest generation is
// valid. So one row is sufficient to detect an old token during the lifetime of the family.
type family struct {
	Client       uuid.UUID `json:"client"`
	ClientSerial uint32    `json:"clientSerial,omitempty"` // see identity.User
	User         uuid.UUID `json:"user"`
	UserSerial   uint32    `json:"userSerial,omitempty"`
	Since        time.Time `json:"since"`
	Scopes       scopes    `json:"scopes"`
	Kind         platform  `json:"kind"`
	Generation   []byte    `json:"generation"` // SHA-256 of the newest
}

// startFamily creates the first refresh token of a delegation, if one was requested.
func (s *Server) startFamily(c *call, d delegation, id uuid.UUID, kind platform) (string, error) {
	if !d.asked.has("offline_access") {
		return "", nil
	}
	if kind == native && !d.client.public() {
		kind = web // an authenticated client must authenticate each time
	}
	secret, err := s.newSecret()
	if err != nil {
		return "", err
	}
	started := family{
		Client: d.client.AppID, ClientSerial: d.client.Serial, User: d.user.ID,
		UserSerial: d.user.Serial, Since: d.since, Scopes: d.asked, Kind: kind,
	}
	generation, err := s.nextGeneration(&started)
	if err != nil {
		return "", err
	}
	if _, err := s.addTicket(c.Context(), forRefresh.id(secret), c.tenant, id,
		started.ends(s.config.Now()).Sub(s.config.Now()), started); err != nil {
		return "", err
	}
	return secret + "." + generation, s.newestFamily(c, "refresh "+d.client.AppID.String(), d.user.ID, id, refreshMost)
}

func (s *Server) nextGeneration(f *family) (string, error) {
	secret, err := s.newSecret()
	sum := sha256.Sum256([]byte(secret))
	f.Generation = sum[:]
	return secret, err
}

func (f *family) ends(now time.Time) time.Time {
	if f.Kind == spa {
		return f.Since.Add(refreshPage)
	}
	if most := f.Since.Add(refreshMost); now.Add(refreshIdle).After(most) {
		return most
	}
	return now.Add(refreshIdle)
}

// refresh returns new tokens for a refresh token, with the next one (RFC 6749 section 6).
func (s *Server) refresh(c *call) (*tokenAnswer, error) {
	text := c.form.Get("refresh_token")
	if text == "" {
		return nil, missingParameter("refresh_token")
	}
	secret, generation, _ := strings.Cut(text, ".")
	var found family
	ticket, ok, err := s.ticket(c.Context(), forRefresh.id(secret), &found)
	if err != nil {
		return nil, err
	}
	client, err := s.presenter(c, ticket, ok, found.Client, found.ClientSerial)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256([]byte(generation)); subtle.ConstantTimeCompare(sum[:], found.Generation) != 1 {
		return nil, s.endFamily(c.Context(), ticket.Family)
	}
	if err := found.Kind.admits(c, client); err != nil {
		return nil, err
	}
	d, err := s.again(c, client, found)
	if err != nil {
		return nil, err
	}
	found.ClientSerial, found.UserSerial = d.client.Serial, d.user.Serial // an earlier version has recorded none
	next, err := s.nextGeneration(&found)
	if err != nil {
		return nil, err
	}
	ticket.Expires = found.ends(s.config.Now()).UTC().Truncate(time.Second)
	if won, err := s.changeTicket(c.Context(), ticket, found); err != nil {
		return nil, err
	} else if !won {
		return nil, s.endFamily(c.Context(), ticket.Family)
	}
	d.refresh = secret + "." + next
	answer, err := s.write(c, d)
	if err == nil {
		s.reportUser(c, d.client.App, signins.KindNonInteractive, d.user, 0)
	}
	return answer, err
}

// endFamily revokes all refresh tokens of a sign-in, because an old one was used: one of the two
// clients that have used it has stolen it.
func (s *Server) endFamily(ctx context.Context, id uuid.UUID) error {
	if err := s.config.Tickets.DropFamily(ctx, id); err != nil {
		return err
	}
	s.config.Log.WarnContext(ctx, "an old refresh token was used, so all of its sign-in are revoked", "family", id)
	return badGrant(70008, "The provided refresh token was used before, so all refresh tokens of this sign-in "+
		"are revoked. Send a new interactive authorization request for this user and resource.")
}

// again returns the current delegation of a family. A client may request other permissions than
// before, as in the real service: it may have all permissions that were consented to, at any time.
func (s *Server) again(c *call, client client, found family) (delegation, error) {
	asked := found.Scopes
	if text := c.form.Get("scope"); text != "" {
		var err error
		if asked, err = parseScopes(text, c.root); err != nil {
			return delegation{}, err
		}
		if asked.Resource == "" { // only signing in, for the previous resource
			was := found.Scopes
			asked.Resource, asked.API, asked.Prefix = was.Resource, was.API, was.Prefix
			asked.Names, asked.All = was.Names, was.All
		}
	}
	user, err := s.userFor(c.Context(), c.tenant, found.User, found.UserSerial, found.Since)
	if err != nil {
		return delegation{}, err
	}
	return s.delegate(c.Context(), c.tenant, client, user, found.Since, asked)
}
