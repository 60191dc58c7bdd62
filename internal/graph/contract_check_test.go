package graph

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"licensor/internal/graph/edm"
)

// checker compares one answer.
type checker struct {
	*csdl
	question
	root               string
	place              place
	selected, expanded []string
}

func (k *checker) check(body map[string]any) error {
	if err := k.checkContext(body); err != nil {
		return err
	}
	if !k.place.list {
		return k.single(body)
	}
	for name, value := range body {
		var ok bool
		switch name {
		case "value":
			_, ok = value.([]any)
		case "@odata.context":
			ok = true
		case "@odata.count":
			n, is := value.(float64)
			ok = is && n >= 0 && n == math.Trunc(n)
		case "@odata.nextLink", "@odata.deltaLink":
			link, is := value.(string)
			ok = is && strings.HasPrefix(link, k.root+"/")
		}
		if !ok {
			return fmt.Errorf("a list has %s: %v", name, value)
		}
	}
	list, ok := body["value"].([]any)
	if !ok {
		return fmt.Errorf("a list has no value")
	}
	for i, element := range list {
		if err := k.element(element); err != nil {
			return fmt.Errorf("value[%d]: %w", i, err)
		}
	}
	return nil
}

// single compares an answer with one object, or with one value that is not one.
func (k *checker) single(body map[string]any) error {
	switch {
	case k.isValue():
		delete(body, "@odata.context")
		if k.Complexes[k.place.typeName] != nil {
			return k.value(body, k.place.typeName)
		}
		return k.value(body["value"], k.place.typeName)
	default:
		return k.entity(body, k.place.typeName, true)
	}
}

// isValue reports whether the address leads to a value, not to an object with an id.
func (k *checker) isValue() bool {
	return strings.HasPrefix(k.place.typeName, "Edm.") || k.Complexes[k.place.typeName] != nil
}

func (k *checker) element(element any) error {
	if k.isValue() {
		return k.value(element, k.place.typeName)
	}
	object, ok := element.(map[string]any)
	if !ok {
		return fmt.Errorf("is no object")
	}
	return k.entity(object, k.place.typeName, true)
}

// checkContext compares @odata.context with what the address leads to (P20).
func (k *checker) checkContext(body map[string]any) error {
	context, there := body["@odata.context"]
	if k.none {
		if there {
			return fmt.Errorf("@odata.context is there with metadata of none")
		}
		return nil
	}
	text, _ := context.(string)
	fragment, ok := strings.CutPrefix(text, k.root+"/$metadata#")
	if !ok {
		return fmt.Errorf("@odata.context is %v, which is not under %s", context, k.root)
	}
	pattern := k.place.context
	if len(k.selected) > 0 || len(k.expanded) > 0 {
		var items []string
		for _, name := range k.selected {
			if !slices.Contains(k.expanded, name) {
				items = append(items, regexp.QuoteMeta(name))
			}
		}
		pattern += `(\(` + strings.Join(items, ",") + `(,?\w+\(.*\))*\))`
		if len(k.selected) == 0 {
			pattern += "?"
		}
	}
	switch {
	case k.place.delta:
		pattern = k.place.context + `(\(.*\))?`
	case !k.place.list && k.place.typeName[0] != '$' && !k.isValue():
		pattern += `/\$entity`
	}
	if !regexp.MustCompile("^" + pattern + "$").MatchString(fragment) {
		return fmt.Errorf("@odata.context is %s, want it to match %s", fragment, pattern)
	}
	return nil
}

// annotations are those an object may have.
var annotations = []string{"@odata.context", "@odata.type", "@odata.id", "@odata.etag", "@odata.editLink", "@removed"}

