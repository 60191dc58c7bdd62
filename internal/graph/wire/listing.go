package wire

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"licensor/internal/directory"
	"licensor/internal/engine"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/identity"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// Listing answers requests for lists of a kind of objects. D is the document of an object, T the
// object in responses.
type Listing[D, T any] struct {
	*query.Kind
	Within     columns.Within // the live objects unless set otherwise
	Set        string
	Fields     *FieldSet[T]
	Expansions map[string]Expansion[T]
	Documents  func(t Tenant, ctx context.Context, img *tenant.Image, ordinals []uint32) ([]*D, error)
	Document   func(t Tenant, ctx context.Context, img *tenant.Image, ordinal uint32) (*D, *tenant.Image, error)
	// Bound may refuse to show some objects, before any of the response is sent; nil accepts all.
	Bound  func(r *Request, ordinals []uint32) error
	Object func(r *Request, document *D, ordinal uint32, img *tenant.Image) T
}

// Deleted returns the listing of the deleted objects. They have an additional property for queries:
// when they were deleted.
func (l Listing[D, T]) Deleted() Listing[D, T] {
	l.Kind, l.Within = l.Kind.Deleted(), columns.WithinDeleted
	return l
}

// Send answers with a page of the objects.
func (l Listing[D, T]) Send(r *Request) error {
	if err := r.Allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := l.Fields.Visible(r, r.Access)
	if err != nil {
		return err
	}
	if fields, err = Expanded(r, l.Fields, l.Expansions, fields); err != nil {
		return err
	}
	found, err := l.search(r)
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
	if l.Bound != nil {
		if err := l.Bound(r, ordinals); err != nil {
			return err
		}
	}
	shown := List[T]{
		Context: r.Selected(l.Set), Source: l.Read(r, ordinals, found, Documented(fields)),
		Count: found.count, Write: ObjectWriter(fields),
	}
	if more {
		last := places[len(places)-1]
		shown.Next = r.NextLink(int64(last.Row), found.page.restAt(last)...)
	}
	return SendList(r, shown)
}

// Get answers with the object that the path names, as one of a set.
func (l Listing[D, T]) Get(r *Request, set string, find func(*Request) (uint32, error)) error {
	if err := r.Allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := l.Fields.Visible(r, r.Access)
	if err != nil {
		return err
	}
	if fields, err = Expanded(r, l.Fields, l.Expansions, fields); err != nil {
		return err
	}
	ordinal, err := find(r)
	if err != nil {
		return err
	}
	return l.SendOne(r, http.StatusOK, set, r.Image, ordinal, fields)
}

// SendOne answers with one object of a set, as of an image, or of a later one if the object has
// been written since.
func (l Listing[D, T]) SendOne(
	r *Request, status int, set string, image *tenant.Image, ordinal uint32, fields []*Field[T],
) error {
	object := l.Object(r, nil, ordinal, image)
	if Documented(fields) || r.Header.Get("If-None-Match") != "" {
		document, image, err := l.Document(r.Tenant, r.Context(), image, ordinal)
		if err != nil {
			return err
		}
		object = l.Object(r, document, ordinal, image)
	}
	return SendEntity(r, l.Fields, status, set, fields, &object)
}

// later reads an object that has been written since the list's image, and reports whether it still
// belongs to the list: without a search, whether it is live.
func (l Listing[D, T]) later(r *Request, ordinal uint32, s *Search) (*D, *tenant.Image, bool, error) {
	document, image, err := l.Document(r.Tenant, r.Context(), r.Image, ordinal)
	if refused, ok := errors.AsType[*tenant.CommandError](err); ok && refused.Kind == tenant.ProblemNotFound {
		return nil, nil, false, nil
	}
	if err != nil {
		return nil, nil, false, err
	}
	condition, within := columns.All(), columns.WithinLive
	if s != nil {
		again := *r
		again.Image, within = image, s.Within
		if condition, err = s.Again(&again); err != nil {
			return nil, nil, false, err
		}
	}
	return document, image, condition.Holds(l.In(image).Columns(), within, ordinal), nil
}

// Search has the query of a list.
type Search struct {
	Rows   *columns.Rows
	Within columns.Within
	Of     directory.Type
	page   Page
	count  int // of all that were found; -1 if not requested
	// Again is the condition as of the request's image, for an object that has been written since the
	// rows were found.
	Again func(r *Request) (*columns.Condition, error)
}

