package changes

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

// swap puts one product in the place of another (docs/spec/licensing.md L82).
type swap struct {
	r        *wire.Request
	from, to *licensing.Product
	disabled []uuid.UUID // plans of the new product
	given    bool        // the request has said which; otherwise they follow from those of the old one
	groups   []uint32    // whose license is swapped, ascending
	users    *roaring.Bitmap
	places   []place     // by request
	lacking  []*obstacle // those that were named and do not have the old product
}

// place is a group or a user with a direct license of the old product.
type place struct {
	ordinal uint32
	group   bool
	license licensing.Assign // of the new product
	remove  []uuid.UUID      // the old product; empty in the second request of a place
}

// swap answers POST /licensor/v1/swaps: with the change set that puts a product in the place of
// another, and its preview, or with what prevents it (docs/spec/licensing.md L82 to L84).
func (all *Previews) swap(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	s, err := readSwap(r)
	if err != nil {
		return err
	}
	if err := s.plan(); err != nil {
		return err
	}
	changes, err := s.changeSet()
	if err != nil {
		return err
	}
	return all.propose(r, "swaps/$entity", changes, func(p *preview, b []byte) (bool, []byte, error) {
		list, err := s.obstacles(p)
		b = jsontext.AppendList(append(b, `,"obstacles":`...), list, func(b []byte, o *obstacle) []byte { return o.append(b, p) })
		return len(list) == 0, b, err
	})
}

// readSwap reads the products, and which groups and users are selected: all without groups, users
// and filter.
func readSwap(r *wire.Request) (*swap, error) {
	members, err := r.Members()
	if err != nil {
		return nil, err
	}
	s := &swap{r: r, users: roaring.New()}
	var from, to string
	var filter *string
	var groups, users []string
	var plans json.RawMessage
	err = wire.Read("swap", members, map[string]any{
		"from": &from, "to": &to, "groups": &groups, "users": &users, "filter": &filter, "plans": &plans,
	}, "from", "to")
	if err != nil {
		return nil, err
	}
	if s.from, err = own.ProductNamed(r.Image, "from", from); err != nil {
		return nil, err
	}
	if s.to, err = own.ProductNamed(r.Image, "to", to); err != nil {
		return nil, err
	}
	if s.from == s.to {
		return nil, problem.Refuse("from and to are the same product.")
	}
	if err := s.readPlans(plans); err != nil {
		return nil, err
	}
	r.Work.Doing("finding who has the product")
	if groups == nil && users == nil && filter == nil {
		err = s.selectAll()
	} else {
		err = s.selectNamed(groups, users, filter)
	}
	if err == nil && len(s.groups) == 0 && s.users.IsEmpty() && len(s.lacking) == 0 {
		err = problem.Refuse("There is nothing to swap: of the selected users none has %s directly, and no selected "+
			"group has it.", s.from.SKUPartNumber)
	}
	return s, err
}

// readPlans reads which plans of the new product are disabled: "same", or a list of their ids or
// names.
func (s *swap) readPlans(raw json.RawMessage) error {
	var word string
	if raw == nil || json.Unmarshal(raw, &word) == nil && word == "same" {
		return nil
	}
	var names []string
	if string(raw) == "null" || json.Unmarshal(raw, &names) != nil {
		return problem.Refuse(`plans must be "same", or a list of the service plans of the new product to disable.`)
	}
	s.given = true
	for _, name := range names {
		id, isID := guid.Parse(name)
		at := slices.IndexFunc(s.to.ServicePlanIDs, func(plan uuid.UUID) bool {
			p, ok := s.r.Image.Licensing.Plan(plan)
			return isID && plan == id || !isID && ok && fold.Equal(p.Name, name)
		})
		if at < 0 {
			return problem.Refuse("plans has '%s', which is not a service plan of %s.", problem.Clip(name),
				s.to.SKUPartNumber)
		}
		if plan := s.to.ServicePlanIDs[at]; !slices.Contains(s.disabled, plan) {
			s.disabled = append(s.disabled, plan)
		}
	}
	return nil
}

// selectAll selects all groups that assign the old product, and all users who have it directly.
func (s *swap) selectAll() error {
	index := s.r.Image.Directory
	for group := range index.Groups() {
		if group%pausing == pausing-1 {
			if err := s.r.Work.Yield(); err != nil {
				return err
			}
		}
		if _, ok := s.ofGroup(group, s.from); ok && !index.GroupPurged(group) && !index.GroupDeleted(group) {
			s.groups = append(s.groups, group)
		}
	}
	s.users = s.direct()
	return nil
}

// pausing is the number of users or groups after which a pass over many lets other work run.
const pausing = 256

// selectNamed selects groups, users, and the users with a direct license who satisfy a filter.
func (s *swap) selectNamed(groups, users []string, filter *string) error {
	if len(groups)+len(users) > MaxRequests {
		return problem.Refuse("At most %d groups and users can be named.", MaxRequests)
	}
	ordinals, err := own.Resolve(s.r, "groups", groups, s.r.Image.LiveGroup)
	if err != nil {
		return err
	}
	without := roaring.New()
	slices.Sort(ordinals)
	for _, group := range slices.Compact(ordinals) {
		if _, ok := s.ofGroup(group, s.from); ok {
			s.groups = append(s.groups, group)
		} else {
			without.Add(group)
		}
	}
	s.lacks("The group does not have %s.", roaring.New(), without)
	named, err := own.Resolve(s.r, "users", users, s.r.Image.LiveUser)
	if err != nil {
		return err
	}
	direct := s.direct()
	s.users.AddMany(named)
	without = roaring.AndNot(s.users, direct)
	s.users.AndNot(without)
	s.lacks("The user does not have %s directly.", without, roaring.New())
	if filter != nil {
		if *filter == "" {
			return problem.Refuse("filter is empty: leave it out to select all groups and users.")
		}
		found, err := own.UsersWhere(s.r, *filter)
		if err != nil {
			return err
		}
		s.users.Or(roaring.And(found, direct))
	}
	return nil
}

