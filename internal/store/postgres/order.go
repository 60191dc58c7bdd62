package postgres

import (
	"context"
	"fmt"
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
// rows: the whole of it would have to be gone through for each page.
const inOrder = `(
		SELECT o.ordinal, o.COLUMN AS key FROM licensor.object AS o
		WHERE o.tenant = $1 AND o.kind = $2 AND NOT o.purged AND o.ordinal < $3 AND NOT EXISTS (
			SELECT FROM licensor.moved AS m
			WHERE m.tenant = o.tenant AND m.kind = o.kind AND m.ordinal = o.ordinal AND m.seq > $4 OFFSET 0
		) SPAN(o.COLUMN) ORDER BY o.COLUMN DIRECTION, o.ordinal DIRECTION LIMIT $5
	) UNION ALL (
		SELECT m.ordinal, m.key FROM (
			SELECT DISTINCT ON (ordinal) ordinal, COLUMN AS key FROM licensor.moved
			WHERE tenant = $1 AND kind = $2 AND seq > $4 AND ordinal < $3 ORDER BY ordinal, seq
		) AS m JOIN licensor.object AS o ON o.tenant = $1 AND o.kind = $2 AND o.ordinal = m.ordinal AND NOT o.purged
		WHERE true SPAN(m.key) ORDER BY m.key DIRECTION, m.ordinal DIRECTION LIMIT $5
	)`

// ordered reads rows in the order of a property.
func (s *Store) ordered(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	column, err := columnOf(query.Order.Property)
	if err != nil {
		return nil, err
	}
	text, args := orderText(tenant, column, query)
	return read(ctx, s, tenant, "read objects in order", func(r reading) (rows []store.Object, err error) {
		err = r.rows(text, args, func(row pgx.CollectableRow) error {
			o := store.Object{Kind: query.Kind}
			var key []byte
			err := row.Scan(&o.Ordinal, &key)
			o.Key = string(key)
			rows = append(rows, o)
			return err
		})
		if err == nil && len(rows) == 0 {
			err = r.mustExist(tenant)
		}
		return merged(rows, query), err
	})
}

// orderText is the statement of a query, and its values.
func orderText(tenant uuid.UUID, column string, query store.Query) (string, []any) {
	args := []any{tenant, int16(query.Kind), below(query), int64(query.Order.AsOf), limit(query)}
	span, than, direction := "", ">", ""
	if query.Order.Descending {
		than, direction = "<", "DESC"
	}
	bind := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	if query.After >= 0 {
		span += fmt.Sprintf(" AND (KEY, ROW.ordinal) %s (%s, %s)", than, bind([]byte(query.Order.After)), bind(query.After))
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
	text := "SELECT ordinal, " + column + " FROM licensor.moved WHERE tenant = $1 AND kind = $2 AND seq > $3 ORDER BY seq DESC"
	return read(ctx, s, tenant, "read what has moved", func(r reading) (map[uint32]string, error) {
		keys := map[uint32]string{}
		err := r.rows(text, []any{tenant, int16(kind), int64(asOf)}, func(row pgx.CollectableRow) error {
			var ordinal uint32
			var key []byte
			err := row.Scan(&ordinal, &key)
			keys[ordinal] = string(key)
			return err
		})
		if err == nil && len(keys) == 0 {
			err = r.mustExist(tenant)
		}
		return keys, err
	})
}
