package tenant

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// noted collects what a command adds to its Record.
type noted struct {
	changed           []Was
	groups, passwords []uint32 // see Record
	reprocessed       *Reprocessed
	nothing           bool // it is an import, of which the audit log has only counts (docs/spec/audit.md U22)
}

// unshown are the properties whose changes are not shown: others say the same.
var unshown = []string{"id", "deletedDateTime", "createdDateTime", "granted"}

// noteDocument notes the properties in which two documents differ, and returns their names. The
// first is nil for a new object.
func (c *change) noteDocument(w Was, was, now []byte) (names []string) {
	if w.New && c.noted.nothing {
		return nil
	}
	for _, d := range directory.Differences(was, now) {
		names = append(names, d.Name)
		if !slices.Contains(unshown, d.Name) {
			w.Properties = append(w.Properties, shown(d))
		}
	}
	c.note(w)
	return names
}

func (c *change) note(w Was) {
	if !c.noted.nothing {
		c.noted.changed = append(c.noted.changed, w)
	}
}

// shown returns a difference without secrets and keys (docs/spec/audit.md U17).
func shown(d directory.Difference) Difference {
	switch d.Name {
	case "secrets":
		return Difference{d.Name, keysIn(d.Old, "Password"), keysIn(d.New, "Password")}
	case "certificates":
		return Difference{d.Name, keysIn(d.Old, "AsymmetricX509Cert"), keysIn(d.New, "AsymmetricX509Cert")}
	}
	return Difference{d.Name, d.Old, d.New}
}

// keyNote is what is shown of a secret or certificate.
type keyNote struct {
	KeyID       uuid.UUID `json:"keyId"`
	Type        string    `json:"type"`
	DisplayName string    `json:"displayName"`
	Expires     string    `json:"expires"`
}

// keysIn returns a list of secrets or certificates as a list of what is shown of them.
func keysIn(list []byte, kind string) []byte {
	var keys []keyNote
	if len(list) == 0 || json.Unmarshal(list, &keys) != nil {
		return nil
	}
	for i := range keys {
		keys[i].Type = kind
	}
	data, err := json.Marshal(keys)
	if err != nil { // encoding texts cannot fail
		panic(err)
	}
	return data
}

// noteValues notes values that differ, given as texts, numbers or structs.
func (c *change) noteValues(w Was, was, now any) {
	old, err := json.Marshal(was)
	if err != nil { // these can always be encoded
		panic(err)
	}
	document, err := json.Marshal(now)
	if err != nil {
		panic(err)
	}
	if string(old) != string(document) {
		c.noteDocument(w, old, document)
	}
}

func (c *change) noteSettings(was, now licensing.Settings) {
	c.noteValues(Was{Of: ChangeableSettings}, was, now)
}

// noteCatalog notes how many products and service plans a catalog has.
func (c *change) noteCatalog(was, now *licensing.Catalog) {
	counts := func(of *licensing.Catalog) map[string]int {
		return map[string]int{"products": len(of.Products), "servicePlans": len(of.ServicePlans)}
	}
	c.noteValues(Was{Of: ChangeableCatalog}, counts(was), counts(now))
}

func (c *change) noteSubscription(s Subscription, removed bool) {
	was, there := c.next.Subscription(s.ID)
	w := Was{Of: ChangeableSubscription, ID: s.ID, New: !there, Removed: removed}
	switch {
	case removed:
		c.noteValues(w, s, struct{}{})
	case there:
		c.noteValues(w, was, s)
	default:
		c.noteValues(w, struct{}{}, s)
	}
}

func (c *change) noteGrant(was []string, now directory.Grant, consent bool) {
	w := Was{Of: ChangeableGrant, ID: now.Client, New: len(was) == 0, Removed: len(now.Scopes) == 0, Consent: consent}
	type grant struct {
		Scopes []string `json:"scope"`
	}
	c.noteValues(w, grant{was}, grant{now.Scopes})
}

// The maximum numbers of objects whose names a record has. Of others, the audit log shows the names
// that they have when it is read.
const (
	maxNamedUsers  = 20
	maxNamedGroups = 200
	maxNamedIDs    = 200
)

