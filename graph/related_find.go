package graph

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/identity"
	"licensor/query"
	"licensor/store"
	"licensor/tenant"
)

// relatedKind is a kind of objects that relations can have.
type relatedKind struct {
	*filters
	need identity.Operation // what it takes to read them
	from int64              // added to ordinals, so that places of different kinds are different
	of   func(sets) *roaring.Bitmap
}

// relatedKinds are in the order in which lists show them. Directory roles come behind them.
var relatedKinds = []relatedKind{
	{userFilters, identity.ReadUsers, 0, func(s sets) *roaring.Bitmap { return s.users }},
	{groupFilters, identity.ReadGroups, groupsFrom, func(s sets) *roaring.Bitmap { return s.groups }},
	{principalFilters, identity.ReadApplications, principalsFrom, func(s sets) *roaring.Bitmap { return s.principals }},
	{applicationFilters, identity.ReadApplications, applicationsFrom, func(s sets) *roaring.Bitmap { return s.applications }},
}

// related is what the list of a relation has, kind by kind.
type related struct {
	kinds []foundKind
	roles []uint32
	page  page
	count int // of all; -1 when not wanted
}

// foundKind is what a list has of one kind.
type foundKind struct {
	relatedKind
	search
}

// findRelated finds what the list of a relation has, under $filter and $search.
func (r *request) findRelated(rel relation) (*related, error) {
	if err := r.mayAskRelated(); err != nil {
		return nil, err
	}
	of, err := rel(r)
	if err != nil {
		return nil, err
	}
	all := &related{count: -1}
	if all.page, err = r.relatedPage(); err != nil {
		return nil, err
	}
	if all.roles, err = r.filteredRoles(of.roles); err != nil {
		return nil, err
	}
	total := len(all.roles)
	for _, k := range relatedKinds {
		if k.of(of) == nil {
			continue
		}
		found, err := r.findKind(k, rel, of)
		if err != nil {
			return nil, err
		}
		all.kinds = append(all.kinds, *found)
		total += found.rows.Count()
	}
	all.count = r.countOf(total)
	return all, nil
}

// asksRelated says whether more is asked of a list than which page.
func (r *request) asksRelated() bool {
	return r.options.Filter != nil || r.options.Search != nil || len(r.options.OrderBy) > 0
}

// mayAskRelated refuses conditions and orders that are not for everybody: the lists of relations take them in advanced queries
// only (P28).
func (r *request) mayAskRelated() error {
	if r.asksRelated() && !r.advanced() {
		return unsupported("$filter, $search and $orderby are supported in advanced queries only where a list is that of a relation. Send the header 'ConsistencyLevel: eventual' and $count=true with it.")
	}
	return nil
}

func (r *request) findKind(k relatedKind, rel relation, of sets) (*foundKind, error) {
	if access, _ := k.need.Check(r.caller, identity.Other); access != identity.Full && r.asksRelated() { // it would show what may not be seen
		return nil, &identity.Forbidden{Operation: k.need}
	}
	found := &foundKind{k, search{kind: k.kind, within: query.Live}}
	found.again = func(r *request) (*query.Condition, error) {
		of, err := rel(r)
		if err != nil || k.of(of) == nil {
			return query.None(), err
		}
		c, err := r.wantedOf(k)
		if err != nil {
			return nil, err
		}
		return query.And(query.Set(k.of(of)), c.Condition), nil
	}
	c, err := r.wantedOf(k)
	if err != nil {
		return nil, err
	}
	name := ""
	if !c.passing {
		name = r.op.path + string(r.listID(r.URL.Path, false))
	}
	found.rows, err = r.tenant.Find(r.ctx, r.image, k.kind, query.Live, query.And(query.Set(k.of(of)), c.Condition), name)
	return found, err
}

// wantedOf is what $filter and $search ask of one kind. What other kinds have is null for it.
func (r *request) wantedOf(k relatedKind) (*converted, error) {
	f := *k.filters
	f.alsoKnown = nil
	for _, other := range relatedKinds {
		if other.kind != k.kind {
			f.alsoKnown = append(f.alsoKnown, other.filters)
		}
	}
	return r.wanted(&f)
}

// relatedPage is page for lists that may have several kinds of objects, each of which has an order of its own.
func (r *request) relatedPage() (page, error) {
	p, err := r.anyPage()
	if err != nil {
		return page{}, err
	}
	if len(r.options.OrderBy) == 0 {
		if len(p.rest) > 0 {
			return page{}, otherToken()
		}
		return p, nil
	}
	if p.sorted, err = r.relatedOrder(); err != nil {
		return page{}, err
	}
	if p.after >= 0 && !p.resume(p.rest) {
		return page{}, otherToken()
	}
	return p, nil
}

// relatedOrder is the order that $orderby asks for, of those kinds that have the property.
func (r *request) relatedOrder() (*sorted, error) {
	var refused error
	for _, k := range relatedKinds {
		s, err := r.sort(k.filters)
		if err == nil {
			return s, nil
		}
		refused = err
	}
	return nil, refused
}

