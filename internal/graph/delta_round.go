package graph

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// round is one request for changes in progress (P41). The set of objects of a round is fixed when
// it begins; each page shows their current state. Objects that change during the round are shown
// again in the next round, so no change is lost and every round ends.
type round struct {
	*wire.Request
	kind    *query.Kind
	set     string // such as users
	links   []deltaLink
	token   deltaToken
	size    int
	room    int  // for members
	whole   bool // all objects, not only changes
	changes *engine.Changes
	objects *engine.ObjectChanges // the kind in the log of changes
}

// read reads the changes of the round.
func (d *round) read() (err error) {
	after := d.token.after
	if d.whole {
		after = d.token.upTo
	}
	if d.token.upTo > d.Image.Seq {
		return d.tooOld()
	}
	d.changes, err = d.Tenant.Changes(d.Context(), after, d.token.upTo)
	if errors.Is(err, engine.ErrForgotten) {
		return d.tooOld()
	}
	if err != nil {
		return err
	}
	d.objects = changesOf(d.changes, d.kind.Type)
	return nil
}

// changesOf returns the changes of the objects of a type.
func changesOf(c *engine.Changes, of directory.Type) *engine.ObjectChanges {
	switch of {
	case directory.TypeUser:
		return &c.Users
	case directory.TypeGroup:
		return &c.Groups
	case directory.TypeApplication:
		return &c.Applications
	case directory.TypeAdministrativeUnit:
		return &c.Units
	}
	return &c.Principals
}

// tooOld tells the client to start again.
func (d *round) tooOld() error {
	return &problem.ResponseError{
		Status: http.StatusGone, Code: "syncStateNotFound",
		Message: "The sync state is no longer known. Start again at the address of the header Location, and treat " +
			"its result as the complete set.",
		Header: map[string]string{"Location": d.token.startAgain(d.address())},
	}
}

func (d *round) address() string { return d.Root + "/" + d.set + "/delta" }

// deltaPage returns the size of a page, which the Prefer header sets; $top has no effect (P41).
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

// among returns the objects to check: all existing ones, or those with changes, and of these the
// ones that the filter names.
func (d *round) among(touched func() *roaring.Bitmap) *roaring.Bitmap {
	in, all := d.kind.In(d.Image), roaring.New()
	if d.whole {
		all.AddRange(0, uint64(min(in.Len(), d.token.count)))
	} else {
		all = touched()
	}
	if d.token.ids == nil {
		return all
	}
	named := roaring.New()
	for _, id := range d.token.ids {
		if ordinal, ok := in.EverByID(id); ok {
			named.Add(ordinal)
		}
		if ordinal, ok := d.objects.PurgedByID(id); ok {
			named.Add(ordinal)
		}
	}
	named.And(all)
	return named
}

// deltaElement is an object on a page, which exists or was removed.
type deltaElement struct {
	ordinal uint32
	id      uuid.UUID
	removed string // the reason; empty if it exists
}

// The reasons of @removed (P41): "changed" objects can be restored, until they are permanently
// deleted.
const (
	removedForNow  = "changed"
	removedForGood = "deleted"
)

// element returns the element of an object; false if there is none, because it was purged after the
// beginning of the round, or earlier.
func (d *round) element(in directory.Collection, ordinal uint32) (deltaElement, bool) {
	switch {
	case in.IsPurged(ordinal):
		id, ok := d.objects.Purged(ordinal)
		return deltaElement{ordinal, id, removedForGood}, ok
	case in.IsDeleted(ordinal):
		return deltaElement{ordinal, in.ID(ordinal), removedForNow}, d.objects.Deleted(ordinal)
	}
	return deltaElement{ordinal: ordinal, id: in.ID(ordinal)}, true
}

// elements returns the elements of the page from a set, and whether there are more.
func (d *round) elements(among *roaring.Bitmap) (page []deltaElement, more bool) {
	in, it := d.kind.In(d.Image), among.Iterator()
	from := d.token.place + 1
	if d.token.member >= 0 {
		from--
	}
	if from >= int64(in.Len()) {
		return nil, false
	}
	it.AdvanceIfNeeded(uint32(from))
	for it.HasNext() {
		e, ok := d.element(in, it.Next())
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

// there returns the ordinals of the objects on the page that exist.
func there(page []deltaElement) []uint32 {
	var list []uint32
	for _, e := range page {
		if e.removed == "" {
			list = append(list, e.ordinal)
		}
	}
	return list
}

// head begins the response, up to its value.
func (d *round) head() []byte {
	b := d.AppendHead(d.Begin(), d.Selected(d.set))
	return append(jsontext.AppendName(b, "value"), '[')
}

// finish ends the response with the URL of the next page if there is one, otherwise of the next
// round.
func (d *round) finish(b []byte, next *deltaToken) error {
	b = append(b, ']')
	seal := deltaSeal(d.Request, d.kind.Type)
	if next != nil {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), d.address()+"?$skiptoken="+next.text(seal))
	} else {
		round := deltaToken{after: d.token.upTo, place: -1, member: -1, selected: d.token.selected, ids: d.token.ids}
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.deltaLink"), d.address()+"?$deltatoken="+round.text(seal))
	}
	return d.Send(http.StatusOK, append(b, '}'))
}

// appendRemoved writes an object that was removed.
func (d *round) appendRemoved(b []byte, typeName string, e deltaElement) []byte {
	b = append(b, '{')
	if d.Metadata == "full" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.type"), "#"+typeName)
	}
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), e.id)
	return append(jsontext.AppendText(append(b, `,"@removed":{"reason":`...), e.removed), "}}"...)
}

// continued returns the token of the page after this one, which ends with an object.
func (d *round) continued(place int64) *deltaToken {
	next := d.token
	next.place, next.member = place, -1
	return &next
}
