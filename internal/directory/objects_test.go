package directory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory/column"
)

// objectsWorld are applications next to the plain map that they must be equal to.
type objectsWorld struct {
	*Objects[Application]
	plain map[uint32]*Application
	len   uint32
}

func (w *objectsWorld) check(t *rapid.T) {
	if w.Len() != w.len {
		t.Fatalf("%d ordinals are in use, want %d", w.Len(), w.len)
	}
	for ordinal, a := range w.All() {
		if w.plain[ordinal] != a {
			t.Fatalf("application %d is %+v, want %+v", ordinal, a, w.plain[ordinal])
		}
	}
	for n := range byte(20) {
		var byID, byAppID, named []uint32
		uri := fmt.Sprint("api://", n%4)
		for ordinal := range w.len {
			a := w.plain[ordinal]
			if a == nil {
				continue
			}
			if a.ID == (uuid.UUID{n}) {
				byID = append(byID, ordinal)
			}
			if a.AppID == (uuid.UUID{1, n}) {
				byAppID = append(byAppID, ordinal)
			}
			if slices.Contains(a.IdentifierURIs(), uri) {
				named = append(named, ordinal)
			}
		}
		if got := found(w.ByID(uuid.UUID{n})); !slices.Equal(got, byID) {
			t.Fatalf("id %d is of %v, want %v", n, got, byID)
		}
		if got := found(w.ByAppID(uuid.UUID{1, n})); !slices.Equal(got, byAppID) {
			t.Fatalf("appId %d is of %v, want %v", n, got, byAppID)
		}
		if got := slices.Collect(w.Named(uri)); !slices.Equal(got, named) {
			t.Fatalf("%s is of %v, want %v", uri, got, named)
		}
	}
}

func found(ordinal uint32, ok bool) []uint32 {
	if !ok {
		return nil
	}
	return []uint32{ordinal}
}

// TestObjectsAreFound makes random drafts of one version after the other. Each version is found by
// what it says, and stays as it is.
func TestObjectsAreFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		versions := []*objectsWorld{{NewApplications(), map[uint32]*Application{}, 0}}
		for range rapid.IntRange(1, 6).Draw(t, "drafts") {
			base := rapid.SampledFrom(versions).Draw(t, "base")
			draft, next := base.Draft(), &objectsWorld{nil, map[uint32]*Application{}, base.len}
			for ordinal, a := range base.plain {
				next.plain[ordinal] = a
			}
			for range rapid.IntRange(0, 6).Draw(t, "changes") {
				changeObjects(t, draft, next)
			}
			next.Objects = draft.Finish()
			versions = append(versions, next)
		}
		for _, w := range versions {
			w.check(t)
		}
		last := versions[len(versions)-1]
		again := decoded(t, last.Objects)
		for ordinal := range last.len {
			if a := last.plain[ordinal]; a != nil {
				if is := again.At(ordinal); is == nil || string(is.Document()) != string(a.Document()) {
					t.Fatalf("after a snapshot application %d is %+v, want %+v", ordinal, is, a)
				}
				last.plain[ordinal] = again.At(ordinal)
			}
		}
		(&objectsWorld{again, last.plain, last.len}).check(t)
	})
}

func changeObjects(t *rapid.T, draft *ObjectsDraft[Application], next *objectsWorld) {
	ordinal := rapid.Uint32Range(0, next.len).Draw(t, "ordinal")
	old := next.plain[ordinal]
	switch {
	case ordinal < next.len && old == nil: // purged
	case ordinal < next.len && rapid.IntRange(0, 3).Draw(t, "purge") == 0:
		draft.Purge(ordinal)
		delete(next.plain, ordinal)
	default:
		n := byte(rapid.IntRange(0, 19).Draw(t, "id"))
		for _, other := range next.plain {
			if other != old && other.ID == (uuid.UUID{n}) {
				return
			}
		}
		uris, _ := json.Marshal(rapid.SliceOfN(rapid.SampledFrom([]string{"api://0", "api://1", "api://2", "api://3"}), 0, 3).Draw(t, "uris"))
		a := &Application{
			ID: uuid.UUID{n}, AppID: uuid.UUID{1, n}, DisplayName: "App",
			Properties: map[string]json.RawMessage{"identifierUris": uris},
		}
		draft.Set(ordinal, a)
		next.plain[ordinal] = a
		next.len = max(next.len, ordinal+1)
	}
}

