package changes

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// cleanup removes licenses that drift has found (docs/spec/licensing.md L88).
type cleanup struct {
	r       *wire.Request
	image   *tenant.Image
	places  []*removal
	byPlace map[removalPlace]*removal
	skipped []*skipped
	left    int // rows for which the change set has no room
	waiting []own.DriftRow
	place   removalPlace // of the waiting rows
}

// removalPlace is a user or a group.
type removalPlace struct {
	ordinal uint32
	group   bool
}

// removal has the products whose licenses are removed at a place.
type removal struct {
	removalPlace
	skus []uuid.UUID
}

// skipped are rows that are not cleaned up, for the same reason.
type skipped struct {
	kind   own.DriftKind
	reason string
	text   string
	rows   int
	users  *roaring.Bitmap
	groups *roaring.Bitmap
}

// The reasons to skip a row.
const (
	skipMembership = "membership" // a group gives the license
	skipLastSource = "lastSource" // the user would lose a plan, or have it only of a product that does not work
	skipNeeded     = "needed"     // another license needs the product
	skipManual     = "manual"     // a person must decide
	skipOther      = "other"
)

// cleanUp answers POST /licensor/v1/drift/cleanups: with the change set that removes the licenses
// that a filter of drift finds, and its preview. It says which are not removed, and why
// (docs/spec/licensing.md L88).
func (all *Previews) cleanUp(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	var filter string
	days := own.UsualDays
	err = wire.Read("cleanup", members, map[string]any{"filter": &filter, "days": &days}, "filter")
	if err != nil {
		return err
	}
	if filter == "" {
		return problem.Refuse("filter says which rows of drift are cleaned up, such as \"kind eq 'covered'\".")
	}
	c := &cleanup{r: r, image: r.Image, byPlace: map[removalPlace]*removal{}}
	if err := own.EachDrift(r, filter, days, c.take); err != nil {
		return err
	}
	c.decide()
	changes, err := c.changeSet()
	if err != nil {
		return err
	}
	if len(changes.requests) == 0 {
		b := append(r.AppendHead(r.Begin(), "drift/cleanups/$entity"), `,"requests":[]`...)
		return r.Send(http.StatusOK, append(c.append(b), `,"preview":null}`...))
	}
	return all.propose(r, "drift/cleanups/$entity", changes, func(_ *preview, b []byte) (bool, []byte, error) {
		return true, c.append(b), nil
	})
}

// take adds a row to the change set, or skips it.
func (c *cleanup) take(row *own.DriftRow) error {
	if err := c.r.Work.Pace(); err != nil {
		return err
	}
	if len(c.waiting) > 0 && c.waiting[0].Kind != row.Kind {
		c.decide()
	}
	place := removalPlace{ordinal: row.User}
	group, byGroup := row.Group()
	switch row.Kind {
	case own.DriftStuck:
		c.skip(row, skipManual, "explain names the remedies of the error.")
		return nil
	case own.DriftNoLocation:
		c.skip(row, skipManual, "The usage location of the user must be set.")
		return nil
	case own.DriftUnassigned:
		c.skip(row, skipManual, "The subscription can be reduced when it renews.")
		return nil
	case own.DriftEmptyGroup:
		place = removalPlace{group, true}
	default:
		if byGroup {
			c.skip(row, skipMembership, "A group gives the license: change the membership of the user, or the license "+
				"of the group.")
			return nil
		}
	}
	if len(c.waiting) > 0 && c.place != place {
		c.decide()
	}
	c.place = place
	c.waiting = append(c.waiting, *row)
	return nil
}

// decide adds the waiting rows to the change set, all of which are about one place, or skips them.
// A license that another one needs can be removed after that one.
func (c *cleanup) decide() {
	if len(c.waiting) == 0 {
		return
	}
	at := c.byPlace[c.place]
	if at == nil && len(c.places) == MaxRequests {
		c.left += len(c.waiting)
		c.waiting = c.waiting[:0]
		return
	}
	if at == nil {
		at = &removal{removalPlace: c.place}
	}
	had := len(at.skus)
	for more := true; more; {
		more = false
		c.waiting = slices.DeleteFunc(c.waiting, func(row own.DriftRow) bool {
			if slices.Contains(at.skus, row.SKU.SKUID) {
				return true
			}
			if reason, _ := c.prevents(&row, at); reason != "" {
				return false
			}
			at.skus = append(at.skus, row.SKU.SKUID)
			more = true
			return true
		})
	}
	for i := range c.waiting {
		reason, text := c.prevents(&c.waiting[i], at)
		c.skip(&c.waiting[i], reason, text)
	}
	c.waiting = c.waiting[:0]
	if had == 0 && len(at.skus) > 0 {
		c.byPlace[c.place] = at
		c.places = append(c.places, at)
	}
}

