package directory

import (
	"encoding/json"
	"iter"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory/column"
)

// shownClient is an application and its service principal with all that their properties need.
type shownClient struct {
	*Client
	tenant *Organization
}

// applicationTable has the properties of applications that can be queried. Package graph has its
// own list of the fields that it shows.
var applicationTable = newTable(
	"Application", nil,
	askedText("appId", func(s *shownClient) string { return s.AppID.String() }).
		column(1).mostly().filtered(basic, never, never, never).searched(SearchByStart),
	askedTime("createdDateTime", func(s *shownClient) column.Value { return column.Value{Time: column.TimeOf(s.CreatedDateTime)} }).
		column(2).filtered(basic, never, basic, advanced).ordered(advanced),
	notKept[shownClient]("createdOnBehalfOf/deletedDateTime", KindDateTime).filtered(basic, never, basic, never),
	notKept[shownClient]("createdOnBehalfOf/id", KindString).filtered(basic, never, never, never),
	askedTime("deletedDateTime", func(s *shownClient) column.Value { return column.Value{Time: column.TimeOf(s.DeletedDateTime)} }).
		column(17).filtered(basic, never, basic, never),
	askedText("description", func(s *shownClient) string { return textIn(s.Properties, "description") }).
		column(3).mostly().filtered(advanced, advanced, never, never).searched(SearchByWords),
	notKept[shownClient]("disabledByMicrosoftStatus", KindString).filtered(basic, never, never, never),
	askedText("displayName", func(s *shownClient) string { return s.DisplayName }).
		column(4).mostly().filtered(basic, basic, never, advanced).searched(SearchByWords).ordered(basic),
	notKept[shownClient]("id", KindString).filtered(basic, never, never, never),
	askedTexts("identifierUris", func(s *shownClient) []string { return s.IdentifierURIs() }).
		column(5).mostly().filtered(basic, basic, never, never),
	askedText("info/logoUrl", func(s *shownClient) string { return textIn(s.Properties, "info", "logoUrl") }).
		column(6).filtered(never, never, never, advanced),
	askedText("info/termsOfServiceUrl", func(s *shownClient) string { return textIn(s.Properties, "info", "termsOfServiceUrl") }).
		column(7).filtered(advanced, never, never, never),
	askedTexts("publicClient/redirectUris", func(s *shownClient) []string { return s.Redirects.Public }).
		column(8).filtered(advanced, advanced, never, never),
	askedText("publisherDomain", func(s *shownClient) string { return s.tenant.DefaultDomain() }).
		column(9).filtered(basic, basic, never, never),
	askedElements("requiredResourceAccess", "resourceAppId", func(s *shownClient) []string { return s.resources() }).
		column(10).filtered(advanced, never, never, never),
	askedText("serviceManagementReference", func(s *shownClient) string { return textIn(s.Properties, "serviceManagementReference") }).
		column(11).filtered(advanced, advanced, never, advanced),
	askedText("signInAudience", func(s *shownClient) string { return s.SignInAudience() }).
		column(12).filtered(basic, never, never, never),
	askedTexts("spa/redirectUris", func(s *shownClient) []string { return s.Redirects.SPA }).
		column(13).filtered(advanced, advanced, never, never),
	askedTexts("tags", func(s *shownClient) []string { return textsIn(s.Properties, "tags") }).
		column(14).filtered(basic, basic, never, never),
	notKept[shownClient]("uniqueName", KindString).filtered(basic, basic, never, never),
	notKept[shownClient]("verifiedPublisher/displayName", KindString).filtered(advanced, never, never, advanced),
	askedText("web/homePageUrl", func(s *shownClient) string { return s.InWeb("homePageUrl") }).
		column(15).filtered(advanced, never, never, advanced),
	askedTexts("web/redirectUris", func(s *shownClient) []string { return s.Redirects.Web }).
		column(16).filtered(advanced, advanced, never, never),
)

