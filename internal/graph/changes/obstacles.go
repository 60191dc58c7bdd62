package changes

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/outcome"
)

// obstacle is something that prevents a swap (docs/spec/licensing.md L84).
type obstacle struct {
	kind   string
	text   string
	seats  int // that are missing, of kind seats
	users  *roaring.Bitmap
	groups *roaring.Bitmap
}

// The kinds of obstacles.
const (
	obstacleMissing      = "missing"      // the old product, at a place that was named
	obstacleSubscription = "subscription" // the tenant has none of the new product
	obstacleSeats        = "seats"
	obstacleConflict     = "conflict"    // with a plan of another license
	obstacleDependents   = "dependents"  // another license needs the old product
	obstacleRequirement  = "requirement" // the new product needs a plan that is missing
	obstacleNoLocation   = "noLocation"  // for a direct license
	obstacleProhibited   = "prohibited"  // in the user's location
	obstacleAddress      = "address"     // another user has it, too
	obstaclePlans        = "plans"       // a plan of both products would be lost
	obstacleOther        = "other"
)

// maxObstacles is the maximum number of obstacles of different kinds and texts.
const maxObstacles = 100

// finder finds the obstacles of a swap.
type finder struct {
	*swap
	*preview
	list    []*obstacle
	reasons *licensing.Explainer
}

// obstacles returns what prevents the swap, judging by its trial.
func (s *swap) obstacles(p *preview) ([]*obstacle, error) {
	f := &finder{swap: s, preview: p, list: slices.Clone(s.lacking), reasons: p.after.Licensing.Explainer()}
	f.reasons.WithoutOthers = true
	if !f.subscribed() {
		return append(f.list, &obstacle{
			kind: obstacleSubscription, text: fmt.Sprintf("The tenant has no subscription of %s.", s.to.SKUPartNumber),
		}), nil
	}
	s.r.Work.Doing("finding what prevents the swap")
	for i := range s.places {
		if a := &p.answers[i]; a.failed() {
			f.refused(&s.places[i], a)
		}
	}
	for _, group := range s.groups {
		if err := f.ofMembers(group); err != nil {
			return nil, err
		}
	}
	f.shortOf()
	if err := f.lostPlans(); err != nil {
		return nil, err
	}
	return f.list, nil
}

func (f *finder) subscribed() bool {
	return slices.ContainsFunc(f.after.Licensing.EverySKU(), func(s licensing.SKUInfo) bool {
		return s.SKUID == f.to.SKUID && s.Subscribed
	})
}

// of returns the obstacle of a kind and text.
func (f *finder) of(kind, text string) *obstacle {
	at := slices.IndexFunc(f.list, func(o *obstacle) bool { return o.kind == kind && o.text == text })
	if at < 0 && len(f.list) >= maxObstacles {
		at = len(f.list) - 1 // and no further texts
	}
	if at < 0 {
		at = len(f.list)
		f.list = append(f.list, &obstacle{kind: kind, text: text, users: roaring.New(), groups: roaring.New()})
	}
	return f.list[at]
}

// refused finds out why a request was refused, by trying it again after the others.
func (f *finder) refused(p *place, a *answer) {
	img := f.after.Licensing
	draft := img.Draft(f.after.Seq+1, f.after.At)
	var err error
	if p.group {
		err = draft.AcceptsOfGroup(p.ordinal, []licensing.Assign{p.license}, p.remove)
	} else {
		err = draft.AssignUser(p.ordinal, []licensing.Assign{p.license}, p.remove)
	}
	kind, text := obstacleOther, a.message
	if refusal, ok := err.(*licensing.RefusalError); ok {
		kind, text = f.ofRefusal(refusal, a.message)
	}
	if o := f.of(kind, text); p.group {
		o.groups.Add(p.ordinal)
	} else {
		o.users.Add(p.ordinal)
	}
}

func (f *finder) ofRefusal(r *licensing.RefusalError, message string) (kind, text string) {
	switch r.Kind {
	case licensing.RefusalNoUsageLocation:
		return obstacleNoLocation, "A direct license needs a usage location, and the user has none."
	case licensing.RefusalGroupConflict:
		return obstacleConflict, message
	case licensing.RefusalGroupDependency:
		return obstacleRequirement, message
	}
	if r.Reason == nil {
		return obstacleOther, message
	}
	return f.ofReason(r.Reason)
}