// entity compares an object. top: it is of the answer itself and not within another.
func (k *checker) entity(object map[string]any, declared string, top bool) error {
	if declared == "$ref" {
		if id, ok := object["@odata.id"].(string); !ok || !strings.HasPrefix(id, k.root+"/") {
			return fmt.Errorf("a reference has no @odata.id under %s", k.root)
		}
		return nil
	}
	typeName, err := k.typeOf(object, declared)
	if err != nil {
		return err
	}
	for name, value := range object {
		if err := k.member(typeName, name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, removed := object["@removed"]; removed {
		return nil
	}
	return k.complete(object, typeName, top)
}

// typeOf is the type that an object says it has; it must say so where the contract leaves it open
// (P21).
func (k *checker) typeOf(object map[string]any, declared string) (string, error) {
	said, there := object["@odata.type"]
	text, _ := said.(string)
	name, ok := strings.CutPrefix(text, "#"+edm.Namespace)
	_, removed := object["@removed"]
	switch {
	case there && (k.none || !ok || !k.is(name, declared)):
		return "", fmt.Errorf("@odata.type is %v, want one of %s", said, declared)
	case there:
		return name, nil
	case k.none:
		return "", nil
	case k.full || declared == "directoryObject" && !removed:
		return "", fmt.Errorf("@odata.type is missing")
	}
	return declared, nil
}

func (k *checker) member(typeName, name string, value any) error {
	of, annotation, is := strings.Cut(name, "@")
	switch {
	case is && of == "" && slices.Contains(annotations, name):
		return nil
	case is && of != "" && (strings.HasPrefix(annotation, "odata.") || annotation == "delta"):
		return nil
	case is:
		return fmt.Errorf("is no annotation that is known")
	case typeName == "": // metadata of none says no types
		return nil
	}
	if p, ok := k.property(typeName, name); ok {
		return k.nullable(value, p)
	}
	if _, ok := betaOnlyProperty(typeName, name); ok && (k.beta || slices.Contains(k.selected, name)) {
		return nil
	}
	n, ok := k.navigation(typeName, name)
	if !ok || n.Name != name ||
		!slices.Contains(k.expanded, name) && !slices.Contains(k.expanded, "*") && !k.place.delta {
		return fmt.Errorf("is no property of %s", typeName)
	}
	return k.expansion(value, bare(n.Type))
}

func (k *checker) expansion(value any, typeName string) error {
	element, list := strings.CutPrefix(typeName, "Collection(")
	if !list {
		element = typeName
		if value == nil {
			return nil
		}
		value = []any{value}
	}
	objects, ok := value.([]any)
	if !ok {
		return fmt.Errorf("is no list")
	}
	for _, o := range objects {
		object, ok := o.(map[string]any)
		if !ok {
			return fmt.Errorf("has no objects")
		}
		if err := k.entity(object, strings.TrimSuffix(element, ")"), false); err != nil {
			return err
		}
	}
	return nil
}

// onlyByName are not nullable, and yet shown only when asked for by name.
var onlyByName = []string{"birthday", "hireDate", "deviceEnrollmentLimit", "logo"}

// defaultUser is what a user shows without $select (P22).
var defaultUser = strings.Fields("businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName")

// complete looks whether everything is there that must be.
func (k *checker) complete(object map[string]any, typeName string, top bool) error {
	if typeName == "" || !top || k.place.delta {
		return nil
	}
	want := []string{"id"}
	switch {
	case len(k.selected) > 0:
		want = nil
		for _, name := range k.selected {
			if p, ok := k.property(typeName, name); ok && p.Type != "Edm.Stream" {
				want = append(want, name)
			}
		}
	case k.restricted:
	case k.place.action && k.place.typeName == "user":
		want = k.notNull(typeName)
	case k.place.typeName == "user" && k.beta:
		want = slices.DeleteFunc(k.everything(typeName), func(name string) bool {
			return slices.Contains(onSelectOfUser, name)
		})
	case k.place.typeName == "user":
		want = defaultUser
	case k.place.typeName != "group" && k.place.typeName != "directoryObject":
		want = k.notNull(typeName)
	}
	if k.full {
		want = append(slices.Clone(want), "@odata.type", "@odata.id", "@odata.etag")
	}
	for _, name := range want {
		if _, ok := object[name]; !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

// onSelectOfUser are what a user of beta shows only when asked for (P22).
var onSelectOfUser = strings.Fields(`aboutMe birthday customSecurityAttributes deviceEnrollmentLimit hireDate interests licenseAssignmentStates
	mailboxSettings mySite pastProjects preferredName print responsibilities schools signInActivity skills`)

// everything is the names of all properties of a type.
func (k *checker) everything(typeName string) (names []string) {
	for _, t := range k.bases(typeName) {
		for _, p := range t.Properties {
			names = append(names, p.Name)
		}
	}
	return names
}

func (k *checker) notNull(typeName string) []string {
	var names []string
	for _, t := range k.bases(typeName) {
		for _, p := range t.Properties {
			if p.Nullable == "false" && !slices.Contains(onlyByName, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}
