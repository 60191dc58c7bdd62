package wire

import (
	"slices"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/edm"
)

// WithoutBeta removes the properties that only beta has from a body of a type: in beta, those that
// clients can set are accepted without effect, except those that are stored. In v1.0 they are not
// removed, and are refused as unknown.
func (r *Request) WithoutBeta(typeName, resource string, body []directory.Member) ([]directory.Member, error) {
	names := edm.BetaOnly[typeName]
	if !r.Beta {
		for _, m := range body {
			if name, ok := fold.Among(names.Kept, m.Name); ok {
				return nil, &directory.InvalidError{Kind: directory.InvalidUnknown, Resource: resource, Property: name}
			}
		}
		return body, nil
	}
	rest := make([]directory.Member, 0, len(body))
	for _, m := range body {
		if _, ok := fold.Among(names.Settable, m.Name); ok {
			continue
		}
		if name, ok := fold.Among(slices.Concat(names.Nulls, names.Lists, names.OnSelect), m.Name); ok {
			return nil, &directory.InvalidError{Kind: directory.InvalidReadOnly, Resource: resource, Property: name}
		}
		rest = append(rest, m)
	}
	return rest, nil
}

// betaFields returns the fields of a type's properties that only beta has and that the type does
// not show itself.
func betaFields[T any](typeName string, known []Field[T]) []Field[T] {
	names := edm.BetaOnly[typeName]
	fields := NotKept[T](slices.Concat(names.Nulls, names.OnSelect), names.Lists)
	for i := range fields {
		fields[i].Beta = true
		if slices.Contains(names.OnSelect, fields[i].Name) {
			fields[i].When = directory.ReturnedByName
		}
	}
	return slices.DeleteFunc(fields, func(f Field[T]) bool {
		return slices.ContainsFunc(known, func(k Field[T]) bool { return k.Name == f.Name })
	})
}

// Shown are the properties that a version of Graph shows if none are selected by name (P22).
type Shown[T any] struct {
	Defaults []*Field[T]
	Whole    []*Field[T] // responses of actions, and $select=*
}

func (s *Shown[T]) add(f *Field[T]) {
	if f.When == directory.ReturnedByDefault {
		s.Defaults = append(s.Defaults, f)
	}
	if f.When != directory.ReturnedByName {
		s.Whole = append(s.Whole, f)
	}
}

// Shown returns the properties for the version of a request.
func (s *FieldSet[T]) Shown(r *Request) *Shown[T] {
	if r.Beta {
		return &s.inBeta
	}
	return &s.InV1
}

// BetaShows makes beta show more by default than v1.0 and what only beta has.
func (s *FieldSet[T]) BetaShows(more func(name string) bool) *FieldSet[T] {
	for _, f := range s.inBeta.Whole {
		if !slices.Contains(s.inBeta.Defaults, f) && more(f.Name) {
			s.inBeta.Defaults = append(s.inBeta.Defaults, f)
		}
	}
	return s
}
