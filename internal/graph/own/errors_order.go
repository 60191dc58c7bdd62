package own

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// errorPlace is the place of a user in a list of errors: by ordinal unless the list has an order.
type errorPlace struct {
	since uint32
	name  string // the folded displayName
	user  uint32
}

func (p errorPlace) compare(q errorPlace) int {
	return cmp.Or(cmp.Compare(p.since, q.since), strings.Compare(p.name, q.name), cmp.Compare(p.user, q.user))
}

// errorOrder selects the users of a page. It keeps at most twice as many as a page has.
type errorOrder struct {
	bySince, byName, descending bool

	names  *column.Table
	column int         // of displayName
	after  *errorPlace // the last user of the previous page
	limit  int
	list   []errorPlace
}

// errorPage reads the options for the requested page.
func errorPage(r *wire.Request) (wire.Page, error) {
	if len(r.Options.OrderBy) == 0 {
		return r.Page()
	}
	return r.AnyPage() // errorOrderOf checks the rest of the token
}

// errorOrderOf returns the order of $orderby: since or displayName.
func errorOrderOf(r *wire.Request, p wire.Page, names *column.Table) (*errorOrder, error) {
	about, _ := directory.AboutUser("displayName")
	o := &errorOrder{names: names, column: about.Column, limit: p.Limit}
	if p.After >= 0 {
		o.after = &errorPlace{user: uint32(p.After)}
	}
	for i, key := range r.Options.OrderBy {
		o.descending = key.Descending
		switch {
		case i > 0:
		case fold.Equal(key.Property, "since"):
			o.bySince = true
			continue
		case fold.Equal(key.Property, "displayName"):
			o.byName = true
			continue
		}
		return nil, problem.Unsupported("Unsupported sort property '%s' at position %d of $orderby. License errors "+
			"can be ordered by one of since and displayName.", problem.Clip(key.Property), key.Column)
	}
	if o.bySince && o.after != nil {
		if len(p.Rest) != 4 {
			return nil, wire.OtherToken()
		}
		o.after.since = binary.BigEndian.Uint32(p.Rest)
	}
	if o.byName && o.after != nil {
		o.after.name = string(p.Rest)
	}
	return o, nil
}

// ordered reports whether the order is not that of ordinals.
func (o *errorOrder) ordered() bool { return o.bySince || o.byName }

func (o *errorOrder) before(p, q errorPlace) bool {
	if o.descending {
		return p.compare(q) > 0
	}
	return p.compare(q) < 0
}

// take adds a user, and reports whether later ones may still belong to the page.
func (o *errorOrder) take(user, since uint32) bool {
	p := errorPlace{user: user}
	switch {
	case o.bySince:
		p.since = since
	case o.byName:
		p.name = o.names.Folded(user, o.column)
	case len(o.list) > o.limit:
		return false
	}
	if o.after != nil && !o.before(*o.after, p) {
		return true
	}
	if o.list = append(o.list, p); o.ordered() && len(o.list) > 2*o.limit {
		o.list = o.first()
	}
	return o.ordered() || len(o.list) <= o.limit
}

// first returns the users of the page, and one more if there is a next page.
func (o *errorOrder) first() []errorPlace {
	slices.SortFunc(o.list, func(p, q errorPlace) int {
		if o.before(p, q) {
			return -1
		}
		return 1
	})
	return o.list[:min(len(o.list), o.limit+1)]
}

// token returns the $skiptoken of the page after a place.
func (o *errorOrder) token(r *wire.Request, last errorPlace) string {
	switch {
	case o.bySince:
		return tokenOf(r, last.user, binary.BigEndian.AppendUint32(nil, last.since)...)
	case o.byName:
		return tokenOf(r, last.user, []byte(last.name)...)
	}
	return tokenOf(r, last.user)
}
