package directory

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// drawValue draws JSON that the property reads without being strict.
func drawValue(t *rapid.T, name string, kind Kind) string {
	pick := func(values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	drawText := func() string {
		quoted, _ := json.Marshal(rapid.StringN(1, 20, -1).Draw(t, name))
		return string(quoted)
	}
	switch {
	case name == "id":
		return `"` + uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)).String() + `"`
	case name == "verifiedDomains":
		return pick(`[]`, `[{"name":"a.b","isDefault":true,"isInitial":false}]`)
	case name == "identities":
		return pick(`[]`, `[{"issuer":"a","signInType":"b"},{"issuerAssignedId":"c"}]`)
	case kind == KindComplex:
		return pick(`null`, `{}`)
	case kind == KindBool:
		return pick(`true`, `false`)
	case kind == KindDateTime:
		return `"` + time.Unix(rapid.Int64Range(-1e9, 1e11).Draw(t, name), 0).UTC().Format(time.RFC3339) + `"`
	case kind == KindStringCollection:
		values := make([]string, rapid.IntRange(0, 3).Draw(t, name))
		for i := range values {
			values[i] = drawText()
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	return drawText()
}

func checkRoundTrip[T any](t *testing.T, table *table[T]) {
	rapid.Check(t, func(t *rapid.T) {
		object := new(T)
		for _, p := range table.all {
			if p.read == nil || rapid.IntRange(0, 2).Draw(t, "skip") == 0 {
				continue
			}
			raw := drawValue(t, p.Name, p.Kind)
			if err := p.read(object, []byte(raw), fromStore); err != nil {
				t.Fatalf("%s does not take %s: %v", p.Name, raw, err)
			}
			got := p.Append(nil, object)
			if p.Kind != KindComplex && p.Kind != KindComplexCollection && !sameJSON(got, []byte(raw)) {
				t.Fatalf("%s shows %s as %s", p.Name, raw, got)
			}
		}
		document := table.appendDocument(nil, object)
		again, err := table.parse(document)
		if err != nil {
			t.Fatal(err)
		}
		if second := table.appendDocument(nil, again); string(second) != string(document) {
			t.Fatalf("document\n%s becomes\n%s", document, second)
		}
		if whole := table.appendAll(nil, object); !json.Valid(whole) {
			t.Fatalf("not JSON: %s", whole)
		}
	})
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func TestDocumentsSurviveStorage(t *testing.T) {
	t.Parallel()
	t.Run("user", func(t *testing.T) { t.Parallel(); checkRoundTrip(t, userTable) })
	t.Run("group", func(t *testing.T) { t.Parallel(); checkRoundTrip(t, groupTable) })
	t.Run("organization", func(t *testing.T) { t.Parallel(); checkRoundTrip(t, organizationTable) })
	t.Run("extension attributes", func(t *testing.T) { t.Parallel(); checkRoundTrip(t, extensionTable) })
}

func TestApplicationsSurviveStorage(t *testing.T) {
	t.Parallel()
	a := &Application{
		ID: someID, AppID: someID, DisplayName: "CI",
		Secrets: []Secret{{
			KeyID: someID, Hash: []byte{1, 2}, Hint: "abc",
			Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		}},
	}
	again, err := ParseApplication(a.Document())
	if err != nil || !reflect.DeepEqual(a, again) {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestDocumentsOfOtherVersionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, document := range []string{``, `[]`, `{"shoeSize":44}`, `{"city":5}`, `{"assignedLicenses":[]}`} {
		if _, err := ParseUser([]byte(document)); err == nil {
			t.Errorf("%s is taken", document)
		}
	}
}

func TestTablesAreInAlphabeticalOrder(t *testing.T) {
	t.Parallel()
	byName := func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
	for _, names := range [][]string{namesOf(userTable.all), namesOf(groupTable.all), namesOf(organizationTable.all)} {
		if !slices.IsSortedFunc(names, byName) {
			t.Error(names)
		}
	}
	const defaults = "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName"
	if got := strings.Join(namesOf(userTable.defaults), " "); got != defaults {
		t.Errorf("default properties are %s (P22)", got)
	}
}

func namesOf[T any](all []*Property[T]) (names []string) {
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

// contract is what graph/metadata.xml says of types.
type contract struct {
	Types []struct {
		Name       string `xml:",attr"`
		Properties []struct {
			Name     string `xml:",attr"`
			Type     string `xml:",attr"`
			Nullable string `xml:",attr"`
		} `xml:"Property"`
	} `xml:"DataServices>Schema>EntityType"`
}

func TestPropertiesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		t.Skip("LICENSOR_SPEC is not set to the folder with graph/metadata.xml")
	}
	data, err := os.ReadFile(filepath.Join(folder, "graph", "metadata.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := xml.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	checkContract(t, &c, "user", userTable)
	checkContract(t, &c, "group", groupTable)
	checkContract(t, &c, "organization", organizationTable)
}

func checkContract[T any](t *testing.T, c *contract, name string, table *table[T]) {
	kinds := map[string]Kind{
		"Edm.String": KindString, "Edm.Boolean": KindBool, "Edm.DateTimeOffset": KindDateTime, "Edm.Int32": KindInt32,
		"Collection(Edm.String)": KindStringCollection, "graph.groupAccessType": KindString, "graph.mdmAuthority": KindString, "graph.partnerTenantType": KindString,
	}
	known := map[string]bool{"id": true, "deletedDateTime": true, "writebackConfiguration": true} // the last is only in beta
	for _, typ := range c.Types {
		if typ.Name != name {
			continue
		}
		for _, declared := range typ.Properties {
			known[declared.Name] = true
			p, ok := table.property(declared.Name)
			if !ok {
				if !slices.Contains(table.derived, declared.Name) {
					t.Errorf("%s has no %s", name, declared.Name)
				}
				continue
			}
			kind, simple := kinds[declared.Type]
			if !simple && strings.HasPrefix(declared.Type, "Collection(") {
				kind = KindComplexCollection
			} else if !simple {
				kind = KindComplex
			}
			if p.Kind != kind {
				t.Errorf("%s.%s is %s, not of kind %d", name, p.Name, declared.Type, p.Kind)
			}
			null := string(p.Append(nil, new(T))) == "null"
			if null && (declared.Nullable == "false" || kind.Collection()) {
				t.Errorf("%s.%s is null", name, p.Name)
			}
		}
	}
	if len(known) < 10 {
		t.Errorf("metadata.xml has no type %s", name)
	}
	for _, p := range table.all {
		if !known[p.Name] {
			t.Errorf("%s.%s is not in metadata.xml", name, p.Name)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	u := User{Mail: "Ann@Contoso.com", ProxyAddresses: []string{"SMTP:ann@contoso.com", "smtp: lee@contoso.com", "SIP:ann@contoso.com", "smtp:"}}
	want := []string{"ann@contoso.com", "lee@contoso.com", "sip:ann@contoso.com"}
	if got := u.Addresses(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := new(User).Addresses(); len(got) != 0 {
		t.Errorf("got %q of no address", got)
	}
}

func TestSecurityIdentifier(t *testing.T) {
	t.Parallel()
	got := string(AppendSID(nil, uuid.MustParse("73d664e4-0886-4a73-b745-c694da45ddb4")))
	if want := `"S-1-12-1-1943430372-1249052806-2496021943-3034400218"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLegalAgeGroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ age, consent, want string }{
		{"", "Granted", ""},
		{"Adult", "", "Adult"},
		{"NotAdult", "", "NotAdult"},
		{"Minor", "Granted", "MinorWithParentalConsent"},
		{"Minor", "NotRequired", "MinorNoParentalConsentRequired"},
		{"Minor", "Denied", "MinorWithoutParentalConsent"},
	} {
		if got := (&User{AgeGroup: test.age, ConsentProvidedForMinor: test.consent}).legalAgeGroup(); got != test.want {
			t.Errorf("%s, %s is %s, not %s", test.age, test.consent, got, test.want)
		}
	}
}

func TestGroupKinds(t *testing.T) {
	t.Parallel()
	g, err := newGroup(`{"displayName":"Sales","mailNickname":"sales","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}`)
	if err != nil {
		t.Fatal(err)
	}
	g.GiveAddress("contoso.com")
	if g.Licensable() || !g.Unified() || g.Dynamic() || !g.SoftDeletes() || g.Visibility != "Public" ||
		g.Mail != "sales@contoso.com" || !slices.Equal(g.ProxyAddresses, []string{"SMTP:sales@contoso.com"}) {
		t.Errorf("got %s", g.Document())
	}
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	good := func() *Organization {
		return &Organization{DisplayName: "Contoso", CountryLetterCode: "DE", VerifiedDomains: []VerifiedDomain{
			{Name: "contoso.onmicrosoft.com", IsInitial: true},
			{Name: "contoso.com", IsDefault: true},
		}}
	}
	for property, spoil := range map[string]func(*Organization){
		"":                     func(*Organization) {},
		"displayName":          func(o *Organization) { o.DisplayName = "" },
		"countryLetterCode":    func(o *Organization) { o.CountryLetterCode = "XX" },
		"defaultUsageLocation": func(o *Organization) { o.DefaultUsageLocation = "XX" },
		"verifiedDomains":      func(o *Organization) { o.VerifiedDomains[1].Name = "Contoso.onmicrosoft.com" },
	} {
		o := good()
		spoil(o)
		err := o.Validate()
		invalid, _ := err.(*InvalidError)
		if (err == nil) != (property == "") || invalid != nil && invalid.Property != property {
			t.Errorf("without a good %s: %v", property, err)
		}
	}
	o := good()
	o.VerifiedDomains[0].IsInitial = false
	expectMessage(t, o.Validate(), "Invalid value specified for property 'verifiedDomains' of resource 'Organization'.")
	expectMessage(t, o.CheckName("ann@CONTOSO.com"), "")
	expectMessage(t, o.CheckName("ann@fabrikam.com"), badUser("userPrincipalName"))
	if o.DefaultDomain() != "contoso.com" || new(Organization).DefaultDomain() != "" {
		t.Errorf("default domain is %q", o.DefaultDomain())
	}
	members, _ := Members([]byte(`{"countryLetterCode":"fr","verifiedDomains":[{"name":"x.y","isDefault":true,"isInitial":true}]}`))
	_, err := ParseOrganizationPatch(members)
	expectMessage(t, err, "Property 'verifiedDomains' is read-only and cannot be set.")
	members, _ = Members([]byte(`{"countryLetterCode":"fr"}`))
	patch, err := ParseOrganizationPatch(members)
	expectMessage(t, err, "")
	changed, err := patch.Apply(good())
	if err != nil || changed.CountryLetterCode != "FR" || !changed.HasDomain("contoso.com") {
		t.Errorf("got %s, %v", changed.Document(), err)
	}
}

func BenchmarkUserDocument(b *testing.B) {
	u, err := newUser(`{` + minimalUser + `,"usageLocation":"DE","jobTitle":"Engineer","passwordProfile":{"password":"x"}}`)
	if err != nil {
		b.Fatal(err)
	}
	document := u.Document()
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			u.Document()
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseUser(document); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("render defaults", func(b *testing.B) {
		dst := make([]byte, 0, 4096)
		b.ReportAllocs()
		for b.Loop() {
			dst = dst[:0]
			for _, p := range userTable.defaults {
				dst = p.Append(dst, u)
			}
		}
	})
}
