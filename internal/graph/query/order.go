package query

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Order is the order of a list other than by ordinal, and its part of a $skiptoken. All pages have
// the order and the objects of the commit at which the first page was read, so they do not depend
// on later changes.
type Order struct {
	Stored store.Order
	Below  uint32 // only objects that existed when the list began
}

// Order returns the order of $orderby, or otherwise the best one for the filter; nil is the order
// of ordinals.
func (f *Kind) Order(s Scope, o *odata.Options) (*Order, error) {
	if len(o.OrderBy) == 0 {
		if property := f.startedWith(o); property != "" {
			return &Order{store.Order{Property: property, AsOf: s.Image.Seq}, max(1, f.Total(s.Image))}, nil
		}
		return nil, nil
	}
	key := o.OrderBy[0]
	level := directory.LevelNever
	if about, ok := f.About(key.Property); ok && fold.Equal(about.Path, key.Property) {
		level, key.Property = about.Order, about.Path
	}
	simple := level == directory.LevelBasic
	switch {
	case len(o.OrderBy) > 1:
		second := o.OrderBy[1]
		if about, ok := f.About(second.Property); ok {
			second.Property = about.Path
		}
		return nil, problem.Unsupported("Unsupported sort property '%s' for '%s' at position %d of $orderby: a "+
			"list is ordered by one property.", second.Property, f.Resource, second.Column)
	case level == directory.LevelNever:
		return nil, problem.Unsupported("Unsupported sort property '%s' for '%s' at position %d of $orderby. %s "+
			"can be ordered by %s.",
			key.Property, f.Resource, key.Column, f.Resource+"s", strings.Join(f.Orderable(), ", "))
	case (!simple || o.Filter != nil || o.Search != nil) && !s.Advanced:
		return nil, problem.Unsupported("Sorting not supported for current query. The order by '%s' at position %d "+
			"of $orderby, here, is for advanced queries only: send the header 'ConsistencyLevel: eventual' and "+
			"$count=true with it.",
			key.Property, key.Column)
	}
	return &Order{
		store.Order{Property: key.Property, Descending: key.Descending, AsOf: s.Image.Seq},
		max(1, f.Total(s.Image)),
	}, nil
}

// startedWith returns the property whose prefix the filter tests, if the matches are consecutive in
// its index: then the first page is read from there, instead of searching all objects. It is used
// if no order is requested.
func (f *Kind) startedWith(o *odata.Options) string {
	if o.Filter == nil || o.Search != nil {
		return ""
	}
	asked := []odata.Node{o.Filter.Root}
	if all, ok := asked[0].(*odata.Logic); ok && all.Op == odata.OpAnd {
		asked = all.Args
	}
	for _, n := range asked {
		call, ok := n.(*odata.Call)
		if !ok || call.Name != "startswith" {
			continue
		}
		path, ok := call.Args[0].(*odata.Path)
		if !ok {
			continue
		}
		if about, ok := f.About(path.String()); ok && about.Order != directory.LevelNever {
			return about.Path
		}
	}
	return ""
}

// Total returns how many ordinals are in use.
func (f *Kind) Total(img *tenant.Image) uint32 { return f.In(img).Columns().Rows() }

// Orderable lists the properties that lists can be ordered by.
func (f *Kind) Orderable() []string {
	return f.named(func(a *directory.Asked) bool { return a.Order != directory.LevelNever })
}

// AppendTo adds the order to the next page's token.
func (s *Order) AppendTo(token []byte, key string) []byte {
	token = binary.BigEndian.AppendUint64(token, s.Stored.AsOf)
	token = binary.BigEndian.AppendUint32(token, s.Below)
	return append(token, key...)
}

// Resume continues the order where a page has ended.
func (s *Order) Resume(token []byte) bool {
	const head = 12
	if len(token) < head {
		return false
	}
	asOf, key := binary.BigEndian.Uint64(token), string(token[head:])
	now := s.Stored.AsOf
	s.Stored.AsOf, s.Stored.After, s.Below = asOf, key, binary.BigEndian.Uint32(token[8:])
	return asOf <= now && s.Below > 0 && IsKey(key)
}

// IsKey reports whether a text can be the key of a row in an order.
func IsKey(key string) bool {
	return utf8.ValidString(key) && (key == "" || key[0] == '=')
}
