package tenant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// LinkNow is a link between two objects that was added or removed.
type LinkNow struct {
	directory.Link `cbor:"1,keyasint"`
	Removed        bool `cbor:"2,keyasint,omitempty"`
}

// Owns reports whether an object is an owner of a group, application or service principal.
func (img *Image) Owns(owner, object uuid.UUID) bool {
	if img.Links.Has(directory.Link{Relation: directory.RelationOwnedBy, From: object, To: owner}) {
		return true
	}
	user, isUser := img.Directory.UserByID(owner)
	group, isGroup := img.Directory.GroupByID(object)
	return isUser && isGroup && slices.Contains(img.Directory.Owners(group), user)
}

// Assigned reports whether a user has an app role of a service principal, directly or as a direct
// member of a group. Its time does not depend on how many users and groups have one.
func (img *Image) Assigned(user, principal uuid.UUID) bool {
	if img.Links.Joins(directory.RelationHasRole, user, principal) {
		return true
	}
	ordinal, ok := img.Directory.UserByID(user)
	return ok && slices.ContainsFunc(img.Directory.MemberOf(ordinal), func(group uint32) bool {
		id := img.Directory.GroupID(group)
		return !img.Directory.GroupDeleted(group) && img.Links.Joins(directory.RelationHasRole, id, principal)
	})
}

// Kind returns the kind of a user, group, application, service principal or administrative unit
// that is not deleted; false if there is none with this id.
func (img *Image) Kind(id uuid.UUID) (store.Kind, bool) {
	if _, ok := img.Directory.LiveUserByID(id); ok {
		return store.KindUser, true
	}
	if _, ok := img.Directory.LiveGroupByID(id); ok {
		return store.KindGroup, true
	}
	if _, ok := img.Principals.ByID(id); ok {
		return store.KindServicePrincipal, true
	}
	if _, ok := img.Applications.ByID(id); ok {
		return store.KindApplication, true
	}
	if _, ok := img.Units.ByID(id); ok {
		return store.KindAdministrativeUnit, true
	}
	return 0, false
}

// acts reports whether an object can create and own others: a user or a service principal.
func (img *Image) acts(id uuid.UUID) bool {
	kind, ok := img.Kind(id)
	return ok && (kind == store.KindUser || kind == store.KindServicePrincipal)
}

// acts is Image.acts, except for objects that the command has purged.
func (c *change) acts(id uuid.UUID) bool {
	principal, ok := c.base.Principals.ByID(id)
	if ok && c.principals.draft != nil && c.principals.draft.At(principal) == nil {
		return false
	}
	return c.base.acts(id)
}

// linkable has the relations that have commands of their own: the kinds of objects that they link,
// and the error for a link that exists.
var linkable = map[directory.Relation]struct {
	from, to []store.Kind
	there    func(to uuid.UUID) *CommandError
}{
	directory.RelationOwnedBy: {
		[]store.Kind{store.KindApplication, store.KindServicePrincipal},
		[]store.Kind{store.KindUser, store.KindServicePrincipal},
		func(to uuid.UUID) *CommandError { return alreadyThere(to, "owners") },
	},
	directory.RelationSponsoredBy: {
		[]store.Kind{store.KindUser},
		[]store.Kind{store.KindUser, store.KindGroup},
		func(to uuid.UUID) *CommandError { return alreadyThere(to, "sponsors") },
	},
	directory.RelationHasRole: {
		[]store.Kind{store.KindUser, store.KindGroup, store.KindServicePrincipal},
		[]store.Kind{store.KindServicePrincipal},
		func(to uuid.UUID) *CommandError {
			return invalid(to, GrantedText)
		},
	},
}

// AddLink adds a link: from an application or service principal to an owner, from a user to a
// sponsor, or from a user, group or service principal to a service principal of which it gets an
// app role.
type AddLink struct{ Link directory.Link }

func (AddLink) name() string { return "addLink" }

func (cmd AddLink) run(c *change) error {
	kinds := linkable[cmd.Link.Relation]
	if kind, ok := c.base.Kind(cmd.Link.From); !ok || !slices.Contains(kinds.from, kind) {
		return noSuch(cmd.Link.From)
	}
	if kind, ok := c.base.Kind(cmd.Link.To); !ok || !slices.Contains(kinds.to, kind) {
		return noSuch(cmd.Link.To)
	}
	if err := c.base.assignable(cmd.Link); err != nil {
		return err
	}
	if b, ok := fewLinks[cmd.Link.Relation]; ok {
		if err := few(cmd.Link.From, b.what, b.most, c.linksFrom(cmd.Link.Relation, cmd.Link.From)); err != nil {
			return err
		}
	}
	if !c.link(cmd.Link, true) {
		return kinds.there(cmd.Link.To)
	}
	return nil
}

