package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// ordering has the properties that rows can be ordered by, and their columns, each of which has an
// index.
var ordering = map[string]string{"userPrincipalName": "user_principal_name", "displayName": "display_name", "mail": "mail", "createdDateTime": "created"}

// ordered reads rows in the order of a property: those that have not moved since the commit of the
// order, and those that have, at their old place. A row that moves meanwhile is in both with the
// same key.
func (s *Store) ordered(ctx context.Context, tenant uuid.UUID, query store.Query) ([]store.Object, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	column, ok := ordering[query.Order.Property]
	if !ok {
		return nil, fmt.Errorf("%w: rows cannot be ordered by %q", store.ErrQuery, query.Order.Property)
	}
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	var rows []store.Object
	for _, span := range spans(query) {
		if query.Limit > 0 && len(rows) >= query.Limit {
			break
		}
		found, err := s.selectOrdered(ctx, number, query, strings.ReplaceAll(stayed, "COLUMN", column), span)
		if err != nil {
			return nil, s.fail("read objects in order", err)
		}
		rows = append(rows, found...)
	}
	// After the rows, since others may move while they are read. Usually nothing has moved, and
	// looking for it takes as long as everything else.
	var moved bool
	if err := s.say.hasMoved.QueryRowContext(ctx, number,
		int64(query.Kind), int64(query.Order.AsOf)).Scan(&moved); err != nil {
		return nil, s.fail("read objects in order", err)
	}
	if !moved {
		return merged(rows, query), s.keepsOrder(ctx, tenant, query.Order.AsOf)
	}
	for _, span := range spans(query) {
		found, err := s.selectOrdered(ctx, number, query, strings.ReplaceAll(movedAway, "COLUMN", column), span)
		if err != nil {
			return nil, s.fail("read objects in order", err)
		}
		rows = append(rows, found...)
	}
	return merged(rows, query), s.keepsOrder(ctx, tenant, query.Order.AsOf)
}

const hasMoved = "SELECT EXISTS (SELECT 1 FROM moved WHERE tenant = ?1 AND kind = ?2 AND seq > ?3)"

// The two parts of a list in the order of COLUMN, as of the commit ASOF. More conditions are
// appended to each.
const (
	stayed = "SELECT ordinal, COLUMN AS key FROM object WHERE tenant = ?1 AND kind = ?2 " +
		"AND ordinal NOT IN (SELECT ordinal FROM moved WHERE tenant = ?1 AND kind = ?2 AND seq > ASOF)"
	movedAway = "SELECT ordinal, (SELECT m.COLUMN FROM moved AS m WHERE m.tenant = ?1 AND m.kind = ?2 " +
		"AND m.ordinal = object.ordinal AND m.seq > ASOF ORDER BY m.seq, m.number LIMIT 1) AS key " +
		"FROM object WHERE tenant = ?1 AND kind = ?2 " +
		"AND ordinal IN (SELECT ordinal FROM moved WHERE tenant = ?1 AND kind = ?2 AND seq > ASOF)"
)

// span is a section of an ordered list: rows without a text or with one, after a row or from the
// beginning.
type span struct {
	text  bool
	after bool
}

// spans returns the sections that a page may have rows of. Rows without a text come first, in
// descending order last.
func spans(query store.Query) []span {
	if query.Order.Prefix != "" {
		return []span{{text: true, after: query.After >= 0}}
	}
	from := span{query.Order.After != "", query.After >= 0}
	switch {
	case query.After < 0 && query.Order.Descending:
		return []span{{text: true}, {text: false}}
	case query.After < 0:
		return []span{{text: false}, {text: true}}
	case from.text == query.Order.Descending: // the other section follows
		return []span{from, {text: !from.text}}
	}
	return []span{from}
}

// condition returns the condition and the order of the span's rows.
func (p span) condition(w *where, query store.Query) string {
	than, direction := ">", ""
	if query.Order.Descending {
		than, direction = "<", " DESC"
	}
	text := "key IS NULL"
	switch {
	case p.text && p.after:
		text = "(key, ordinal) " + than + " (" + w.bind(query.Order.After[1:]) + ", " + w.bind(query.After) + ")"
	case p.text:
		text = "key IS NOT NULL"
	case p.after:
		text = "key IS NULL AND ordinal " + than + " " + w.bind(query.After)
	}
	if prefix := query.Order.Prefix; prefix != "" {
		text += " AND key >= " + w.bind(prefix)
		if next := store.Behind(prefix); next != "" {
			text += " AND key < " + w.bind(next)
		}
	}
	return text + " ORDER BY key" + direction + ", ordinal" + direction
}

func (s *Store) selectOrdered(
	ctx context.Context, number int64, query store.Query, part string, p span,
) ([]store.Object, error) {
	text, args := orderedText(number, query, part, p)
	rows, err := s.reader.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var places []store.Object
	for rows.Next() {
		var key sql.NullString
		o := store.Object{Kind: query.Kind}
		if err := rows.Scan(&o.Ordinal, &key); err != nil {
			return nil, err
		}
		if key.Valid {
			o.Key = "=" + key.String
		}
		places = append(places, o)
	}
	return places, rows.Err()
}

func orderedText(number int64, query store.Query, part string, p span) (string, []any) {
	w := &where{args: []any{number, int64(query.Kind)}}
	text := "SELECT * FROM (" + strings.ReplaceAll(part, "ASOF", w.bind(int64(query.Order.AsOf)))
	if query.Below > 0 {
		text += " AND +ordinal < " + w.bind(int64(query.Below))
	}
	limit := int64(noLimit)
	if query.Limit > 0 {
		limit = int64(query.Limit)
	}
	return text + ") WHERE " + p.condition(w, query) + " LIMIT " + w.bind(limit), w.args
}

// merged returns rows in order, without duplicates, up to the limit of the query.
func merged(rows []store.Object, query store.Query) []store.Object {
	slices.SortFunc(rows, query.Order.Compare)
	rows = slices.CompactFunc(rows, func(a, b store.Object) bool { return a.Ordinal == b.Ordinal })
	if query.Limit > 0 {
		rows = rows[:min(len(rows), query.Limit)]
	}
	return rows
}

// Moved implements store.Store. Of several moves of a row the first since the commit has the key.
func (s *Store) Moved(
	ctx context.Context, tenant uuid.UUID, kind store.Kind, property string, asOf uint64,
) (map[uint32]string, error) {
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	column, ok := ordering[property]
	if !ok {
		return nil, fmt.Errorf("%w: rows cannot be ordered by %q", store.ErrQuery, property)
	}
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	rows, err := s.reader.QueryContext(ctx, "SELECT ordinal, "+column+" FROM moved WHERE tenant = ?1 AND kind = ?2 "+
		"AND seq > ?3 ORDER BY seq DESC, number DESC",
		number, int64(kind), int64(asOf))
	if err != nil {
		return nil, s.fail("read what has moved", err)
	}
	defer rows.Close()
	keys := map[uint32]string{}
	for rows.Next() {
		var ordinal uint32
		var key sql.NullString
		if err := rows.Scan(&ordinal, &key); err != nil {
			return nil, s.fail("read what has moved", err)
		}
		if keys[ordinal] = ""; key.Valid {
			keys[ordinal] = "=" + key.String
		}
	}
	if err := rows.Err(); err != nil {
		return nil, s.fail("read what has moved", err)
	}
	return keys, s.keepsOrder(ctx, tenant, asOf)
}
