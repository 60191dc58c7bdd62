package graph

import (
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// contract is what metadata.xml says of types: the properties of each, those of its bases included.
type contract map[string]map[string]bool

type entityType struct {
	Name     string `xml:"Name,attr"`
	BaseType string `xml:"BaseType,attr"`
	Property []struct {
		Name string `xml:"Name,attr"`
	}
}

func readContract(t *testing.T) contract {
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		t.Skip("LICENSOR_SPEC does not name the folder with graph/metadata.xml")
	}
	text, err := os.ReadFile(filepath.Join(folder, "graph", "metadata.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Schema struct {
			EntityType []entityType
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	types := map[string]entityType{}
	for _, e := range document.Schema.EntityType {
		types["graph."+e.Name] = e
	}
	all := contract{}
	for name, e := range types {
		names := map[string]bool{}
		for there := true; there; e, there = types[e.BaseType] {
			for _, p := range e.Property {
				names[p.Name] = true
			}
		}
		all["microsoft."+name] = names
	}
	return all
}

// TestEveryPropertyOfTheContractIsServedAndNoOther compares what each type can show with metadata.xml, in both directions.
func TestEveryPropertyOfTheContractIsServedAndNoOther(t *testing.T) {
	t.Parallel()
	types := readContract(t)
	compareNames(t, types, userFields)
	compareNames(t, types, groupFields)
	compareNames(t, types, skuFields)
	compareNames(t, types, detailFields)
	compareNames(t, types, organizationFields)
	compareNames(t, types, subscriptionFields)
}

func compareNames[T any](t *testing.T, types contract, served *fieldSet[T]) {
	want := slices.Sorted(maps.Keys(types[served.typeName]))
	got := slices.Sorted(maps.Keys(served.byName))
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s has %v, want %v", served.typeName, without(got, want), without(want, got))
	}
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(others, name) })
}