// principalTable has the properties of service principals that can be queried.
var principalTable = newTable(
	"ServicePrincipal", nil,
	askedBool("accountEnabled", func(s *shownClient) bool { return !s.Principal.Disabled }).
		column(1).filtered(basic, never, never, never),
	askedTexts("alternativeNames", func(s *shownClient) []string { return textsIn(s.Principal.Properties, "alternativeNames") }).
		column(2).filtered(basic, basic, never, never),
	askedText("appId", func(s *shownClient) string { return s.Principal.AppID.String() }).
		column(3).mostly().filtered(basic, never, never, never).searched(SearchByStart),
	askedText("appOwnerOrganizationId", func(s *shownClient) string { return s.Owner(s.tenant.ID).String() }).
		column(4).filtered(advanced, never, never, never),
	askedBool("appRoleAssignmentRequired", func(s *shownClient) bool { return s.Principal.AssignmentRequired }).
		column(5).filtered(advanced, never, never, never),
	askedText("applicationTemplateId", func(s *shownClient) string { return textIn(s.Principal.Properties, "applicationTemplateId") }).
		column(14).filtered(basic, never, never, never),
	notKept[shownClient]("createdObjects", KindComplexCollection).filtered(advanced, never, never, never).elements("id"),
	askedTime("deletedDateTime", func(s *shownClient) column.Value {
		return column.Value{Time: column.TimeOf(s.Principal.DeletedDateTime)}
	}).column(13),
	askedText("description", func(s *shownClient) string { return textIn(s.Principal.Properties, "description") }).
		column(6).mostly().filtered(advanced, advanced, never, never).searched(SearchByWords),
	askedText("displayName", func(s *shownClient) string { return s.Principal.DisplayName }).
		column(7).mostly().filtered(basic, basic, never, advanced).searched(SearchByWords).ordered(basic),
	askedText("homepage", func(s *shownClient) string { return textIn(s.Principal.Properties, "homepage") }).
		column(8).filtered(advanced, advanced, never, advanced),
	notKept[shownClient]("id", KindString).filtered(basic, never, never, never),
	askedText("info/logoUrl", func(s *shownClient) string { return textIn(s.Properties, "info", "logoUrl") }).
		column(9).filtered(never, never, never, advanced),
	askedText("info/termsOfServiceUrl", func(s *shownClient) string { return textIn(s.Properties, "info", "termsOfServiceUrl") }).
		column(10).filtered(advanced, never, never, never),
	notKept[shownClient]("preferredTokenSigningKeyEndDateTime", KindDateTime).filtered(basic, never, basic, never),
	notKept[shownClient]("publisherName", KindString).filtered(basic, basic, never, never),
	askedTexts("servicePrincipalNames", func(s *shownClient) []string { return s.PrincipalNames() }).
		column(11).mostly().filtered(basic, basic, never, never),
	askedTexts("tags", func(s *shownClient) []string { return textsIn(s.Principal.Properties, "tags") }).
		column(12).filtered(basic, basic, never, never),
)

// askedAs is a property that can only be queried.
func askedAs[T any](name string, kind Kind, c column.Column, value func(*T) column.Value) *Property[T] {
	c.Name = name
	return &Property[T]{Name: name, Kind: kind, ReadOnly: true, sources: []source[T]{{c, value}}}
}

func askedText[T any](name string, of func(*T) string) *Property[T] {
	return askedAs(name, KindString, column.Column{Kind: column.KindText}, func(o *T) column.Value {
		return column.Value{Text: of(o)}
	})
}

func askedTexts[T any](name string, of func(*T) []string) *Property[T] {
	return askedAs(name, KindStringCollection, column.Column{Kind: column.KindTexts}, func(o *T) column.Value {
		return column.Value{Texts: of(o)}
	})
}

func askedBool[T any](name string, of func(*T) bool) *Property[T] {
	return askedAs(name, KindBool, column.Column{Kind: column.KindBool}, func(o *T) column.Value {
		return column.Value{Truth: column.TruthOf(of(o))}
	})
}

func askedTime[T any](name string, of func(*T) column.Value) *Property[T] {
	return askedAs(name, KindDateTime, column.Column{Kind: column.KindTime}, of)
}

// askedElements is a collection of objects with one text that can be queried.
func askedElements[T any](name, field string, of func(*T) []string) *Property[T] {
	elements := column.Column{Kind: column.KindObjects, Fields: []string{field}}
	return askedAs(name, KindComplexCollection, elements, func(o *T) column.Value {
		return column.Value{Texts: of(o)}
	})
}

// notKept is a property that no object has here. It is also used for the id, which is not in a
// column.
func notKept[T any](name string, kind Kind) *Property[T] {
	return &Property[T]{Name: name, Kind: kind, ReadOnly: true}
}

