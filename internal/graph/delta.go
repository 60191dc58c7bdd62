package graph

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// round is one request for changes on its way (P41). Which objects a round shows is fixed when it
// begins; how they are is told as of the moment each page is made. What changes in between shows
// again in the next round, so nothing is lost and no round is endless.
type round struct {
	*wire.Request
	kind    store.Kind
	set     string // such as users
	token   deltaToken
	size    int
	whole   bool // everything there is, rather than what changed
	changes *tenant.Changes
	objects *tenant.ObjectChanges // those of changes that are of this kind
}

// deltaRound reads what is asked for. spell gives names of properties their spelling, which the
// token keeps.
func deltaRound(r *wire.Request, kind store.Kind, set string, spell func(names []string)) (d *round, err error) {
	if err := r.Allow("$select", "$expand", "$filter", "$top", "$deltatoken", "$skiptoken"); err != nil {
		return nil, err
	}
	spell(r.Options.Select)
	if err := selectExpanded(r, kind); err != nil {
		return nil, err
	}
	d = &round{Request: r, kind: kind, set: set, size: deltaPage(r)}
	if d.token, err = askedToken(r, kind); err != nil {
		return nil, err
	}
	d.whole = d.token.after == 0
	if d.token.upTo == 0 {
		d.token.upTo = r.Image.Seq
		if d.whole {
			d.token.count = d.index().count
		}
	}
	r.Options.Select = d.token.selected
	return d, nil
}

// selectExpanded makes of an $expand what $select says with the same names:
// groups/delta?$expand=members has members@delta. Without a $select, it comes to the default
// properties.
func selectExpanded(r *wire.Request, kind store.Kind) error {
	links, defaults := []string{"manager"}, namesOf(userFields.Shown(r).Defaults)
	switch kind {
	case store.KindGroup:
		links, defaults = []string{"members", "owners"}, namesOf(groupFields.Shown(r).Defaults)
	case store.KindAdministrativeUnit:
		links, defaults = []string{"members"}, namesOf(unitFields.Shown(r).Defaults)
	case store.KindApplication:
		links, defaults = []string{"owners"}, namesOf(applicationFields.Shown(r).Defaults)
	case store.KindServicePrincipal:
		links, defaults = []string{"owners"}, namesOf(principalFields.Shown(r).Defaults)
	}
	for _, e := range r.Options.Expand {
		if !slices.Contains(links, e.Name) || e.Nested || e.Levels > 1 {
			return problem.Unsupported("The $expand of '%s' at position %d is not possible with changes; possible is %s.", problem.Clip(e.Name), e.Column, strings.Join(links, ", "))
		}
		if r.Options.Select == nil {
			r.Options.Select = slices.Clone(defaults)
			if slices.Contains(links, "members") {
				r.Options.Select = append(r.Options.Select, "members") // which is there without any $select
			}
		}
		if !slices.Contains(r.Options.Select, e.Name) {
			r.Options.Select = append(r.Options.Select, e.Name)
		}
	}
	r.Options.Expand = nil
	return nil
}

// read reads the changes of the round, of which some properties are to be shown.
func (d *round) read() (err error) {
	after := d.token.after
	if d.whole {
		after = d.token.upTo
	}
	if d.token.upTo > d.Image.Seq {
		return d.tooOld()
	}
	d.changes, err = d.Tenant.Changes(d.Context(), after, d.token.upTo)
	if errors.Is(err, tenant.ErrForgotten) {
		return d.tooOld()
	}
	if err != nil {
		return err
	}
	switch d.kind {
	case store.KindUser:
		d.objects = &d.changes.Users
	case store.KindGroup:
		d.objects = &d.changes.Groups
	case store.KindApplication:
		d.objects = &d.changes.Applications
	case store.KindAdministrativeUnit:
		d.objects = &d.changes.Units
	default:
		d.objects = &d.changes.Principals
	}
	return nil
}

// tooOld sends the client back to the beginning.
func (d *round) tooOld() error {
	return &problem.Error{
		Status: http.StatusGone, Code: "syncStateNotFound",
		Message: "The sync state is no longer known. Start again at the address of the header Location, and take what it shows for everything there is.",
		Header:  map[string]string{"Location": d.token.startAgain(d.address())},
	}
}

func (d *round) address() string { return d.Root + "/" + d.set + "/delta" }

// deltaPage is the size of a page: $top does not count here, the preference does (P41).
func deltaPage(r *wire.Request) int {
	for _, line := range r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(preference, "=")
			name = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "odata.")
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if name == "maxpagesize" && err == nil && n > 0 {
				n = min(n, wire.MaxPage)
				r.W.Header().Set("Preference-Applied", "odata.maxpagesize="+strconv.Itoa(n))
				return n
			}
		}
	}
	return wire.DefaultPage
}

// deltaFields are the fields to be shown, of names that are all properties: those of $select,
// always the id, and the ETag (P7).
func deltaFields[T any](d *round, set *wire.FieldSet[T], names []string) ([]*wire.Field[T], error) {
	d.Options.Select = names
	if d.token.selected != nil && !slices.Contains(names, "*") && !slices.Contains(names, "id") {
		d.Options.Select = append([]string{"id"}, names...)
	}
	fields, err := set.Visible(d.Request, d.Access)
	d.Options.Select = d.token.selected
	if err == nil && d.Metadata == "minimal" {
		etag := &wire.Field[T]{Name: "@odata.etag", Documented: true, Write: func(b []byte, object *T) []byte { return jsontext.AppendText(b, set.Etag(object)) }}
		fields = append([]*wire.Field[T]{etag}, fields...)
	}
	return fields, err
}