// decoded is what comes back of a snapshot.
func decoded(t rapid.TB, o *Objects[Application]) *Objects[Application] {
	t.Helper()
	var parts, columns [][]byte
	for part := range o.Parts() {
		parts = append(parts, o.AppendPart(nil, part))
	}
	for part := range o.Columns().Parts() {
		columns = append(columns, o.Columns().AppendPart(nil, part))
	}
	again, err := NewApplications().Decode(parts, columns)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestManyObjectsSurviveSnapshots(t *testing.T) {
	t.Parallel()
	tenant := &Organization{ID: uuid.UUID{9}, VerifiedDomains: []VerifiedDomain{{Name: "contoso.example", IsDefault: true}}}
	draft := NewApplications().Draft()
	for i := range uint32(1000) {
		c := Client{Application: Application{ID: uuid.New(), AppID: uuid.New(), DisplayName: fmt.Sprint("App ", i)}}
		draft.Set(i, &c.Application)
		draft.SetValues(i, c.ApplicationValues(tenant))
	}
	draft.Purge(300)
	o := draft.Finish()
	again := decoded(t, o)
	for ordinal := range o.Len() {
		for place, c := range ApplicationSchema().Columns {
			if was, is := o.Columns().Value(ordinal, place), again.Columns().Value(ordinal, place); !is.Equal(was) {
				t.Fatalf("%s of %d is %v, want %v", c.Name, ordinal, is, was)
			}
		}
		a := o.At(ordinal)
		if a == nil {
			continue
		}
		if at, ok := again.ByAppID(a.AppID); !ok || at != ordinal {
			t.Fatalf("application %d is found at %d, %t", ordinal, at, ok)
		}
	}
	if again.Len() != 1000 || again.At(300) != nil {
		t.Error("the purged application is there")
	}
	next := again.Draft()
	next.Set(1000, &Application{ID: uuid.New(), AppID: uuid.New()})
	grown := next.Finish()
	for part := range grown.Parts() {
		if changed := grown.PartChanged(again, part); changed != (part == 3) {
			t.Errorf("part %d has changed: %t", part, changed)
		}
	}
}

func TestDamagedSnapshotsOfObjectsAreRefused(t *testing.T) {
	t.Parallel()
	draft := NewPrincipals().Draft()
	p := GraphPrincipal(uuid.UUID{1})
	draft.Set(0, &p)
	o := draft.Finish()
	part, columns := o.AppendPart(nil, 0), [][]byte{o.Columns().AppendPart(nil, 0)}
	for name, parts := range map[string][][]byte{
		"none":             nil,
		"an empty one":     {{}},
		"a later format":   {append([]byte{9}, part[1:]...)},
		"a short one":      {part[:len(part)-1]},
		"a broken one":     {append(slices.Clone(part[:len(part)-2]), '{', '}')},
		"one too many":     {part, part},
		"one without rows": {append(slices.Clone(part), part[1:]...)},
	} {
		if _, err := NewPrincipals().Decode(parts, columns); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := NewPrincipals().Decode([][]byte{part}, columns); err != nil {
		t.Error(err)
	}
}

func TestChangesOfUnknownObjectsPanic(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewApplications().Draft().Purge(0)
}

// TestValuesOfClients compares all values of an application and of its service principal with those
// that are expected.
func TestValuesOfClients(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tenant := &Organization{ID: uuid.UUID{9}, VerifiedDomains: []VerifiedDomain{{Name: "contoso.example", IsDefault: true}}}
	kept := func(text string) map[string]json.RawMessage {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	c := &Client{
		Application: Application{
			ID: uuid.UUID{1}, AppID: uuid.UUID{2}, DisplayName: "App", CreatedDateTime: created,
			Redirects: Redirects{Web: []string{"https://w"}, SPA: []string{"https://s"}, Public: []string{"app://p"}},
			Properties: kept(`{"description":"d","identifierUris":["api://x"],"info":{"logoUrl":"l","termsOfServiceUrl":"t"},"serviceManagementReference":"r",
				"requiredResourceAccess":[{"resourceAccess":[],"resourceAppId":"a"},{"resourceAccess":[],"resourceAppId":"b"}],"tags":["T"],"web":{"homePageUrl":"h"}}`),
		},
		Principal: ServicePrincipal{
			ID: uuid.UUID{3}, AppID: uuid.UUID{2}, DisplayName: "App", Disabled: true,
			Properties: kept(`{"alternativeNames":["n"],"description":"D","homepage":"H","tags":["P","Q"]}`),
		},
	}
	text := func(s string) column.Value { return column.Value{Text: s} }
	texts := func(s ...string) column.Value { return column.Value{Texts: s} }
	appID := c.AppID.String()
	checkValues(t, ApplicationSchema(), c.ApplicationValues(tenant), map[string]column.Value{
		"appId": text(appID), "createdDateTime": {Time: column.TimeOf(created)}, "description": text("d"), "displayName": text("App"),
		"identifierUris": texts("api://x"), "info/logoUrl": text("l"), "info/termsOfServiceUrl": text("t"), "publicClient/redirectUris": texts("app://p"),
		"publisherDomain": text("contoso.example"), "requiredResourceAccess": texts("a", "b"), "serviceManagementReference": text("r"),
		"signInAudience": text("AzureADMyOrg"), "spa/redirectUris": texts("https://s"), "tags": texts("T"), "web/homePageUrl": text("h"),
		"web/redirectUris": texts("https://w"),
	})
	checkValues(t, PrincipalSchema(), c.PrincipalValues(tenant), map[string]column.Value{
		"accountEnabled": {Truth: column.TruthFalse}, "alternativeNames": texts("n"), "appId": text(appID),
		"appOwnerOrganizationId": text(tenant.ID.String()), "appRoleAssignmentRequired": {Truth: column.TruthFalse}, "description": text("D"),
		"displayName": text("App"), "homepage": text("H"), "info/logoUrl": text("l"), "info/termsOfServiceUrl": text("t"),
		"servicePrincipalNames": texts(appID, "api://x"), "tags": texts("P", "Q"),
	})
	graph := &Client{Principal: GraphPrincipal(tenant.ID)}
	checkValues(t, PrincipalSchema(), graph.PrincipalValues(tenant), map[string]column.Value{
		"accountEnabled": {Truth: column.TruthTrue}, "appId": text("00000003-0000-0000-c000-000000000000"),
		"appOwnerOrganizationId": text("f8cdef31-a31e-4b4a-93e4-5f571e91255a"), "appRoleAssignmentRequired": {Truth: column.TruthFalse},
		"displayName": text("Microsoft Graph"), "servicePrincipalNames": texts("00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"),
	})
	later := *c
	later.Properties = kept(`{"identifierUris":["api://y"]}`)
	checkValues(t, PrincipalSchema(), later.PrincipalChanged(c, tenant), map[string]column.Value{
		"info/logoUrl": {}, "info/termsOfServiceUrl": {}, "servicePrincipalNames": texts(appID, "api://y"),
	})
	if len(c.ApplicationChanged(c, tenant)) > 0 {
		t.Error("an application differs from itself")
	}
}

func checkValues(t *testing.T, schema *column.Schema, got []column.Change, want map[string]column.Value) {
	t.Helper()
	for _, c := range got {
		name := schema.Columns[c.Column].Name
		if v, ok := want[name]; !ok || !v.Equal(c.Value) {
			t.Errorf("%s is %v, want %v", name, c.Value, v)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("nothing is said of %v", want)
	}
}

func TestFormerApplicationsAreRead(t *testing.T) {
	t.Parallel()
	const document = `{"id":"10000000-0000-0000-0000-000000000000","objectId":"20000000-0000-0000-0000-000000000000",
		"appId":"30000000-0000-0000-0000-000000000000","displayName":"App","permissions":["User.Read.All"],"disabled":true,"publicClient":true,
		"properties":{"tags":["a"]},"principalProperties":{"notes":"n"}}`
	c, err := ParseFormerApplication([]byte(document))
	if err != nil || c.ID != (uuid.UUID{0x20}) || c.AppID != (uuid.UUID{0x30}) ||
		!c.PublicClient || string(c.Properties["tags"]) != `["a"]` {
		t.Errorf("%+v, %v", c, err)
	}
	p := c.Principal
	if p.ID != (uuid.UUID{0x10}) || p.AppID != c.AppID || p.DisplayName != "App" ||
		!p.Disabled || len(p.Permissions) != 1 || string(p.Properties["notes"]) != `"n"` {
		t.Errorf("%+v", p)
	}
	alone := strings.Replace(document, "10000000", "00000000", 1)
	c, err = ParseFormerApplication([]byte(alone))
	if err != nil || c.Principal.ID != uuid.Nil || c.Principal.AppID != uuid.Nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := ParseFormerApplication([]byte(`{"shoeSize":1}`)); err == nil {
		t.Error("an unknown property is taken")
	}
}

// FuzzObjects puts arbitrary bytes where a part should be: damaged data must give an error, never a
// panic.
func FuzzObjects(f *testing.F) {
	draft := NewPrincipals().Draft()
	p := GraphPrincipal(uuid.UUID{1})
	draft.Set(0, &p)
	o := draft.Finish()
	columns := o.Columns().AppendPart(nil, 0)
	f.Add(o.AppendPart(nil, 0))
	f.Add([]byte{objectsFormat, 0})
	f.Add([]byte{objectsFormat, 255, 255, 255, 255, 15})
	f.Fuzz(func(_ *testing.T, part []byte) {
		_, _ = NewPrincipals().Decode([][]byte{part}, [][]byte{columns})
		_, _ = NewPrincipals().Decode([][]byte{part, part}, nil)
	})
}
