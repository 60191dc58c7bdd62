package graph

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/store"
	"licensor/tenant"
)

// usersDelta answers GET /users/delta: everybody at first, later who came, went or changed in what is shown, licenses included.
func (api *API) usersDelta(r *request) error {
	d, err := r.deltaRound(store.KindUser, "users")
	if err != nil {
		return err
	}
	fields, err := deltaFields(d, userFields, d.token.selected)
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(func() *roaring.Bitmap { return d.objects.Touched(namesOf(fields)) }))
	rows, err := readThere(page, func(q store.Query) ([]tenant.UserRow, error) { return d.tenant.Users(d.ctx, q) })
	if err != nil {
		return err
	}
	r.image = r.tenant.Image() // not older than the rows
	b, write := d.head(), objects(fields)
	for _, e := range page {
		at, ok := slices.BinarySearchFunc(rows, e.ordinal, func(row tenant.UserRow, o uint32) int { return int(int64(row.Ordinal) - int64(o)) })
		switch {
		case e.removed != "":
			b = d.appendRemoved(appendNext(b), userType, e)
		case ok && rows[at].User.DeletedDateTime.IsZero(): // otherwise gone since; the next round says so
			b = write(appendNext(b), user{rows[at].User, e.ordinal, r.image, r.now})
		}
	}
	if !more {
		return d.finish(b, nil)
	}
	return d.finish(b, d.continued(int64(page[len(page)-1].ordinal)))
}

// appendNext parts an element of a list from the one before.
func appendNext(b []byte) []byte {
	if b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}
