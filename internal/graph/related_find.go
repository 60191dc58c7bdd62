package graph

import (
	"slices"
	"strconv"
	"strings"

	"licensor/internal/engine"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	columns "licensor/internal/query"
)

// related has the list of a relation, kind by kind.
type related struct {
	kinds []foundKind
	roles []uint32
	page  wire.Page
	mixed *mixedOrder // nil: kind by kind, by ordinal
	count int         // of all; -1 if not requested
}

// foundKind has the objects of one kind in a list.
type foundKind struct {
	*objectKind
	wire.Search
}

// findRelated returns the objects in the list of a relation, under $filter and $search.
func findRelated(r *wire.Request, rel relation) (*related, error) {
	if err := mayAskRelated(r); err != nil {
		return nil, err
	}
	of, err := rel(r)
	if err != nil {
		return nil, err
	}
	all := &related{count: -1}
	if all.page, all.mixed, err = relatedPage(r); err != nil {
		return nil, err
	}
	for _, k := range kindsIn(r) {
		if _, err := wantedOf(r, k); err != nil { // errors in the query come before errors about objects
			return nil, err
		}
	}
	if all.roles, err = filteredRoles(r, of.roles); err != nil {
		return nil, err
	}
	total := len(all.roles)
	for _, k := range objectKinds {
		if some := k.of(of); some == nil || some.IsEmpty() {
			continue
		}
		found, err := findKind(r, k, rel, of)
		if err != nil {
			return nil, err
		}
		all.kinds = append(all.kinds, *found)
		total += found.Rows.Count()
	}
	all.count = r.CountOf(total)
	return all, nil
}

// mayAskRelated refuses conditions and orders outside advanced queries, because lists of relations
// accept them only there (P28). Filters that look up objects by id are an exception: Terraform uses
// them with any relation.
func mayAskRelated(r *wire.Request) error {
	if r.Advanced() || len(r.Options.OrderBy) == 0 && r.Options.Filter != nil && looksUpIDs(r.Options.Filter.Root) {
		return r.Scope().MaySearch(r.Options.Search)
	}
	const remedy = "Where a list is that of a relation, this is for advanced queries only. Send the header " +
		"'ConsistencyLevel: eventual' and $count=true with it."
	p := problem.Unsupported("The specified filter to the reference property query is currently not supported.")
	switch {
	case r.Options.Filter != nil:
		p.Detail = &problem.Detail{Code: p.Code, Target: "$filter", Message: remedy}
	case len(r.Options.OrderBy) > 0:
		p.Message, p.Detail = "Sorting not supported for current query.",
			&problem.Detail{Code: p.Code, Target: "$orderby", Message: remedy}
	default:
		return r.Scope().MaySearch(r.Options.Search) // for which the header alone is sufficient
	}
	return p
}

// looksUpIDs reports whether a filter only compares ids: id eq '…', or id in ('…').
func looksUpIDs(n odata.Node) bool {
	var left odata.Node
	switch n := n.(type) {
	case *odata.Compare:
		if n.Op == odata.OpEq {
			left = n.Left
		}
	case *odata.In:
		left = n.Left
	}
	path, ok := left.(*odata.Path)
	return ok && !path.Count && strings.EqualFold(path.String(), "id")
}

func findKind(r *wire.Request, k *objectKind, rel relation, of sets) (*foundKind, error) {
	if access, _ := k.need.Check(r.Caller, identity.RelationOther); r.AsksHidden(k.hides(access)) {
		return nil, &identity.ForbiddenError{Operation: k.need}
	}
	found := &foundKind{k, wire.Search{Of: k.Type, Within: columns.WithinLive}}
	found.Again = func(r *wire.Request) (*columns.Condition, error) {
		of, err := rel(r)
		if err != nil || k.of(of) == nil {
			return columns.None(), err
		}
		c, err := wantedOf(r, k)
		if err != nil {
			return nil, err
		}
		return columns.And(columns.Set(k.of(of)), c.Condition), nil
	}
	c, err := wantedOf(r, k)
	if err != nil {
		return nil, err
	}
	name := ""
	if !c.Passing {
		name = r.Op.Path + string(r.ListID(r.URL.Path, false))
	}
	condition := columns.And(columns.Set(k.of(of)), c.Condition)
	found.Rows, err = r.Tenant.Find(r.Context(), r.Image, k.Type, columns.WithinLive, condition, name, nil)
	return found, err
}

// kindsIn returns the kinds that the list may have: after a cast, only one.
func kindsIn(r *wire.Request) []*objectKind {
	if !strings.Contains(r.Op.Path, route.Cast) {
		return objectKinds
	}
	to := r.Keys[len(r.Keys)-1]
	if to == "directoryobject" {
		return objectKinds
	}
	at := slices.IndexFunc(objectKinds, func(k *objectKind) bool { return strings.EqualFold(k.Resource, to) })
	if at < 0 {
		return nil
	}
	return objectKinds[at : at+1]
}

// wantedOf returns the condition of $filter and $search for one kind. Properties that only other
// kinds in the list have are null for it.
func wantedOf(r *wire.Request, k *objectKind) (*query.Wanted, error) {
	if r.Options.Filter == nil && r.Options.Search == nil {
		return &query.Wanted{Condition: columns.All()}, nil
	}
	f := *k.Kind
	f.AlsoKnown = nil
	for _, other := range kindsIn(r) {
		if other != k {
			f.AlsoKnown = append(f.AlsoKnown, other.Kind)
		}
	}
	return f.Wanted(r.Scope(), r.Options)
}