// places are those of the page's objects, and the address of the next page.
func (all *related) places(r *request) (list []int64, next string, err error) {
	for _, k := range all.kinds {
		if len(list) > all.page.limit {
			break
		}
		found, rests, err := k.pageOf(r, all.page, all.page.limit+1-len(list))
		if err != nil {
			return nil, "", err
		}
		for i, place := range found {
			if list = append(list, place); len(list) == all.page.limit+1 {
				break
			}
			if len(list) == all.page.limit {
				next = r.nextLink(place, rests[i]...)
			}
		}
	}
	for _, role := range all.roles {
		if place := rolesFrom + int64(role); place > all.page.after && len(list) <= all.page.limit {
			if list = append(list, place); len(list) == all.page.limit {
				next = r.nextLink(place, all.page.restAt(query.Place{})...)
			}
		}
	}
	if len(list) <= all.page.limit {
		return list, "", nil
	}
	return list[:all.page.limit], next, nil
}

// pageOf returns the places of one kind that belong to a page, and what the next page's token says of each.
func (k *foundKind) pageOf(r *request, p page, limit int) (places []int64, rests [][]byte, err error) {
	wanted := tenant.Page{After: -1, Limit: limit}
	if p.after >= k.from+groupsFrom {
		return nil, nil, nil // the page before has shown all of them
	}
	begun := p.after >= k.from
	if begun {
		wanted.After = p.after - k.from
	}
	var s *sorted
	if p.sorted != nil && slices.Contains(k.orderable(), p.order.Property) {
		s = &sorted{p.order, p.below}
		if !begun {
			s.order.After, s.below = "", max(1, k.total(r.image))
		}
		wanted.Order, wanted.Below = &s.order, s.below
	}
	found, err := r.tenant.Page(r.ctx, r.image, k.kind, query.Live, k.rows, wanted)
	for _, place := range found {
		places = append(places, k.from+int64(place.Row))
		rests = append(rests, page{sorted: cmp.Or(s, p.sorted)}.restAt(place))
	}
	return places, rests, err
}

// read reads the objects at places of the page, in this order; those that have gone since are left out.
func (all *related) read(r *request, places []int64, w *objectWriter) ([]object, error) {
	list := make([]object, 0, len(places))
	for len(places) > 0 {
		kind := places[0] &^ (groupsFrom - 1)
		n := slices.IndexFunc(places, func(p int64) bool { return p&^(groupsFrom-1) != kind })
		if n < 0 {
			n = len(places)
		}
		some, err := all.readKind(r, kind, places[:n], w)
		if err != nil {
			return nil, err
		}
		list, places = append(list, some...), places[n:]
	}
	return list, nil
}

func (all *related) readKind(r *request, from int64, places []int64, w *objectWriter) ([]object, error) {
	rows := make([]query.Place, len(places))
	for i, place := range places {
		rows[i].Row = uint32(place)
	}
	var s *search
	for i := range all.kinds {
		if all.kinds[i].from == from {
			s = &all.kinds[i].search
		}
	}
	switch {
	case from == rolesFrom:
		list := make([]object, len(rows))
		for i, row := range rows {
			list[i].role = &directoryRoles(r.image)[row.Row]
		}
		return list, nil
	case s.kind == store.KindUser:
		return asObjects(userList, r, rows, s, w.users, func(u *user) object { return object{user: u} })
	case s.kind == store.KindServicePrincipal:
		return asObjects(principalList, r, rows, s, false, func(a *application) object { return object{principal: a} })
	case s.kind == store.KindApplication:
		return asObjects(applicationList, r, rows, s, false, func(a *application) object { return object{application: a} })
	}
	return asObjects(groupList, r, rows, s, w.groups, func(g *group) object { return object{group: g} })
}

func asObjects[D, T any](l listing[D, T], r *request, rows []query.Place, s *search, documented bool, wrap func(*T) object) ([]object, error) {
	read, err := l.read(r, rows, s, documented)
	list := make([]object, len(read))
	for i := range read {
		list[i] = wrap(&read[i])
	}
	return list, err
}

// sendObjects answers with a page of the objects of a relation.
func (r *request) sendObjects(context string, rel relation, w *objectWriter) error {
	if err := r.allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	found, err := r.findRelated(rel)
	if err != nil {
		return err
	}
	places, next, err := found.places(r)
	if err != nil {
		return err
	}
	rows, err := found.read(r, places, w)
	if err != nil {
		return err
	}
	return sendList(r, list[object]{context: r.selected(context), rows: rows, count: found.count, next: next, write: w.write})
}

// sendLength answers with the number of objects of a relation, as text (P26).
func (r *request) sendLength(rel relation) error {
	if _, err := rel(r); err != nil {
		return err
	}
	if err := r.allowCount(); err != nil {
		return err
	}
	found, err := r.findRelated(rel)
	if err != nil {
		return err
	}
	n := len(found.roles)
	for _, k := range found.kinds {
		n += k.rows.Count()
	}
	return r.sendText(strconv.Itoa(n))
}

// filteredRoles leaves those directory roles that $filter and $search leave: of a role, only a few texts can be asked for.
func (r *request) filteredRoles(roles []uint32) ([]uint32, error) {
	if len(roles) == 0 || r.options.Filter == nil && r.options.Search == nil {
		return roles, nil
	}
	if r.options.Search != nil {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(roles), func(role uint32) bool {
		is, err := roleTexts.fulfils(&directoryRoles(r.image)[role], r.options.Filter.Root)
		return err != nil || !is
	}), nil
}
