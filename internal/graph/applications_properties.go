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
)

// edit sets a property of an application to what a client sent.
type edit func(e editor, a *directory.Client, at placeIn, raw json.RawMessage) error

// editor is what edits need of their surroundings.
type editor struct {
	resource string
	newID    func() uuid.UUID
	now      time.Time
	beta     bool
}

func editorFor(r *request, resource string) editor {
	return editor{resource, r.newID, r.now, r.beta}
}

// keptProperty is a property that is kept and shown as it was sent, without effect here.
type keptProperty struct {
	name  string
	shape shape
	none  string // how it is shown when it was never set
}

const (
	applicationResource = "Application"
	principalResource   = "ServicePrincipal"
)

// The shapes of what applications have inside.
var (
	appRoleShape = objectOf(
		part{"allowedMemberTypes", must(listOf(oneOf("User", "Application")))}, part{"description", must(shapeText(1024))}, part{"displayName", must(shapeText(100))},
		part{"id", must(shapeGUID)}, part{"isEnabled", usually("true", shapeFlag)}, part{"origin", shapeText(50)}, part{"value", shapeText(250)},
	)
	scopeShape = objectOf(
		part{"adminConsentDescription", shapeText(1024)}, part{"adminConsentDisplayName", shapeText(100)}, part{"id", must(shapeGUID)},
		part{"isEnabled", usually("true", shapeFlag)}, part{"origin", shapeText(50)}, part{"type", oneOf("User", "Admin")},
		part{"userConsentDescription", shapeText(1024)}, part{"userConsentDisplayName", shapeText(100)}, part{"value", shapeText(120)},
	)
	apiShape = objectOf(
		part{"acceptMappedClaims", shapeFlag}, part{"knownClientApplications", listOf(shapeGUID)}, part{"oauth2PermissionScopes", distinctIn(listOf(scopeShape), "id", "value")},
		part{"preAuthorizedApplications", listOf(objectOf(part{"appId", must(shapeText(36))}, part{"delegatedPermissionIds", must(listOf(shapeText(36)))}))},
		part{"requestedAccessTokenVersion", shapeNumber},
	)
	infoShape = objectOf(
		part{"logoUrl", shapeText(256)}, part{"marketingUrl", shapeText(256)}, part{"privacyStatementUrl", shapeText(256)}, part{"supportUrl", shapeText(256)},
		part{"termsOfServiceUrl", shapeText(256)},
	)
	claimsShape = listOf(objectOf(
		part{"additionalProperties", listOf(shapeText(256))}, part{"essential", usually("false", shapeFlag)}, part{"name", must(shapeText(256))},
		part{"source", shapeText(256)},
	))
	accessShape = listOf(objectOf(
		part{"resourceAccess", must(listOf(objectOf(part{"id", must(shapeGUID)}, part{"type", must(oneOf("Role", "Scope"))})))},
		part{"resourceAppId", must(shapeGUID)},
	))
	addInsShape = listOf(objectOf(
		part{"id", shapeGUID}, part{"properties", listOf(objectOf(part{"key", shapeText(256)}, part{"value", shapeText(1024)}))},
		part{"type", must(shapeText(256))},
	))
	fieldShape = objectOf( // of a page that an application asks for a password on
		part{"customizedLabel", shapeText(256)}, part{"defaultLabel", shapeText(256)}, part{"fieldId", shapeText(256)}, part{"type", shapeText(256)},
	)
	webShape = objectOf( // but for the addresses, which have an effect
		part{"homePageUrl", shapeText(256)},
		part{"implicitGrantSettings", objectOf(part{"enableAccessTokenIssuance", usually("false", shapeFlag)}, part{"enableIdTokenIssuance", usually("false", shapeFlag)})},
		part{"logoutUrl", shapeText(256)},
	)
)

