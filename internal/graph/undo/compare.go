package undo

import (
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// compare compares the draft with what was before, and notes what stays different.
func (u *undoing) compare(steps []step) error {
	for _, key := range u.before.objects {
		u.compareState(key)
	}
	if err := u.compareProperties(); err != nil {
		return err
	}
	u.compareManagers()
	u.compareTies()
	if err := u.compareMembers(); err != nil {
		return err
	}
	u.compareGroupLicenses()
	u.compareSubscriptions()
	u.compareSettings(steps)
	for i := range steps {
		u.others(&steps[i])
	}
	return u.compareLicenses()
}

// stays notes something that stays different.
func (u *undoing) stays(s Stay) {
	if u.result.Count++; len(u.result.Stays) < MaxStays {
		u.result.Stays = append(u.result.Stays, s)
	}
}

// counted counts something that stays different if the list is full, so that nothing else needs to
// be known of it.
func (u *undoing) counted() bool {
	if len(u.result.Stays) < MaxStays {
		return false
	}
	u.result.Count++
	return true
}

// of returns a Stay of a user or group.
func (u *undoing) of(key tenant.ObjectKey, what string) Stay {
	img := u.Image()
	named := img.GroupNamed(key.Ordinal)
	s := Stay{Type: "group", What: what}
	if key.Kind == store.KindUser {
		named, s.Type = img.UserNamed(key.Ordinal), "user"
	}
	if named.ID == uuid.Nil {
		named = u.before.names[key]
	}
	s.ID, s.Name, s.Principal = named.ID, named.Name, named.Principal
	return s
}

// ofID returns a Stay of an object with an id.
func (u *undoing) ofID(id uuid.UUID, what string) Stay {
	img := u.Image()
	if user, ok := img.Directory.UserByID(id); ok {
		return u.of(userKey(user), what)
	}
	if group, ok := img.Directory.GroupByID(id); ok {
		return u.of(groupKey(group), what)
	}
	s := Stay{Type: "directoryObject", ID: id, What: what}
	if principal, ok := img.Principals.ByID(id); ok {
		s.Type, s.Name = "servicePrincipal", img.Principals.At(principal).DisplayName
	} else if application, ok := img.Applications.ByID(id); ok {
		s.Type, s.Name = "application", img.Applications.At(application).DisplayName
	}
	return s
}

// compareState compares whether an object exists. What was not there and is deleted now can be
// restored for a while.
func (u *undoing) compareState(key tenant.ObjectKey) {
	was, is := u.before.states[key], stateIn(u.Image(), key)
	s := u.of(key, "deletedDateTime")
	switch {
	case was == is && is == deleted:
		s.Why = "It was deleted again, so its time has changed, and it can be restored for another 30 days."
	case was == is:
		return
	case is == absent:
		s.What, s.Why = "id", whyPurged
	case was == absent && is == deleted:
		s.Why = "A deleted item remains for 30 days."
	default:
		s.What = "id"
		s.Why = u.reason(subject{of: s.ID}, whyNoRequest)
		if was == live || was == deleted {
			s.What = "deletedDateTime"
		}
	}
	u.stays(s)
}

// beyond reports whether the properties of an object are not compared: the commit created it, or a
// later one has deleted it, which is noted.
func (u *undoing) beyond(key tenant.ObjectKey) bool {
	if u.before.created(key) {
		return true
	}
	is := stateIn(u.Image(), key)
	if _, compared := u.before.states[key]; is == live || compared {
		return is == absent
	}
	if is == deleted && !u.deletedSince(key) {
		return false
	}
	if !u.noted[key] {
		u.noted[key] = true
		s := u.of(key, "id")
		if s.Why = whyPurged; is == deleted {
			s.What, s.Why = "deletedDateTime", whyDeleted
		}
		u.stays(s)
	}
	return true
}

// deletedSince reports whether a later commit has deleted an object that is deleted.
func (u *undoing) deletedSince(key tenant.ObjectKey) bool {
	o, _ := u.object(key)
	at, err := u.deletedAt(key)
	return err == nil && !at.Before(u.at.Truncate(time.Second)) && u.since(o.kind(), key.Ordinal)
}

// compareProperties compares properties of users and groups that exist.
func (u *undoing) compareProperties() error {
	var at tenant.ObjectKey
	var values map[string][]byte
	for _, p := range u.before.order {
		if u.beyond(p.ObjectKey) {
			continue
		}
		if at != p.ObjectKey || values == nil {
			if err := u.pace(); err != nil {
				return err
			}
			document, err := u.Document(u.ctx, p.Kind, p.Ordinal)
			if err != nil {
				return err
			}
			at, values = p.ObjectKey, flat(document)
		}
		old := u.before.values[p]
		if equalJSON(values[p.name], old) {
			continue
		}
		s := u.of(p.ObjectKey, p.name)
		if s.Why = u.reason(subject{of: s.ID, what: p.name}, whyFollows); string(old) == string(unknown) {
			s.Why = whyUnknown
		}
		u.stays(s)
	}
	return nil
}

func (u *undoing) compareManagers() {
	for _, user := range slices.Sorted(maps.Keys(u.before.managers)) {
		key := userKey(user)
		if u.beyond(key) {
			continue
		}
		is := uint32(0)
		if manager, ok := u.Image().Directory.Manager(user); ok {
			is = manager + 1
		}
		if is != u.before.managers[user] {
			s := u.of(key, "manager")
			s.Why = u.reason(subject{of: s.ID, what: s.What}, whyFollows)
			u.stays(s)
		}
	}
}

func (u *undoing) compareTies() {
	for _, key := range u.before.lost {
		u.beyond(key)
	}
	for _, t := range u.before.tieOrder {
		if t.exists(u.Image()) == u.before.ties[t] || u.skipped(t) {
			continue
		}
		s := u.ofID(t.from, t.what)
		s.Other, s.Why = t.to, u.reason(t.subject(), whyFollows)
		if kind, _ := u.Image().Kind(t.from); u.private(t, kind) {
			s.Other = uuid.Nil
		}
		u.stays(s)
	}
}

// compareMembers compares the members of groups: of those whose members the commit changed, and of
// those whose rules have other results now.
func (u *undoing) compareMembers() error {
	base, now := u.Base().Licensing, u.Image().Licensing
	for group := range uint32(now.Groups()) {
		m, key := u.before.moved[group], groupKey(group)
		is := now.GroupMembers(group)
		unchanged := int(group) < base.Groups() && base.GroupMembers(group) == is
		if m == nil && unchanged || u.beyond(key) {
			continue
		}
		different := roaring.New()
		if !unchanged && int(group) < base.Groups() {
			different = roaring.Xor(base.GroupMembers(group), is)
		}
		if m != nil {
			different.AndNot(m.users)
			changed := roaring.Xor(roaring.And(is, m.users), m.were)
			different.Or(changed)
		}
		for user := range roaring.Values(different) {
			if err := u.pace(); err != nil {
				return err
			}
			if u.beyond(userKey(user)) || u.counted() {
				continue
			}
			s := u.of(key, members)
			if !u.rights.Members {
				s.Why = whyPrivate
				u.stays(s)
				break
			}
			s.Other = u.Image().Directory.UserID(user)
			s.Why = u.reason(memberOf(s.ID, s.Other), whyFollows)
			u.stays(s)
		}
	}
	return nil
}

func (u *undoing) compareGroupLicenses() {
	img := u.Image().Licensing
	for _, group := range slices.Sorted(maps.Keys(u.before.grants)) {
		key, was := groupKey(group), u.before.grants[group]
		if u.beyond(key) {
			continue
		}
		s := u.of(key, licenses)
		if was == nil {
			s.Why = whyUnknown
			u.stays(s)
			continue
		}
		is := bySKU(*img.Grants(group))
		for _, sku := range sortedSKUs(was, is) {
			if was[sku] != is[sku] {
				s.SKUID = img.SKUOf(sku)
				s.SKUName = u.partNumber(s.SKUID)
				s.Why = u.reason(licenseOf(s.ID, s.SKUID), whyChanged)
				u.stays(s)
			}
		}
	}
}

// partNumber returns the name of a product; "" if the catalog does not have it.
func (u *undoing) partNumber(skuID uuid.UUID) string {
	if p, ok := u.Image().Licensing.Product(skuID); ok {
		return p.SKUPartNumber
	}
	return ""
}

func (u *undoing) compareSubscriptions() {
	for _, id := range u.before.bought {
		was := u.before.subscriptions[id]
		is, there := u.Image().Subscription(id)
		s := Stay{Type: "subscription", ID: id, What: "id"}
		switch {
		case was == nil && !there:
		case was == nil:
			s.SKUID, s.SKUName, s.Why = is.SKUID, u.partNumber(is.SKUID), u.reason(subject{of: id}, whyNoRequest)
			u.stays(s)
		case !there:
			s.SKUID, s.SKUName = was.SKUID, u.partNumber(was.SKUID)
			s.Why = u.reason(subject{of: id}, "It is bought again, with another id and time.")
			u.stays(s)
		default:
			s.SKUID, s.SKUName = was.SKUID, u.partNumber(was.SKUID)
			before, after := membersOf(was), membersOf(&is)
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if !equalJSON(before[name], after[name]) {
					s.What, s.Why = name, u.reason(subject{of: id, what: name}, whyFollows)
					u.stays(s)
				}
			}
		}
	}
}

// compareSettings compares the settings that the commit changed. Commits of earlier formats do not
// say what they were.
func (u *undoing) compareSettings(steps []step) {
	org := u.Base().Organization
	is := settingsIn(u.Image())
	for _, name := range slices.Sorted(maps.Keys(u.before.settings)) {
		if !equalJSON(is[name], u.before.settings[name]) {
			why := u.reason(u.setting(name), whyFollows)
			u.stays(Stay{Type: "tenant", ID: org.ID, Name: org.DisplayName, What: name, Why: why})
		}
	}
	for i := range steps {
		if s := &steps[i]; s.Licensing != nil && s.Licensing.Settings != nil && !s.recorded {
			u.stays(Stay{Type: "tenant", ID: org.ID, Name: org.DisplayName, What: "settings", Why: whyUnknown})
		}
	}
}
