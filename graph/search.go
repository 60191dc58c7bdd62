package graph

import (
	"slices"
	"strings"
	"unicode"

	"licensor/directory"
	"licensor/graph/odata"
	"licensor/store"
)

// inWords are the properties in which every word is searched; others are searched at their start only.
var inWords = []string{"displayName", "description"}

// searched turns $search into a condition (P34).
func (r *request) searched(f *filters) (condition, error) {
	if r.options.Search == nil {
		return anything, nil
	}
	if !r.eventual() {
		return nil, unsupported("Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'.")
	}
	where, err := f.search(r.options.Search)
	return condition{{where: where}}, err
}

func (f *filters) search(s *odata.Search) (*store.Filter, error) {
	if s.Op == 0 {
		return f.term(s)
	}
	args := make([]*store.Filter, len(s.Args))
	for i, arg := range s.Args {
		var err error
		if args[i], err = f.search(arg); err != nil {
			return nil, err
		}
	}
	if s.Op == odata.Or {
		return several(store.Or, args), nil
	}
	return several(store.And, args), nil
}

// term asks for a text that has all words of the term, or starts with it.
func (f *filters) term(s *odata.Search) (*store.Filter, error) {
	kind := f.kinds[s.Property]
	if kind != directory.String && kind != directory.StringCollection || s.Property == "id" {
		return nil, unsupported("Unsupported property '%s' of resource '%s' in $search at position %d. Search in texts, such as \"displayName:ann\".", s.Property, f.resource, s.Column)
	}
	text := strings.TrimSpace(s.Text)
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
	starts := &store.Filter{Op: store.StartsWith, Property: s.Property, Value: text}
	switch {
	case kind == directory.StringCollection:
		starts.Property = ""
		return &store.Filter{Op: store.Any, Property: s.Property, Args: []*store.Filter{starts}}, nil
	case len(words) == 0 || !slices.Contains(inWords, s.Property):
		return starts, nil
	}
	var all []*store.Filter
	for _, word := range words {
		all = append(all, &store.Filter{Op: store.HasWord, Property: s.Property, Value: word})
	}
	return several(store.And, all), nil
}
