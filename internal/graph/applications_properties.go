package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/wire"
)

// edit sets a property of an application to a client's value.
type edit func(e editor, a *directory.Client, at wire.Place, raw json.RawMessage) error

// editor has the dependencies of edits.
type editor struct {
	resource string
	newID    func() uuid.UUID
	now      time.Time
	beta     bool
}

func editorFor(r *wire.Request, resource string) editor {
	return editor{resource, r.NewID, r.Now, r.Beta}
}

// keptProperty is a property that is stored and shown unchanged, without effect here.
type keptProperty struct {
	name  string
	shape wire.Shape
	none  string // the value shown if it was never set
}

const (
	applicationResource = "Application"
	principalResource   = "ServicePrincipal"
)

// The shapes of the inner values of applications.
var (
	appRoleShape = wire.ObjectOf(
		part("allowedMemberTypes", wire.Must(wire.ListOf(wire.OneOf("User", "Application")))),
		part("description", wire.Must(wire.ShapeText(1024))),
		part("displayName", wire.Must(wire.ShapeText(100))),
		part("id", wire.Must(wire.ShapeID)),
		part("isEnabled", wire.Usually("true", wire.ShapeFlag)),
		part("origin", wire.ShapeText(50)),
		part("value", wire.ShapeText(250)),
	)
	scopeShape = wire.ObjectOf(
		part("adminConsentDescription", wire.ShapeText(1024)),
		part("adminConsentDisplayName", wire.ShapeText(100)),
		part("id", wire.Must(wire.ShapeID)),
		part("isEnabled", wire.Usually("true", wire.ShapeFlag)),
		part("origin", wire.ShapeText(50)),
		part("type", wire.OneOf("User", "Admin")),
		part("userConsentDescription", wire.ShapeText(1024)),
		part("userConsentDisplayName", wire.ShapeText(100)),
		part("value", wire.ShapeText(120)),
	)
	apiShape = wire.ObjectOf(
		part("acceptMappedClaims", wire.ShapeFlag),
		part("knownClientApplications", wire.ListOf(wire.ShapeGUID)),
		part("oauth2PermissionScopes", wire.DistinctIn(wire.ListOf(scopeShape), "id", "value")),
		part("preAuthorizedApplications", wire.ListOf(wire.ObjectOf(
			part("appId", wire.Must(wire.ShapeText(36))),
			part("delegatedPermissionIds", wire.Must(wire.ListOf(wire.ShapeText(36)))),
		))),
		part("requestedAccessTokenVersion", wire.ShapeNumber),
	)
	infoShape = wire.ObjectOf(
		part("logoUrl", wire.ShapeText(256)),
		part("marketingUrl", wire.ShapeText(256)),
		part("privacyStatementUrl", wire.ShapeText(256)),
		part("supportUrl", wire.ShapeText(256)),
		part("termsOfServiceUrl", wire.ShapeText(256)),
	)
	claimsShape = wire.ListOf(wire.ObjectOf(
		part("additionalProperties", wire.ListOf(wire.ShapeText(256))),
		part("essential", wire.Usually("false", wire.ShapeFlag)),
		part("name", wire.Must(wire.ShapeText(256))),
		part("source", wire.ShapeText(256)),
	))
	claimsOfTokensShape = wire.ObjectOf(
		part("accessToken", claimsShape),
		part("idToken", claimsShape),
		part("saml2Token", claimsShape),
	)
	accessShape = wire.ListOf(wire.ObjectOf(
		part("resourceAccess", wire.Must(wire.ListOf(wire.ObjectOf(
			part("id", wire.Must(wire.ShapeGUID)),
			part("type", wire.Must(wire.OneOf("Role", "Scope"))),
		)))),
		part("resourceAppId", wire.Must(wire.ShapeGUID)),
	))
	addInsShape = wire.ListOf(wire.ObjectOf(
		part("id", wire.ShapeGUID),
		part("properties", wire.ListOf(wire.ObjectOf(
			part("key", wire.ShapeText(256)),
			part("value", wire.ShapeText(1024)),
		))),
		part("type", wire.Must(wire.ShapeText(256))),
	))
	fieldShape = wire.ObjectOf( // of a page on which an application asks for a password
		part("customizedLabel", wire.ShapeText(256)),
		part("defaultLabel", wire.ShapeText(256)),
		part("fieldId", wire.ShapeText(256)),
		part("type", wire.ShapeText(256)),
	)
	webShape = wire.ObjectOf( // except the addresses, which have an effect
		part("homePageUrl", wire.ShapeText(256)),
		part("implicitGrantSettings", wire.ObjectOf(
			part("enableAccessTokenIssuance", wire.Usually("false", wire.ShapeFlag)),
			part("enableIdTokenIssuance", wire.Usually("false", wire.ShapeFlag)),
		)),
		part("logoutUrl", wire.ShapeText(256)),
	)
)

