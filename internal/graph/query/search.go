package query

import (
	"slices"
	"strings"
	"unicode"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	columns "licensor/internal/query"
)

// searched converts $search to a condition (P34).
func (f *Kind) searched(s Scope, search *odata.Search) (*columns.Condition, error) {
	if search == nil {
		return columns.All(), nil
	}
	if err := s.MaySearch(search); err != nil {
		return nil, err
	}
	return f.search(search)
}

// MaySearch refuses $search without the header for it (P31).
func (s Scope) MaySearch(search *odata.Search) error {
	if search == nil || s.Eventual {
		return nil
	}
	return problem.Unsupported("Request with $search query parameter only works through MSGraph with a " +
		"special request header: 'ConsistencyLevel: eventual'.")
}

func (f *Kind) search(s *odata.Search) (*columns.Condition, error) {
	if s.Op == 0 {
		return f.term(s)
	}
	args := make([]*columns.Condition, len(s.Args))
	for i, arg := range s.Args {
		var err error
		if args[i], err = f.search(arg); err != nil {
			return nil, err
		}
	}
	if s.Op == odata.OpOr {
		return columns.Or(args...), nil
	}
	return columns.And(args...), nil
}

// term returns the condition that a text has all words of the term, or starts with it.
func (f *Kind) term(s *odata.Search) (*columns.Condition, error) {
	about, ok := f.searchable(s.Property)
	if !ok {
		return nil, problem.Unsupported("Unsupported property '%s' of resource '%s' in $search at position %d. "+
			"Search in texts, such as \"displayName:ann\".", s.Property, f.Resource, s.Column)
	}
	if about == nil {
		return columns.None(), nil
	}
	text := strings.TrimSpace(s.Text)
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
	starts := column.Test{Op: column.OpStarts, Text: fold.Text(text)}
	switch {
	case about.Kind == directory.KindStringCollection:
		return columns.Any(about.Column, &column.Element{Join: column.JoinIs, Test: &starts}), nil
	case len(words) == 0 || about.Search != directory.SearchByWords:
		return columns.Text(about.Column, starts), nil
	}
	has := column.Test{Op: column.OpHasWords, Text: fold.Text(strings.Join(words, " "))}
	return columns.Text(about.Column, has), nil
}

// searchable returns how $search can query a property. It is nil for a property that only other
// kinds of objects in the list have.
func (f *Kind) searchable(name string) (*directory.Asked, bool) {
	about, ok := f.About(name)
	if ok && about.Search != directory.SearchNone {
		return about, true
	}
	return nil, slices.ContainsFunc(f.AlsoKnown, func(other *Kind) bool {
		_, ok := other.searchable(name)
		return ok
	})
}
