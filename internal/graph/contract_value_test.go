package graph

import (
	"fmt"
	"math"
	"regexp"
	"strings"
)

func (k *checker) nullable(value any, p csdlProperty) error {
	typeName := bare(p.Type)
	if value == nil && (p.Nullable == "false" || strings.HasPrefix(typeName, "Collection(")) {
		return fmt.Errorf("is null")
	}
	if value == nil {
		return nil
	}
	return k.value(value, typeName)
}

// literals are the forms of values that JSON has as texts (P23).
var literals = map[string]*regexp.Regexp{
	"Edm.String":         regexp.MustCompile(`(?s)^.*$`),
	"Edm.Guid":           regexp.MustCompile("^" + guidPattern + "$"),
	"Edm.DateTimeOffset": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`),
	"Edm.Binary":         regexp.MustCompile(`^[A-Za-z0-9+/_-]*=*$`),
	"Edm.TimeOfDay":      regexp.MustCompile(`^\d\d:\d\d:\d\d`),
	"Edm.Duration":       regexp.MustCompile(`^-?P`),
}

func (k *checker) value(value any, typeName string) error {
	if element, ok := strings.CutPrefix(typeName, "Collection("); ok {
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("is %v, no list", value)
		}
		for _, v := range list {
			if err := k.value(v, strings.TrimSuffix(element, ")")); err != nil {
				return err
			}
		}
		return nil
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	_, isBool := value.(bool)
	ok := false
	switch {
	case literals[typeName] != nil:
		ok = isText && literals[typeName].MatchString(text)
	case typeName == "Edm.Boolean":
		ok = isBool
	case typeName == "Edm.Int32":
		ok = isNumber && number == math.Trunc(number) && math.Abs(number) <= math.MaxInt32
	case k.Enums[typeName] != nil:
		ok = isText && k.Enums[typeName].has(text)
	case k.Complexes[typeName] != nil:
		return k.complexValue(value, typeName)
	case k.Entities[typeName] != nil: // within a complex value
		object, isObject := value.(map[string]any)
		if isObject {
			return k.entity(object, typeName, false)
		}
	}
	if !ok {
		return fmt.Errorf("is %v, no %s", value, typeName)
	}
	return nil
}

func (e *csdlEnum) has(text string) bool {
	for _, m := range e.Members {
		if m.Name == text {
			return true
		}
	}
	return false
}

// complexValue compares a value that is an object without an id. All properties of its type must be
// there.
func (k *checker) complexValue(value any, typeName string) error {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("is %v, no %s", value, typeName)
	}
	for name, inner := range object {
		p, ok := k.property(typeName, name)
		if !ok && !strings.Contains(name, "@odata.") {
			return fmt.Errorf("%s is no property of %s", name, typeName)
		}
		if err := k.nullable(inner, p); ok && err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, t := range k.bases(typeName) {
		for _, p := range t.Properties {
			if _, ok := object[p.Name]; !ok {
				return fmt.Errorf("%s is missing", p.Name)
			}
		}
	}
	return nil
}
