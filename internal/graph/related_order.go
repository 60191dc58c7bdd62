package graph

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"licensor/internal/engine"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	columns "licensor/internal/query"
	"licensor/internal/store"
)

// mixedOrder is the order of a list that may have several kinds of objects (P28). Each kind is read
// separately in order, from the end of the previous page, and the results are merged. Kinds without
// the property are in the order of ordinals, as if it were null.
type mixedOrder struct {
	order store.Order
	at    [kindsOfRelated]cursor // in the order of objectKinds, followed by the roles
}

// kindsOfRelated is the number of kinds of objects in relations.
const kindsOfRelated = 6

// cursor is the position of a list in one kind.
type cursor struct {
	below uint32 // only objects that existed when the list began
	last  int64  // ordinal of the last one shown; -1 for none
	key   string // its key
}

// orderOfKinds returns the order of $orderby for the kinds that have the property.
func orderOfKinds(r *wire.Request) (*mixedOrder, error) {
	var refused error
	for _, k := range kindsIn(r) {
		s, err := k.Order(r.Scope(), r.Options)
		if err != nil {
			refused = cmp.Or(refused, err)
			continue
		}
		m := &mixedOrder{order: s.Stored}
		for i := range m.at {
			m.at[i] = cursor{below: 1, last: -1}
			if i < len(objectKinds) {
				m.at[i].below = max(1, objectKinds[i].Total(r.Image))
			}
		}
		return m, nil
	}
	if refused == nil { // of a type without such lists
		refused = problem.Unsupported("Unsupported sort property '%s' for '%s'.",
			r.Options.OrderBy[0].Property, castOf(r).set)
	}
	return nil, refused
}

// appendTo adds the order to the next page's token.
func (m *mixedOrder) appendTo(token []byte) []byte {
	token = binary.BigEndian.AppendUint64(token, m.order.AsOf)
	for _, c := range m.at {
		token = binary.BigEndian.AppendUint32(token, c.below)
		token = binary.AppendVarint(token, c.last)
		token = append(binary.AppendUvarint(token, uint64(len(c.key))), c.key...)
	}
	return token
}

// resume continues the order where a page has ended.
func (m *mixedOrder) resume(token []byte) bool {
	if len(token) < 8 {
		return false
	}
	asOf := binary.BigEndian.Uint64(token)
	if asOf > m.order.AsOf {
		return false
	}
	m.order.AsOf, token = asOf, token[8:]
	for i := range m.at {
		rest, ok := m.at[i].resume(token)
		if !ok {
			return false
		}
		token = rest
	}
	return len(token) == 0
}

func (c *cursor) resume(token []byte) (rest []byte, ok bool) {
	if len(token) < 4 {
		return nil, false
	}
	below := binary.BigEndian.Uint32(token)
	last, n := binary.Varint(token[4:])
	if n <= 0 || below == 0 || last < -1 || last > int64(^uint32(0)) {
		return nil, false
	}
	token = token[4+n:]
	length, n := binary.Uvarint(token)
	if n <= 0 || length > uint64(len(token)-n) {
		return nil, false
	}
	key := string(token[n : n+int(length)])
	*c = cursor{below, last, key}
	return token[n+int(length):], query.IsKey(key)
}

// placed is an object in a stream of one kind.
type placed struct {
	kind int // place in objectKinds
	at   int64
	key  string
}

// merged returns the places of the page in order, and whether there are more after them. It
// advances the cursors to its end.
func (m *mixedOrder) merged(r *wire.Request, all *related) (places []int64, more bool, err error) {
	var streams [][]placed
	for _, k := range all.kinds {
		stream, err := m.stream(r, &k, all.page.Limit+1)
		if err != nil {
			return nil, false, err
		}
		streams = append(streams, stream)
	}
	streams = append(streams, m.roles(r, all.roles))
	for {
		at := m.next(streams)
		if at < 0 {
			return places, false, nil
		}
		if len(places) == all.page.Limit {
			return places, true, nil
		}
		p := streams[at][0]
		streams[at] = streams[at][1:]
		places = append(places, p.at)
		m.at[p.kind].last, m.at[p.kind].key = int64(uint32(p.at)), p.key
	}
}

// next returns the stream whose first object comes next; -1 if all have ended.
func (m *mixedOrder) next(streams [][]placed) int {
	best := -1
	for i, stream := range streams {
		if len(stream) == 0 {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		c := strings.Compare(stream[0].key, streams[best][0].key)
		if c < 0 && !m.order.Descending || c > 0 && m.order.Descending {
			best = i
		}
	}
	return best
}

// stream returns the next objects of a kind.
func (m *mixedOrder) stream(r *wire.Request, k *foundKind, limit int) ([]placed, error) {
	kind := int(k.from / groupsFrom)
	c := m.at[kind]
	wanted := engine.Page{After: c.last, Below: c.below, Limit: limit}
	if slices.Contains(k.Orderable(), m.order.Property) {
		order := m.order
		order.After = c.key
		wanted.Order = &order
	}
	found, err := r.Tenant.Page(r.Context(), r.Image, k.Of, columns.WithinLive, k.Rows, wanted)
	stream := make([]placed, len(found))
	for i, p := range found {
		stream[i] = placed{kind, k.from + int64(p.Row), p.Key}
	}
	return stream, err
}

// roles returns the next directory roles.
func (m *mixedOrder) roles(r *wire.Request, roles []uint32) []placed {
	kind := kindsOfRelated - 1
	stream := make([]placed, len(roles))
	for i, role := range roles {
		stream[i] = placed{kind: kind, at: rolesFrom + int64(role)}
		if m.order.Property == "displayName" {
			stream[i].key = "=" + fold.Text(directoryRoles(r.Image)[role].Name)
		}
	}
	compare := func(a, b placed) int {
		c := cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.at, b.at))
		if m.order.Descending {
			return -c
		}
		return c
	}
	slices.SortFunc(stream, compare)
	shown := placed{at: rolesFrom + m.at[kind].last, key: m.at[kind].key}
	return slices.DeleteFunc(stream, func(p placed) bool { return m.at[kind].last >= 0 && compare(p, shown) <= 0 })
}
