package undo

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// before is what was before a commit of all that it changed. If several of its commands changed the
// same, the first of them says what was before.
type before struct {
	errorsKnown bool // otherwise it is not known which errors there were

	states  map[tenant.ObjectKey]state
	objects []tenant.ObjectKey // those of states, in order
	purged  map[uuid.UUID]bool // by the commit
	names   map[tenant.ObjectKey]tenant.Named

	values map[property][]byte // JSON; nil: none
	order  []property          // those of values, in order

	moved    map[uint32]*moved // by group
	ties     map[tie]bool      // whether it was
	tieOrder []tie
	lost     []tenant.ObjectKey // ends of relations that were permanently deleted since
	managers map[uint32]uint32  // by user: one more than the manager; 0: none

	grants        map[uint32]licensesOf // of groups
	cells         []cell                // of users
	subscriptions map[uuid.UUID]*tenant.Subscription
	bought        []uuid.UUID // those of subscriptions, in order
	settings      map[string][]byte
}

// state is whether an object exists.
type state uint8

const (
	absent state = iota
	live
	deleted
)

// property is a property of the document of a user or group. It is unknown what it was if its name
// is in unknown.
type property struct {
	tenant.ObjectKey
	name string
}

// moved are the users who joined or left a group, and which of them were members.
type moved struct{ users, were *roaring.Bitmap }

// licensesOf are the licenses of a group, by SKU; nil if it is not known what they were.
type licensesOf map[licensing.SKU]licensing.Variant

func newBefore(format uint32) *before {
	return &before{
		errorsKnown: format >= tenant.FormatWithErrors,
		states:      map[tenant.ObjectKey]state{}, purged: map[uuid.UUID]bool{},
		names: map[tenant.ObjectKey]tenant.Named{}, values: map[property][]byte{},
		moved: map[uint32]*moved{}, ties: map[tie]bool{}, managers: map[uint32]uint32{},
		grants:        map[uint32]licensesOf{},
		subscriptions: map[uuid.UUID]*tenant.Subscription{}, settings: map[string][]byte{},
	}
}

func userKey(user uint32) tenant.ObjectKey {
	return tenant.ObjectKey{Kind: store.KindUser, Ordinal: user}
}

func groupKey(group uint32) tenant.ObjectKey {
	return tenant.ObjectKey{Kind: store.KindGroup, Ordinal: group}
}

// created reports whether the commit created an object.
func (b *before) created(key tenant.ObjectKey) bool {
	was, known := b.states[key]
	return known && was == absent
}

// learn adds what was before a command. The image is a later one.
func (b *before) learn(s *step, img *tenant.Image) error {
	for _, named := range s.record.Named {
		b.names[tenant.ObjectKey{Kind: named.Kind, Ordinal: named.Ordinal}] = named
	}
	for _, u := range s.NewUsers {
		if user, ok := img.Directory.UserByID(u.ID); ok {
			b.was(userKey(user), absent)
		}
	}
	for _, g := range s.groupEffects() {
		if g.New != nil {
			b.was(groupKey(g.Group), absent)
		}
	}
	for _, m := range s.Users {
		b.mark(userKey(m.Ordinal), tenant.Mark(m), s)
	}
	for _, m := range s.Groups {
		b.mark(groupKey(m.Ordinal), tenant.Mark(m), s)
	}
	for _, g := range s.groupEffects() {
		if err := b.group(g, s); err != nil {
			return err
		}
	}
	b.learnTies(s, img)
	for _, m := range s.Managers {
		if _, known := b.managers[m.User]; !known {
			b.managers[m.User] = m.Before
		}
	}
	for _, now := range s.Subscriptions {
		b.subscription(now, s)
	}
	b.learnSettings(s)
	return b.addCells(s.cells)
}

func (b *before) was(key tenant.ObjectKey, is state) {
	if _, known := b.states[key]; !known {
		b.states[key] = is
		b.objects = append(b.objects, key)
	}
}

// mark adds what was before an event of a document.
func (b *before) mark(key tenant.ObjectKey, m tenant.Mark, s *step) {
	switch m.What {
	case tenant.MarkDeleted:
		b.was(key, live)
	case tenant.MarkRestored:
		b.was(key, deleted)
	case tenant.MarkPurged:
		b.was(key, live)
		if m.ID != nil {
			b.purged[*m.ID] = true
			named := b.names[key]
			named.ID = *m.ID
			b.names[key] = named
		}
	case tenant.MarkWritten:
		w := s.changed(tenant.Changeable(key.Kind), key.Ordinal, uuid.Nil)
		if w == nil {
			for _, name := range m.Properties {
				b.value(property{key, name}, unknown)
			}
			return
		}
		for _, d := range w.Properties {
			b.value(property{key, d.Name}, d.Old)
		}
	}
}

// unknown is the former value of a property that the log does not have.
var unknown = []byte("unknown")

func (b *before) value(p property, old []byte) {
	if _, known := b.values[p]; !known {
		b.values[p] = old
		b.order = append(b.order, p)
	}
}

