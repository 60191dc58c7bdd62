package tenant

import (
	"slices"
	"strings"
	"time"
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