// ofMembers finds the members of a group who would not get the new product. Those who did not get
// the old one either do not count, unless only seats are missing.
func (f *finder) ofMembers(group uint32) error {
	img := f.after.Licensing
	failing := img.GroupErrors(group)
	if failing == nil {
		return nil
	}
	source := licensing.FromGroup(group)
	for user := range roaring.Values(roaring.AndNot(failing, img.DeletedUsers())) {
		if err := f.r.Work.Pace(); err != nil {
			return err
		}
		if f.waits(user, source) { // many may
			f.of(obstacleSeats, "").users.Add(user)
			continue
		}
		reason, ok := f.reasonOf(user, source)
		if !ok || reason.Error != licensing.CountViolation && !f.had(user, source) {
			continue
		}
		kind, text := f.ofReason(&reason)
		f.of(kind, text).users.Add(user)
	}
	return nil
}

// waits reports whether a user waits for a seat of the new product from a source.
func (f *finder) waits(user uint32, source licensing.Source) bool {
	img := f.after.Licensing
	return slices.ContainsFunc(img.CurrentEntries(user), func(e licensing.Entry) bool {
		return e.Source == source && e.Error == licensing.CountViolation && img.SKUOf(e.SKU) == f.to.SKUID
	})
}

// reasonOf returns the first reason why a group does not give a user the new product.
func (f *finder) reasonOf(user uint32, source licensing.Source) (found licensing.Reason, ok bool) {
	for reason := range f.reasons.Those(user, func(e *licensing.Entry) bool {
		return e.Source == source && e.Error != licensing.NoViolation
	}) {
		if reason.SKUID != f.from.SKUID && reason.SKUID != f.to.SKUID {
			continue
		}
		if !ok || found.Error == licensing.OtherViolation {
			found, ok = reason, true
		}
	}
	return found, ok
}

// had reports whether a user had the old product in force from a source.
func (f *finder) had(user uint32, source licensing.Source) bool {
	img := f.before.Licensing
	return slices.ContainsFunc(img.CurrentEntries(user), func(e licensing.Entry) bool {
		return e.Source == source && e.InForce != licensing.None && img.SKUOf(e.SKU) == f.from.SKUID
	})
}

// ofReason returns the kind of an obstacle, and its text, which is the same for many users.
func (f *finder) ofReason(r *licensing.Reason) (kind, text string) {
	to := f.to.SKUPartNumber
	switch r.Error {
	case licensing.CountViolation:
		return obstacleSeats, ""
	case licensing.MutuallyExclusiveViolation:
		return obstacleConflict, fmt.Sprintf("%s of %s conflicts with %s of %s, which the user has %s.",
			f.plan(r.Plan), to, f.plan(r.OtherPlan), f.partNumber(r.Other), f.source(r.OtherDirect, r.OtherGroup))
	case licensing.DependencyViolation:
		if r.Needed {
			return obstacleDependents, fmt.Sprintf("%s of %s, which the user has %s, needs %s of %s.",
				f.plan(r.OtherPlan), f.partNumber(r.Other), f.source(r.OtherDirect, r.OtherGroup), f.plan(r.Plan),
				f.from.SKUPartNumber)
		}
		var names []string
		for _, id := range r.Requires {
			names = append(names, f.plan(id))
		}
		return obstacleRequirement, fmt.Sprintf("%s of %s needs %s, which the user would not have.",
			f.plan(r.Plan), to, strings.Join(names, " or "))
	case licensing.ProhibitedInUsageLocationViolation:
		return obstacleProhibited, fmt.Sprintf("%s of %s is not available in %s.", f.plan(r.Plan), to, r.Location)
	case licensing.UniquenessViolation:
		return obstacleAddress, fmt.Sprintf("Another user has an address of the user, which %s of %s does not allow.",
			f.plan(r.Plan), to)
	}
	if r.Other != uuid.Nil {
		return obstacleOther, fmt.Sprintf("%s of the same group would be in error.", f.partNumber(r.Other))
	}
	return obstacleOther, to + " would be in error."
}

func (f *finder) plan(id uuid.UUID) string {
	if p, ok := f.after.Licensing.Plan(id); ok {
		return p.Name
	}
	return id.String()
}

func (f *finder) source(direct bool, group uint32) string {
	if direct {
		return "directly"
	}
	return "from group " + f.groupNamed(group).Name
}