// group adds the members and licenses of a group that were before.
func (b *before) group(g licensing.GroupEffect, s *step) error {
	for _, list := range []struct {
		data []byte
		were bool
	}{{g.Joined, false}, {g.Left, true}} {
		if len(list.data) == 0 {
			continue
		}
		users := roaring.New()
		if err := tenant.Unite(users, list.data); err != nil {
			return err
		}
		m := b.moved[g.Group]
		if m == nil {
			m = &moved{roaring.New(), roaring.New()}
			b.moved[g.Group] = m
		}
		if users.AndNot(m.users); list.were {
			m.were.Or(users)
		}
		m.users.Or(users)
	}
	if _, known := b.grants[g.Group]; g.Licenses == nil || known || g.New != nil {
		return nil
	}
	b.grants[g.Group] = s.grantsBefore(g.Group)
	return nil
}

// grantsBefore returns the licenses that a group had before the command; nil if the log does not
// have them.
func (s *step) grantsBefore(group uint32) licensesOf {
	for _, g := range s.record.Licenses {
		if g.Group == group && g.Licenses != nil {
			return bySKU(*g.Licenses)
		}
	}
	return nil
}

func bySKU(list []licensing.GroupGrants) licensesOf {
	all := licensesOf{}
	for _, g := range list {
		all[g.SKU] = g.Variant
	}
	return all
}

// subscription adds a subscription that was before.
func (b *before) subscription(now tenant.SubscriptionNow, s *step) {
	id := now.Subscription.ID
	if _, known := b.subscriptions[id]; known {
		return
	}
	b.bought = append(b.bought, id)
	w := s.changed(tenant.ChangeableSubscription, 0, id)
	switch {
	case now.Removed:
		b.subscriptions[id] = &now.Subscription
	case w == nil || w.New: // only imports have no record of it, and these buy new ones
		b.subscriptions[id] = nil
	default:
		was := now.Subscription
		for _, d := range w.Properties {
			setMember(&was, d.Name, d.Old)
		}
		b.subscriptions[id] = &was
	}
}

// setMember sets a member of a subscription from JSON; nil: none.
func setMember(s *tenant.Subscription, name string, value []byte) {
	if len(value) == 0 {
		value = []byte("null")
	}
	if name == "nextLifecycleDateTime" {
		s.NextLifecycleDateTime = nil
	}
	text, err := json.Marshal(map[string]json.RawMessage{name: value})
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil { // it was written as JSON of such a member
		panic(err)
	}
}

// learnSettings adds settings that were before.
func (b *before) learnSettings(s *step) {
	for name, change := range s.settings() {
		if _, known := b.settings[name]; !known {
			b.settings[name] = change.Old
		}
	}
}

// settings returns the settings that the command changed, as the API has them.
func (s *step) settings() map[string]directory.Difference {
	all := map[string]directory.Difference{}
	for _, w := range s.record.Changed {
		if w.Of != tenant.ChangeableSettings {
			continue
		}
		for _, d := range w.Properties {
			all[d.Name] = directory.Difference{Name: d.Name, Old: d.Old, New: d.New}
		}
	}
	if s.Frozen != nil {
		old, now := tenant.MemberOfRulesFrozen, tenant.MemberOfRulesFollowed
		if s.Frozen.Frozen {
			old, now = now, old
		}
		const name = "memberOfRules"
		all[name] = directory.Difference{Name: name, Old: quoted(string(old)), New: quoted(string(now))}
	}
	return all
}

func quoted(text string) []byte {
	b, err := json.Marshal(text)
	if err != nil { // a text can always be encoded
		panic(err)
	}
	return b
}

// settingsIn returns the settings of an image, as JSON.
func settingsIn(img *tenant.Image) map[string][]byte {
	s := img.Licensing.Settings()
	number := func(n int) []byte {
		b, _ := json.Marshal(n) // a number can always be encoded
		return b
	}
	auto := []byte("false")
	if s.AutoReprocess {
		auto = []byte("true")
	}
	return map[string][]byte{
		"autoReprocess": auto, "groupBundles": quoted(string(s.GroupBundles)),
		"reprocessFailure": quoted(string(s.ReprocessFailure)), "memberOfRules": quoted(string(img.MemberOfRules())),
		"auditDays": number(img.AuditDays()), "signInDays": number(img.SignInDays()),
	}
}

// equalJSON reports whether two values are the same; no value is null.
func equalJSON(a, b []byte) bool {
	null := []byte("null")
	if len(a) == 0 {
		a = null
	}
	if len(b) == 0 {
		b = null
	}
	return bytes.Equal(a, b)
}

// sortedSKUs returns the SKUs of two lists of licenses.
func sortedSKUs(a, b licensesOf) (skus []licensing.SKU) {
	for _, list := range []licensesOf{a, b} {
		for sku := range list {
			skus = append(skus, sku)
		}
	}
	slices.Sort(skus)
	return slices.Compact(skus)
}
