package model

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// ID returns the id of the n-th user ('u'), group ('g'), SKU ('s') or plan ('p'). The rank is its
// first byte, so that the order of ids as bytes can differ from that of creation.
func ID(kind byte, n, rank int) uuid.UUID {
	return uuid.UUID{0: byte(rank), 6: 0x40, 8: 0x80, 14: kind, 15: byte(n)}
}

// Name returns the short name of an id that ID returned, such as u3; for others the first eight
// digits.
func Name(id uuid.UUID) string {
	if strings.IndexByte("ugsp", id[14]) < 0 || id != ID(id[14], int(id[15]), int(id[0])) {
		return id.String()[:8]
	}
	return fmt.Sprintf("%c%d", id[14], id[15])
}

func names(ids []uuid.UUID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = Name(id)
	}
	return strings.Join(texts, " ")
}

func assignText(add []Assign, remove []uuid.UUID) string {
	var texts []string
	for _, a := range add {
		text := "+" + Name(a.SKU)
		if len(a.Disabled) > 0 {
			text += " without[" + names(a.Disabled) + "]"
		}
		texts = append(texts, text)
	}
	for _, sku := range remove {
		texts = append(texts, "-"+Name(sku))
	}
	return strings.Join(texts, ", ")
}

func catalogText(c licensing.Catalog) string {
	var b strings.Builder
	for _, p := range c.Products {
		fmt.Fprintf(&b, "\n    %s %s [%s]", Name(p.SKUID), p.AppliesTo, names(p.ServicePlanIDs))
	}
	for _, p := range c.ServicePlans {
		fmt.Fprintf(&b, "\n    %s %s", Name(p.ID), p.Service)
		if len(p.Excludes) > 0 {
			fmt.Fprintf(&b, " excludes %s", names(p.Excludes))
		}
		for _, set := range p.RequiresAnyOf {
			fmt.Fprintf(&b, " requires any of %s", names(set))
		}
		if len(p.ProhibitedIn) > 0 {
			fmt.Fprintf(&b, " prohibited in %v", p.ProhibitedIn)
		}
	}
	return b.String()
}

func (op AddUser) String() string {
	return fmt.Sprintf("add user %s at %q", Name(op.User), op.Location)
}

func (op SetLocation) String() string {
	return fmt.Sprintf("set location of %s to %q", Name(op.User), op.Location)
}

func (op SetDuplicate) String() string {
	return fmt.Sprintf("set duplicate address of %s to %t", Name(op.User), op.Duplicate)
}

func (op DeleteUser) String() string  { return "delete " + Name(op.User) }
func (op RestoreUser) String() string { return "restore " + Name(op.User) }
func (op PurgeUser) String() string   { return "purge " + Name(op.User) }
func (op AddGroup) String() string    { return "add group " + Name(op.Group) }
func (op DeleteGroup) String() string { return "delete " + Name(op.Group) }

func (op AddMembers) String() string {
	return fmt.Sprintf("add %s to %s", names(op.Users), Name(op.Group))
}

func (op RemoveMembers) String() string {
	return fmt.Sprintf("remove %s from %s", names(op.Users), Name(op.Group))
}

func (op SetUnits) String() string {
	return fmt.Sprintf("set units of %s to %+v subscribed %t", Name(op.SKU), op.Units, op.Subscribed)
}

func (op SetCatalog) String() string { return "set catalog:" + catalogText(op.Catalog) }

func (op SetSettings) String() string { return fmt.Sprintf("set settings %+v", op.Settings) }

func (op SetOrganization) String() string {
	return fmt.Sprintf("set organization country %q", op.Country)
}

func (op Reprocess) String() string { return "reprocess " + names(op.Users) }

func (op AssignUser) String() string {
	return fmt.Sprintf("assign %s: %s", Name(op.User), assignText(op.Add, op.Remove))
}

func (op AssignGroup) String() string {
	return fmt.Sprintf("assign %s: %s", Name(op.Group), assignText(op.Add, op.Remove))
}
