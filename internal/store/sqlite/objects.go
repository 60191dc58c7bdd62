package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

const (
	selected = "SELECT kind, ordinal, id, deleted, document, sum, seq FROM object WHERE tenant = ?1 AND "
	columns  = selected + "kind = ?2"
	one      = columns + " AND ordinal = ?3"
	page     = columns + " AND ordinal > ?3 AND deleted IS NULL ORDER BY ordinal LIMIT ?4"
	noLimit  = -1
)

// Objects implements store.Store.
func (s *Store) Objects(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	if query.Order != nil {
		return s.ordered(ctx, tenant, query)
	}
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	rows, err := s.selectObjects(ctx, number, query)
	if err != nil {
		return nil, s.fail("read objects", err)
	}
	defer rows.Close()
	var objects []store.Object
	for size := 0; (query.Bytes == 0 || size < query.Bytes) && rows.Next(); {
		o, err := s.scanObject(rows)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
		size += len(o.Document)
	}
	return objects, s.fail("read objects", rows.Err())
}

// selectObjects uses one of the two prepared statements if possible. Reading one row takes so
// little time that it is not made interruptible, which costs the driver a goroutine and half as
// much time again.
func (s *Store) selectObjects(ctx context.Context, number int64, query store.Query) (*sql.Rows, error) {
	limit := int64(noLimit)
	if query.Limit > 0 {
		limit = int64(query.Limit)
	}
	switch {
	case len(query.Ordinals) == 1 && query.Below == 0 && query.After < int64(query.Ordinals[0]):
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return s.say.one.QueryContext(context.WithoutCancel(ctx), number, int64(query.Kind), int64(query.Ordinals[0]))
	case query.Ordinals == nil && !query.Deleted && query.Below == 0:
		return s.say.page.QueryContext(ctx, number, int64(query.Kind), query.After, limit)
	}
	w, err := conditions(number, query, query.After)
	if err != nil {
		return nil, err
	}
	text := columns + w.text() + " ORDER BY ordinal LIMIT " + w.bind(limit)
	return s.reader.QueryContext(ctx, text, w.args...)
}

// scanObject reads a row and verifies it.
func (s *Store) scanObject(rows *sql.Rows) (store.Object, error) {
	var o store.Object
	var id sql.RawBytes
	var deleted sql.NullInt64
	var sum int64
	if err := rows.Scan(&o.Kind, &o.Ordinal, &id, &deleted, &o.Document, &sum, &o.Seq); err != nil {
		return o, s.fail("read objects", err)
	}
	copy(o.ID[:], id)
	if deleted.Valid {
		o.Deleted = time.Unix(deleted.Int64, 0).UTC()
	}
	if o.Sum() != sum {
		return o, s.damaged(fmt.Sprintf("object %d of kind %d has another checksum", o.Ordinal, o.Kind))
	}
	return o, nil
}

// where is a condition under construction: parts that all must hold, and the values of its
// parameters. The first three parameters are always the tenant, the kind, and the ordinal that all
// others must be greater than.
type where struct {
	parts []string
	args  []any
}

// bind adds a value as a parameter and returns the parameter's name.
func (w *where) bind(value any) string {
	w.args = append(w.args, value)
	return fmt.Sprintf("?%d", len(w.args))
}

func (w *where) text() string { return " AND " + strings.Join(w.parts, " AND ") }

func conditions(number int64, query store.Query, after int64) (*where, error) {
	w := &where{parts: []string{"ordinal > ?3"}, args: []any{number, int64(query.Kind), after}}
	switch {
	case len(query.Ordinals) > store.MaxOrdinals:
		return nil, fmt.Errorf("%w: it names %d ordinals, and %d are allowed: ask in several queries",
			store.ErrQuery, len(query.Ordinals), store.MaxOrdinals)
	case query.Ordinals != nil:
		list, err := json.Marshal(query.Ordinals)
		if err != nil {
			return nil, err
		}
		w.parts = append(w.parts, "ordinal IN (SELECT value FROM json_each("+w.bind(string(list))+"))")
	case query.Deleted:
		w.parts = append(w.parts, "deleted IS NOT NULL")
	default:
		w.parts = append(w.parts, "deleted IS NULL")
	}
	if query.Below > 0 {
		w.parts = append(w.parts, "+ordinal < "+w.bind(int64(query.Below)))
	}
	return w, nil
}
