package graph

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// principalFields are the properties of servicePrincipal.
var principalFields = newFieldSet("microsoft.graph.servicePrincipal", slices.Concat(
	[]field[application]{
		{name: "accountEnabled", write: func(b []byte, a *application) []byte { return jsontext.AppendBool(b, !a.Principal.Disabled) }, when: directory.ByDefault},
		{name: "applicationTemplateId", write: func(b []byte, a *application) []byte {
			return appendKept(b, a.Principal.Properties, templateID, "null")
		}, when: directory.ByDefault},
		{name: "appDescription", write: func(b []byte, a *application) []byte { return appendKept(b, a.Properties, "description", "null") }, when: directory.ByDefault},
		{name: "appDisplayName", write: func(b []byte, a *application) []byte { return jsontext.AppendText(b, appName(&a.Client)) }, when: directory.ByDefault},
		{name: "appId", write: appendAppID, when: directory.ByDefault},
		{name: "appOwnerOrganizationId", write: appendOwner, when: directory.ByDefault},
		{name: "appRoleAssignmentRequired", write: func(b []byte, a *application) []byte { return jsontext.AppendBool(b, a.Principal.AssignmentRequired) }, when: directory.ByDefault},
		{name: "appRoles", write: appendAppRoles, when: directory.ByDefault},
		{name: "deletedDateTime", write: func(b []byte, a *application) []byte { return jsontext.AppendTime(b, a.Principal.DeletedDateTime) }, when: directory.ByDefault},
		{name: "displayName", write: func(b []byte, a *application) []byte { return jsontext.AppendText(b, a.Principal.DisplayName) }, when: directory.ByDefault},
		{name: "id", write: func(b []byte, a *application) []byte { return jsontext.AppendID(b, a.Principal.ID) }, when: directory.ByDefault},
		{name: "info", write: func(b []byte, a *application) []byte { return appendKept(b, a.Properties, "info", whole(infoShape)) }, when: directory.ByDefault},
		{name: "keyCredentials", write: func(b []byte, a *application) []byte { return appendKeys(b, a.Principal.Certificates) }, when: directory.ByDefault},
		{name: "passwordCredentials", write: func(b []byte, a *application) []byte { return appendSecrets(b, a.Principal.Secrets, nil) }, when: directory.ByDefault},
		{name: "oauth2PermissionScopes", write: appendScopes, when: directory.ByDefault},
		{name: "publishedPermissionScopes", write: appendScopes, when: directory.ByDefault, beta: true}, // its name in beta
		{name: "replyUrls", write: appendReplyURLs, when: directory.ByDefault},
		{name: "servicePrincipalNames", write: appendPrincipalNames, when: directory.ByDefault},
		{name: "servicePrincipalType", write: func(b []byte, _ *application) []byte { return append(b, `"Application"`...) }, when: directory.ByDefault},
		{name: "signInAudience", write: appendAudience, when: directory.ByDefault},
	},
	keptFields(keptOfPrincipals, func(a *application) map[string]json.RawMessage { return a.Principal.Properties }),
	inBeta(keptFields(keptOfBetaPrincipals, func(a *application) map[string]json.RawMessage { return a.Principal.Properties })),
	notKept[application](
		[]string{
			"createdByAppId", "customSecurityAttributes", "disabledByMicrosoftStatus", "isDisabled",
			"preferredTokenSigningKeyThumbprint", "tokenEncryptionKeyId", "verifiedPublisher",
		},
		[]string{"addIns", "resourceSpecificApplicationPermissions"},
	),
)).in("servicePrincipals")

// principalEdits are what clients can set.
var principalEdits = editsOf(slices.Concat(keptOfPrincipals, keptOfBetaPrincipals), func(a *directory.Client) map[string]json.RawMessage { return a.Principal.Properties }, map[string]edit{
	"accountEnabled":            setEnabled,
	"appRoleAssignmentRequired": setAssignmentRequired,
	"displayName":               setPrincipalName,
	"keyCredentials":            setPrincipalKeys,
	"passwordCredentials":       setSecrets(func(a *directory.Client) *[]directory.Secret { return &a.Principal.Secrets }),
	"servicePrincipalType": func(_ editor, _ *directory.Client, at placeIn, raw json.RawMessage) error {
		return only("Application", at, raw)
	},
	"tokenEncryptionKeyId": unserved,
})

// only is for a property that has one value here.
func only(value string, at placeIn, raw json.RawMessage) error {
	_, err := must(oneOf(value))(nil, at, raw)
	return err
}

func setEnabled(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	if _, err := must(shapeFlag)(nil, at, raw); err != nil {
		return err
	}
	a.Principal.Disabled = string(raw) == "false"
	return nil
}

func setPrincipalKeys(e editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	if err := setKeys(ofPrincipal.certificates)(e, a, at, raw); err != nil {
		return err
	}
	if len(a.Principal.Certificates) == 0 {
		return nil
	}
	return isLocked(a, at.path)
}