// relatedPage is page for lists that may have several kinds of objects.
func relatedPage(r *wire.Request) (p wire.Page, m *mixedOrder, err error) {
	if p, err = r.AnyPage(); err != nil {
		return wire.Page{}, nil, err
	}
	if len(r.Options.OrderBy) > 0 {
		if m, err = orderOfKinds(r); err != nil {
			return wire.Page{}, nil, err
		}
	}
	if m == nil && len(p.Rest) > 0 || m != nil && p.After >= 0 && !m.resume(p.Rest) {
		return wire.Page{}, nil, wire.OtherToken()
	}
	return p, m, nil
}

// places returns the places of the page's objects, and the URL of the next page.
func (all *related) places(r *wire.Request) (list []int64, next string, err error) {
	more := false
	if all.mixed != nil {
		list, more, err = all.mixed.merged(r, all)
	} else if list, err = all.inTurn(r); len(list) > all.page.Limit {
		list, more = list[:all.page.Limit], true
	}
	if err != nil || !more {
		return list, "", err
	}
	var rest []byte
	if all.mixed != nil {
		rest = all.mixed.appendTo(nil)
	}
	return list, r.NextLink(list[len(list)-1], rest...), nil
}

// inTurn returns the places of a page and one more, kind by kind.
func (all *related) inTurn(r *wire.Request) (list []int64, err error) {
	limit := all.page.Limit + 1
	for _, k := range all.kinds {
		if len(list) == limit || all.page.After >= k.from+groupsFrom { // the previous page has shown all of them
			continue
		}
		wanted := engine.Page{After: max(-1, all.page.After-k.from), Limit: limit - len(list)}
		found, err := r.Tenant.Page(r.Context(), r.Image, k.Of, columns.WithinLive, k.Rows, wanted)
		if err != nil {
			return nil, err
		}
		for _, place := range found {
			list = append(list, k.from+int64(place.Row))
		}
	}
	for _, role := range all.roles {
		if place := rolesFrom + int64(role); place > all.page.After && len(list) < limit {
			list = append(list, place)
		}
	}
	return list, nil
}

// read yields the objects at places of the page, in this order; objects that have been removed
// since are omitted.
func (all *related) read(r *wire.Request, places []int64, w *objectWriter) wire.Source[object] {
	var sources []wire.Source[object]
	for len(places) > 0 {
		kind := kindAt(places[0])
		n := slices.IndexFunc(places, func(p int64) bool { return kindAt(p) != kind })
		if n < 0 {
			n = len(places)
		}
		sources, places = append(sources, all.readKind(r, kind, rowsOf(places[:n]), w)), places[n:]
	}
	return wire.OneAfterAnother(sources...)
}

func (all *related) readKind(r *wire.Request, from int64, ordinals []uint32, w *objectWriter) wire.Source[object] {
	if from == rolesFrom {
		return readRoles(r, ordinals)
	}
	var s *wire.Search
	for i := range all.kinds {
		if all.kinds[i].from == from {
			s = &all.kinds[i].Search
		}
	}
	return objectKinds[from/groupsFrom].read(r, ordinals, s, w)
}

// readRoles yields directory roles by their places in identity.BuiltInRoles.
func readRoles(r *wire.Request, roles []uint32) wire.Source[object] {
	return wire.Mapped(wire.SourceOf(roles), func(role *uint32) object { return new(roleAt(r.Image, int(*role))) })
}

// sendObjects answers with a page of the objects of a relation.
func sendObjects(r *wire.Request, context string, rel relation, w *objectWriter) error {
	if err := r.Allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	found, err := findRelated(r, rel)
	if err != nil {
		return err
	}
	places, next, err := found.places(r)
	if err != nil {
		return err
	}
	if len(places) > 0 && kindAt(places[0]) == 0 {
		if err := boundManagers(r, rowsOf(places)); err != nil {
			return err
		}
	}
	return wire.SendList(r, wire.List[object]{
		Context: r.Selected(context), Source: found.read(r, places, w), Count: found.count, Next: next, Write: w.write,
	})
}

// sendLength answers with the number of objects of a relation, as text (P26).
func sendLength(r *wire.Request, rel relation) error {
	if _, err := rel(r); err != nil {
		return err
	}
	if err := r.AllowCount(); err != nil {
		return err
	}
	found, err := findRelated(r, rel)
	if err != nil {
		return err
	}
	n := len(found.roles)
	for _, k := range found.kinds {
		n += k.Rows.Count()
	}
	return r.SendText(strconv.Itoa(n))
}

// filteredRoles returns the directory roles that satisfy $filter and $search, which can only test a
// few properties of roles.
func filteredRoles(r *wire.Request, roles []uint32) ([]uint32, error) {
	if len(roles) == 0 || r.Options.Filter == nil && r.Options.Search == nil {
		return roles, nil
	}
	if r.Options.Search != nil {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(roles), func(role uint32) bool {
		is, err := roleTexts.Fulfils(new(roleAt(r.Image, int(role))), r.Options.Filter.Root)
		return err != nil || !is
	}), nil
}
