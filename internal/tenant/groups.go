package tenant

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// CreateGroup adds a group with its first members and owners.
type CreateGroup struct {
	Patch   directory.GroupPatch
	Members []uuid.UUID // users, groups and service principals
	Owners  []uuid.UUID // users and service principals
	Creator uuid.UUID   // of the group; ignored if not in the directory
	Unit    *uint32     // the administrative unit that it is added to; nil: none
}

func (CreateGroup) name() string { return "createGroup" }

func (cmd CreateGroup) run(c *change) error {
	g, err := directory.NewGroup(cmd.Patch, c.freshID(), c.at)
	if err != nil {
		return err
	}
	g.GiveAddress(c.next.Organization.DefaultDomain())
	group, err := c.addGroup(g)
	if err != nil {
		return err
	}
	c.created(g.ID, cmd.Creator)
	if cmd.Unit != nil {
		if err := (AddUnitMember{Unit: *cmd.Unit, Member: g.ID}).run(c); err != nil {
			return err
		}
	}
	if err := c.addMembers(group, cmd.Members); err != nil {
		return err
	}
	owners := cmd.Owners
	if kind, ok := c.base.Kind(cmd.Creator); ok && kind == store.KindUser && g.Unified() && len(owners) == 0 {
		owners = []uuid.UUID{cmd.Creator} // as in the real service
	}
	return c.addOwners(group, owners)
}

func (c *change) addGroup(g *directory.Group) (uint32, error) {
	if err := c.freeID(g.ID); err != nil {
		return 0, err
	}
	isDeleted := !g.DeletedDateTime.IsZero()
	if err := c.freeNickname(g, c.dir.Groups()); err != nil && !isDeleted {
		return 0, err
	}
	follow, err := c.govern(c.dir.Groups(), nil, g)
	if err != nil {
		return 0, err
	}
	group := c.lic.AddGroup(g.ID)
	c.dir.AddGroup(g.ID)
	if isDeleted { // in an exact import
		c.markGroup(Mark{Ordinal: group, What: MarkDeleted})
	}
	document := g.Document()
	c.noteDocument(Was{Of: Changeable(store.KindGroup), Ordinal: group, ID: g.ID, New: true}, nil, document)
	c.writeGroup(group, nil, g, document)
	c.done.ID, c.done.Ordinal = g.ID, group
	follow()
	return group, nil
}

// freeNickname refuses a Microsoft 365 group with the mailNickname of another: they would have the
// same address. The group may not exist yet.
func (c *change) freeNickname(g *directory.Group, ordinal uint32) error {
	if g.Unified() && c.dir.NicknameTaken(g.MailNickname, ordinal) {
		return taken("mailNickname", g.MailNickname)
	}
	return nil
}

func (c *change) group(group uint32) (*directory.Group, []byte, error) {
	document, err := c.document(store.KindGroup, group)
	if err != nil {
		return nil, nil, err
	}
	g, err := directory.ParseGroup(document)
	return g, document, err
}

// UpdateGroup changes properties of a group, and adds members and owners.
type UpdateGroup struct {
	Group           uint32
	Patch           directory.GroupPatch
	Members, Owners []uuid.UUID // to be added
}

func (UpdateGroup) name() string { return "updateGroup" }

func (cmd UpdateGroup) reads() ObjectKey { return ObjectKey{store.KindGroup, cmd.Group} }

func (cmd UpdateGroup) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	was, old, err := c.group(cmd.Group)
	if err != nil {
		return err
	}
	g, err := cmd.Patch.Apply(was)
	if err != nil {
		return err
	}
	if was.Licensable() && !g.Licensable() && c.base.Licensing.GroupLicensed(cmd.Group) {
		return invalid(g.ID, "securityEnabled of group %s cannot be turned off while the group has licenses. "+
			"Remove its licenses first.", g.ID)
	}
	if !strings.EqualFold(g.MailNickname, was.MailNickname) {
		if err := c.freeNickname(g, cmd.Group); err != nil {
			return err
		}
	}
	follow, err := c.govern(cmd.Group, was, g)
	if err != nil {
		return err
	}
	if document := g.Document(); !bytes.Equal(old, document) {
		c.markGroup(c.written(store.KindGroup, cmd.Group, g.ID, old, document))
		c.writeGroup(cmd.Group, was, g, document)
		follow()
	}
	if err := c.addMembers(cmd.Group, cmd.Members); err != nil {
		return err
	}
	return c.addOwners(cmd.Group, cmd.Owners)
}

// DeleteGroup moves a Microsoft 365 group to the deleted items, and permanently deletes any other
// group (docs/spec/protocol.md P52). A group with licenses is refused (docs/spec/licensing.md L35).
type DeleteGroup struct{ Group uint32 }

