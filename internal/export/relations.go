package export

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

func (w *rowWriter) id(id uuid.UUID) {
	w.add(func(b []byte) []byte { return jsontext.AppendID(b, id) })
}

func (w *rowWriter) text(text string) {
	w.add(func(b []byte) []byte { return jsontext.AppendText(b, text) })
}

func (w *rowWriter) null() { w.add(func(b []byte) []byte { return append(b, "null"...) }) }

// The values of the columns memberType and ownerType.
const (
	isUser      = "user"
	isGroup     = "group"
	isPrincipal = "servicePrincipal"
)

// link writes a row that joins two objects, and the kind of the second.
func (w *rowWriter) link(from, to uuid.UUID, kind string) error {
	w.id(from)
	w.id(to)
	w.text(kind)
	if err := w.end(); err != nil {
		return err
	}
	return w.advance()
}

// notPrincipal omits the rows of service principals, which are not exported.
func notPrincipal(row [][]byte) bool { return string(row[2]) != `"`+isPrincipal+`"` }

// eachGroup calls do with the groups that are not purged.
func (t *Tenant) eachGroup(do func(group uint32, id uuid.UUID) error) error {
	dir := t.image.Directory
	for group := range dir.Groups() {
		if dir.GroupPurged(group) {
			continue
		}
		if err := do(group, dir.GroupID(group)); err != nil {
			return err
		}
	}
	return nil
}

// linked returns the objects that a relation leads to from a group, in order.
func (t *Tenant) linked(r directory.Relation, id uuid.UUID) []uuid.UUID {
	return slices.SortedFunc(t.image.Links.From(r, id), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

var memberships = &table{
	name: "memberships", line: "member", imported: notPrincipal,
	columns: []column{text("groupId").as("group"), text("memberId").as("member"), text("memberType").as("-")},
	size:    func(t *Tenant) int { return t.image.Memberships + t.image.Nested },
	rows: func(t *Tenant, to *rowWriter) error {
		return t.eachGroup(func(group uint32, id uuid.UUID) error { return t.members(to, group, id) })
	},
}

func (t *Tenant) members(to *rowWriter, group uint32, id uuid.UUID) error {
	if members := t.image.Licensing.GroupMembers(group); members != nil {
		for it := members.Iterator(); it.HasNext(); {
			if err := to.link(id, t.image.Directory.UserID(it.Next()), isUser); err != nil {
				return err
			}
		}
	}
	for _, member := range t.image.Directory.GroupMembersOf(group) {
		if err := to.link(id, t.image.Directory.GroupID(member), isGroup); err != nil {
			return err
		}
	}
	for _, principal := range t.linked(directory.RelationHasMember, id) {
		if err := to.link(id, principal, isPrincipal); err != nil {
			return err
		}
	}
	return nil
}

var owners = &table{
	name: "owners", line: "owner", imported: notPrincipal,
	columns: []column{text("groupId").as("group"), text("ownerId").as("owner"), text("ownerType").as("-")},
	size:    func(*Tenant) int { return 0 },
	rows: func(t *Tenant, to *rowWriter) error {
		return t.eachGroup(func(group uint32, id uuid.UUID) error {
			for _, owner := range t.image.Directory.EverOwners(group) {
				if t.image.Directory.UserPurged(owner) {
					continue
				}
				if err := to.link(id, t.image.Directory.UserID(owner), isUser); err != nil {
					return err
				}
			}
			for _, principal := range t.linked(directory.RelationOwnedBy, id) {
				if err := to.link(id, principal, isPrincipal); err != nil {
					return err
				}
			}
			return nil
		})
	},
}

var managers = &table{
	name: "managers", line: "manager",
	columns: []column{text("userId").as("user"), text("managerId").as("manager")},
	size:    func(t *Tenant) int { return int(t.image.Directory.Users()) },
	rows: func(t *Tenant, to *rowWriter) error {
		dir := t.image.Directory
		for user := range dir.Users() {
			if manager, ok := dir.Manager(user); ok && !dir.UserPurged(user) {
				to.id(dir.UserID(user))
				to.id(dir.UserID(manager))
				if err := to.end(); err != nil {
					return err
				}
			}
			if err := to.advance(); err != nil {
				return err
			}
		}
		return nil
	},
}

// sku writes a license and the name of its product.
func (w *rowWriter) sku(id uuid.UUID) {
	w.id(id)
	if p, ok := w.tenant.image.Licensing.Product(id); ok {
		w.text(p.SKUPartNumber)
	} else {
		w.null()
	}
}

func (w *rowWriter) plans(disabled []uuid.UUID) {
	sorted := slices.SortedFunc(slices.Values(disabled), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	w.add(func(b []byte) []byte { return jsontext.AppendList(b, sorted, jsontext.AppendID) })
}

var licenses = &table{
	name: "licenses", line: "license",
	columns: []column{
		text("groupId").as("group"), text("skuId"), text("skuPartNumber").as("-"),
		of("disabledPlans", directory.KindStringCollection),
	},
	size: func(*Tenant) int { return 0 },
	rows: func(t *Tenant, to *rowWriter) error {
		return t.eachGroup(func(group uint32, id uuid.UUID) error {
			list := t.image.Licensing.GroupLicenses(group)
			slices.SortFunc(list, func(a, b licensing.Assign) int { return bytes.Compare(a.SKUID[:], b.SKUID[:]) })
			for _, l := range list {
				to.id(id)
				to.sku(l.SKUID)
				to.plans(l.DisabledPlans)
				if err := to.end(); err != nil {
					return err
				}
			}
			return nil
		})
	},
}

var states = &table{
	name: "states", line: "state",
	columns: []column{
		text("userId").as("user"), text("skuId"), text("skuPartNumber").as("-"), text("assignedByGroup"),
		text("state"), text("error"), of("disabledPlans", directory.KindStringCollection),
		of("lastUpdatedDateTime", directory.KindDateTime).as("-"),
	},
	size: func(t *Tenant) int { return int(t.image.Directory.Users()) },
	rows: func(t *Tenant, to *rowWriter) error {
		dir := t.image.Directory
		for user := range dir.Users() {
			if !dir.UserPurged(user) {
				if err := t.states(to, user); err != nil {
					return err
				}
			}
			if err := to.advance(); err != nil {
				return err
			}
		}
		return nil
	},
}

// states writes the licenses of a user: direct ones first, then those of groups in their order.
func (t *Tenant) states(to *rowWriter, user uint32) error {
	list := slices.SortedFunc(t.image.Licensing.States(user), func(a, b licensing.State) int {
		switch {
		case a.Direct != b.Direct && a.Direct:
			return -1
		case a.Direct != b.Direct:
			return 1
		}
		return cmp.Or(cmp.Compare(a.Group, b.Group), bytes.Compare(a.SKUID[:], b.SKUID[:]))
	})
	for i := range list {
		s := &list[i]
		to.id(t.image.Directory.UserID(user))
		to.sku(s.SKUID)
		if s.Direct {
			to.null()
		} else {
			to.id(t.image.Directory.GroupID(s.Group))
		}
		to.text(s.State)
		to.text(s.Error.String())
		to.plans(s.DisabledPlans)
		to.add(func(b []byte) []byte { return jsontext.AppendTime(b, s.Updated) })
		if err := to.end(); err != nil {
			return err
		}
	}
	return nil
}
