package postgres

import (
	"fmt"
	"strconv"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/store"
)

// columns are object rows column by column, each row once.
type columns struct {
	kinds                     []int16
	ordinals                  []int64
	ids                       [][16]byte
	deleted                   []*int64
	seqs, sums                []int64
	purged                    []bool
	upns, names, mails, dates [][]byte
	documents                 [][]byte
}

// columnsOf returns the rows of objects. Of several with the same kind and ordinal it takes the
// last, since a statement cannot write a row twice.
func columnsOf(objects []store.Object) (*columns, error) {
	c := &columns{}
	for _, i := range lastOfEach(objects) {
		if err := c.add(&objects[i]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// lastOfEach returns the indexes of objects that no later one replaces.
func lastOfEach(objects []store.Object) []int {
	type key struct {
		kind    store.Kind
		ordinal uint32
	}
	places := make([]int, 0, len(objects))
	if ascending(objects) {
		for i := range objects {
			places = append(places, i)
		}
		return places
	}
	last := make(map[key]int, len(objects))
	for i, o := range objects {
		last[key{o.Kind, o.Ordinal}] = i
	}
	for i, o := range objects {
		if last[key{o.Kind, o.Ordinal}] == i {
			places = append(places, i)
		}
	}
	return places
}

// ascending reports whether the objects are of one kind and each once, such as those of an import.
func ascending(objects []store.Object) bool {
	for i := 1; i < len(objects); i++ {
		if objects[i].Kind != objects[0].Kind || objects[i].Ordinal <= objects[i-1].Ordinal {
			return false
		}
	}
	return true
}

func (c *columns) add(o *store.Object) error {
	v, err := valuesOf(o)
	if err != nil {
		return err
	}
	c.kinds, c.ordinals = append(c.kinds, int16(o.Kind)), append(c.ordinals, int64(o.Ordinal))
	c.ids, c.deleted = append(c.ids, o.ID), append(c.deleted, v.deleted)
	c.seqs, c.sums = append(c.seqs, int64(o.Seq)), append(c.sums, o.Sum())
	c.purged, c.documents = append(c.purged, o.Purged), append(c.documents, v.document)
	c.upns, c.names = append(c.upns, v.keys[0]), append(c.names, v.keys[1])
	c.mails, c.dates = append(c.mails, v.keys[2]), append(c.dates, v.keys[3])
	return nil
}

// values are those of a row that the object does not have as they are stored.
type values struct {
	keys     keys
	document []byte
	deleted  *int64
}

func valuesOf(o *store.Object) (v values, err error) {
	v.document = []byte{}
	if !o.Purged {
		if v.keys, err = keysOf(o.Document); err != nil {
			return v, fmt.Errorf("object %d of kind %d: %w", o.Ordinal, o.Kind, err)
		}
		v.document = o.Document
	}
	if !o.Deleted.IsZero() {
		at := o.Deleted.Unix()
		v.deleted = &at
	}
	return v, nil
}

func (c *columns) args() []any {
	return []any{
		c.kinds, c.ordinals, c.ids, c.deleted, c.seqs, c.sums, c.purged,
		c.upns, c.names, c.mails, c.dates, c.documents,
	}
}

// keys are the keys of a row (store.Object), indexed like store.Ordered. Those of a purged row are
// nil.
type keys [4][]byte

// longestKey certainly fits into a page of an index, which must hold three
// (https://www.postgresql.org/docs/current/btree.html).
const longestKey = 2500

// keysOf returns the keys of a document.
func keysOf(document []byte) (keys, error) {
	found := keys{{}, {}, {}, {}}
	var long error
	ok := directory.EachStored(document, func(name, value []byte) {
		at, ok := placeOf[string(name)]
		if !ok {
			return
		}
		if text, ok := (directory.Member{Value: value}).Text(); ok {
			text = fold.Text(text)
			found[at] = append(append(make([]byte, 0, len(text)+1), '='), text...)
		}
		if len(found[at]) > longestKey {
			long = fmt.Errorf("its %s has %d bytes, and %d are allowed where rows are ordered by it",
				store.Ordered[at], len(found[at]), longestKey)
		}
	})
	if !ok {
		return found, fmt.Errorf("its document is not a JSON object: %.40q", document)
	}
	return found, long
}

// placeOf has the indexes of keys by name, in quotation marks.
var placeOf = func() map[string]int {
	places := map[string]int{}
	for i, name := range store.Ordered {
		places[strconv.Quote(name)] = i
	}
	return places
}()
