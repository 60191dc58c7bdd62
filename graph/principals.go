package graph

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
	"licensor/tenant"
)

// principalFields are the properties of servicePrincipal.
var principalFields = newFieldSet("microsoft.graph.servicePrincipal", slices.Concat(
	[]field[application]{
		{name: "accountEnabled", write: func(b []byte, a *application) []byte { return appendBool(b, !a.Disabled) }, when: directory.ByDefault},
		{name: "appDescription", write: func(b []byte, a *application) []byte { return appendKept(b, a, "description", "null") }, when: directory.ByDefault},
		{name: "appDisplayName", write: appendAppName, when: directory.ByDefault},
		{name: "appId", write: appendAppID, when: directory.ByDefault},
		{name: "appOwnerOrganizationId", write: appendOwner, when: directory.ByDefault},
		{name: "appRoleAssignmentRequired", write: appendFalse[application], when: directory.ByDefault},
		{name: "appRoles", write: appendAppRoles, when: directory.ByDefault},
		{name: "displayName", write: appendAppName, when: directory.ByDefault},
		{name: "id", write: func(b []byte, a *application) []byte { return appendID(b, a.ID) }, when: directory.ByDefault},
		{name: "info", write: func(b []byte, a *application) []byte { return appendKept(b, a, "info", whole(infoShape)) }, when: directory.ByDefault},
		{name: "oauth2PermissionScopes", write: appendScopes, when: directory.ByDefault},
		{name: "replyUrls", write: appendReplyURLs, when: directory.ByDefault},
		{name: "servicePrincipalNames", write: appendPrincipalNames, when: directory.ByDefault},
		{name: "servicePrincipalType", write: func(b []byte, _ *application) []byte { return append(b, `"Application"`...) }, when: directory.ByDefault},
		{name: "signInAudience", write: appendAudience, when: directory.ByDefault},
	},
	keptFields(keptOfPrincipals, func(a *application) map[string]json.RawMessage { return a.PrincipalProperties }),
	notKept[application](
		[]string{
			"applicationTemplateId", "createdByAppId", "customSecurityAttributes", "deletedDateTime", "disabledByMicrosoftStatus", "isDisabled",
			"preferredTokenSigningKeyThumbprint", "tokenEncryptionKeyId", "verifiedPublisher",
		},
		[]string{"addIns", "keyCredentials", "passwordCredentials", "resourceSpecificApplicationPermissions"},
	),
)).in("servicePrincipals")

// principalEdits are what clients can set.
var principalEdits = editsOf(keptOfPrincipals, func(a *directory.Application) map[string]json.RawMessage { return a.PrincipalProperties }, map[string]edit{
	"accountEnabled":            setEnabled,
	"appRoleAssignmentRequired": unserved,
	"servicePrincipalType": func(_ editor, _ *directory.Application, at placeIn, raw json.RawMessage) error {
		return only("Application", at, raw)
	},
	"tokenEncryptionKeyId": unserved,
})

// only is for a property that has one value here.
func only(value string, at placeIn, raw json.RawMessage) error {
	_, err := must(oneOf(value))(nil, at, raw)
	return err
}

func setEnabled(_ editor, a *directory.Application, at placeIn, raw json.RawMessage) error {
	if _, err := must(shapeFlag)(nil, at, raw); err != nil {
		return err
	}
	a.Disabled = string(raw) == "false"
	return nil
}

// appendKept writes a property of the application that its service principal shows, too.
func appendKept(b []byte, a *application, name, none string) []byte {
	if value, ok := a.Properties[name]; ok {
		return append(b, value...)
	}
	return append(b, none...)
}

// graphID is the appId of Microsoft Graph.
var graphID = uuid.MustParse(identity.GraphAppID)

// graphOwner is the tenant of Microsoft's own applications in the real service.
var graphOwner = uuid.MustParse("f8cdef31-a31e-4b4a-93e4-5f571e91255a")

