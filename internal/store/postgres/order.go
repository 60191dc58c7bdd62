package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// ordering are the properties that rows can be ordered by, and their columns, each with an index.
var ordering = map[string]string{
	"userPrincipalName": "user_principal_name", "displayName": "display_name",
	"mail": "mail", "createdDateTime": "created",
}

func columnOf(property string) (string, error) {
	column, ok := ordering[property]
	if !ok {
		return "", fmt.Errorf("%w: rows cannot be ordered by %q, only by %s",
			store.ErrQuery, property, strings.Join(store.Ordered, ", "))
	}
	return column, nil
}

// inOrder reads a page in the order of a COLUMN, as of the commit $4: the rows that have not moved
// since, which are those of the index; and those that have, which have the key that they had before
// the first time. Both are read as they are at one moment. Mostly nothing has moved, and the second
// part is one look at an index.
//
// What has moved is asked row by row (OFFSET keeps it from being joined), since a page looks at few
// rows: the whole of it would have to be gone through for each page. Each index of the table is fit
// for one of the two questions. The cast keeps the other from being taken for the second, by a
// database that knows nothing of a new table yet.
const inOrder = `(
		SELECT o.ordinal, o.COLUMN, NULL::bigint FROM licensor.object AS o
		WHERE o.tenant = $1 AND o.kind = $2 AND o.COLUMN IS NOT NULL AND o.ordinal < $3 AND NOT EXISTS (
			SELECT FROM licensor.moved AS m
			WHERE m.tenant = o.tenant AND m.kind = o.kind AND m.ordinal = o.ordinal AND m.seq > $4 OFFSET 0
		) SPAN(o.COLUMN) ORDER BY o.COLUMN DIRECTION, o.ordinal DIRECTION LIMIT $5
	) UNION ALL (
		SELECT m.ordinal, m.key, NULL::bigint FROM (
			SELECT DISTINCT ON (ordinal) ordinal, COLUMN AS key FROM licensor.moved
			WHERE tenant = $1 AND kind::integer = $2 AND seq > $4 AND ordinal < $3 ORDER BY ordinal, seq
		) AS m JOIN licensor.object AS o ON o.tenant = $1 AND o.kind = $2 AND o.ordinal = m.ordinal AND NOT o.purged
		WHERE true SPAN(m.key) ORDER BY m.key DIRECTION, m.ordinal DIRECTION LIMIT $5
	) UNION ALL ` + theFloor

const theFloor = "SELECT -1, ''::bytea, moved_floor FROM licensor.tenant WHERE id = $1"

// ordered reads rows in the order of a property.
func (s *Store) ordered(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	column, err := columnOf(query.Order.Property)
	if err != nil {
		return nil, err
	}
	text, args := orderText(tenant, column, query)
	return read(ctx, s, tenant, "read objects in order", func(r reading) (rows []store.Object, err error) {
		err = r.keys(tenant, query.Order.AsOf, text, args, func(ordinal uint32, key string) {
			rows = append(rows, store.Object{Kind: query.Kind, Ordinal: ordinal, Key: key})
		})
		return merged(rows, query), err
	})
}

// keys hands the rows of a query to each. One more row has the floor below which the order is no
// longer kept, as it was at the same moment.
func (r reading) keys(
	tenant uuid.UUID, asOf uint64, text string, args []any, each func(ordinal uint32, key string),
) error {
	exists := false
	err := r.rows(text, args, func(row pgx.CollectableRow) error {
		var ordinal int64
		var key []byte
		var floor *uint64
		if err := row.Scan(&ordinal, &key, &floor); err != nil {
			return err
		}
		if floor == nil {
			each(uint32(ordinal), string(key))
			return nil
		}
		exists = true
		if asOf < *floor {
			return fmt.Errorf("the order as of commit %d of tenant %s: %w", asOf, tenant, store.ErrTrimmed)
		}
		return nil
	})
	if err == nil && !exists {
		return unknownTenant(tenant)
	}
	return err
}

// orderText is the statement of a query, and its values.
func orderText(tenant uuid.UUID, column string, query store.Query) (string, []any) {
	args := []any{tenant, int16(query.Kind), below(query), commitOf(query.Order.AsOf), limit(query)}
	span, than, direction := "", ">", ""
	if query.Order.Descending {
		than, direction = "<", "DESC"
	}
	bind := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	if query.After >= 0 {
		span += fmt.Sprintf(" AND (KEY, ROW.ordinal) %s (%s, %s)",
			than, bind([]byte(query.Order.After)), bind(query.After))
	}
	if prefix := query.Order.Prefix; prefix != "" {
		span += " AND KEY >= " + bind([]byte("="+prefix))
		if next := store.Behind(prefix); next != "" {
			span += " AND KEY < " + bind([]byte("="+next))
		}
	}
	text := inOrder
	for _, of := range []struct{ key, row string }{{"o.COLUMN", "o"}, {"m.key", "m"}} {
		text = strings.ReplaceAll(text, "SPAN("+of.key+")", strings.NewReplacer("KEY", of.key, "ROW", of.row).Replace(span))
	}
	return strings.NewReplacer("COLUMN", column, "DIRECTION", direction).Replace(text), args
}

// merged puts rows in order, no more than the query wants.
func merged(rows []store.Object, query store.Query) []store.Object {
	slices.SortFunc(rows, query.Order.Compare)
	if query.Limit > 0 {
		rows = rows[:min(len(rows), query.Limit)]
	}
	return rows
}

// Moved implements store.Store. Of several moves of a row the first since the commit has the key.
func (s *Store) Moved(
	ctx context.Context, tenant uuid.UUID, kind store.Kind, property string, asOf uint64,
) (map[uint32]string, error) {
	column, err := columnOf(property)
	if err != nil {
		return nil, err
	}
	text := "(SELECT DISTINCT ON (ordinal) ordinal, " + column + `, NULL::bigint FROM licensor.moved
		WHERE tenant = $1 AND kind::integer = $2 AND seq > $3 ORDER BY ordinal, seq) UNION ALL ` + theFloor
	return read(ctx, s, tenant, "read what has moved", func(r reading) (map[uint32]string, error) {
		keys := map[uint32]string{}
		err := r.keys(tenant, asOf, text, []any{tenant, int16(kind), commitOf(asOf)}, func(ordinal uint32, key string) {
			keys[ordinal] = key
		})
		return keys, err
	})
}

// commitOf is the number of a commit as the database has it.
func commitOf(seq uint64) int64 { return int64(min(seq, math.MaxInt64)) }
