package graph

import (
	"context"
	"errors"
	"strconv"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/identity"
	columns "licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// listing is how lists of a kind of objects are answered. D is the document of an object, T the
// object as answers show it.
type listing[D, T any] struct {
	*query.Kind
	set        string
	fields     *fieldSet[T]
	expansions map[string]expansion[T]
	documents  func(t handle, ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*D, error)
	document   func(t handle, ctx context.Context, img *tenant.Image, ordinal uint32) (*D, *tenant.Image, error)
	// bound refuses to show some objects, before any of the answer is sent; nil: nothing is refused.
	bound  func(r *request, ordinals []uint32) error
	object func(r *request, document *D, ordinal uint32, img *tenant.Image) T
}

// send answers with a page of the objects there are, or of those that are deleted.
func (l listing[D, T]) send(r *request, within columns.Within) error {
	if err := r.allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := l.fields.visible(r, r.access)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, l.fields, l.expansions, fields); err != nil {
		return err
	}
	found, err := l.search(r, within)
	if err != nil {
		return err
	}
	places, more, err := found.places(r)
	if err != nil {
		return err
	}
	ordinals := make([]uint32, len(places))
	for i, place := range places {
		ordinals[i] = place.Row
	}
	if l.bound != nil {
		if err := l.bound(r, ordinals); err != nil {
			return err
		}
	}
	shown := list[T]{
		context: r.selected(l.set), source: l.read(r, ordinals, found, documented(fields)), count: found.count, write: objects(fields),
	}
	if more {
		last := places[len(places)-1]
		shown.next = r.nextLink(int64(last.Row), found.page.restAt(last)...)
	}
	return sendList(r, shown)
}

// later reads an object that has been written since the image that the list is of, and says whether
// it still belongs there: without a search, whether it is live.
func (l listing[D, T]) later(r *request, ordinal uint32, s *search) (*D, *tenant.Image, bool, error) {
	document, image, err := l.document(r.tenant, r.Context(), r.image, ordinal)
	if problem, ok := errors.AsType[*tenant.Problem](err); ok && problem.Kind == tenant.NotFound {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, err
	}
	condition, within := columns.All(), columns.Live
	if s != nil {
		again := *r
		again.image, within = image, s.within
		if condition, err = s.again(&again); err != nil {
			return nil, nil, false, err
		}
	}
	return document, image, condition.Holds(image.Columns(l.Stored), within, ordinal), nil
}

// search is what is asked of a list.
type search struct {
	rows   *columns.Rows
	within columns.Within
	kind   store.Kind
	page   page
	count  int // of all that were found; -1 when not wanted
	// again is the condition as of the request's image, for an object that has been written since the
	// rows were found.
	again func(r *request) (*columns.Condition, error)
}

// search reads the options of a list, and finds all that it has.
func (l listing[D, T]) search(r *request, within columns.Within) (*search, error) {
	f := l.Kind
	if r.asksHidden(l.fields.hides(r.access)) {
		return nil, &identity.Forbidden{Operation: r.op.need}
	}
	s := &search{within: within, kind: f.Stored, count: -1}
	s.again = func(r *request) (*columns.Condition, error) {
		c, err := f.Wanted(r.scope(), r.options)
		if err != nil {
			return nil, err
		}
		return c.Condition, nil
	}
	var err error
	if s.page, err = r.orderedPage(f); err != nil {
		return nil, err
	}
	var page *tenant.Page
	if !r.counting() {
		page = new(s.wanted())
	}
	if s.rows, err = r.find(f, within, page); err != nil {
		return nil, err
	}
	if r.counting() {
		s.count = s.rows.Count()
	}
	return s, nil
}

// wanted is the page, and one object more to see whether it is the last.
func (s *search) wanted() tenant.Page {
	p := tenant.Page{After: s.page.after, Limit: s.page.limit + 1}
	if s.page.Order != nil {
		p.Order, p.Below = &s.page.Stored, s.page.Below
	}
	return p
}

// find returns what $filter and $search leave: everything, or as much as is needed for a page.
func (r *request) find(f *query.Kind, within columns.Within, page *tenant.Page) (*columns.Rows, error) {
	c, err := f.Wanted(r.scope(), r.options)
	if err != nil {
		return nil, err
	}
	if within == columns.Deleted && c.Licensing {
		return nil, problem.NotServed("Deleted items cannot be filtered by their licenses.")
	}
	name := ""
	if !c.Passing && (r.options.Filter != nil || r.options.Search != nil) {
		name = string(r.listID("", false))
	}
	return r.tenant.Find(r.Context(), r.image, f.Stored, within, c.Condition, name, page)
}

// places are those of the page's objects, and whether there are more behind them.
func (s *search) places(r *request) (places []columns.Place, more bool, err error) {
	places, err = r.tenant.Page(r.Context(), r.image, s.kind, s.within, s.rows, s.wanted())
	if len(places) > s.page.limit {
		return places[:s.page.limit], true, err
	}
	return places, false, err
}

// sendCount answers with the number of objects under a condition, as text (P26).
func (l listing[D, T]) sendCount(r *request, within columns.Within) error {
	if err := r.allowCount(); err != nil {
		return err
	}
	if r.asksHidden(l.fields.hides(r.access)) {
		return &identity.Forbidden{Operation: r.op.need}
	}
	rows, err := r.find(l.Kind, within, nil)
	if err != nil {
		return err
	}
	return r.sendText(strconv.Itoa(rows.Count()))
}

// at yields the objects with some ordinals, which are live; those that have gone since are left
// out.
func (l listing[D, T]) at(r *request, ordinals []uint32, documented bool) source[T] {
	return l.read(r, ordinals, nil, documented)
}

// read yields the objects with some ordinals as of one commit each: that of the list, or a later
// one where an object has been written since and still belongs there. Those that are gone by then
// are left out.
func (l listing[D, T]) read(r *request, ordinals []uint32, s *search, documented bool) source[T] {
	if !documented {
		return func() (row T, ok bool, err error) {
			if len(ordinals) > 0 {
				row, ordinals, ok = l.object(r, nil, ordinals[0], r.image), ordinals[1:], true
			}
			return row, ok, nil
		}
	}
	var documents []*D // of the first ordinals
	return func() (row T, ok bool, err error) {
		for len(ordinals) > 0 {
			if len(documents) == 0 {
				if documents, err = l.documents(r.tenant, r.Context(), r.image, ordinals); err != nil {
					return row, false, err
				}
			}
			document, ordinal, image := documents[0], ordinals[0], r.image
			documents[0] = nil
			documents, ordinals = documents[1:], ordinals[1:]
			if ok = document != nil; !ok {
				if document, image, ok, err = l.later(r, ordinal, s); err != nil {
					return row, false, err
				}
			}
			if ok {
				return l.object(r, document, ordinal, image), true, nil
			}
		}
		return row, false, nil
	}
}