func part(name string, shape wire.Shape) wire.Part { return wire.Part{Name: name, Shape: shape} }

// whole returns the value of an object that was never set, with all its properties.
func whole(s wire.Shape) string {
	b, err := s(nil, wire.Place{}, nil)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// keptOfApplications are the properties of applications that are stored without effect.
var keptOfApplications = []keptProperty{
	{"addIns", addInsShape, "[]"},
	{"api", apiShape, whole(apiShape)},
	{"appRoles", wire.DistinctIn(wire.ListOf(appRoleShape), "id", "value"), "[]"},
	{"defaultRedirectUri", wire.ShapeText(256), "null"},
	{"description", wire.ShapeText(1024), "null"},
	{"groupMembershipClaims", wire.ShapeText(64), "null"},
	{"identifierUris", wire.DistinctTexts(wire.ListOf(wire.ShapeText(255))), "[]"},
	{"info", infoShape, whole(infoShape)},
	{"isDeviceOnlyAuthSupported", wire.ShapeFlag, "null"},
	{"notes", wire.ShapeText(1024), "null"},
	{"oauth2RequirePostResponse", wire.Must(wire.ShapeFlag), "false"},
	{"optionalClaims", claimsOfTokensShape, "null"},
	{"parentalControlSettings", parentalShape, whole(parentalShape)},
	{"requiredResourceAccess", accessShape, "[]"},
	{"samlMetadataUrl", wire.ShapeText(1024), "null"},
	{"serviceManagementReference", wire.ShapeText(256), "null"},
	{"tags", wire.ListOf(wire.ShapeText(256)), "[]"},
}

// keptOfBetaApplications are the ones that only beta has.
var keptOfBetaApplications = []keptProperty{
	{"orgRestrictions", wire.ListOf(wire.ShapeGUID), "[]"},
	{"trustedSubjectNameAndIssuers", wire.ListOf(wire.ObjectOf(
		part("authorityId", wire.ShapeGUID),
		part("subjectName", wire.ShapeText(256)),
	)), "[]"},
	{"windows", wire.ObjectOf(
		part("packageSid", wire.ShapeText(256)),
		part("redirectUris", wire.ListOf(wire.ShapeText(256))),
	), "null"},
}

var parentalShape = wire.ObjectOf(
	part("countriesBlockedForMinors", wire.ListOf(wire.ShapeText(2))),
	part("legalAgeGroupRule", wire.Usually(`"Allow"`, wire.OneOf("Allow", "RequireConsentForPrivacyServices", "RequireConsentForMinors", "RequireConsentForKids", "BlockMinors"))),
)

// keptOfPrincipals are the ones of service principals.
var keptOfPrincipals = []keptProperty{
	{"alternativeNames", wire.ListOf(wire.ShapeText(256)), "[]"},
	{"description", wire.ShapeText(1024), "null"},
	{"homepage", wire.ShapeText(256), "null"},
	{"loginUrl", wire.ShapeText(256), "null"},
	{"logoutUrl", wire.ShapeText(256), "null"},
	{"notes", wire.ShapeText(1024), "null"},
	{"notificationEmailAddresses", wire.ListOf(wire.ShapeText(256)), "[]"},
	{"preferredSingleSignOnMode", wire.OneOf("password", "saml", "notSupported", "oidc"), "null"},
	{"samlSingleSignOnSettings", wire.ObjectOf(part("relayState", wire.ShapeText(1024))), "null"},
	{"tags", wire.ListOf(wire.ShapeText(256)), "[]"},
}

// keptOfBetaPrincipals are the ones that only beta has.
var keptOfBetaPrincipals = []keptProperty{
	{"errorUrl", wire.ShapeText(256), "null"},
	{"isAuthorizationServiceEnabled", wire.ShapeFlag, "null"},
	{"passwordSingleSignOnSettings", wire.ObjectOf(part("fields", wire.ListOf(fieldShape))), "null"},
	{"samlMetadataUrl", wire.ShapeText(1024), "null"},
	{"useCustomTokenSigningKey", wire.ShapeFlag, "null"},
}

// ignored is the edit of a property that is accepted and has no effect.
func ignored(editor, *directory.Client, wire.Place, json.RawMessage) error { return nil }

// unserved is the edit of a property that would change how applications sign in, which is not
// supported: it can only be set to its current value.
func unserved(_ editor, _ *directory.Client, at wire.Place, raw json.RawMessage) error {
	switch string(raw) {
	case "null", "false":
		return nil
	}
	return &directory.InvalidError{
		Kind: directory.InvalidNotServed, Resource: at.Resource, Property: at.Path,
		Want: "The property '" + at.Path + "' has no effect here, so it cannot be set. Leave it out.",
	}
}

// onlyNulls reports whether a value is an object with only null values, which is equivalent to
// null.
func onlyNulls(value json.RawMessage) bool {
	members, err := directory.Members(value)
	return err == nil && !slices.ContainsFunc(members, func(m directory.Member) bool { return string(m.Value) != "null" })
}

// set replaces the stored value, or merges both if they are objects and the property cannot be
// null. A value that can be null is replaced as a whole: {"optionalClaims":{}} removes all claims.
func (p keptProperty) set(kept map[string]json.RawMessage, at wire.Place, raw json.RawMessage) error {
	if p.none != "null" {
		raw = wire.Merged(kept[p.name], raw)
	}
	value, err := p.shape(nil, at, raw)
	switch {
	case err != nil:
		return err
	case string(value) == p.none, string(value) == "null", p.none == "null" && onlyNulls(value):
		delete(kept, p.name)
	default:
		kept[p.name] = value
	}
	return nil
}

// editsOf returns the edits of stored properties, along with others.
func editsOf(
	properties []keptProperty, kept func(*directory.Client) map[string]json.RawMessage, others map[string]edit,
) map[string]edit {
	edits := maps.Clone(others)
	for _, p := range properties {
		edits[p.name] = func(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
			return p.set(kept(a), at, raw)
		}
	}
	return edits
}

// keptFields returns the fields of stored properties.
func keptFields(
	properties []keptProperty, kept func(*directory.Client) map[string]json.RawMessage,
) []wire.Field[application] {
	fields := make([]wire.Field[application], len(properties))
	for i, p := range properties {
		write := func(b []byte, a *application) []byte {
			if value, ok := kept(&a.Client)[p.name]; ok {
				return append(b, value...)
			}
			return append(b, p.none...)
		}
		fields[i] = wire.Field[application]{Name: p.name, When: directory.ReturnedByDefault, Write: write}
	}
	return fields
}

// edit applies the changes of a body, in order. Ids and annotations are skipped, and properties
// that only the server sets are refused (P53).
func (e editor) edit(
	a *directory.Client, members []directory.Member, edits map[string]edit, fields *wire.FieldSet[application],
) error {
	wire.Spell(members, fields.EveryName())
	for _, m := range members {
		change, ok := edits[m.Name]
		f, known := fields.ByName.Find(m.Name)
		if known && f.Beta && !e.beta {
			known, ok = false, false
		}
		switch {
		case strings.HasSuffix(fold.Text(m.Name), "@odata.bind"):
			return &directory.InvalidError{
				Kind: directory.InvalidNotServed, Resource: e.resource, Property: m.Name,
				Want: "References such as '" + m.Name + "' cannot be changed with others here. Owners are added " +
					"with POST …/owners/$ref.",
			}
		case m.Name == "id" || wire.IsAnnotation(m.Name):
			continue
		case !ok && known:
			return &directory.InvalidError{Kind: directory.InvalidReadOnly, Resource: e.resource, Property: m.Name}
		case !ok:
			return &directory.InvalidError{Kind: directory.InvalidUnknown, Resource: e.resource, Property: m.Name}
		}
		if err := change(e, a, wire.Place{Resource: e.resource, Path: m.Name}, m.Value); err != nil {
			return err
		}
	}
	return nil
}

// copied returns a copy of an application that can be changed without changing the original.
func copied(a directory.Client) directory.Client {
	a.Secrets, a.Certificates = slices.Clone(a.Secrets), slices.Clone(a.Certificates)
	a.Federated = slices.Clone(a.Federated)
	a.Principal.Permissions = slices.Clone(a.Principal.Permissions)
	a.Principal.Secrets = slices.Clone(a.Principal.Secrets)
	a.Principal.Certificates = slices.Clone(a.Principal.Certificates)
	a.Properties, a.Principal.Properties = cloned(a.Properties), cloned(a.Principal.Properties)
	return a
}

func cloned(kept map[string]json.RawMessage) map[string]json.RawMessage {
	if kept == nil {
		return map[string]json.RawMessage{}
	}
	return maps.Clone(kept)
}