// lacks notes that users or groups do not have the old product.
func (s *swap) lacks(text string, users, groups *roaring.Bitmap) {
	if !users.IsEmpty() || !groups.IsEmpty() {
		text = fmt.Sprintf(text, s.from.SKUPartNumber)
		s.lacking = append(s.lacking, &obstacle{kind: obstacleMissing, text: text, users: users, groups: groups})
	}
}

// direct returns the users who have the old product directly, without deleted ones.
func (s *swap) direct() *roaring.Bitmap {
	img := s.r.Image.Licensing
	users := img.HavingState(func(state licensing.State) bool {
		return state.Direct && state.SKUID == s.from.SKUID
	})
	users.AndNot(img.DeletedUsers())
	return users
}

// ofGroup returns a group's license of a product.
func (s *swap) ofGroup(group uint32, product *licensing.Product) (licensing.Assign, bool) {
	for _, l := range s.r.Image.Licensing.GroupLicenses(group) {
		if l.SKUID == product.SKUID {
			return l, true
		}
	}
	return licensing.Assign{}, false
}

// ofUser returns a user's direct license of a product.
func (s *swap) ofUser(user uint32, product *licensing.Product) (licensing.Assign, bool) {
	for state := range s.r.Image.Licensing.States(user) {
		if state.Direct && state.SKUID == product.SKUID {
			return licensing.Assign{SKUID: state.SKUID, DisabledPlans: state.DisabledPlans}, true
		}
	}
	return licensing.Assign{}, false
}

// plan decides what to assign at each place, and in which order (docs/spec/licensing.md L83):
// groups before users, and at the end what had to wait until all were swapped.
func (s *swap) plan() error {
	if n := len(s.groups) + int(s.users.GetCardinality()); n > MaxRequests {
		return s.tooMany(n)
	}
	img := s.r.Image.Licensing
	conflicting := img.Conflicting(s.to, s.from)
	shared := roaring.New()
	if len(conflicting) > 0 {
		shared = s.shared()
	}
	var later []place
	add := func(p place, again bool, disabled []uuid.UUID) {
		p.license = licensing.Assign{SKUID: s.to.SKUID, DisabledPlans: disabled}
		if again {
			later = append(later, p)
			p.license.DisabledPlans = union(disabled, conflicting)
		}
		p.remove = []uuid.UUID{s.from.SKUID}
		s.places = append(s.places, p)
	}
	for _, group := range s.groups {
		was, _ := s.ofGroup(group, s.from)
		has, holds := s.ofGroup(group, s.to)
		again := shared.Intersects(img.GroupMembers(group))
		add(place{ordinal: group, group: true}, again, s.disabledFor(was, has, holds))
	}
	for user := range roaring.Values(s.users) {
		if err := s.r.Work.Pace(); err != nil {
			return err
		}
		was, _ := s.ofUser(user, s.from)
		has, holds := s.ofUser(user, s.to)
		add(place{ordinal: user}, shared.Contains(user), s.disabledFor(was, has, holds))
	}
	if s.places = append(s.places, later...); len(s.places) > MaxRequests {
		return s.tooMany(len(s.places))
	}
	return nil
}

// shared returns the users to whom several of the selected places give the old product.
func (s *swap) shared() *roaring.Bitmap {
	once, twice := s.users.Clone(), roaring.New()
	for _, group := range s.groups {
		members := s.r.Image.Licensing.GroupMembers(group)
		twice.Or(roaring.And(once, members))
		once.Or(members)
	}
	return twice
}

// disabledFor returns the plans to disable in the new product. If it is there already, only what
// both disable stays disabled.
func (s *swap) disabledFor(was, has licensing.Assign, holds bool) []uuid.UUID {
	if s.given {
		return s.disabled
	}
	disabled := s.r.Image.Licensing.Corresponding(s.from, s.to, was.DisabledPlans)
	if holds {
		disabled = slices.DeleteFunc(disabled, func(id uuid.UUID) bool {
			return !slices.Contains(has.DisabledPlans, id)
		})
	}
	return disabled
}

func union(a, b []uuid.UUID) []uuid.UUID {
	all := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func (s *swap) tooMany(n int) error {
	return problem.Refuse("The swap needs %d requests, and a change set has at most %d. Divide it: name some of the "+
		"groups in 'groups', and select users with 'filter', such as \"startswith(userPrincipalName,'a')\".",
		n, MaxRequests)
}

// changeSet returns the requests.
func (s *swap) changeSet() (*set, error) {
	b := newBuilder(s.r)
	for i := range s.places {
		p := &s.places[i]
		if err := b.assign(p.ordinal, p.group, []licensing.Assign{p.license}, p.remove); err != nil {
			return nil, err
		}
	}
	return b.set, nil
}