func (DeleteGroup) name() string { return "deleteGroup" }

func (cmd DeleteGroup) reads() ObjectKey { return ObjectKey{store.KindGroup, cmd.Group} }

func (cmd DeleteGroup) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	g, _, err := c.group(cmd.Group)
	if err != nil {
		return err
	}
	if !g.SoftDeletes() || c.base.Licensing.GroupLicensed(cmd.Group) {
		return c.purgeGroup(cmd.Group)
	}
	deleted := *g
	deleted.DeletedDateTime = c.at
	follow, err := c.govern(cmd.Group, g, &deleted)
	if err != nil {
		return err
	}
	c.markGroup(Mark{Ordinal: cmd.Group, What: MarkDeleted})
	c.writeGroup(cmd.Group, g, &deleted, deleted.Document())
	follow()
	return nil
}

func (c *change) purgeGroup(group uint32) error {
	id := c.dir.GroupID(group)
	members := c.base.Licensing.GroupMembers(group)
	if err := c.lic.PurgeGroup(group); err != nil {
		return err
	}
	c.setMembers(group, members, false)
	c.ungovern(group)
	// The log must contain it, since no other effect implies it.
	for _, outer := range slices.Clone(c.dir.GroupMemberOf(group)) {
		c.record(Nesting{Group: outer, Member: group, Removed: true})
	}
	c.leaveUnits(group, true)
	c.unlink(id)
	c.forgetRoles(id)
	c.markGroup(Mark{Ordinal: group, What: MarkPurged})
	c.write(store.Object{Kind: store.KindGroup, Ordinal: group, ID: id, Purged: true})
	return nil
}

// RestoreGroup restores a deleted group.
type RestoreGroup struct{ Group uint32 }

func (RestoreGroup) name() string { return "restoreGroup" }

func (cmd RestoreGroup) run(c *change) error {
	g, err := c.deletedGroup(cmd.Group)
	if err != nil {
		return err
	}
	if c.at.Sub(g.DeletedDateTime) > KeptFor {
		return noSuch(g.ID)
	}
	if err := c.freeNickname(g, cmd.Group); err != nil {
		return err
	}
	restored := *g
	restored.DeletedDateTime = time.Time{}
	follow, err := c.govern(cmd.Group, g, &restored)
	if err != nil {
		return err
	}
	c.markGroup(Mark{Ordinal: cmd.Group, What: MarkRestored})
	c.done.ID, c.done.Ordinal = g.ID, cmd.Group
	c.writeGroup(cmd.Group, g, &restored, restored.Document())
	follow()
	return nil
}

func (c *change) deletedGroup(group uint32) (*directory.Group, error) {
	if c.dir.GroupPurged(group) || !c.dir.GroupDeleted(group) {
		return nil, noSuch(c.dir.GroupID(group))
	}
	g, _, err := c.group(group)
	return g, err
}

// PurgeGroup permanently deletes a deleted group.
type PurgeGroup struct{ Group uint32 }

func (PurgeGroup) name() string { return "purgeGroup" }

func (cmd PurgeGroup) run(c *change) error {
	if c.dir.GroupPurged(cmd.Group) || !c.dir.GroupDeleted(cmd.Group) {
		return noSuch(c.dir.GroupID(cmd.Group))
	}
	return c.purgeGroup(cmd.Group)
}

// AddMembers adds users, groups and service principals to a group: all, or none after an error.
type AddMembers struct {
	Group   uint32
	Members []uuid.UUID
}

func (AddMembers) name() string { return "addMembers" }

func (cmd AddMembers) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	return c.addMembers(cmd.Group, cmd.Members)
}

func (c *change) addMembers(group uint32, members []uuid.UUID) error {
	if len(members) > 0 {
		if err := c.byHand(group); err != nil {
			return err
		}
	}
	users := roaring.New()
	for _, id := range members {
		if user, ok := c.dir.LiveUserByID(id); ok {
			if users.Contains(user) || c.dir.IsMember(user, group) {
				return alreadyThere(id, "members")
			}
			users.Add(user)
			continue
		}
		if err := c.addOther(group, id); err != nil {
			return err
		}
	}
	c.join(group, users)
	return nil
}

// join adds the users who are not members yet.
func (c *change) join(group uint32, users *roaring.Bitmap) {
	c.setMembers(group, users, true)
	c.lic.AddMembers(group, users)
}

// addOther adds a group or a service principal.
func (c *change) addOther(group uint32, id uuid.UUID) error {
	if _, ok := c.base.Principals.ByID(id); ok {
		if !c.link(c.memberLink(group, id), true) {
			return alreadyThere(id, "members")
		}
		return nil
	}
	member, ok := c.dir.GroupByID(id)
	if !ok || c.dir.GroupDeleted(member) {
		return noSuch(id)
	}
	if c.roleAssignable(group) {
		return invalid(id, "Nesting is currently not supported for groups that can be assigned to a role.")
	}
	if member == group {
		return invalid(id, "Group %s cannot be a member of itself.", id)
	}
	if !c.record(Nesting{Group: group, Member: member}) {
		return alreadyThere(id, "members")
	}
	return nil
}