// madeOf are the properties of the document that a computed one is made of.
var madeOf = map[string][]string{"legalAgeGroupClassification": {"ageGroup", "consentProvidedForMinor"}}

// namesOf are the properties whose changes count: those that are shown.
func namesOf[T any](fields []*wire.Field[T]) []string {
	var names []string
	for _, f := range fields {
		names = append(append(names, f.Name), madeOf[f.Name]...)
	}
	return names
}

// index is what a round asks about its objects, as of an image.
type index struct {
	count        uint32
	gone, hidden func(uint32) bool
	id           func(uint32) uuid.UUID
	byID         func(uuid.UUID) (uint32, bool)
}

func (d *round) index() index {
	x := d.Image.Directory
	switch d.kind {
	case store.KindUser:
		return index{x.Users(), x.UserPurged, x.UserDeleted, x.UserID, x.UserByID}
	case store.KindGroup:
		return index{x.Groups(), x.GroupPurged, x.GroupDeleted, x.GroupID, x.GroupByID}
	case store.KindAdministrativeUnit:
		return indexOf(d.Image.Units, func(u *directory.AdministrativeUnit) uuid.UUID { return u.ID })
	case store.KindApplication:
		return indexOf(d.Image.Applications, func(a *directory.Application) uuid.UUID { return a.ID })
	}
	return indexOf(d.Image.Principals, func(p *directory.ServicePrincipal) uuid.UUID { return p.ID })
}

// indexOf is the index of applications, service principals or administrative units.
func indexOf[T any](objects *directory.Objects[T], id func(*T) uuid.UUID) index {
	return index{
		objects.Len(),
		func(ordinal uint32) bool { return objects.At(ordinal) == nil },
		func(ordinal uint32) bool { return !objects.DeletedSince(objects.At(ordinal)).IsZero() },
		func(ordinal uint32) uuid.UUID { return id(objects.At(ordinal)) },
		objects.EverByID,
	}
}

// among are the objects to look at: all there are, or those touched, and of these the ones that the
// filter names.
func (d *round) among(touched func() *roaring.Bitmap) *roaring.Bitmap {
	x, all := d.index(), roaring.New()
	if d.whole {
		all.AddRange(0, uint64(min(x.count, d.token.count)))
	} else {
		all = touched()
	}
	if d.token.ids == nil {
		return all
	}
	named := roaring.New()
	for _, id := range d.token.ids {
		if ordinal, ok := x.byID(id); ok {
			named.Add(ordinal)
		}
		if ordinal, ok := d.objects.PurgedByID(id); ok {
			named.Add(ordinal)
		}
	}
	named.And(all)
	return named
}

// deltaElement is what a page shows of an object: that it is there, or that it is not.
type deltaElement struct {
	ordinal uint32
	id      uuid.UUID
	removed string // why; empty: it is there
}

// The reasons of @removed (P41): what is deleted can come back, until it is gone for good.
const (
	removedForNow  = "changed"
	removedForGood = "deleted"
)

// element returns what there is to say of an object; false when that is nothing: it went after the
// round had begun, or before.
func (d *round) element(x index, ordinal uint32) (deltaElement, bool) {
	switch {
	case x.gone(ordinal):
		id, ok := d.objects.Purged(ordinal)
		return deltaElement{ordinal, id, removedForGood}, ok
	case x.hidden(ordinal):
		return deltaElement{ordinal, x.id(ordinal), removedForNow}, d.objects.Deleted(ordinal)
	}
	return deltaElement{ordinal: ordinal, id: x.id(ordinal)}, true
}

// elements takes those of the page from a set, and says whether there are more.
func (d *round) elements(among *roaring.Bitmap) (page []deltaElement, more bool) {
	x, it := d.index(), among.Iterator()
	from := d.token.place + 1
	if d.token.member >= 0 {
		from--
	}
	if from >= int64(x.count) {
		return nil, false
	}
	it.AdvanceIfNeeded(uint32(from))
	for it.HasNext() {
		e, ok := d.element(x, it.Next())
		switch {
		case !ok:
		case len(page) == d.size:
			return page, true
		default:
			page = append(page, e)
		}
	}
	return page, false
}

// there lists the ordinals of those on the page that are there.
func there(page []deltaElement) []uint32 {
	var list []uint32
	for _, e := range page {
		if e.removed == "" {
			list = append(list, e.ordinal)
		}
	}
	return list
}

// head begins the answer, up to its value.
func (d *round) head() []byte {
	b := d.AppendHead(d.Begin(), d.Selected(d.set))
	return append(jsontext.AppendName(b, "value"), '[')
}

// finish ends the answer: with the address of the next page where there is one, otherwise of the
// next round.
func (d *round) finish(b []byte, next *deltaToken) error {
	b = append(b, ']')
	seal := deltaSeal(d.Request, d.kind)
	if next != nil {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), d.address()+"?$skiptoken="+next.text(seal))
	} else {
		round := deltaToken{after: d.token.upTo, place: -1, member: -1, selected: d.token.selected, ids: d.token.ids}
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.deltaLink"), d.address()+"?$deltatoken="+round.text(seal))
	}
	return d.Send(http.StatusOK, append(b, '}'))
}

// appendRemoved writes an object that is not there any more.
func (d *round) appendRemoved(b []byte, typeName string, e deltaElement) []byte {
	b = append(b, '{')
	if d.Metadata == "full" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.type"), "#"+typeName)
	}
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), e.id)
	return append(jsontext.AppendText(append(b, `,"@removed":{"reason":`...), e.removed), "}}"...)
}

// continued is the token of the page after this one, which ends with an object.
func (d *round) continued(place int64) *deltaToken {
	next := d.token
	next.place, next.member = place, -1
	return &next
}
