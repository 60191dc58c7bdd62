package graph

import (
	"slices"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/edm"
)

// withoutBeta takes the properties that only beta has out of a body of a type: in beta, where those
// that clients can set are accepted and have no effect, but for those that are kept. In v1.0 they
// stay, and are refused as unknown.
func (r *request) withoutBeta(typeName, resource string, body []directory.Member) ([]directory.Member, error) {
	names := edm.BetaOnly[typeName]
	if !r.beta {
		for _, m := range body {
			if name, ok := fold.Among(names.Kept, m.Name); ok {
				return nil, &directory.Invalid{Kind: directory.Unknown, Resource: resource, Property: name}
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
			return nil, &directory.Invalid{Kind: directory.ReadOnly, Resource: resource, Property: name}
		}
		rest = append(rest, m)
	}
	return rest, nil
}

// betaFields are the fields of a type's properties that only beta has and that the type does not
// show itself.
func betaFields[T any](typeName string, known []field[T]) []field[T] {
	names := edm.BetaOnly[typeName]
	fields := notKept[T](slices.Concat(names.Nulls, names.OnSelect), names.Lists)
	for i := range fields {
		fields[i].beta = true
		if slices.Contains(names.OnSelect, fields[i].name) {
			fields[i].when = directory.ByName
		}
	}
	return slices.DeleteFunc(fields, func(f field[T]) bool {
		return slices.ContainsFunc(known, func(k field[T]) bool { return k.name == f.name })
	})
}

// shown are the properties that a version of Graph shows when none are asked for by name (P22).
type shown[T any] struct {
	defaults []*field[T]
	whole    []*field[T] // what actions answer, and $select=*
}

func (s *shown[T]) add(f *field[T]) {
	if f.when == directory.ByDefault {
		s.defaults = append(s.defaults, f)
	}
	if f.when != directory.ByName {
		s.whole = append(s.whole, f)
	}
}

// shown returns what the version that a request is for shows.
func (s *fieldSet[T]) shown(r *request) *shown[T] {
	if r.beta {
		return &s.inBeta
	}
	return &s.inV1
}

// betaShows makes beta show more by default than v1.0 and what only beta has.
func (s *fieldSet[T]) betaShows(more func(name string) bool) *fieldSet[T] {
	for _, f := range s.inBeta.whole {
		if !slices.Contains(s.inBeta.defaults, f) && more(f.name) {
			s.inBeta.defaults = append(s.inBeta.defaults, f)
		}
	}
	return s
}
