package verify

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// tables are the names of the kinds of rows.
var tables = map[store.Kind]string{
	store.KindUser: "users", store.KindGroup: "groups", store.KindPassword: "passwords",
	store.KindApplication: "applications", store.KindServicePrincipal: "servicePrincipals",
	store.KindAdministrativeUnit: "administrativeUnits",
}

// objects is what an image has of a kind of rows.
type objects struct {
	count   uint32
	purged  func(ordinal uint32) bool
	id      func(ordinal uint32) uuid.UUID
	deleted func(ordinal uint32) bool
	// check compares a document with the image.
	check func(row *store.Object) (problem string)
}

func objectsOf(img *tenant.Image) map[store.Kind]objects {
	dir := img.Directory
	return map[store.Kind]objects{
		store.KindUser: {dir.Users(), dir.UserPurged, dir.UserID, dir.UserDeleted, func(row *store.Object) string {
			u, err := directory.ParseUser(row.Document)
			if err != nil {
				return err.Error()
			}
			found, ok := dir.UserByName(u.UserPrincipalName)
			if ok = ok && found == row.Ordinal; ok == dir.UserDeleted(row.Ordinal) {
				return "its userPrincipalName is not that of the image"
			}
			return differing(dir.UserColumns(), row.Ordinal, u.Values())
		}},
		store.KindGroup: {dir.Groups(), dir.GroupPurged, dir.GroupID, dir.GroupDeleted, func(row *store.Object) string {
			g, err := directory.ParseGroup(row.Document)
			if err != nil {
				return err.Error()
			}
			return differing(dir.GroupColumns(), row.Ordinal, g.Values())
		}},
		store.KindApplication:        ofDocuments(img.Applications),
		store.KindServicePrincipal:   ofDocuments(img.Principals),
		store.KindAdministrativeUnit: ofDocuments(img.Units),
	}
}

func ofDocuments[T any](o *directory.Objects[T]) objects {
	return objects{o.Len(), o.IsPurged, o.ID, o.IsDeleted, func(row *store.Object) string {
		if !bytes.Equal(o.Document(o.At(row.Ordinal)), row.Document) {
			return "its document is not that of the image"
		}
		return ""
	}}
}

// differing compares the values of a document with those in columns.
func differing(t *column.Table, ordinal uint32, values []column.Change) string {
	want := map[int]column.Value{}
	for _, c := range values {
		want[c.Column] = c.Value
	}
	for place, c := range t.Schema().Columns {
		got, want := t.Value(ordinal, place), want[place]
		if len(got.Texts) == 0 && len(want.Texts) == 0 {
			got.Texts, want.Texts = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("its %s is not that of the image", c.Name)
		}
	}
	return ""
}

// seenRows are the ordinals of rows.
type seenRows map[store.Kind]*roaring.Bitmap

// How many rows are read at once, and how many bytes of documents.
const (
	rowsAtOnce = 1024
	rowBytes   = 4 << 20
)

// rows compares the rows with the image.
func (e *examination) rows(img *tenant.Image) error {
	of, seen := objectsOf(img), seenRows{}
	for kind := range tables {
		seen[kind] = roaring.New()
	}
	for key := (store.RowKey{}); ; {
		marks, err := e.view.Marks(key, rowsAtOnce)
		if err != nil || len(marks) == 0 {
			return errors.Join(err, e.missing(of, seen))
		}
		last := marks[len(marks)-1].RowKey
		if err := e.page(key, marks, img, of, seen); err != nil {
			return err
		}
		key = last
	}
}

// page examines the rows with some marks. If they cannot be read together, it reads each.
func (e *examination) page(
	key store.RowKey, marks []store.Mark, img *tenant.Image, of map[store.Kind]objects, seen seenRows,
) error {
	last := marks[len(marks)-1].RowKey
	for at := key; at.Compare(last) < 0; {
		rows, err := e.view.Rows(at, rowsAtOnce, rowBytes)
		if err == nil {
			for i := range rows {
				if rows[i].RowKey().Compare(last) <= 0 {
					if err := e.row(&rows[i], img, of, seen); err != nil {
						return err
					}
				}
			}
			if len(rows) == 0 {
				return nil
			}
			at = rows[len(rows)-1].RowKey()
			continue
		}
		if !errors.Is(err, store.ErrDamaged) {
			return err
		}
		return e.each(at, marks, img, of, seen)
	}
	return nil
}

// each examines rows one by one.
func (e *examination) each(
	at store.RowKey, marks []store.Mark, img *tenant.Image, of map[store.Kind]objects, seen seenRows,
) error {
	for _, m := range marks {
		if m.RowKey.Compare(at) <= 0 {
			continue
		}
		rows, err := e.view.Rows(at, 1, rowBytes)
		at = m.RowKey
		switch {
		case err == nil && len(rows) == 1:
			err = e.row(&rows[0], img, of, seen)
		case errors.Is(err, store.ErrDamaged):
			if set := seen[m.Kind]; set != nil {
				set.Add(m.Ordinal)
			}
			e.damaged(e.table(m.Kind), fmt.Sprintf("number %d", m.Ordinal), err.Error(), restore)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *examination) table(k store.Kind) string {
	if name, ok := tables[k]; ok {
		return name
	}
	return fmt.Sprintf("kind %d", k)
}

func (e *examination) row(
	row *store.Object, img *tenant.Image, of map[store.Kind]objects, seen seenRows,
) error {
	if set := seen[row.Kind]; set != nil {
		set.Add(row.Ordinal)
	}
	if what := e.rowProblem(row, img, of); what != "" {
		e.damaged(e.table(row.Kind), row.ID.String(), what, restore)
	}
	if row.Kind != store.KindPassword && directory.HasNUL(row.Document) {
		e.text(row)
	}
	return e.advance("examining the rows", &e.result.Rows)
}

// text reports the character U+0000 in a text.
func (e *examination) text(row *store.Object) {
	help := fix
	switch row.Kind {
	case store.KindUser:
		e.result.Users.Add(row.Ordinal)
	case store.KindGroup:
		e.result.Groups.Add(row.Ordinal)
	default:
		help = change
	}
	const what = "a text has the character U+0000, which other databases cannot hold"
	e.damaged(e.table(row.Kind), row.ID.String(), what, help)
}

func (e *examination) rowProblem(row *store.Object, img *tenant.Image, of map[store.Kind]objects) string {
	kind := row.Kind
	if kind == store.KindPassword {
		kind = store.KindUser
	}
	o, known := of[kind]
	switch {
	case !known:
		return "its kind is not known"
	case row.Seq > img.Seq:
		return fmt.Sprintf("it is of commit %d, and the log ends at commit %d", row.Seq, img.Seq)
	case row.Ordinal >= o.count || o.purged(row.Ordinal):
		return "the log does not have it"
	case o.id(row.Ordinal) != row.ID:
		return fmt.Sprintf("the log has the id %s", o.id(row.Ordinal))
	case row.Kind == store.KindPassword:
		return ""
	case o.deleted(row.Ordinal) == row.Deleted.IsZero():
		return "it is deleted, and in the log it is not, or the other way around"
	}
	return o.check(row)
}

// missing reports objects without rows.
func (e *examination) missing(of map[store.Kind]objects, seen seenRows) error {
	for kind, o := range of {
		for ordinal := range o.count {
			if !o.purged(ordinal) && !seen[kind].Contains(ordinal) {
				e.damaged(e.table(kind), o.id(ordinal).String(), "it has no row", restore)
			}
		}
	}
	return e.ctx.Err()
}
