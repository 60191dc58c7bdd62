package memory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/store"
)

// row is an object row with its current and earlier keys.
type row struct {
	store.Object
	keys []keys // oldest first
}

// keys are what a row is ordered by, by property, since a commit.
type keys struct {
	seq uint64
	of  map[string]string
}

// asOf returns the key that a row had at a commit, and whether it still has it. For a row that was
// added later it is the first key.
func (r row) asOf(property string, seq uint64) (key string, still bool) {
	at := 0
	for i, k := range r.keys {
		if k.seq <= seq {
			at = i
		}
	}
	return r.keys[at].of[property], at == len(r.keys)-1
}

// areDocuments refuses objects whose documents are not JSON objects.
func areDocuments(objects []store.Object) error {
	for _, o := range objects {
		if !o.Purged && (!bytes.HasPrefix(o.Document, []byte("{")) || !json.Valid(o.Document)) {
			return fmt.Errorf("object %d of kind %d: its document is not a JSON object: %.40q",
				o.Ordinal, o.Kind, o.Document)
		}
	}
	return nil
}

// put writes or removes a row. The commit must be in the log.
func (t *tenant) put(o store.Object) {
	rows := t.rows[o.Kind]
	if rows == nil {
		rows = map[uint32]row{}
		t.rows[o.Kind] = rows
	}
	if o.Purged {
		delete(rows, o.Ordinal)
		return
	}
	if !o.Deleted.IsZero() {
		o.Deleted = time.Unix(o.Deleted.Unix(), 0).UTC()
	}
	o.Document, o.Key = bytes.Clone(o.Document), ""
	rows[o.Ordinal] = row{o, append(rows[o.Ordinal].keys, keys{t.end.Seq, keysOf(o.Document)})}
}

// keysOf returns the keys of a document by property: "=" and the folded text; "" if it has none.
func keysOf(document []byte) map[string]string {
	var properties map[string]any
	_ = json.Unmarshal(document, &properties) // areDocuments has checked it
	keys := map[string]string{}
	for _, property := range store.Ordered {
		if text, ok := properties[property].(string); ok {
			keys[property] = "=" + fold.Text(text)
		}
	}
	return keys
}

// Objects implements store.Store.
func (s *Store) Objects(ctx context.Context, id uuid.UUID, query store.Query) (found []store.Object, err error) {
	if err := answerable(query); err != nil {
		return nil, err
	}
	err = s.in(ctx, id, func(t *tenant) error {
		if query.Order == nil {
			found = byOrdinal(t.rows[query.Kind], query)
			return nil
		}
		found = inOrder(t.rows[query.Kind], query)
		return t.keepsOrder(query.Order.AsOf)
	})
	return found, err
}

func answerable(query store.Query) error {
	switch {
	case query.Order != nil:
		return orderable(query.Order.Property)
	case len(query.Ordinals) > store.MaxOrdinals:
		return fmt.Errorf("%w: it names %d ordinals, and %d are allowed: ask in several queries",
			store.ErrQuery, len(query.Ordinals), store.MaxOrdinals)
	}
	return nil
}

// keepsOrder returns an error if the order as of a commit is no longer kept.
func (t *tenant) keepsOrder(asOf uint64) error {
	if asOf < t.floors.Moved {
		return fmt.Errorf("the order as of commit %d: %w", asOf, store.ErrTrimmed)
	}
	return nil
}

func orderable(property string) error {
	if !slices.Contains(store.Ordered, property) {
		return fmt.Errorf("%w: rows cannot be ordered by %q, only by %s",
			store.ErrQuery, property, strings.Join(store.Ordered, ", "))
	}
	return nil
}

func byOrdinal(rows map[uint32]row, query store.Query) (found []store.Object) {
	for _, r := range rows {
		if wanted(r, query) {
			found = append(found, r.Object)
		}
	}
	slices.SortFunc(found, func(a, b store.Object) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	found = limited(found, query)
	size := 0
	for i := range found {
		if found[i].Document = bytes.Clone(found[i].Document); query.Bytes > 0 {
			if size += len(found[i].Document); size >= query.Bytes {
				return found[:i+1]
			}
		}
	}
	return found
}

// wanted reports whether a query without an order selects a row.
func wanted(r row, query store.Query) bool {
	switch {
	case int64(r.Ordinal) <= query.After || query.Below > 0 && r.Ordinal >= query.Below:
		return false
	case query.Ordinals != nil:
		return slices.Contains(query.Ordinals, r.Ordinal)
	}
	return query.Deleted == !r.Deleted.IsZero()
}

func limited(found []store.Object, query store.Query) []store.Object {
	if query.Limit > 0 {
		return found[:min(len(found), query.Limit)]
	}
	return found
}

// inOrder returns the rows after the last one of the previous page, in their order at the commit.
func inOrder(rows map[uint32]row, query store.Query) (found []store.Object) {
	last := store.Object{Key: query.Order.After, Ordinal: uint32(max(query.After, 0))}
	for ordinal, r := range rows {
		key, _ := r.asOf(query.Order.Property, query.Order.AsOf)
		o := store.Object{Kind: query.Kind, Ordinal: ordinal, Key: key}
		switch {
		case query.Below > 0 && ordinal >= query.Below:
		case query.Order.Prefix != "" && !strings.HasPrefix(key, "="+query.Order.Prefix):
		case query.After >= 0 && query.Order.Compare(o, last) <= 0:
		default:
			found = append(found, o)
		}
	}
	slices.SortFunc(found, query.Order.Compare)
	return limited(found, query)
}

// Moved implements store.Store.
func (s *Store) Moved(
	ctx context.Context, id uuid.UUID, kind store.Kind, property string, asOf uint64,
) (moved map[uint32]string, err error) {
	if err := orderable(property); err != nil {
		return nil, err
	}
	moved = map[uint32]string{}
	err = s.in(ctx, id, func(t *tenant) error {
		if err := t.keepsOrder(asOf); err != nil {
			return err
		}
		for ordinal, r := range t.rows[kind] {
			if key, still := r.asOf(property, asOf); !still {
				moved[ordinal] = key
			}
		}
		return nil
	})
	return moved, err
}
