package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// application is a program that may sign in, with its service principal.
type application struct {
	directory.Client
	image *tenant.Image
	texts map[uuid.UUID]string // texts of secrets that were just created, by keyId
}

// applicationFields are the properties of application. Properties that are not stored are null, or
// an empty list if they cannot be null.
var applicationFields = wire.NewFieldSet("microsoft.graph.application", slices.Concat(
	[]wire.Field[application]{
		{Name: "appId", Write: appendAppID, When: directory.ReturnedByDefault},
		{Name: "applicationTemplateId", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendKept(b, a.Properties, templateID, "null")
		}},
		wire.Default("createdDateTime", jsontext.AppendTime, func(a *application) time.Time { return a.CreatedDateTime }),
		wire.Default("deletedDateTime", jsontext.AppendTime, func(a *application) time.Time { return a.DeletedDateTime }),
		{Name: "displayName", Write: appendAppName, When: directory.ReturnedByDefault},
		wire.Default("id", jsontext.AppendID, func(a *application) uuid.UUID { return a.ID }),
		{Name: "isFallbackPublicClient", Write: appendFallback, When: directory.ReturnedByDefault},
		{Name: "logo", When: directory.ReturnedByName},
		wire.Default("keyCredentials", appendKeys, func(a *application) []directory.Certificate { return a.Certificates }),
		{Name: "passwordCredentials", When: directory.ReturnedByDefault, Write: func(b []byte, a *application) []byte {
			return appendSecrets(b, a.Secrets, a.texts)
		}},
		wire.Default("publicClient", appendRedirects, func(a *application) []string { return a.Redirects.Public }),
		{Name: "publisherDomain", Write: appendPublisher, When: directory.ReturnedByDefault},
		{Name: "signInAudience", Write: appendAudience, When: directory.ReturnedByDefault},
		wire.Default("spa", appendRedirects, func(a *application) []string { return a.Redirects.SPA }),
		{Name: "web", Write: appendWeb, When: directory.ReturnedByDefault},
	},
	keptFields(keptOfApplications, propertiesOfApplication),
	wire.InBeta(keptFields(keptOfBetaApplications, propertiesOfApplication)),
	wire.NotKept[application](
		[]string{
			"authenticationBehaviors", "certification", "createdByAppId", "disabledByMicrosoftStatus",
			"isDisabled", "nativeAuthenticationApisEnabled", "requestSignatureVerification",
			"servicePrincipalLockConfiguration", "tokenEncryptionKeyId", "uniqueName", "verifiedPublisher",
		},
		[]string{"managerApplications"},
	),
)).In("applications")

func propertiesOfApplication(a *directory.Client) map[string]json.RawMessage { return a.Properties }

// applicationEdits are the properties that clients can set.
var applicationEdits = editsOf(
	slices.Concat(keptOfApplications, keptOfBetaApplications), propertiesOfApplication, applicationOtherEdits,
)

var applicationOtherEdits = map[string]edit{
	"displayName":                       setAppName,
	"isFallbackPublicClient":            setFallback,
	"keyCredentials":                    setKeys(func(a *directory.Client) *[]directory.Certificate { return &a.Certificates }),
	"passwordCredentials":               setSecrets(func(a *directory.Client) *[]directory.Secret { return &a.Secrets }),
	"publicClient":                      setRedirects(publicClient, publicRedirects),
	"signInAudience":                    setAudience,
	"spa":                               setRedirects(pageClient, pageRedirects),
	"web":                               setWeb,
	"authenticationBehaviors":           unserved,
	"nativeAuthenticationApisEnabled":   unserved,
	"onPremisesPublishing":              ignored, // in beta
	"signInAudienceRestrictions":        ignored,
	"requestSignatureVerification":      unserved,
	"servicePrincipalLockConfiguration": unserved,
	"tokenEncryptionKeyId":              unserved,
	"uniqueName":                        unserved,
}

func appendAppID(b []byte, a *application) []byte { return jsontext.AppendID(b, a.AppID) }

func appendAppName(b []byte, a *application) []byte { return jsontext.AppendText(b, a.DisplayName) }

func appendAudience(b []byte, a *application) []byte {
	return jsontext.AppendText(b, a.SignInAudience())
}

func appendPublisher(b []byte, a *application) []byte {
	return jsontext.AppendTextOrNull(b, a.image.Organization.DefaultDomain())
}

// appendFallback writes isFallbackPublicClient, which is null unless set.
func appendFallback(b []byte, a *application) []byte {
	if !a.PublicClient {
		return append(b, "null"...)
	}
	return append(b, "true"...)
}

func setAppName(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	var name string
	if json.Unmarshal(raw, &name) != nil || strings.TrimSpace(name) == "" || len([]rune(name)) > 256 {
		return at.Invalid(raw, "a text of 1 to 256 characters")
	}
	a.DisplayName = name
	return nil
}

func setFallback(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	if _, err := wire.ShapeFlag(nil, at, raw); err != nil {
		return err
	}
	a.PublicClient = string(raw) == "true"
	return nil
}

func setAudience(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	raw, err := wire.Must(wire.OneOf(directory.Audiences...))(nil, at, raw)
	if err != nil {
		return err
	}
	if a.Audience = ""; string(raw) != `"`+directory.Audiences[0]+`"` {
		return json.Unmarshal(raw, &a.Audience)
	}
	return nil
}

// getApplication answers GET /applications/{application}, by id or by appId.
func getApplication(r *wire.Request) error {
	return sendOne(r, "applications", applicationFields, applicationExpansions, (*wire.Request).Application)
}

// sendOne answers with the object that the path names.
func sendOne(
	r *wire.Request, set string, fields *wire.FieldSet[application],
	expansions map[string]wire.Expansion[application], find func(*wire.Request) (directory.Client, error),
) error {
	if err := r.Allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	selected, err := fields.Selected(r)
	if err != nil {
		return err
	}
	if selected, err = wire.Expanded(r, fields, expansions, selected); err != nil {
		return err
	}
	a, err := find(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, fields, http.StatusOK, set, selected, &application{Client: a, image: r.Image})
}