// recordOf returns the record of the command, which results in an image.
func (c *change) recordOf(by By, next *Image) *Record {
	r := &Record{
		Address: by.Address, Agent: by.Agent[:min(len(by.Agent), MaxAgent)],
		Actor:  c.base.actorNamed(by.Actor),
		Groups: c.noted.groups, Passwords: c.noted.passwords, ByRule: c.byRule(), Changed: c.noted.changed,
		Held: c.lic.Before(), Failed: c.lic.ErrorsBefore(), Licenses: c.licensesBefore(),
		Reprocessed: c.noted.reprocessed,
	}
	if by.Correlation != uuid.Nil {
		r.Correlation = by.Correlation[:]
	}
	if !c.noted.nothing {
		r.Named = c.named(next)
	}
	return r
}

// byRule returns the groups whose members follow a rule, among those whose members have changed.
func (c *change) byRule() (groups []uint32) {
	if c.effects.Licensing == nil {
		return nil
	}
	for _, g := range c.effects.Licensing.Groups {
		if r := c.following.results[g.Group]; r != nil && r.moved && len(g.Joined)+len(g.Left) > 0 {
			groups = append(groups, g.Group)
		}
	}
	return groups
}

func (r *Record) encode() ([]byte, error) { return cbor.Marshal(r) }

// actorNamed returns the names of a command's actor; nil if it is not in the directory.
func (img *Image) actorNamed(actor string) *Named {
	kind, text, _ := strings.Cut(actor, " ")
	id, err := parseID(text)
	if err != nil {
		return nil
	}
	switch kind {
	case "user":
		if user, ok := img.Directory.UserByID(id); ok {
			return new(img.UserNamed(user))
		}
	case "app":
		if principal, ok := img.Principals.ByAppID(id); ok {
			p := img.Principals.At(principal)
			return &Named{Kind: store.KindServicePrincipal, Ordinal: principal, ID: p.ID, Name: p.DisplayName}
		}
	}
	return nil
}

// licensesBefore returns the licenses that groups had whose licenses have changed.
func (c *change) licensesBefore() (list []licensing.GroupEffect) {
	if c.effects.Licensing == nil {
		return nil
	}
	for _, g := range c.effects.Licensing.Groups {
		if g.Licenses != nil && g.New == nil {
			list = append(list, licensing.GroupEffect{Group: g.Group, Licenses: c.base.Licensing.Grants(g.Group)})
		}
	}
	return list
}

// named returns the names of the users and groups that the effects mention.
func (c *change) named(next *Image) (list []Named) {
	users, groups := c.effects.mentioned(c.base.Directory.Users(), maxNamedUsers)
	for _, user := range firstOf(users, maxNamedUsers) {
		img := next
		if next.Directory.UserPurged(user) {
			img = c.base
		}
		list = append(list, img.UserNamed(user))
	}
	for _, group := range firstOf(groups, maxNamedGroups) {
		img := next
		if next.Directory.GroupPurged(group) {
			img = c.base
		}
		list = append(list, img.GroupNamed(group))
	}
	for _, m := range c.effects.UnitMembers[:min(len(c.effects.UnitMembers), maxNamedUsers)] {
		if u := next.Units.At(m.Unit); u != nil {
			list = append(list, Named{
				Kind: store.KindAdministrativeUnit, Ordinal: m.Unit, ID: u.ID, Name: u.DisplayName,
			})
		}
	}
	for _, id := range c.effects.mentionedIDs(maxNamedIDs) {
		if named, ok := next.namedByID(id); ok {
			list = append(list, named)
		} else if named, ok := c.base.namedByID(id); ok {
			list = append(list, named)
		}
	}
	return list
}

func firstOf(set *roaring.Bitmap, most int) []uint32 {
	list := make([]uint32, 0, min(uint64(most), set.GetCardinality()))
	for ordinal := range roaring.Values(set) {
		if len(list) == most {
			break
		}
		list = append(list, ordinal)
	}
	return list
}