// whole is how an object is shown that was never set, with all its properties.
func whole(s shape) string {
	b, err := s(nil, placeIn{}, nil)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// keptOfApplications are the properties of applications that are only kept.
var keptOfApplications = []keptProperty{
	{"addIns", addInsShape, "[]"},
	{"api", apiShape, whole(apiShape)},
	{"appRoles", distinctIn(listOf(appRoleShape), "id", "value"), "[]"},
	{"defaultRedirectUri", shapeText(256), "null"},
	{"description", shapeText(1024), "null"},
	{"groupMembershipClaims", shapeText(64), "null"},
	{"identifierUris", distinctTexts(listOf(shapeText(255))), "[]"},
	{"info", infoShape, whole(infoShape)},
	{"isDeviceOnlyAuthSupported", shapeFlag, "null"},
	{"notes", shapeText(1024), "null"},
	{"oauth2RequirePostResponse", must(shapeFlag), "false"},
	{"optionalClaims", objectOf(part{"accessToken", claimsShape}, part{"idToken", claimsShape}, part{"saml2Token", claimsShape}), "null"},
	{"parentalControlSettings", parentalShape, whole(parentalShape)},
	{"requiredResourceAccess", accessShape, "[]"},
	{"samlMetadataUrl", shapeText(1024), "null"},
	{"serviceManagementReference", shapeText(256), "null"},
	{"tags", listOf(shapeText(256)), "[]"},
}

// keptOfBetaApplications are those that only beta has.
var keptOfBetaApplications = []keptProperty{
	{"orgRestrictions", listOf(shapeGUID), "[]"},
	{"trustedSubjectNameAndIssuers", listOf(objectOf(part{"authorityId", shapeGUID}, part{"subjectName", shapeText(256)})), "[]"},
	{"windows", objectOf(part{"packageSid", shapeText(256)}, part{"redirectUris", listOf(shapeText(256))}), "null"},
}

var parentalShape = objectOf(
	part{"countriesBlockedForMinors", listOf(shapeText(2))},
	part{"legalAgeGroupRule", usually(`"Allow"`, oneOf("Allow", "RequireConsentForPrivacyServices", "RequireConsentForMinors", "RequireConsentForKids", "BlockMinors"))},
)

// keptOfPrincipals are those of service principals.
var keptOfPrincipals = []keptProperty{
	{"alternativeNames", listOf(shapeText(256)), "[]"},
	{"description", shapeText(1024), "null"},
	{"homepage", shapeText(256), "null"},
	{"loginUrl", shapeText(256), "null"},
	{"logoutUrl", shapeText(256), "null"},
	{"notes", shapeText(1024), "null"},
	{"notificationEmailAddresses", listOf(shapeText(256)), "[]"},
	{"preferredSingleSignOnMode", oneOf("password", "saml", "notSupported", "oidc"), "null"},
	{"samlSingleSignOnSettings", objectOf(part{"relayState", shapeText(1024)}), "null"},
	{"tags", listOf(shapeText(256)), "[]"},
}

// keptOfBetaPrincipals are those that only beta has.
var keptOfBetaPrincipals = []keptProperty{
	{"errorUrl", shapeText(256), "null"},
	{"isAuthorizationServiceEnabled", shapeFlag, "null"},
	{"passwordSingleSignOnSettings", objectOf(part{"fields", listOf(fieldShape)}), "null"},
	{"samlMetadataUrl", shapeText(1024), "null"},
	{"useCustomTokenSigningKey", shapeFlag, "null"},
}

// ignored is the edit of a property that is accepted and has no effect.
func ignored(editor, *directory.Client, placeIn, json.RawMessage) error { return nil }

// unserved is the edit of a property that would change how applications log in, which it cannot
// here: it can only be left as it is.
func unserved(_ editor, _ *directory.Client, at placeIn, raw json.RawMessage) error {
	switch string(raw) {
	case "null", "false":
		return nil
	}
	return &directory.Invalid{
		Kind: directory.NotServed, Resource: at.resource, Property: at.path,
		Want: "The property '" + at.path + "' has no effect here, so it cannot be set. Leave it out.",
	}
}

// onlyNulls reports whether a value is an object in which everything is null, which is no more than
// null.
func onlyNulls(value json.RawMessage) bool {
	members, err := directory.Members(value)
	return err == nil && !slices.ContainsFunc(members, func(m directory.Member) bool { return string(m.Value) != "null" })
}

// set puts a value in the place of the one that is kept, or into it when both are objects and the
// property always has one. One that can be null is replaced as a whole: {"optionalClaims":{}}
// leaves no claims.
func (p keptProperty) set(kept map[string]json.RawMessage, at placeIn, raw json.RawMessage) error {
	if p.none != "null" {
		raw = merged(kept[p.name], raw)
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

// editsOf are the edits of what is kept, along with others.
func editsOf(properties []keptProperty, kept func(*directory.Client) map[string]json.RawMessage, others map[string]edit) map[string]edit {
	edits := maps.Clone(others)
	for _, p := range properties {
		edits[p.name] = func(_ editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
			return p.set(kept(a), at, raw)
		}
	}
	return edits
}

// keptFields are the fields of what is kept.
func keptFields(properties []keptProperty, kept func(*application) map[string]json.RawMessage) []field[application] {
	fields := make([]field[application], len(properties))
	for i, p := range properties {
		fields[i] = field[application]{name: p.name, when: directory.ByDefault, write: func(b []byte, a *application) []byte {
			if value, ok := kept(a)[p.name]; ok {
				return append(b, value...)
			}
			return append(b, p.none...)
		}}
	}
	return fields
}

// edit makes the changes that a body asks for, in its order. Ids and annotations are passed over,
// what only the server sets is refused (P53).
func (e editor) edit(a *directory.Client, members []directory.Member, edits map[string]edit, fields *fieldSet[application]) error {
	spell(members, fields.everyName())
	for _, m := range members {
		change, ok := edits[m.Name]
		f, known := fields.byName.Find(m.Name)
		if known && f.beta && !e.beta {
			known, ok = false, false
		}
		switch {
		case strings.HasSuffix(fold.Text(m.Name), "@odata.bind"):
			return &directory.Invalid{
				Kind: directory.NotServed, Resource: e.resource, Property: m.Name,
				Want: "References such as '" + m.Name + "' cannot be changed with others here. Owners are added with POST …/owners/$ref.",
			}
		case m.Name == "id" || isAnnotation(m.Name):
			continue
		case !ok && known:
			return &directory.Invalid{Kind: directory.ReadOnly, Resource: e.resource, Property: m.Name}
		case !ok:
			return &directory.Invalid{Kind: directory.Unknown, Resource: e.resource, Property: m.Name}
		}
		if err := change(e, a, placeIn{e.resource, m.Name}, m.Value); err != nil {
			return err
		}
	}
	return nil
}

// copied is an application that can be changed without changing the one it comes from.
func copied(a directory.Client) directory.Client {
	a.Secrets, a.Certificates, a.Federated = slices.Clone(a.Secrets), slices.Clone(a.Certificates), slices.Clone(a.Federated)
	a.Principal.Permissions = slices.Clone(a.Principal.Permissions)
	a.Principal.Secrets, a.Principal.Certificates = slices.Clone(a.Principal.Secrets), slices.Clone(a.Principal.Certificates)
	a.Properties, a.Principal.Properties = cloned(a.Properties), cloned(a.Principal.Properties)
	return a
}

func cloned(kept map[string]json.RawMessage) map[string]json.RawMessage {
	if kept == nil {
		return map[string]json.RawMessage{}
	}
	return maps.Clone(kept)
}
