package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	readObjects = `SELECT ordinal, id, deleted, document, sum, seq FROM licensor.object
		WHERE tenant = $1 AND kind = $2 AND ordinal > $3 AND ordinal < $4 AND NOT purged`
	// readNamed looks up each ordinal. A database that has no statistics of the table yet would take
	// "ordinal = ANY ($6)" for a condition on all rows of the tenant, even for one ordinal.
	readNamed = `SELECT named.ordinal, id, deleted, document, sum, seq
		FROM (SELECT DISTINCT unnest($6::bigint[]) AS ordinal) AS named, LATERAL (
			SELECT id, deleted, document, sum, seq FROM licensor.object AS o
			WHERE o.tenant = $1 AND o.kind = $2 AND o.ordinal = named.ordinal AND NOT o.purged OFFSET 0
		) AS o
		WHERE named.ordinal > $3 AND named.ordinal < $4 ORDER BY named.ordinal LIMIT $5`
	thatLive       = " AND deleted IS NULL ORDER BY ordinal LIMIT $5"
	thatAreDeleted = " AND deleted IS NOT NULL ORDER BY ordinal LIMIT $5"

	// upTo ends a read once the documents have so many bytes in total.
	upTo = `SELECT ordinal, id, deleted, document, sum, seq FROM (
			SELECT *, sum(octet_length(document)) OVER (ORDER BY ordinal) - octet_length(document) AS before FROM (%s) AS next
		) AS sized WHERE before < $%d ORDER BY ordinal`
	// sizedAtOnce is the number of rows whose sizes are read at a time to find that end.
	sizedAtOnce = 1000
)

// Objects implements store.Store.
func (s *Store) Objects(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	switch {
	case query.Order != nil:
		return s.ordered(ctx, tenant, query)
	case len(query.Ordinals) > store.MaxOrdinals:
		return nil, fmt.Errorf("%w: it names %d ordinals, and %d are allowed: ask in several queries",
			store.ErrQuery, len(query.Ordinals), store.MaxOrdinals)
	}
	return read(ctx, s, tenant, "read objects", func(r reading) ([]store.Object, error) {
		objects, err := s.readObjects(r, tenant, query)
		if err == nil && len(objects) == 0 {
			_, err = r.floors(tenant)
		}
		return objects, err
	})
}

// readObjects reads the rows of a query, in several steps if it is bounded in bytes and not in
// rows.
func (s *Store) readObjects(r reading, tenant uuid.UUID, query store.Query) (objects []store.Object, err error) {
	size, step := 0, query
	r.conn = r.planned(len(query.Ordinals))
	for {
		if query.Bytes > 0 {
			step.Bytes, step.Limit = query.Bytes-size, sizedAtOnce
			if query.Limit > 0 {
				step.Limit = min(sizedAtOnce, query.Limit-len(objects))
			}
		}
		found := 0
		text, args := objectsText(tenant, step)
		err := r.rows(text, args, func(row pgx.CollectableRow) error {
			o, err := s.scanObject(row, query.Kind)
			objects = append(objects, o)
			size, step.After, found = size+len(o.Document), int64(o.Ordinal), found+1
			return err
		})
		if err != nil || query.Bytes == 0 || size >= query.Bytes || found < step.Limit || len(objects) == query.Limit {
			return objects, err
		}
	}
}

// objectsText returns the statement of a query and its arguments.
func objectsText(tenant uuid.UUID, query store.Query) (string, []any) {
	args := []any{tenant, int16(query.Kind), query.After, below(query), limit(query)}
	text := readObjects
	switch {
	case query.Ordinals != nil:
		ordinals := make([]int64, len(query.Ordinals))
		for i, ordinal := range query.Ordinals {
			ordinals[i] = int64(ordinal)
		}
		text, args = readNamed, append(args, ordinals)
	case query.Deleted:
		text += thatAreDeleted
	default:
		text += thatLive
	}
	if query.Bytes > 0 {
		text, args = fmt.Sprintf(upTo, text, len(args)+1), append(args, query.Bytes)
	}
	return text, args
}

// below returns the ordinal that all rows of a query are less than.
func below(query store.Query) int64 {
	if query.Below > 0 {
		return int64(query.Below)
	}
	return math.MaxUint32 + 1
}

// limit returns the maximum number of rows of a query; nil for all.
func limit(query store.Query) *int64 {
	if query.Limit <= 0 {
		return nil
	}
	n := int64(query.Limit)
	return &n
}

// scanObject reads a row and verifies it.
func (s *Store) scanObject(row pgx.CollectableRow, kind store.Kind) (store.Object, error) {
	o := store.Object{Kind: kind}
	var deleted *int64
	var sum int64
	if err := row.Scan(&o.Ordinal, (*[16]byte)(&o.ID), &deleted, &o.Document, &sum, &o.Seq); err != nil {
		return o, err
	}
	return o, s.checkObject(&o, deleted, sum)
}

// checkObject completes a row and compares its checksum.
func (s *Store) checkObject(o *store.Object, deleted *int64, sum int64) error {
	if deleted != nil {
		o.Deleted = time.Unix(*deleted, 0).UTC()
	}
	if o.Sum() != sum {
		return s.damaged(fmt.Sprintf("object %d of kind %d has another checksum", o.Ordinal, o.Kind))
	}
	return nil
}
