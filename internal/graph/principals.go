package graph

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// principalFields are the properties of servicePrincipal.
var principalFields = wire.NewFieldSet("microsoft.graph.servicePrincipal", slices.Concat(
	[]wire.Field[application]{
		wire.Default("accountEnabled", jsontext.AppendBool, func(a *application) bool { return !a.Principal.Disabled }),
		{Name: "applicationTemplateId", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendKept(b, a.Principal.Properties, templateID, "null")
		}},
		{Name: "appDescription", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendKept(b, a.Properties, "description", "null")
		}},
		wire.Default("appDisplayName", jsontext.AppendText, func(a *application) string { return wire.AppName(&a.Client) }),
		{Name: "appId", Write: appendAppID, When: directory.ReturnedByDefault},
		{Name: "appOwnerOrganizationId", Write: appendOwner, When: directory.ReturnedByDefault},
		wire.Default("appRoleAssignmentRequired", jsontext.AppendBool, func(a *application) bool { return a.Principal.AssignmentRequired }),
		{Name: "appRoles", Write: appendAppRoles, When: directory.ReturnedByDefault},
		wire.Default("deletedDateTime", jsontext.AppendTime, func(a *application) time.Time { return a.Principal.DeletedDateTime }),
		wire.Default("displayName", jsontext.AppendText, func(a *application) string { return a.Principal.DisplayName }),
		wire.Default("id", jsontext.AppendID, func(a *application) uuid.UUID { return a.Principal.ID }),
		{Name: "info", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendKept(b, a.Properties, "info", whole(infoShape))
		}},
		wire.Default("keyCredentials", appendKeys, func(a *application) []directory.Certificate { return a.Principal.Certificates }),
		{Name: "passwordCredentials", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendSecrets(b, a.Principal.Secrets, nil)
		}},
		{Name: "oauth2PermissionScopes", Write: appendScopes, When: directory.ReturnedByDefault},
		{Name: "publishedPermissionScopes", Write: appendScopes, When: directory.ReturnedByDefault, Beta: true}, // its name in beta
		{Name: "replyUrls", Write: appendReplyURLs, When: directory.ReturnedByDefault},
		{Name: "servicePrincipalNames", Write: appendPrincipalNames, When: directory.ReturnedByDefault},
		{Name: "servicePrincipalType", When: directory.ReturnedByDefault, Write: func(b []byte, _ *application) []byte {
			return append(b, `"Application"`...)
		}},
		{Name: "signInAudience", Write: appendAudience, When: directory.ReturnedByDefault},
	},
	keptFields(keptOfPrincipals, propertiesOfPrincipal),
	wire.InBeta(keptFields(keptOfBetaPrincipals, propertiesOfPrincipal)),
	wire.NotKept[application](
		[]string{
			"createdByAppId", "customSecurityAttributes", "disabledByMicrosoftStatus", "isDisabled",
			"preferredTokenSigningKeyThumbprint", "tokenEncryptionKeyId", "verifiedPublisher",
		},
		[]string{"addIns", "resourceSpecificApplicationPermissions"},
	),
)).In("servicePrincipals")

func propertiesOfPrincipal(a *directory.Client) map[string]json.RawMessage {
	return a.Principal.Properties
}

// principalEdits are the properties that clients can set.
var principalEdits = editsOf(
	slices.Concat(keptOfPrincipals, keptOfBetaPrincipals), propertiesOfPrincipal, principalOtherEdits,
)

var principalOtherEdits = map[string]edit{
	"accountEnabled":            setEnabled,
	"appRoleAssignmentRequired": setAssignmentRequired,
	"displayName":               setPrincipalName,
	"keyCredentials":            setPrincipalKeys,
	"passwordCredentials":       setSecrets(func(a *directory.Client) *[]directory.Secret { return &a.Principal.Secrets }),
	"servicePrincipalType": func(_ editor, _ *directory.Client, at wire.Place, raw json.RawMessage) error {
		return only("Application", at, raw)
	},
	"tokenEncryptionKeyId": unserved,
}

// only is for a property with a single valid value here.
func only(value string, at wire.Place, raw json.RawMessage) error {
	_, err := wire.Must(wire.OneOf(value))(nil, at, raw)
	return err
}

func setEnabled(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	if _, err := wire.Must(wire.ShapeFlag)(nil, at, raw); err != nil {
		return err
	}
	a.Principal.Disabled = string(raw) == "false"
	return nil
}

func setPrincipalKeys(e editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	if err := setKeys(ofPrincipal.certificates)(e, a, at, raw); err != nil {
		return err
	}
	if len(a.Principal.Certificates) == 0 {
		return nil
	}
	return isLocked(a, at.Path)
}

func setAssignmentRequired(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	if _, err := wire.Must(wire.ShapeFlag)(nil, at, raw); err != nil {
		return err
	}
	a.Principal.AssignmentRequired = string(raw) == "true"
	return nil
}

// setPrincipalName sets the name of the service principal, until its application is renamed.
func setPrincipalName(e editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	named := *a
	if err := setAppName(e, &named, at, raw); err != nil {
		return err
	}
	a.Principal.DisplayName = named.DisplayName
	return nil
}

// appendKept writes a property that is stored unchanged; for a service principal also one of its
// application.
func appendKept(b []byte, kept map[string]json.RawMessage, name, none string) []byte {
	if value, ok := kept[name]; ok {
		return append(b, value...)
	}
	return append(b, none...)
}

// isGraph reports whether it is Microsoft Graph, whose app roles and scopes are the permissions
// that applications can be granted.
func (a *application) isGraph() bool { return a.AppID == directory.GraphAppID }

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
	return jsontext.AppendList(
		b, slices.Concat(a.Redirects.Web, a.Redirects.SPA, a.Redirects.Public), jsontext.AppendText,
	)
}

// appendPrincipalNames writes the names of the service principal as a resource.
func appendPrincipalNames(b []byte, a *application) []byte {
	return jsontext.AppendList(b, a.PrincipalNames(), jsontext.AppendText)
}

// getPrincipal answers GET /servicePrincipals/{servicePrincipal}, by id or by appId.
func getPrincipal(r *wire.Request) error {
	return sendOne(r, "servicePrincipals", principalFields, principalExpansions, (*wire.Request).Principal)
}

// ownPrincipal is principal for changes.
func ownPrincipal(r *wire.Request) (directory.Client, error) {
	a, err := r.Principal()
	if err == nil && a.AppID == directory.GraphAppID {
		return a, unchangeable()
	}
	return a, err
}

func unchangeable() error {
	return problem.Refuse("The service principal of Microsoft Graph is part of every tenant and cannot be changed.")
}
