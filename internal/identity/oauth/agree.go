package oauth

import (
	"net/http"
	"slices"
	"strings"

	"licensor/internal/identity"
)

// agreement is how a person is asked for consent to an application.
type agreement struct {
	always bool // even after earlier consent
	silent bool // without a page
}

// agree obtains a person's consent to the permissions that an application requests. If it needs a
// page, it has answered the request. If the person declines, it returns a refusal.
func (s *Server) agree(
	v *visit, who *person, app identity.App, asked scopes, how agreement,
) (answered bool, err error) {
	if err := s.checkResource(v.Context(), v.tenant, asked); err != nil {
		return false, err
	}
	_, missing, err := s.permits(v.Context(), v.tenant, app, who.user.ID, asked)
	if err != nil {
		return false, err
	}
	if len(missing) == 0 && !how.always {
		return false, nil
	}
	wanted := asked.wanted(app)
	allowed := mayConsent(who.user, missing) && (!how.always || mayConsent(who.user, wanted))
	switch {
	case how.silent:
		return false, refuse(codeNoConsent, "consent_required", "The user or administrator has not consented to "+
			"use the application with ID '%s' named '%s'. Send an interactive authorization request for this user "+
			"and resource.", app.AppID, app.DisplayName)
	case v.action == "cancel":
		return false, saidNo()
	case v.action == "accept" && allowed:
		forAll := v.form.Get("all") == "yes" && isAdministrator(who.user)
		return false, s.config.Tenants.Consent(v.Context(), v.tenant, app.ID, who.user.ID, wanted, forAll)
	}
	if !allowed {
		return true, s.approvalPage(v, who, app, slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
			return mayConsent(who.user, []string{name})
		}))
	}
	data := consentData("Permissions requested", who, app, wanted)
	data.Administrator = isAdministrator(who.user)
	return true, s.show(v, "consent", data)
}

func saidNo() error {
	return refuse(65004, "access_denied", "User declined to consent to access the app.")
}

// approvalPage tells a person that an administrator is required.
func (s *Server) approvalPage(v *visit, who *person, app identity.App, names []string) error {
	data := consentData("Approval required", who, app, names)
	data.Status = http.StatusForbidden
	return s.show(v, "approval", data)
}

func consentData(title string, who *person, app identity.App, names []string) pageData {
	return pageData{
		Title: title, App: app.DisplayName, AppID: app.AppID.String(), Name: who.user.Name,
		Organization: organizationOf(who.user), Permissions: describe(names),
	}
}

// wanted returns the request for consent.
func (asked scopes) wanted(app identity.App) []string {
	switch {
	case asked.API != [16]byte{}:
		return asked.SignIn
	case asked.All:
		return slices.Concat(requested(app), asked.SignIn)
	}
	return slices.Concat(asked.Names, asked.SignIn)
}

// permission is a permission in a request for consent.
type permission struct{ Name, Text string }

// plain are plain descriptions of the permissions for signing in, whose names are for developers.
var plain = map[string]string{
	"openid":         "Sign you in",
	"profile":        "See your name and user name",
	"email":          "See your e-mail address",
	"offline_access": "Keep this access while you are not using it",
	"User.Read":      "Sign you in and read your profile",
}

func describe(names []string) []permission {
	var list []permission
	for _, name := range names {
		text := plain[name]
		if known, ok := identity.DelegatedPermission(name); ok && text == "" {
			text = strings.TrimSuffix(known.DisplayName, ".")
		}
		list = append(list, permission{name, text})
	}
	return list
}

// organizationOf returns the name of the tenant: the domain that the person knows.
func organizationOf(user identity.User) string {
	_, domain, _ := strings.Cut(user.Name, "@")
	return domain
}
