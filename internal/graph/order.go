package graph

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

// sorted is the order of a list other than by ordinal, and what a $skiptoken says of it. A list is
// in the order of the commit at which its first page was read, and has the objects there were then:
// so no page of it depends on what is written in between.
type sorted struct {
	order store.Order
	below uint32 // only objects that were there when the list began
}

// sort returns the order that $orderby asks for, or else the one that suits the filter; nil is that
// of ordinals.
func (f *filters) sort(s scope, o *odata.Options) (*sorted, error) {
	if len(o.OrderBy) == 0 {
		if property := f.startedWith(o); property != "" {
			return &sorted{store.Order{Property: property, AsOf: s.image.Seq}, max(1, f.total(s.image))}, nil
		}
		return nil, nil
	}
	key := o.OrderBy[0]
	level := directory.Never
	if about, ok := f.about(key.Property); ok && fold.Equal(about.Path, key.Property) {
		level, key.Property = about.Order, about.Path
	}
	simple := level == directory.Basic
	switch {
	case len(o.OrderBy) > 1:
		second := o.OrderBy[1]
		if about, ok := f.about(second.Property); ok {
			second.Property = about.Path
		}
		return nil, problem.Unsupported("Unsupported sort property '%s' for '%s' at position %d of $orderby: a list is ordered by one property.", second.Property, f.resource, second.Column)
	case level == directory.Never:
		return nil, problem.Unsupported("Unsupported sort property '%s' for '%s' at position %d of $orderby. %s can be ordered by %s.",
			key.Property, f.resource, key.Column, f.resource+"s", strings.Join(f.orderable(), ", "))
	case (!simple || o.Filter != nil || o.Search != nil) && !s.advanced:
		return nil, problem.Unsupported("Sorting not supported for current query. The order by '%s' at position %d of $orderby, here, is for advanced queries only: send the header 'ConsistencyLevel: eventual' and $count=true with it.",
			key.Property, key.Column)
	}
	return &sorted{store.Order{Property: key.Property, Descending: key.Descending, AsOf: s.image.Seq}, max(1, f.total(s.image))}, nil
}

// startedWith is the property that the filter asks for the start of, when its index has what is
// found in a row: however many there are, the first page of them is then read from there, and not
// looked for among all objects. Where no order is asked for, this one is as good.
func (f *filters) startedWith(o *odata.Options) string {
	if o.Filter == nil || o.Search != nil {
		return ""
	}
	asked := []odata.Node{o.Filter.Root}
	if all, ok := asked[0].(*odata.Logic); ok && all.Op == odata.And {
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
		if about, ok := f.about(path.String()); ok && about.Order != directory.Never {
			return about.Path
		}
	}
	return ""
}

// total is how many ordinals are in use.
func (f *filters) total(img *tenant.Image) uint32 { return img.Columns(f.kind).Rows() }

func (f *filters) orderable() []string {
	return f.named(func(a *directory.Asked) bool { return a.Order != directory.Never })
}

// appendTo adds what the next page's token says of the order.
func (s *sorted) appendTo(token []byte, key string) []byte {
	token = binary.BigEndian.AppendUint64(token, s.order.AsOf)
	token = binary.BigEndian.AppendUint32(token, s.below)
	return append(token, key...)
}

// resume takes up the order where a page has ended.
func (s *sorted) resume(token []byte) bool {
	const head = 12
	if len(token) < head {
		return false
	}
	asOf, key := binary.BigEndian.Uint64(token), string(token[head:])
	now := s.order.AsOf
	s.order.AsOf, s.order.After, s.below = asOf, key, binary.BigEndian.Uint32(token[8:])
	return asOf <= now && s.below > 0 && isOrderKey(key)
}

// isOrderKey says whether a text can be the key of a row in an order.
func isOrderKey(key string) bool {
	return utf8.ValidString(key) && (key == "" || key[0] == '=')
}
