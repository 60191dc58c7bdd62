package graph

import (
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// csdl is a document of metadata: what types there are, and what their properties are. Names are
// without the namespace.
type csdl struct {
	Entities  map[string]*csdlType
	Complexes map[string]*csdlType
	Enums     map[string]*csdlEnum
	Actions   []csdlAction
	Sets      map[string]string // names of types by name of set
	Roots     map[string]string // of singletons
}

type csdlType struct {
	Name       string         `xml:"Name,attr"`
	BaseType   string         `xml:"BaseType,attr"`
	Abstract   bool           `xml:"Abstract,attr"`
	Properties []csdlProperty `xml:"Property"`
	Navigation []csdlProperty `xml:"NavigationProperty"`
}

type csdlProperty struct {
	Name     string `xml:"Name,attr"`
	Type     string `xml:"Type,attr"`
	Nullable string `xml:"Nullable,attr"`
	Contains bool   `xml:"ContainsTarget,attr"`
}

type csdlEnum struct {
	Name    string `xml:"Name,attr"`
	Flags   bool   `xml:"IsFlags,attr"`
	Members []struct {
		Name string `xml:"Name,attr"`
	} `xml:"Member"`
}

// csdlAction is an action or a function.
type csdlAction struct {
	Name       string         `xml:"Name,attr"`
	Parameters []csdlProperty `xml:"Parameter"`
	ReturnType *csdlProperty  `xml:"ReturnType"`
}

// readCSDL reads a document of metadata.
func readCSDL(text []byte) (*csdl, error) {
	var document struct {
		Schemas []struct {
			Enums     []csdlEnum   `xml:"EnumType"`
			Complexes []csdlType   `xml:"ComplexType"`
			Entities  []csdlType   `xml:"EntityType"`
			Actions   []csdlAction `xml:"Action"`
			Functions []csdlAction `xml:"Function"`
			Sets      []struct {
				Name string `xml:"Name,attr"`
				Type string `xml:"EntityType,attr"`
			} `xml:"EntityContainer>EntitySet"`
			Singletons []csdlProperty `xml:"EntityContainer>Singleton"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	c := &csdl{
		Entities: map[string]*csdlType{}, Complexes: map[string]*csdlType{}, Enums: map[string]*csdlEnum{},
		Sets: map[string]string{}, Roots: map[string]string{},
	}
	for i := range document.Schemas {
		s := &document.Schemas[i]
		for i := range s.Enums {
			c.Enums[s.Enums[i].Name] = &s.Enums[i]
		}
		for i := range s.Complexes {
			c.Complexes[s.Complexes[i].Name] = &s.Complexes[i]
		}
		for i := range s.Entities {
			c.Entities[s.Entities[i].Name] = &s.Entities[i]
		}
		c.Actions = append(append(c.Actions, s.Actions...), s.Functions...)
		for _, set := range s.Sets {
			c.Sets[set.Name] = bare(set.Type)
		}
		for _, root := range s.Singletons {
			c.Roots[root.Name] = bare(root.Type)
		}
	}
	return c, nil
}

// bare takes the namespace off a name.
func bare(name string) string {
	if inner, ok := strings.CutPrefix(name, "Collection("); ok {
		return "Collection(" + bare(inner)
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "microsoft."), "graph.")
}

// bases are a type and the types that it comes from.
func (c *csdl) bases(name string) []*csdlType {
	var all []*csdlType
	for name != "" {
		t := c.Entities[name]
		if t == nil {
			t = c.Complexes[name]
		}
		if t == nil {
			break
		}
		all, name = append(all, t), bare(t.BaseType)
	}
	return all
}

// is reports whether a type is another, or comes from it.
func (c *csdl) is(name, base string) bool {
	for _, t := range c.bases(name) {
		if t.Name == base {
			return true
		}
	}
	return false
}

func (c *csdl) property(typeName, name string) (p csdlProperty, ok bool) {
	for _, t := range c.bases(typeName) {
		for _, p := range t.Properties {
			if p.Name == name {
				return p, true
			}
		}
	}
	return p, false
}

// navigation finds a navigation property. Letter case does not matter in paths.
func (c *csdl) navigation(typeName, name string) (p csdlProperty, ok bool) {
	for _, t := range c.bases(typeName) {
		for _, p := range t.Navigation {
			if strings.EqualFold(p.Name, name) {
				return p, true
			}
		}
	}
	return p, false
}

// action finds what may be called on a type, or on one that it comes from.
func (c *csdl) action(bound, name string) (found csdlAction, ok bool) {
	inner, list := strings.CutPrefix(bound, "Collection(")
	inner = strings.TrimSuffix(inner, ")")
	for _, a := range c.Actions {
		if len(a.Parameters) == 0 || !strings.EqualFold(a.Name, name) {
			continue
		}
		of := bare(a.Parameters[0].Type)
		base, ofList := strings.CutPrefix(of, "Collection(")
		switch {
		case of == bound:
			return a, true
		case list == ofList && c.is(inner, strings.TrimSuffix(base, ")")):
			found, ok = a, true
		}
	}
	return found, ok
}

// theContract is metadata.xml; nil where there is none to compare with.
var theContract = sync.OnceValues(func() (*csdl, error) {
	folder := os.Getenv("LICENSOR_SPEC")
	if folder == "" {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(folder, "graph", "metadata.xml"))
	if err != nil {
		return nil, err
	}
	c, err := readCSDL(text)
	if err != nil {
		return nil, err
	}
	more, err := os.ReadFile("testdata/contract_more.xml")
	if err != nil {
		return nil, err
	}
	added, err := readCSDL(more)
	if err != nil {
		return nil, err
	}
	c.add(added)
	return c, nil
})

// add takes in what another document has: new types, and more navigation of those that there are.
func (c *csdl) add(more *csdl) {
	for name, t := range more.Entities {
		if known := c.Entities[name]; known != nil {
			known.Navigation = append(known.Navigation, t.Navigation...)
			continue
		}
		c.Entities[name] = t
	}
	c.Actions = append(c.Actions, more.Actions...)
	maps.Copy(c.Complexes, more.Complexes)
	maps.Copy(c.Enums, more.Enums)
	maps.Copy(c.Sets, more.Sets)
	maps.Copy(c.Roots, more.Roots)
}

func readContract(t testing.TB) *csdl {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skip("LICENSOR_SPEC does not name the folder with graph/metadata.xml")
	}
	return c
}
