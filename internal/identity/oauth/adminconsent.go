package oauth

import (
	"net/url"
)

// adminConsent answers {tenant}/v2.0/adminconsent: an administrator consents for the whole
// organization to an application's permissions on behalf of users, without signing in to it.
// Application permissions are granted through Graph instead (appRoleAssignments).
func (s *Server) adminConsent(v *visit) error {
	if v.anyTenant() {
		return s.chooseTenant(v)
	}
	a, err := s.readAdminConsent(v)
	if a == nil {
		return err
	}
	v.formTo = []string{formTarget(a.redirect)}
	if err == nil {
		err = s.askAdministrator(v, a)
	}
	if asRefusal(err) != nil {
		return s.sendError(v, a, err)
	}
	return err
}

// readAdminConsent is readAuthorization for it: there is no code, so it only reads the address and
// the scopes.
func (s *Server) readAdminConsent(v *visit) (*authorization, error) {
	a, err := s.readClient(v)
	if err != nil {
		return nil, err
	}
	scope := v.query.Get("scope")
	if scope == "" {
		scope = everything
	}
	a.asked, err = parseScopes(scope, v.root)
	return a, err
}

func (s *Server) askAdministrator(v *visit, a *authorization) error {
	who, answered, err := s.identify(v, wish{app: a.app, hint: a.hint})
	if err != nil || answered {
		return err
	}
	wanted := a.asked.wanted(a.app)
	switch {
	case v.action == "cancel":
		return saidNo()
	case !isAdministrator(who.user):
		return s.approvalPage(v, who, a.app, wanted)
	case v.action == "accept":
		if err := s.config.Tenants.Consent(v.Context(), v.tenant, a.app.ID, who.user.ID, wanted, true); err != nil {
			return err
		}
		return s.sendBack(v, a, url.Values{"admin_consent": {"True"}, "tenant": {v.tenant.String()}})
	}
	data := consentData("Permissions requested", who, a.app, wanted)
	data.ForAll = true
	return s.show(v, "consent", data)
}
