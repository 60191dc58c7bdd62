package graph

import (
	"github.com/RoaringBitmap/roaring/v2"
)

// delta answers GET /applications/delta and GET /servicePrincipals/delta: all of them at first, later those that came, went or changed. The
// log does not say in which of their properties.
func (l listing[D, T]) delta(_ *API, r *request) error {
	d, err := r.deltaRound(l.kind, l.set, l.fields.spell)
	if err != nil {
		return err
	}
	fields, err := deltaFields(d, l.fields, d.token.selected)
	if err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	page, more := d.elements(d.among(func() *roaring.Bitmap { return d.objects.Touched(nil) }))
	rows, err := l.at(r, there(page), true)
	if err != nil {
		return err
	}
	b := d.head()
	for _, e := range page {
		if b = appendNext(b); e.removed != "" {
			b = d.appendRemoved(b, l.fields.typeName, e)
			continue
		}
		b = append(appendFields(append(b, '{'), fields, &rows[0]), '}') // all that are there are in the image
		rows = rows[1:]
	}
	if !more {
		return d.finish(b, nil)
	}
	return d.finish(b, d.continued(int64(page[len(page)-1].ordinal)))
}