func setAssignmentRequired(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	if _, err := must(shapeFlag)(nil, at, raw); err != nil {
		return err
	}
	a.Principal.AssignmentRequired = string(raw) == "true"
	return nil
}

// setPrincipalName gives the service principal a name of its own, until its application is renamed.
func setPrincipalName(e editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	named := *a
	if err := setAppName(e, &named, at, raw); err != nil {
		return err
	}
	a.Principal.DisplayName = named.DisplayName
	return nil
}

// appendKept writes a property that is kept as it was sent: of a service principal, also one of its
// application's.
func appendKept(b []byte, kept map[string]json.RawMessage, name, none string) []byte {
	if value, ok := kept[name]; ok {
		return append(b, value...)
	}
	return append(b, none...)
}

// isGraph reports whether it is Microsoft Graph, whose app roles and scopes are the permissions
// that applications can be granted.
func (a *application) isGraph() bool { return a.AppID == directory.GraphAppID }

// appName returns the name of a service principal's application. Of one of Microsoft's own, the
// tenant has only the service principal, which can be given another name.
func appName(a *directory.Client) string {
	if own, ok := identity.FirstPartyByID(a.AppID); ok && a.ID == uuid.Nil {
		return own.DisplayName
	}
	return a.DisplayName
}

func appendOwner(b []byte, a *application) []byte {
	return jsontext.AppendID(b, a.Owner(a.image.Organization.ID))
}

// appendAppRoles writes the application permissions of a resource.
func appendAppRoles(b []byte, a *application) []byte {
	if !a.isGraph() {
		return appendKept(b, a.Properties, "appRoles", "[]")
	}
	return jsontext.AppendList(b, identity.ApplicationPermissions, func(b []byte, p identity.Permission) []byte {
		b = append(jsontext.AppendName(append(b, '{'), "allowedMemberTypes"), `["Application"]`...)
		b = jsontext.AppendText(jsontext.AppendName(b, "description"), p.DisplayName)
		b = jsontext.AppendText(jsontext.AppendName(b, "displayName"), p.DisplayName)
		b = jsontext.AppendID(jsontext.AppendName(b, "id"), p.ID)
		b = append(jsontext.AppendName(b, "isEnabled"), "true"...)
		b = jsontext.AppendText(jsontext.AppendName(b, "origin"), "Application")
		return append(jsontext.AppendText(jsontext.AppendName(b, "value"), p.Value), '}')
	})
}

// appendScopes writes the delegated permissions of a resource.
func appendScopes(b []byte, a *application) []byte {
	if !a.isGraph() {
		var api struct {
			Scopes json.RawMessage `json:"oauth2PermissionScopes"`
		}
		if json.Unmarshal(a.Properties["api"], &api) != nil {
			return append(b, "[]"...)
		}
		return append(b, api.Scopes...)
	}
	return jsontext.AppendList(b, identity.DelegatedPermissions, func(b []byte, p identity.Permission) []byte {
		kind := "User"
		if p.AdminConsent {
			kind = "Admin"
		}
		b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "adminConsentDescription"), p.DisplayName)
		b = jsontext.AppendText(jsontext.AppendName(b, "adminConsentDisplayName"), p.DisplayName)
		b = jsontext.AppendID(jsontext.AppendName(b, "id"), p.ID)
		b = append(jsontext.AppendName(b, "isEnabled"), "true"...)
		b = jsontext.AppendText(jsontext.AppendName(b, "origin"), "Application")
		b = jsontext.AppendText(jsontext.AppendName(b, "type"), kind)
		b = jsontext.AppendText(jsontext.AppendName(b, "userConsentDescription"), p.DisplayName)
		b = jsontext.AppendText(jsontext.AppendName(b, "userConsentDisplayName"), p.DisplayName)
		return append(jsontext.AppendText(jsontext.AppendName(b, "value"), p.Value), '}')
	})
}

func appendReplyURLs(b []byte, a *application) []byte {
	return jsontext.AppendList(b, slices.Concat(a.Redirects.Web, a.Redirects.SPA, a.Redirects.Public), jsontext.AppendText)
}

// appendPrincipalNames writes the names that a resource can be asked for by.
func appendPrincipalNames(b []byte, a *application) []byte {
	return jsontext.AppendList(b, a.PrincipalNames(), jsontext.AppendText)
}

// getPrincipal answers GET /servicePrincipals/{servicePrincipal}, by id or by appId.
func getPrincipal(r *request) error {
	return sendOne(r, "servicePrincipals", principalFields, principalExpansions, (*request).principal)
}

// ownPrincipal is principal where it is to be changed.
func ownPrincipal(r *request) (directory.Client, error) {
	a, err := r.principal()
	if err == nil && a.AppID == directory.GraphAppID {
		return a, unchangeable()
	}
	return a, err
}

func unchangeable() error {
	return problem.Refuse("The service principal of Microsoft Graph is part of every tenant and cannot be changed.")
}