// search reads the options of a list, and finds its objects.
func (l Listing[D, T]) search(r *Request) (*Search, error) {
	f := l.Kind
	if r.AsksHidden(l.Fields.Hides(r.Access)) {
		return nil, &identity.ForbiddenError{Operation: r.Op.Need}
	}
	s := &Search{Within: l.Within, Of: f.Type, count: -1}
	s.Again = func(r *Request) (*columns.Condition, error) {
		c, err := f.Wanted(r.Scope(), r.Options)
		if err != nil {
			return nil, err
		}
		return c.Condition, nil
	}
	var err error
	if s.page, err = r.orderedPage(f); err != nil {
		return nil, err
	}
	var page *engine.Page
	if !r.counting() {
		page = new(s.wanted())
	}
	if s.Rows, err = r.find(f, l.Within, page); err != nil {
		return nil, err
	}
	if r.counting() {
		s.count = s.Rows.Count()
	}
	return s, nil
}

// wanted returns the page, and one more object to see whether it is the last page.
func (s *Search) wanted() engine.Page {
	p := engine.Page{After: s.page.After, Limit: s.page.Limit + 1}
	if s.page.Order != nil {
		p.Order, p.Below = &s.page.Stored, s.page.Below
	}
	return p
}

// find returns the objects that satisfy $filter and $search: all, or as many as a page needs.
func (r *Request) find(f *query.Kind, within columns.Within, page *engine.Page) (*columns.Rows, error) {
	c, err := f.Wanted(r.Scope(), r.Options)
	if err != nil {
		return nil, err
	}
	if within == columns.WithinDeleted && c.Licensing {
		return nil, problem.NotServed("Deleted items cannot be filtered by their licenses.")
	}
	name := ""
	if !c.Passing && (r.Options.Filter != nil || r.Options.Search != nil) {
		name = string(r.ListID("", false))
	}
	return r.Tenant.Find(r.Context(), r.Image, f.Type, within, c.Condition, name, page)
}

// places returns the places of the page's objects, and whether there are more after them.
func (s *Search) places(r *Request) (places []columns.Place, more bool, err error) {
	places, err = r.Tenant.Page(r.Context(), r.Image, s.Of, s.Within, s.Rows, s.wanted())
	if len(places) > s.page.Limit {
		return places[:s.page.Limit], true, err
	}
	return places, false, err
}

// SendCount answers with the number of objects under a condition, as text (P26).
func (l Listing[D, T]) SendCount(r *Request) error {
	if err := r.AllowCount(); err != nil {
		return err
	}
	if r.AsksHidden(l.Fields.Hides(r.Access)) {
		return &identity.ForbiddenError{Operation: r.Op.Need}
	}
	rows, err := r.find(l.Kind, l.Within, nil)
	if err != nil {
		return err
	}
	return r.SendText(strconv.Itoa(rows.Count()))
}

// At yields the objects with some ordinals, which must be live; objects that have been removed
// since are omitted.
func (l Listing[D, T]) At(r *Request, ordinals []uint32, documented bool) Source[T] {
	return l.Read(r, ordinals, nil, documented)
}

// Read yields the objects with some ordinals, each as of one commit: that of the list, or a later
// one if the object has been written since and still belongs to the list. Other objects are
// omitted.
func (l Listing[D, T]) Read(r *Request, ordinals []uint32, s *Search, documented bool) Source[T] {
	if !documented {
		return func() (row T, ok bool, err error) {
			if len(ordinals) > 0 {
				row, ordinals, ok = l.Object(r, nil, ordinals[0], r.Image), ordinals[1:], true
			}
			return row, ok, nil
		}
	}
	var documents []*D // of the first ordinals
	return func() (row T, ok bool, err error) {
		for len(ordinals) > 0 {
			if len(documents) == 0 {
				if documents, err = l.Documents(r.Tenant, r.Context(), r.Image, ordinals); err != nil {
					return row, false, err
				}
			}
			document, ordinal, image := documents[0], ordinals[0], r.Image
			documents[0] = nil
			documents, ordinals = documents[1:], ordinals[1:]
			if ok = document != nil; !ok {
				if document, image, ok, err = l.later(r, ordinal, s); err != nil {
					return row, false, err
				}
			}
			if ok {
				return l.Object(r, document, ordinal, image), true, nil
			}
		}
		return row, false, nil
	}
}
