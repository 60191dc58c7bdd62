package oauth

import (
	"net/netip"

	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/signins"
)

// SignIns receives the sign-ins that the authority has seen (docs/spec/audit.md U33). Report must
// not wait.
type SignIns interface{ Report(s signins.SignIn) }

// attempt is what a password is entered for.
type attempt struct {
	app    identity.App
	onPage bool
}

// reportUser reports a sign-in of a user. An unknown user is zero: the text that was entered as a
// name is not kept, since it may be a password.
func (s *Server) reportUser(c *call, app identity.App, kind signins.Kind, user identity.User, code int) {
	s.report(c, app, signins.SignIn{
		Kind: kind, ObjectID: user.ID, Name: user.Name, DisplayName: user.DisplayName, UserSerial: user.Serial,
		Error: code,
	})
}

// reportAttempt reports an attempt with a password, if it was on a page or has failed. A grant that
// succeeds is reported with its tokens.
func (s *Server) reportAttempt(c *call, of attempt, user identity.User, code int) {
	switch {
	case of.onPage:
		s.reportUser(c, of.app, signins.KindInteractive, user, code)
	case code != 0:
		s.reportUser(c, of.app, signins.KindNonInteractive, user, code)
	}
}

// reportOutcome reports a sign-in that is not on a page, also a refused one: from any refusal after
// a password was checked, a caller learns that it is right.
func (s *Server) reportOutcome(c *call, app identity.App, user identity.User, err error) {
	if refused := asRefusal(err); refused != nil {
		s.reportUser(c, app, signins.KindNonInteractive, user, refused.code)
	} else if err == nil {
		s.reportUser(c, app, signins.KindNonInteractive, user, 0)
	}
}

// reportApplication reports a sign-in of an application for itself.
func (s *Server) reportApplication(c *call, app identity.App) {
	s.report(c, app, signins.SignIn{
		Kind: signins.KindServicePrincipal, ObjectID: app.ID, DisplayName: app.DisplayName,
	})
}

// report reports a sign-in with what is known of the request.
func (s *Server) report(c *call, app identity.App, in signins.SignIn) {
	if s.config.SignIns == nil {
		return
	}
	id, err := s.config.Authority.NewID()
	if err != nil { // there is no randomness, so nothing is issued either
		return
	}
	in.Tenant, in.At, in.ID, in.AppID, in.AppName = c.tenant, s.config.Now().UTC(), id, app.AppID, app.DisplayName
	in.Agent, in.Browser, in.Correlation = c.UserAgent(), c.onPage, id
	if wanted, ok := guid.Parse(c.Header.Get("client-request-id")); ok {
		in.Correlation = wanted
	}
	if from, err := netip.ParseAddrPort(c.RemoteAddr); err == nil {
		in.Address = from.Addr().Unmap().WithZone("").String()
	}
	s.config.SignIns.Report(in)
}

// sameSignIn is how long after a person has entered a password for an application its use of the
// session is a part of that sign-in, as for an application that gets the same token again.
const sameSignIn = givenPeriod

// reportSession reports that an application has used the session of a browser without a page.
func (s *Server) reportSession(v *visit, who *person, app identity.App) {
	age := s.config.Now().Sub(who.since)
	if v.action != "" || who.app == app.AppID && age >= 0 && age < sameSignIn {
		return
	}
	s.reportUser(v.call, app, signins.KindNonInteractive, who.user, 0)
}