// graphPrincipal is the service principal of Microsoft Graph, which every tenant has: its app roles and scopes are the permissions that
// applications can be granted.
func graphPrincipal(img *tenant.Image) directory.Application {
	return directory.Application{ID: identity.GraphPrincipalID(img.Organization.ID), AppID: graphID, DisplayName: "Microsoft Graph"}
}

func (a *application) isGraph() bool { return a.AppID == graphID }

func appendOwner(b []byte, a *application) []byte {
	if a.isGraph() {
		return appendID(b, graphOwner)
	}
	return appendID(b, a.image.Organization.ID)
}

// appendAppRoles writes the application permissions of a resource.
func appendAppRoles(b []byte, a *application) []byte {
	if !a.isGraph() {
		return appendKept(b, a, "appRoles", "[]")
	}
	return appendList(b, identity.ApplicationPermissions, func(b []byte, p identity.Permission) []byte {
		b = append(appendName(append(b, '{'), "allowedMemberTypes"), `["Application"]`...)
		b = appendText(appendName(b, "description"), p.DisplayName)
		b = appendText(appendName(b, "displayName"), p.DisplayName)
		b = appendID(appendName(b, "id"), p.ID)
		b = append(appendName(b, "isEnabled"), "true"...)
		b = appendText(appendName(b, "origin"), "Application")
		return append(appendText(appendName(b, "value"), p.Value), '}')
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
	return appendList(b, identity.DelegatedPermissions, func(b []byte, p identity.Permission) []byte {
		kind := "User"
		if p.AdminConsent {
			kind = "Admin"
		}
		b = appendText(appendName(append(b, '{'), "adminConsentDescription"), p.DisplayName)
		b = appendText(appendName(b, "adminConsentDisplayName"), p.DisplayName)
		b = appendID(appendName(b, "id"), p.ID)
		b = append(appendName(b, "isEnabled"), "true"...)
		b = appendText(appendName(b, "origin"), "Application")
		b = appendText(appendName(b, "type"), kind)
		b = appendText(appendName(b, "userConsentDescription"), p.DisplayName)
		b = appendText(appendName(b, "userConsentDisplayName"), p.DisplayName)
		return append(appendText(appendName(b, "value"), p.Value), '}')
	})
}

func appendReplyURLs(b []byte, a *application) []byte {
	return appendList(b, slices.Concat(a.Redirects.Web, a.Redirects.SPA, a.Redirects.Public), appendText)
}

// appendPrincipalNames writes the names that a resource can be asked for by.
func appendPrincipalNames(b []byte, a *application) []byte {
	names := []string{a.AppID.String()}
	if a.isGraph() {
		names = append(names, identity.GraphURL)
	}
	var uris []string
	_ = json.Unmarshal(a.Properties["identifierUris"], &uris)
	return appendList(b, append(names, uris...), appendText)
}

// getPrincipal answers GET /servicePrincipals/{servicePrincipal}, by id or by appId.
func (api *API) getPrincipal(r *request) error {
	return sendOne(r, "servicePrincipals", principalFields, (*request).principal)
}

// principal is the application whose service principal the path names. That of Microsoft Graph can be read like any other.
func (r *request) principal() (directory.Application, error) {
	wanted, ok := parseGUID(r.keys[0])
	if !ok {
		return directory.Application{}, notFound(r.keys[0])
	}
	for _, a := range principals(r.image) {
		if r.op.byAppID() && a.AppID == wanted || !r.op.byAppID() && a.ID == wanted {
			return a, nil
		}
	}
	return directory.Application{}, notFound(r.keys[0])
}

// ownPrincipal is principal where it is to be changed.
func (r *request) ownPrincipal() (directory.Application, error) {
	a, err := r.principal()
	if err == nil && a.AppID == graphID {
		return a, refuse("The service principal of Microsoft Graph is part of every tenant and cannot be changed.")
	}
	return a, err
}

// principals are the applications that have a service principal, Microsoft Graph first.
func principals(img *tenant.Image) []directory.Application {
	list := []directory.Application{graphPrincipal(img)}
	for _, a := range img.Applications {
		if a.ID != uuid.Nil {
			list = append(list, a)
		}
	}
	return list
}
