package tenant

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// Imported is the progress of an import.
type Imported struct {
	ID   string `cbor:"1,keyasint"`
	Line int64  `cbor:"2,keyasint"` // the last line that was imported
	At   int64  `cbor:"3,keyasint"` // the time of the commit that imported it, in milliseconds since 1970
}

// ImportMark records the progress of an import.
type ImportMark struct {
	ID   string `cbor:"1,keyasint"`
	Line int64  `cbor:"2,keyasint"`
}

func (mark *ImportMark) apply(d *draft) (bool, error) {
	if mark == nil {
		return false, nil
	}
	d.next.remember(mark)
	return true, nil
}

func (mark *ImportMark) note(f *Effects) { f.Import = mark }

const (
	// MaxImportID is the maximum length of the id of an import, in bytes.
	MaxImportID = 128

	keptImports = 1000
	// importsKept is how long the progress of an import is remembered.
	importsKept = 7 * 24 * time.Hour
)

// imported returns the last imported line of an import, 0 if it is not remembered at the given
// time.
func (img *Image) imported(id string, at time.Time) int64 {
	for _, i := range img.Imports {
		if i.ID == id && !i.forgotten(at) {
			return i.Line
		}
	}
	return 0
}

func (i Imported) forgotten(at time.Time) bool { return at.Sub(time.UnixMilli(i.At)) >= importsKept }

// remember records the progress of an import. It forgets imports that are a week old, and the
// oldest if there are too many. It depends on the commits alone, so a replay has the same result.
func (img *Image) remember(mark *ImportMark) {
	next := make([]Imported, 0, len(img.Imports)+1)
	for _, i := range img.Imports {
		if i.ID != mark.ID && !i.forgotten(img.At) {
			next = append(next, i)
		}
	}
	next = append(next, Imported{mark.ID, mark.Line, img.At.UnixMilli()})
	img.Imports = next[max(0, len(next)-keptImports):]
}

// importsOf converts the imports of a snapshot that does not have their times: they came no later
// than the snapshot.
func importsOf(lines map[string]int64, at time.Time) (list []Imported) {
	for id, line := range lines {
		list = append(list, Imported{id, line, at.UnixMilli()})
	}
	slices.SortFunc(list, func(a, b Imported) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// expectedMember is a row of an import with a member of a group that follows a rule.
type expectedMember struct {
	line        int64
	user, group uint32
}

// byHandOther is byHand for a member that is not a user; nil if it does not exist.
func (im *importing) byHandOther(group uint32, member string) error {
	id, err := parseID(member)
	if err != nil {
		return nil
	}
	_, isGroup := im.dir.GroupByID(id)
	if _, isPrincipal := im.base.Principals.ByID(id); !isGroup && !isPrincipal {
		return nil
	}
	return im.byHand(group)
}

// refuseUnexpected refuses the rows of members of dynamic groups that do not follow from the rules
// (docs/spec/dynamic-membership.md D13). Those that do need no change. It is called after the rules
// are evaluated, since users and groups can come in the same import.
func (c *change) refuseUnexpected() {
	for _, e := range c.expected {
		if !c.dir.IsMember(e.user, e.group) {
			c.done.Rows = append(c.done.Rows, RowProblem{e.line, c.byHand(e.group)})
		}
	}
}

// existed reports whether what a refused row adds was there before: the object with its id, the
// user with its name if the row has no id, or the relation.
func (im *importing) existed(row *ImportRow) bool {
	dir := im.base.Directory
	switch {
	case row.User != nil && row.User.ID != uuid.Nil:
		_, ok := dir.UserByID(row.User.ID)
		return ok
	case row.User != nil:
		_, ok := dir.UserByName(directory.NameIn(row.User.Patch))
		return ok
	case row.Group != nil:
		_, ok := dir.GroupByID(row.Group.ID)
		return ok
	case row.Subscription != nil:
		return slices.ContainsFunc(im.base.Subscriptions, func(s Subscription) bool {
			return s.ID == row.Subscription.ID
		})
	case row.Membership != nil:
		return im.wasMember(*row.Membership)
	case row.Owner != nil:
		group, isGroup := dir.GroupByID(row.Owner.Group)
		owner, isUser := dir.UserByID(row.Owner.Owner)
		return isGroup && isUser && slices.Contains(dir.Owners(group), owner)
	}
	return false
}

func (im *importing) wasMember(m Membership) bool {
	dir := im.base.Directory
	id, err := parseID(m.Group)
	group, ok := dir.GroupByID(id)
	if err != nil || !ok {
		return false
	}
	member, err := parseID(m.Member)
	if err != nil {
		user, ok := dir.UserByName(m.Member)
		return ok && dir.IsMember(user, group)
	}
	if user, ok := dir.UserByID(member); ok {
		return dir.IsMember(user, group)
	}
	inner, ok := dir.GroupByID(member)
	return ok && slices.Contains(dir.GroupMembersOf(group), inner)
}