// textIn returns a text of the properties that are stored as JSON, or one within an object.
func textIn(kept map[string]json.RawMessage, name string, inner ...string) (text string) {
	raw := kept[name]
	for _, name := range inner {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return ""
		}
		raw = object[name]
	}
	_ = json.Unmarshal(raw, &text) // it was validated when it was set
	return text
}

func textsIn(kept map[string]json.RawMessage, name string) (texts []string) {
	if raw, ok := kept[name]; ok {
		_ = json.Unmarshal(raw, &texts)
	}
	return texts
}

// IdentifierURIs returns the names of the application as a resource, in addition to its appId.
func (a *Application) IdentifierURIs() []string { return textsIn(a.Properties, "identifierUris") }

// InWeb returns a text of the application's property web, such as homePageUrl.
func (a *Application) InWeb(name string) string { return textIn(a.Properties, "web", name) }

// resources returns the appIds of the resources that the application requests permissions of.
func (a *Application) resources() (appIDs []string) {
	var list []struct {
		ResourceAppID string `json:"resourceAppId"`
	}
	if raw, ok := a.Properties["requiredResourceAccess"]; ok {
		_ = json.Unmarshal(raw, &list)
	}
	for _, resource := range list {
		appIDs = append(appIDs, resource.ResourceAppID)
	}
	return appIDs
}

// graphURL is the name of Microsoft Graph as a resource.
const graphURL = "https://graph.microsoft.com"

// PrincipalNames returns the names of the service principal as a resource.
func (c *Client) PrincipalNames() []string {
	names := []string{c.Principal.AppID.String()}
	if c.Principal.AppID == GraphAppID {
		names = append(names, graphURL)
	}
	return slices.Concat(names, c.IdentifierURIs())
}

// Owner returns the tenant in which the application of the service principal is registered: its
// own, or Microsoft's. Other tenants cannot share applications.
func (c *Client) Owner(tenant uuid.UUID) uuid.UUID {
	if c.Application.ID == uuid.Nil {
		return microsoft
	}
	return tenant
}

// ApplicationSchema has the columns of applications.
func ApplicationSchema() *column.Schema { return applicationTable.schema }

// PrincipalSchema has the columns of service principals.
func PrincipalSchema() *column.Schema { return principalTable.schema }

// AboutApplication returns how a property of applications can be queried. The name may have any
// letter case.
func AboutApplication(path string) (*Asked, bool) { return applicationTable.about(path) }

// AboutPrincipal returns how a property of service principals can be queried. The name may have any
// letter case.
func AboutPrincipal(path string) (*Asked, bool) { return principalTable.about(path) }

// AllAboutApplications yields how each property of applications can be queried, in alphabetical
// order.
func AllAboutApplications() iter.Seq[*Asked] { return applicationTable.allAbout }

// AllAboutPrincipals yields how each property of service principals can be queried, in alphabetical
// order.
func AllAboutPrincipals() iter.Seq[*Asked] { return principalTable.allAbout }

// ApplicationValues returns the application's values in the columns of ApplicationSchema, except
// null.
func (c *Client) ApplicationValues(tenant *Organization) []column.Change {
	return applicationTable.values(&shownClient{c, tenant})
}

// ApplicationChanged returns the new values of the columns in which two versions of the application
// differ.
func (c *Client) ApplicationChanged(was *Client, tenant *Organization) []column.Change {
	return applicationTable.changed(nil, &shownClient{was, tenant}, &shownClient{c, tenant})
}

// PrincipalValues returns the service principal's values in the columns of PrincipalSchema, except
// null.
func (c *Client) PrincipalValues(tenant *Organization) []column.Change {
	return principalTable.values(&shownClient{c, tenant})
}

// PrincipalChanged returns the new values of the columns in which two versions of the service
// principal differ.
func (c *Client) PrincipalChanged(was *Client, tenant *Organization) []column.Change {
	return principalTable.changed(nil, &shownClient{was, tenant}, &shownClient{c, tenant})
}

// PublisherDomain returns the change of an application's values when the tenant's default domain
// changes.
func PublisherDomain(tenant *Organization) []column.Change {
	about, _ := AboutApplication("publisherDomain")
	return []column.Change{{Column: about.Column, Value: column.Value{Text: tenant.DefaultDomain()}}}
}
