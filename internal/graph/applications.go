package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// application is a program that may log in, with its service principal.
type application struct {
	directory.Client
	image *tenant.Image
	texts map[uuid.UUID]string // of the secrets that were just made, by keyId
}

// applicationFields are the properties of application. What is not kept here is null, or an empty
// list where there must be one.
var applicationFields = newFieldSet("microsoft.graph.application", slices.Concat(
	[]field[application]{
		{name: "appId", write: appendAppID, when: directory.ByDefault},
		{name: "applicationTemplateId", write: func(b []byte, a *application) []byte { return appendKept(b, a.Properties, templateID, "null") }, when: directory.ByDefault},
		{name: "createdDateTime", write: func(b []byte, a *application) []byte { return jsontext.AppendTime(b, a.CreatedDateTime) }, when: directory.ByDefault},
		{name: "deletedDateTime", write: func(b []byte, a *application) []byte { return jsontext.AppendTime(b, a.DeletedDateTime) }, when: directory.ByDefault},
		{name: "displayName", write: appendAppName, when: directory.ByDefault},
		{name: "id", write: func(b []byte, a *application) []byte { return jsontext.AppendID(b, a.ID) }, when: directory.ByDefault},
		{name: "isFallbackPublicClient", write: appendFallback, when: directory.ByDefault},
		{name: "keyCredentials", write: func(b []byte, a *application) []byte { return appendKeys(b, a.Certificates) }, when: directory.ByDefault},
		{name: "passwordCredentials", write: func(b []byte, a *application) []byte { return appendSecrets(b, a.Secrets, a.texts) }, when: directory.ByDefault},
		{name: "publicClient", write: func(b []byte, a *application) []byte { return appendRedirects(b, a.Redirects.Public) }, when: directory.ByDefault},
		{name: "publisherDomain", write: appendPublisher, when: directory.ByDefault},
		{name: "signInAudience", write: appendAudience, when: directory.ByDefault},
		{name: "spa", write: func(b []byte, a *application) []byte { return appendRedirects(b, a.Redirects.SPA) }, when: directory.ByDefault},
		{name: "web", write: appendWeb, when: directory.ByDefault},
	},
	keptFields(keptOfApplications, func(a *application) map[string]json.RawMessage { return a.Properties }),
	inBeta(keptFields(keptOfBetaApplications, func(a *application) map[string]json.RawMessage { return a.Properties })),
	notKept[application](
		[]string{
			"authenticationBehaviors", "certification", "createdByAppId", "disabledByMicrosoftStatus",
			"isDisabled", "nativeAuthenticationApisEnabled", "requestSignatureVerification",
			"servicePrincipalLockConfiguration", "tokenEncryptionKeyId", "uniqueName", "verifiedPublisher",
		},
		[]string{"managerApplications"},
	),
)).in("applications")

// applicationEdits are what clients can set.
var applicationEdits = editsOf(slices.Concat(keptOfApplications, keptOfBetaApplications), func(a *directory.Client) map[string]json.RawMessage { return a.Properties }, map[string]edit{
	"displayName":                       setAppName,
	"isFallbackPublicClient":            setFallback,
	"keyCredentials":                    setKeys(func(a *directory.Client) *[]directory.Certificate { return &a.Certificates }),
	"passwordCredentials":               setSecrets(func(a *directory.Client) *[]directory.Secret { return &a.Secrets }),
	"publicClient":                      setRedirects(publicClient, func(a *directory.Client) *[]string { return &a.Redirects.Public }),
	"signInAudience":                    setAudience,
	"spa":                               setRedirects(pageClient, func(a *directory.Client) *[]string { return &a.Redirects.SPA }),
	"web":                               setWeb,
	"authenticationBehaviors":           unserved,
	"nativeAuthenticationApisEnabled":   unserved,
	"onPremisesPublishing":              ignored, // in beta
	"signInAudienceRestrictions":        ignored,
	"requestSignatureVerification":      unserved,
	"servicePrincipalLockConfiguration": unserved,
	"tokenEncryptionKeyId":              unserved,
	"uniqueName":                        unserved,
})

func appendAppID(b []byte, a *application) []byte { return jsontext.AppendID(b, a.AppID) }

func appendAppName(b []byte, a *application) []byte { return jsontext.AppendText(b, a.DisplayName) }

func appendAudience(b []byte, a *application) []byte {
	return jsontext.AppendText(b, a.SignInAudience())
}

func appendPublisher(b []byte, a *application) []byte {
	return jsontext.AppendTextOrNull(b, a.image.Organization.DefaultDomain())
}

// appendFallback writes isFallbackPublicClient, which is null unless it was set.
func appendFallback(b []byte, a *application) []byte {
	if !a.PublicClient {
		return append(b, "null"...)
	}
	return append(b, "true"...)
}

func setAppName(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	var name string
	if json.Unmarshal(raw, &name) != nil || strings.TrimSpace(name) == "" || len([]rune(name)) > 256 {
		return at.invalid(raw, "a text of 1 to 256 characters")
	}
	a.DisplayName = name
	return nil
}

func setFallback(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	if _, err := shapeFlag(nil, at, raw); err != nil {
		return err
	}
	a.PublicClient = string(raw) == "true"
	return nil
}

func setAudience(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	raw, err := must(oneOf(directory.Audiences...))(nil, at, raw)
	if err != nil {
		return err
	}
	if a.Audience = ""; string(raw) != `"`+directory.Audiences[0]+`"` {
		return json.Unmarshal(raw, &a.Audience)
	}
	return nil
}

// getApplication answers GET /applications/{application}, by id or by appId.
func getApplication(r *request) error {
	return sendOne(r, "applications", applicationFields, applicationExpansions, (*request).application)
}

// sendOne answers with the object of a type that the path names.
func sendOne(r *request, set string, fields *fieldSet[application], expansions map[string]expansion[application], find func(*request) (directory.Client, error)) error {
	if err := r.allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	selected, err := fields.selected(r)
	if err != nil {
		return err
	}
	if selected, err = expanded(r, fields, expansions, selected); err != nil {
		return err
	}
	a, err := find(r)
	if err != nil {
		return err
	}
	return sendEntity(r, fields, http.StatusOK, set, selected, &application{Client: a, image: r.image})
}
