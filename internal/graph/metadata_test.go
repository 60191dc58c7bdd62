package graph

import (
	"flag"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
)

var update = flag.Bool("update", false, "write the generated files")

func servedCSDL(t *testing.T) *csdl {
	t.Helper()
	c, err := readCSDL(model().Metadata(entityTypes))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMetadataSaysWhatTheContractSays compares $metadata with metadata.xml: whatever is in it, is
// there of the same type.
func TestMetadataSaysWhatTheContractSays(t *testing.T) {
	t.Parallel()
	want, got := readContract(t), servedCSDL(t)
	for name, typ := range got.Entities {
		for _, p := range typ.Properties {
			has, ok := want.property(name, p.Name)
			if !ok || bare(has.Type) != bare(p.Type) || (p.Nullable != has.Nullable && !strings.HasPrefix(p.Type, "Collection(")) {
				t.Errorf("%s.%s is %s %s, want %s %s (see propertyTypes)", name, p.Name, p.Type, p.Nullable, has.Type, has.Nullable)
			}
		}
		for _, p := range typ.Navigation {
			has, ok := want.navigation(name, p.Name)
			if !ok || has.Name != p.Name || bare(has.Type) != bare(p.Type) || has.Contains != p.Contains {
				t.Errorf("%s.%s leads to %s, want %s (see targets)", name, p.Name, p.Type, has.Type)
			}
		}
		if has := want.Entities[name]; has == nil || bare(has.BaseType) != bare(typ.BaseType) {
			t.Errorf("%s comes from %s, want %v", name, typ.BaseType, has)
		}
	}
	for _, a := range got.Actions {
		compareAction(t, want, a)
	}
	for set, typeName := range got.Sets {
		if want.Sets[set] != typeName {
			t.Errorf("%s has %s, want %s", set, typeName, want.Sets[set])
		}
	}
}

func compareAction(t *testing.T, c *csdl, a csdlAction) {
	of := bare(a.Parameters[0].Type)
	at := slices.IndexFunc(c.Actions, func(w csdlAction) bool {
		return w.Name == a.Name && bare(w.Parameters[0].Type) == of
	})
	if at < 0 {
		t.Errorf("the contract has no %s of %s", a.Name, of)
		return
	}
	want := c.Actions[at]
	for _, p := range a.Parameters {
		if !slices.ContainsFunc(want.Parameters, func(w csdlProperty) bool {
			return w.Name == p.Name && bare(w.Type) == bare(p.Type)
		}) {
			t.Errorf("%s has no parameter %s of type %s (see signatures)", a.Name, p.Name, p.Type)
		}
	}
	if want.ReturnType != nil && (a.ReturnType == nil || bare(a.ReturnType.Type) != bare(want.ReturnType.Type)) {
		t.Errorf("%s answers %v, want %v", a.Name, a.ReturnType, want.ReturnType)
	}
}

// TestMetadataHasAllTypesThatItNames looks for names without a type. With -update it takes those
// that are lacking from the contract.
func TestMetadataHasAllTypesThatItNames(t *testing.T) {
	t.Parallel()
	got := servedCSDL(t)
	needed := map[string]bool{}
	metadata := string(model().Metadata(entityTypes))
	types := regexp.MustCompile(`Type="(?:Collection\()?(?:microsoft\.)?graph\.(\w+)`)
	for _, named := range types.FindAllStringSubmatch(metadata, -1) {
		needed[named[1]] = true
	}
	// $metadata does not name these, since it is of v1.0, but their parts have addresses.
	for typeName, of := range edm.BetaOnly {
		for _, name := range of.Kept {
			needed[bare(edm.PropertyType(typeName, name))] = true
		}
	}
	if *update {
		writeTypes(t, readContract(t), needed, got)
		return
	}
	for name := range needed {
		if got.Entities[name] == nil && got.Complexes[name] == nil && got.Enums[name] == nil {
			t.Errorf("$metadata names %s and does not have it. Run the test with -update.", name)
		}
	}
	for _, a := range got.Actions {
		if _, ok := edm.Signatures[a.Name]; !ok {
			t.Errorf("%s has no signature", a.Name)
		}
	}
}

// writeTypes takes complex and enumeration types as they stand in the contract, and those that
// these name.
func writeTypes(t *testing.T, c *csdl, needed map[string]bool, got *csdl) {
	for again := true; again; {
		again = false
		for name := range needed {
			if t := c.Complexes[name]; t != nil {
				for _, p := range append(t.Properties, csdlProperty{Type: t.BaseType}) {
					inner := strings.TrimSuffix(strings.TrimPrefix(bare(p.Type), "Collection("), ")")
					if inner != "" && !strings.HasPrefix(inner, "Edm.") && !needed[inner] {
						needed[inner], again = true, true
					}
				}
			}
		}
	}
	text, err := os.ReadFile(os.Getenv("LICENSOR_SPEC") + "/graph/metadata.xml")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("testdata/contract_more.xml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, found := range regexp.MustCompile(`(?s)   <(?:EnumType|ComplexType) Name="(\w+)"[^>]*?(?:/>|>.*?</(?:EnumType|ComplexType)>)\n`).FindAllStringSubmatch(string(text)+string(more), -1) {
		if needed[found[1]] {
			b.WriteString(found[0])
		}
	}
	if err := os.WriteFile("edm/metadata_types.xml", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMetadataAndServiceDocumentNeedNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.do("GET", "/v1.0/$metadata", "", "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/xml" ||
		got.body != string(model().Metadata(entityTypes)) {
		t.Errorf("%d %s %s", got.status, got.header.Get("Content-Type"), problem.Clip(got.body))
	}
	for _, path := range []string{"/v1.0", "/v1.0/", "/beta/"} {
		got := w.do("GET", path, "", "")
		if got.status != http.StatusOK || !strings.Contains(got.body, `{"name":"users","kind":"EntitySet","url":"users"}`) || !strings.Contains(got.body, `"kind":"Singleton","url":"me"`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := w.do("POST", "/v1.0/$metadata", "", ""); got.status != http.StatusUnauthorized {
		t.Errorf("POST: %d", got.status)
	}
}