// roleAssignable is Image.RoleAssignable for a group that the command may have created.
func (c *change) roleAssignable(group uint32) bool {
	if group < c.base.Directory.Groups() {
		return c.base.RoleAssignable(group)
	}
	g, _, err := c.group(group)
	return err == nil && g.IsAssignableToRole != nil && *g.IsAssignableToRole
}

func (c *change) memberLink(group uint32, id uuid.UUID) directory.Link {
	return directory.Link{Relation: directory.RelationHasMember, From: c.dir.GroupID(group), To: id}
}

func (c *change) ownerLink(group uint32, id uuid.UUID) directory.Link {
	return directory.Link{Relation: directory.RelationOwnedBy, From: c.dir.GroupID(group), To: id}
}

func alreadyThere(id uuid.UUID, property string) *CommandError {
	return invalid(id,
		"One or more added object references already exist for the following modified properties: '%s'.", property)
}

// RemoveMember removes a user, group or service principal from a group.
type RemoveMember struct {
	Group  uint32
	Member uuid.UUID
}

func (RemoveMember) name() string { return "removeMember" }

func (cmd RemoveMember) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	if err := c.byHand(cmd.Group); err != nil {
		return err
	}
	if user, ok := c.dir.UserByID(cmd.Member); ok {
		if c.dir.UserDeleted(user) || !c.dir.IsMember(user, cmd.Group) {
			return noSuch(cmd.Member)
		}
		c.setMembers(cmd.Group, one(user), false)
		c.lic.RemoveMembers(cmd.Group, one(user))
		return nil
	}
	if c.link(c.memberLink(cmd.Group, cmd.Member), false) {
		return nil
	}
	member, ok := c.dir.GroupByID(cmd.Member)
	if !ok || member == cmd.Group || !c.record(Nesting{Group: cmd.Group, Member: member, Removed: true}) {
		return noSuch(cmd.Member)
	}
	return nil
}

// AddOwners adds users and service principals to the owners of a group.
type AddOwners struct {
	Group  uint32
	Owners []uuid.UUID
}

func (AddOwners) name() string { return "addOwners" }

func (cmd AddOwners) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	return c.addOwners(cmd.Group, cmd.Owners)
}

func (c *change) addOwners(group uint32, owners []uuid.UUID) error {
	for _, id := range owners {
		if err := c.addOwner(group, id); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) addOwner(group uint32, id uuid.UUID) error {
	user, isUser := c.dir.UserByID(id)
	isUser = isUser && !c.dir.UserDeleted(user)
	_, isPrincipal := c.base.Principals.ByID(id)
	if !isUser && !isPrincipal {
		return noSuch(id)
	}
	of := c.dir.GroupID(group)
	if err := few(of, "owners", maxOwners, len(c.dir.Owners(group))+c.linksFrom(directory.RelationOwnedBy, of)); err != nil {
		return err
	}
	switch {
	case isPrincipal && !c.link(c.ownerLink(group, id), true),
		isUser && !c.record(Ownership{Group: group, Member: user}):
		return alreadyThere(id, "owners")
	}
	return nil
}

// RemoveOwner removes an owner of a group. The last one cannot be removed, as in the real service.
type RemoveOwner struct {
	Group uint32
	Owner uuid.UUID
}

func (RemoveOwner) name() string { return "removeOwner" }

func (cmd RemoveOwner) run(c *change) error {
	if err := c.liveGroup(cmd.Group); err != nil {
		return err
	}
	user, isUser := c.dir.UserByID(cmd.Owner)
	switch {
	case c.link(c.ownerLink(cmd.Group, cmd.Owner), false):
	case isUser && c.record(Ownership{Group: cmd.Group, Member: user, Removed: true}):
	default:
		return noSuch(cmd.Owner)
	}
	if !c.owned(cmd.Group, cmd.Owner) {
		return invalid(cmd.Owner, "The group must have at least one owner, hence this owner cannot be removed.")
	}
	return nil
}

// owned reports whether a group has an owner that is not deleted, in addition to one that was just
// removed.
func (c *change) owned(group uint32, removed uuid.UUID) bool {
	for id := range c.base.Links.From(directory.RelationOwnedBy, c.dir.GroupID(group)) {
		if _, live := c.base.Kind(id); live && id != removed {
			return true
		}
	}
	return slices.ContainsFunc(c.dir.Owners(group), func(user uint32) bool { return !c.dir.UserDeleted(user) })
}
