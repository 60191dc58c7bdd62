package graph

import (
	"net/http"
	"slices"
	"strings"

	"licensor/directory"
	"licensor/tenant"
)

// application is a program that may log in, and its service principal: two objects of Graph, kept as one here.
type application struct {
	directory.Application
	place int64 // among all
	image *tenant.Image
}

// applicationFields are the properties of application. What is not kept here is null, or an empty list where there must be one.
var applicationFields = newFieldSet("microsoft.graph.application", append(
	[]field[application]{
		{"appId", appendAppID, directory.ByDefault},
		{"displayName", appendAppName, directory.ByDefault},
		{"id", func(b []byte, a *application) []byte { return appendID(b, a.ObjectID) }, directory.ByDefault},
		{"oauth2RequirePostResponse", appendFalse[application], directory.ByDefault},
		{"passwordCredentials", appendSecrets, directory.ByDefault},
		{"publisherDomain", appendPublisher, directory.ByDefault},
		{"signInAudience", appendAudience, directory.ByDefault},
	},
	notKept[application](
		[]string{
			"api", "applicationTemplateId", "authenticationBehaviors", "certification", "createdByAppId", "createdDateTime", "defaultRedirectUri",
			"deletedDateTime", "description", "disabledByMicrosoftStatus", "groupMembershipClaims", "info", "isDeviceOnlyAuthSupported", "isDisabled",
			"isFallbackPublicClient", "nativeAuthenticationApisEnabled", "notes", "optionalClaims", "parentalControlSettings", "publicClient",
			"requestSignatureVerification", "samlMetadataUrl", "serviceManagementReference", "servicePrincipalLockConfiguration", "spa",
			"tokenEncryptionKeyId", "uniqueName", "verifiedPublisher", "web",
		},
		[]string{"addIns", "appRoles", "identifierUris", "keyCredentials", "managerApplications", "requiredResourceAccess", "tags"},
	)...,
)).in("applications")

// principalFields are the properties of servicePrincipal.
var principalFields = newFieldSet("microsoft.graph.servicePrincipal", append(
	[]field[application]{
		{"accountEnabled", appendTrue[application], directory.ByDefault},
		{"appDisplayName", appendAppName, directory.ByDefault},
		{"appId", appendAppID, directory.ByDefault},
		{"appOwnerOrganizationId", func(b []byte, a *application) []byte { return appendID(b, a.image.Organization.ID) }, directory.ByDefault},
		{"appRoleAssignmentRequired", appendFalse[application], directory.ByDefault},
		{"displayName", appendAppName, directory.ByDefault},
		{"id", func(b []byte, a *application) []byte { return appendID(b, a.ID) }, directory.ByDefault},
		{"servicePrincipalNames", func(b []byte, a *application) []byte { return append(appendAppID(append(b, '['), a), ']') }, directory.ByDefault},
		{"servicePrincipalType", func(b []byte, _ *application) []byte { return append(b, `"Application"`...) }, directory.ByDefault},
		{"signInAudience", appendAudience, directory.ByDefault},
	},
	notKept[application](
		[]string{
			"appDescription", "applicationTemplateId", "createdByAppId", "customSecurityAttributes", "deletedDateTime", "description",
			"disabledByMicrosoftStatus", "homepage", "info", "isDisabled", "loginUrl", "logoutUrl", "notes", "preferredSingleSignOnMode",
			"preferredTokenSigningKeyThumbprint", "samlSingleSignOnSettings", "tokenEncryptionKeyId", "verifiedPublisher",
		},
		[]string{
			"addIns", "alternativeNames", "appRoles", "keyCredentials", "notificationEmailAddresses", "oauth2PermissionScopes",
			"passwordCredentials", "replyUrls", "resourceSpecificApplicationPermissions", "tags",
		},
	)...,
)).in("servicePrincipals")

// notKept makes the fields of properties that are always null, and of those that are always empty lists.
func notKept[T any](nulls, lists []string) []field[T] {
	fields := make([]field[T], 0, len(nulls)+len(lists))
	for _, name := range nulls {
		fields = append(fields, field[T]{name, appendNull[T], directory.ByDefault})
	}
	for _, name := range lists {
		fields = append(fields, field[T]{name, func(b []byte, _ *T) []byte { return append(b, "[]"...) }, directory.ByDefault})
	}
	return fields
}

func appendFalse[T any](b []byte, _ *T) []byte { return append(b, "false"...) }

func appendAppID(b []byte, a *application) []byte { return appendID(b, a.AppID) }

func appendAppName(b []byte, a *application) []byte { return appendText(b, a.DisplayName) }

// appendAudience says that applications are of their tenant only.
func appendAudience(b []byte, _ *application) []byte { return append(b, `"AzureADMyOrg"`...) }

func appendPublisher(b []byte, a *application) []byte {
	return appendTextOrNull(b, a.image.Organization.DefaultDomain())
}

// appendSecrets writes what may be known of an application's secrets: nothing that they can be found out with.
func appendSecrets(b []byte, a *application) []byte {
	return appendList(b, a.Secrets, func(b []byte, s directory.Secret) []byte {
		b = append(b, `{"customKeyIdentifier":null,"displayName":null,"endDateTime":`...)
		b = appendTime(b, s.Expires)
		b = appendTextOrNull(append(b, `,"hint":`...), s.Hint)
		b = appendID(append(b, `,"keyId":`...), s.KeyID)
		return append(b, `,"secretText":null,"startDateTime":null}`...)
	})
}

// listApplications answers GET /applications.
func (api *API) listApplications(r *request) error {
	return r.sendApplications("applications", applicationFields, func(a *application) string { return a.ObjectID.String() })
}

// listPrincipals answers GET /servicePrincipals.
func (api *API) listPrincipals(r *request) error {
	return r.sendApplications("servicePrincipals", principalFields, func(a *application) string { return a.ID.String() })
}

// getApplication answers GET /applications/{application}.
func (api *API) getApplication(r *request) error {
	return r.sendApplication("applications", applicationFields, func(a directory.Application) string { return a.ObjectID.String() })
}

// getApplicationByAppID answers GET /applications(appId='…').
func (api *API) getApplicationByAppID(r *request) error {
	return r.sendApplication("applications", applicationFields, func(a directory.Application) string { return a.AppID.String() })
}

// getPrincipal answers GET /servicePrincipals/{servicePrincipal}.
func (api *API) getPrincipal(r *request) error {
	return r.sendApplication("servicePrincipals", principalFields, func(a directory.Application) string { return a.ID.String() })
}

// getPrincipalByAppID answers GET /servicePrincipals(appId='…').
func (api *API) getPrincipalByAppID(r *request) error {
	return r.sendApplication("servicePrincipals", principalFields, func(a directory.Application) string { return a.AppID.String() })
}

// sendApplication answers with the one whose key is that of the path.
func (r *request) sendApplication(set string, fields *fieldSet[application], key func(directory.Application) string) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	selected, err := fields.selected(r)
	if err != nil {
		return err
	}
	wanted := strings.ToLower(r.keys[0])
	at := slices.IndexFunc(r.image.Applications, func(a directory.Application) bool { return key(a) == wanted })
	if at < 0 {
		return notFound(r.keys[0])
	}
	return sendEntity(r, fields, http.StatusOK, set, selected, &application{r.image.Applications[at], int64(at), r.image})
}