// assignable refuses an app role that the service principal does not have, or not for this kind of
// object. The zero id, which means no role, is always possible.
func (img *Image) assignable(l directory.Link) error {
	if l.Relation != directory.RelationHasRole || l.Role == uuid.Nil {
		return nil
	}
	resource, _ := img.Principals.ByID(l.To)
	client := img.PrincipalAt(resource)
	kind, _ := img.Kind(l.From)
	role, ok := client.AppRole(l.Role)
	switch {
	case !ok:
		return invalid(l.Role, NoAppRoleText, client.AppID)
	case !role.Allows(kind == store.KindServicePrincipal):
		return invalid(l.Role, "Permission being assigned, '%s' of application '%s', is not for this type of "+
			"principal: its allowedMemberTypes are %s.",
			l.Role, client.AppID, strings.Join(role.AllowedMemberTypes, ", "))
	}
	return nil
}

// RemoveLink removes a link that AddLink can add.
type RemoveLink struct{ Link directory.Link }

func (RemoveLink) name() string { return "removeLink" }

func (cmd RemoveLink) run(c *change) error {
	kinds := linkable[cmd.Link.Relation]
	if kind, ok := c.base.Kind(cmd.Link.From); !ok || !slices.Contains(kinds.from, kind) {
		return noSuch(cmd.Link.From)
	}
	if !c.link(cmd.Link, false) {
		return noSuch(cmd.Link.To)
	}
	return nil
}

// link adds or removes a link; it returns false if that changes nothing.
func (c *change) link(l directory.Link, is bool) bool {
	return c.record(LinkNow{l, !is})
}

// unlink removes all links of an object that is purged.
func (c *change) unlink(id uuid.UUID) {
	for _, l := range slices.Collect(c.next.Links.Of(id)) {
		c.link(l, false)
	}
}

// created records the creator of an object, if the creator is in the directory.
func (c *change) created(id, creator uuid.UUID) {
	if c.acts(creator) {
		c.link(directory.Link{Relation: directory.RelationCreatedBy, From: id, To: creator}, true)
	}
}

// own adds the first owners of a new application or service principal: those named, and its
// creator.
func (c *change) own(id uuid.UUID, owners []uuid.UUID, creator uuid.UUID) error {
	if c.acts(creator) && !slices.Contains(owners, creator) {
		owners = append(slices.Clip(owners), creator)
	}
	if err := few(id, "owners", maxOwners, len(owners)-1); err != nil {
		return err
	}
	for _, owner := range owners {
		if !c.acts(owner) {
			return noSuch(owner)
		}
		if !c.link(directory.Link{Relation: directory.RelationOwnedBy, From: id, To: owner}, true) {
			return alreadyThere(owner, "owners")
		}
	}
	c.created(id, creator)
	return nil
}

// sponsor adds sponsors of a user.
func (c *change) sponsor(user uuid.UUID, sponsors []uuid.UUID) error {
	kinds := linkable[directory.RelationSponsoredBy]
	if err := few(user, "sponsors", maxSponsors, c.linksFrom(directory.RelationSponsoredBy, user)+len(sponsors)-1); err != nil {
		return err
	}
	for _, id := range sponsors {
		if kind, ok := c.base.Kind(id); !ok || !slices.Contains(kinds.to, kind) {
			return noSuch(id)
		}
		if !c.link(directory.Link{Relation: directory.RelationSponsoredBy, From: user, To: id}, true) {
			return kinds.there(id)
		}
	}
	return nil
}

func (now LinkNow) apply(d *draft) (bool, error) {
	if err := knownRelation(now.Link); err != nil {
		return false, err
	}
	if d.next.Links.Has(now.Link) != now.Removed {
		return false, nil
	}
	if d.next.Links == d.base.Links {
		d.next.Links = d.base.Links.Copy()
	}
	if d.next.Links.Set(now.Link, !now.Removed); !now.Removed {
		d.next.Links.SetSince(now.Link, d.next.At)
	}
	return true, nil
}

func (now LinkNow) note(f *Effects) { f.Links = append(f.Links, now) }

func knownRelation(l directory.Link) error {
	if l.Relation < directory.RelationOwnedBy || l.Relation > directory.RelationHasRole {
		return fmt.Errorf("the relation %d is not known", l.Relation)
	}
	return nil
}

// restoreLinks restores links from a snapshot, with the times of their creation as far as these are
// known.
func restoreLinks(list []directory.Link, times []int64) (*directory.Links, error) {
	links := new(directory.Links)
	for i, l := range list {
		if err := knownRelation(l); err != nil {
			return nil, err
		}
		if links.Set(l, true); i < len(times) && times[i] != 0 {
			links.SetSince(l, time.Unix(times[i], 0))
		}
	}
	return links, nil
}

// linkTimes returns the times of all links in their order, in seconds; nil if none is known.
func linkTimes(links *directory.Links) (times []int64) {
	n := 0
	for l := range links.All() {
		if at := links.Since(l); !at.IsZero() {
			times = append(times, make([]int64, n-len(times))...)
			times = append(times, at.Unix())
		}
		n++
	}
	return times
}
