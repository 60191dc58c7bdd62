package graph

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// deltas describes how the changes of a type of objects are shown.
type deltas[D, T any] struct {
	wire.Listing[D, T]
	ordinal func(*T) uint32
	// madeOf maps properties that are derived from others to the names of those in the log.
	madeOf map[string][]string
	links  []deltaLink // in the order of the response
}

// The types with change tracking.
var (
	userDeltas = deltas[directory.User, user]{
		Listing: userList, ordinal: func(u *user) uint32 { return u.ordinal },
		madeOf: map[string][]string{"legalAgeGroupClassification": {"ageGroup", "consentProvidedForMinor"}},
		links:  []deltaLink{managerLink},
	}
	groupDeltas = deltas[directory.Group, group]{
		Listing: groupList, ordinal: func(g *group) uint32 { return g.ordinal },
		links: []deltaLink{groupOwnersLink, groupMembersLink},
	}
	applicationDeltas = deltas[directory.Client, application]{
		Listing: applicationList, ordinal: func(a *application) uint32 { return ordinalOf(a.image.Applications, a.ID) },
		madeOf: madeOfDocuments, links: []deltaLink{ownersLink},
	}
	principalDeltas = deltas[directory.Client, application]{
		Listing: principalList, ordinal: func(a *application) uint32 {
			return ordinalOf(a.image.Principals, a.Principal.ID)
		},
		madeOf: madeOfDocuments, links: []deltaLink{ownersLink},
	}
	unitDeltas = deltas[directory.AdministrativeUnit, unit]{
		Listing: unitList, ordinal: func(u *unit) uint32 { return u.ordinal }, links: []deltaLink{unitMembersLink},
	}
)

func ordinalOf(in directory.Collection, id uuid.UUID) uint32 {
	ordinal, _ := in.EverByID(id)
	return ordinal
}

// delta answers GET /users/delta and similar requests (P41): all objects at first, later those that
// were added, removed or changed in the selected properties; with their links, such as
// members@delta.
func (l deltas[D, T]) delta(r *wire.Request) error {
	d, err := l.begin(r)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(d.token.selected), func(name string) bool {
		return slices.ContainsFunc(l.links, func(link deltaLink) bool { return link.name == name })
	})
	fields, err := deltaFields(d, l.Fields, names)
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(func() *roaring.Bitmap {
		touched := d.objects.Touched(l.logged(fields))
		for _, link := range d.links {
			touched.Or(link.touched(d))
		}
		return touched
	}))
	return l.send(d, fields, page, more)
}

// unitsDelta answers GET /directory/administrativeUnits/delta.
func unitsDelta(r *wire.Request) error {
	l := unitDeltas
	l.Set = unitContext(r)
	return l.delta(r)
}

// begin reads the query.
func (l deltas[D, T]) begin(r *wire.Request) (*round, error) {
	if err := r.Allow("$select", "$expand", "$filter", "$top", "$deltatoken", "$skiptoken"); err != nil {
		return nil, err
	}
	l.Fields.Spell(r.Options.Select) // the token stores it
	if err := l.selectExpanded(r); err != nil {
		return nil, err
	}
	d := &round{Request: r, kind: l.Kind, set: l.Set, size: deltaPage(r), room: maxDeltaMembers}
	var err error
	if d.token, err = askedToken(r, l.Type); err != nil {
		return nil, err
	}
	d.whole = d.token.after == 0
	if d.token.upTo == 0 {
		d.token.upTo = r.Image.Seq
		if d.whole {
			d.token.count = l.In(r.Image).Len()
		}
	}
	r.Options.Select = d.token.selected
	for _, link := range l.links {
		if !link.shown(d.token.selected) {
			continue
		}
		if err := link.allowed(r); err != nil {
			return nil, err
		}
		d.links = append(d.links, link)
	}
	return d, nil
}

// selectExpanded converts an $expand to a $select with the same names: groups/delta?$expand=members
// has members@delta. Without a $select, they are added to the default properties.
func (l deltas[D, T]) selectExpanded(r *wire.Request) error {
	var links, unasked []string
	for _, link := range l.links {
		if links = append(links, link.name); link.unasked {
			unasked = append(unasked, link.name)
		}
	}
	for _, e := range r.Options.Expand {
		if !slices.Contains(links, e.Name) || e.Nested || e.Levels > 1 {
			slices.Sort(links)
			return problem.Unsupported(
				"The $expand of '%s' at position %d is not possible with changes; possible is %s.",
				problem.Clip(e.Name), e.Column, strings.Join(links, ", "),
			)
		}
		if r.Options.Select == nil {
			for _, f := range l.Fields.Shown(r).Defaults {
				r.Options.Select = append(r.Options.Select, f.Name)
			}
			r.Options.Select = append(r.Options.Select, unasked...)
		}
		if !slices.Contains(r.Options.Select, e.Name) {
			r.Options.Select = append(r.Options.Select, e.Name)
		}
	}
	r.Options.Expand = nil
	return nil
}

// deltaFields returns the fields to show, for names that are all properties: those of $select,
// always the id, and the ETag (P7).
func deltaFields[T any](d *round, set *wire.FieldSet[T], names []string) ([]*wire.Field[T], error) {
	d.Options.Select = names
	if d.token.selected != nil && !slices.Contains(names, "*") && !slices.Contains(names, "id") {
		d.Options.Select = append([]string{"id"}, names...)
	}
	fields, err := set.Visible(d.Request, d.Access)
	d.Options.Select = d.token.selected
	if err == nil && d.Metadata == "minimal" {
		etag := &wire.Field[T]{Name: "@odata.etag", Documented: true, Write: func(b []byte, object *T) []byte {
			return jsontext.AppendText(b, set.Etag(object))
		}}
		fields = append([]*wire.Field[T]{etag}, fields...)
	}
	return fields, err
}

// logged returns the names in the log of the changes of fields.
func (l deltas[D, T]) logged(fields []*wire.Field[T]) (names []string) {
	for _, f := range fields {
		names = append(append(names, f.Name), l.madeOf[f.Name]...)
	}
	return names
}

// send answers with a page. If an object has more members than fit, the page ends with it, and the
// next page continues it.
func (l deltas[D, T]) send(d *round, fields []*wire.Field[T], page []deltaElement, more bool) error {
	b, last := d.head(), int64(-1)
	find := wire.Finder(l.At(d.Request, there(page), wire.Documented(fields)), l.ordinal)
	for _, e := range page {
		if err := d.Work.Pace(); err != nil {
			return err
		}
		last = int64(e.ordinal)
		if e.removed != "" {
			b = d.appendRemoved(wire.AppendNext(b), l.Fields.TypeName, e)
			continue
		}
		object, err := find(e.ordinal)
		if err != nil {
			return err
		}
		if object == nil { // purged since; the next round reports it
			continue
		}
		b = wire.AppendFields(append(wire.AppendNext(b), '{'), fields, object)
		var rest int64
		if b, rest, err = d.appendLinks(b, e); err != nil {
			return err
		}
		if b = append(b, '}'); rest >= 0 {
			next := d.continued(last)
			next.member = rest
			return d.finish(b, next)
		}
		if b, err = d.More(b); err != nil {
			return err
		}
	}
	if !more {
		return d.finish(b, nil)
	}
	return d.finish(b, d.continued(last))
}