// prevents returns why a license cannot be removed in addition to others; "" if it can.
func (c *cleanup) prevents(row *own.DriftRow, at *removal) (reason, text string) {
	img := c.image.Licensing
	remove := append(slices.Clone(at.skus), row.SKU.SKUID)
	draft := img.Draft(c.image.Seq+1, c.image.At)
	var err error
	if at.group {
		err = draft.AcceptsOfGroup(at.ordinal, nil, remove)
	} else {
		err = draft.AssignUser(at.ordinal, nil, remove)
	}
	if err != nil {
		refusal, ok := errors.AsType[*licensing.RefusalError](err)
		if ok && (refusal.Kind == licensing.RefusalDependency || refusal.Kind == licensing.RefusalGroupDependency) {
			return skipNeeded, fmt.Sprintf("Another license needs %s.", partNumberOf(row))
		}
		return skipOther, err.Error()
	}
	if row.Kind != own.DriftCovered && row.Kind != own.DriftDuplicate || row.SKU.Product == nil {
		return "", ""
	}
	entries := img.Entries(at.ordinal)
	rest := slices.DeleteFunc(slices.Clone(entries), func(e licensing.Entry) bool {
		return e.Source == licensing.Direct && slices.Contains(remove, img.SKUOf(e.SKU))
	})
	if id, ok := lastSource(img, entries, rest, row.SKU.Product.ServicePlanIDs); ok {
		name := id.String()
		if p, ok := img.Plan(id); ok {
			name = p.Name
		}
		return skipLastSource, fmt.Sprintf("It is the last source of %s for the user.", name)
	}
	return "", ""
}

// lastSource returns the first of some plans that entries enable and the rest of them does not, or
// only by products that do not work, while others of the entries do.
func lastSource(img *licensing.Image, entries, rest []licensing.Entry, plans []uuid.UUID) (plan uuid.UUID, ok bool) {
	suspended := func(e licensing.Entry) bool { return !img.SKUWorks(e.SKU) }
	for range 2 {
		has := plansAmong(img, rest, plans)
		for _, id := range plansAmong(img, entries, plans) {
			if !slices.Contains(has, id) {
				return id, true
			}
		}
		entries = slices.DeleteFunc(slices.Clone(entries), suspended)
		rest = slices.DeleteFunc(slices.Clone(rest), suspended)
	}
	return uuid.Nil, false
}

func partNumberOf(row *own.DriftRow) string {
	if row.SKU.Product != nil {
		return row.SKU.Product.SKUPartNumber
	}
	return row.SKU.SKUID.String()
}

// skip notes that a row is not cleaned up.
func (c *cleanup) skip(row *own.DriftRow, reason, text string) {
	at := slices.IndexFunc(c.skipped, func(s *skipped) bool {
		return s.kind == row.Kind && s.reason == reason && s.text == text
	})
	if at < 0 && len(c.skipped) >= maxObstacles {
		at = len(c.skipped) - 1 // and no further texts
	}
	if at < 0 {
		at = len(c.skipped)
		c.skipped = append(c.skipped, &skipped{
			kind: row.Kind, reason: reason, text: text, users: roaring.New(), groups: roaring.New(),
		})
	}
	s := c.skipped[at]
	s.rows++
	if group, ok := row.Group(); row.User == own.NoUser && ok {
		s.groups.Add(group)
	} else if row.User != own.NoUser {
		s.users.Add(row.User)
	}
}

// changeSet returns the requests.
func (c *cleanup) changeSet() (*set, error) {
	b := newBuilder(c.r)
	for _, at := range c.places {
		err := b.assign(at.ordinal, at.group, nil, at.skus)
		if err != nil {
			return nil, err
		}
	}
	return b.set, nil
}

// append writes what is skipped, and how many rows are left for the next cleanup.
func (c *cleanup) append(b []byte) []byte {
	p := &preview{before: c.image, after: c.image}
	b = jsontext.AppendInt(append(b, `,"left":`...), c.left)
	return jsontext.AppendList(jsontext.AppendName(b, "skipped"), c.skipped, func(b []byte, s *skipped) []byte {
		b = jsontext.AppendText(append(b, `{"kind":`...), s.kind.String())
		b = jsontext.AppendText(jsontext.AppendName(b, "reason"), s.reason)
		b = jsontext.AppendText(jsontext.AppendName(b, "text"), s.text)
		b = jsontext.AppendInt(jsontext.AppendName(b, "rows"), s.rows)
		return append(p.appendPlaces(b, s.users, s.groups), '}')
	})
}