// shortOf says how many seats are missing for all whom the selected places give the product.
func (f *finder) shortOf() {
	at := slices.IndexFunc(f.list, func(o *obstacle) bool { return o.kind == obstacleSeats })
	if at < 0 {
		return
	}
	o, img := f.list[at], f.before.Licensing
	need := f.users.Clone()
	for _, group := range f.groups {
		need.Or(img.GroupMembers(group))
	}
	need.AndNot(img.DeletedUsers())
	if holders := img.Holders(f.to.SKUID); holders != nil {
		need.AndNot(holders)
	}
	free := 0
	for _, s := range img.EverySKU() {
		if s.SKUID == f.to.SKUID {
			free = s.Free()
		}
	}
	o.seats = max(int(need.GetCardinality())-free, int(o.users.GetCardinality()))
	o.text = fmt.Sprintf("%s is short of seats by %d: %d users need one, and %d are unassigned.", f.to.SKUPartNumber,
		o.seats, need.GetCardinality(), max(0, free))
}

// lostPlans finds users who would lose a service plan that both products have, other than by
// request.
func (f *finder) lostPlans() error {
	shared := slices.DeleteFunc(slices.Clone(f.from.ServicePlanIDs), func(id uuid.UUID) bool {
		return !slices.Contains(f.to.ServicePlanIDs, id) || f.given && slices.Contains(f.disabled, id)
	})
	lost := roaring.New()
	known := map[string]bool{}
	var key []byte
	for user := range roaring.Values(f.outcome.Users(func(outcome.What) bool { return true })) {
		if err := f.r.Work.Pace(); err != nil {
			return err
		}
		was, is := f.before.Licensing.CurrentEntries(user), f.after.Licensing.CurrentEntries(user)
		key = appendInForce(append(appendInForce(key[:0], was), 0, 0, 0, 0), is)
		loses, ok := known[string(key)]
		if !ok {
			had, has := plansAmong(f.before.Licensing, was, shared), plansAmong(f.after.Licensing, is, shared)
			loses = slices.ContainsFunc(had, func(id uuid.UUID) bool { return !slices.Contains(has, id) })
			if len(known) >= 1<<12 {
				clear(known)
			}
			known[string(key)] = loses
		}
		if loses {
			lost.Add(user)
		}
	}
	if !lost.IsEmpty() {
		f.of(obstaclePlans, "The user would lose a service plan that both products have.").users.Or(lost)
	}
	return nil
}

func appendInForce(b []byte, entries []licensing.Entry) []byte {
	for i := range entries {
		if v := entries[i].InForce; v != licensing.None {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	return b
}

// plansAmong returns which of some plans entries enable.
func plansAmong(img *licensing.Image, entries []licensing.Entry, among []uuid.UUID) (plans []uuid.UUID) {
	for i := range entries {
		if entries[i].InForce == licensing.None {
			continue
		}
		one := img.VariantOf(entries[i].InForce)
		product, ok := img.Product(one.SKUID)
		if !ok {
			continue
		}
		for _, id := range among {
			if slices.Contains(product.ServicePlanIDs, id) && !slices.Contains(one.DisabledPlans, id) {
				plans = append(plans, id)
			}
		}
	}
	return plans
}

func (o *obstacle) append(b []byte, p *preview) []byte {
	b = jsontext.AppendText(append(b, `{"kind":`...), o.kind)
	b = jsontext.AppendText(jsontext.AppendName(b, "text"), o.text)
	if o.kind == obstacleSeats {
		b = jsontext.AppendInt(jsontext.AppendName(b, "seats"), o.seats)
	}
	return append(p.appendPlaces(b, o.users, o.groups), '}')
}

// appendPlaces writes the first users and groups, and the numbers of all.
func (p *preview) appendPlaces(b []byte, users, groups *roaring.Bitmap) []byte {
	b = appendFirst(b, "users", users, func(b []byte, user uint32) []byte {
		return append(p.appendUser(append(b, '{'), user), '}')
	})
	return appendFirst(b, "groups", groups, func(b []byte, group uint32) []byte {
		return append(p.appendGroup(append(b, '{'), group), '}')
	})
}

// appendFirst writes the first objects of a set, and the number of all; nil is empty.
func appendFirst(b []byte, name string, set *roaring.Bitmap, write func([]byte, uint32) []byte) []byte {
	if set == nil {
		set = roaring.New()
	}
	b = jsontext.AppendInt(jsontext.AppendName(b, name+"@odata.count"), int(set.GetCardinality()))
	first, _ := wire.Page{After: -1, Limit: maxShown}.Of(set)
	return jsontext.AppendList(jsontext.AppendName(b, name), first, write)
}
