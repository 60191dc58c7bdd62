package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

const (
	addSignIn  = "INSERT INTO sign_in (tenant, at, id, data, sum) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"
	signInsOf  = "SELECT number, at, id, data, sum FROM sign_in WHERE tenant = ?1"
	findSignIn = signInsOf + " AND id = ?2"
	signInsUp  = signInsOf + " AND at BETWEEN ?2 AND ?3 AND number <= ?4 AND (at, number) > (?5, ?6) " +
		"ORDER BY at, number LIMIT ?7"
	signInsDown = signInsOf + " AND at BETWEEN ?2 AND ?3 AND number <= ?4 AND (at, number) < (?5, ?6) " +
		"ORDER BY at DESC, number DESC LIMIT ?7"
	dropSignIns = "DELETE FROM sign_in WHERE number IN (SELECT number FROM sign_in WHERE tenant = ? AND at < ? LIMIT ?)"

	addActivity = `INSERT INTO activity VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET
		interactive_id = iif(excluded.interactive >= interactive, excluded.interactive_id, interactive_id),
		interactive = max(interactive, excluded.interactive),
		non_interactive_id = iif(excluded.non_interactive >= non_interactive, excluded.non_interactive_id, non_interactive_id),
		non_interactive = max(non_interactive, excluded.non_interactive),
		successful_id = iif(excluded.successful >= successful, excluded.successful_id, successful_id),
		successful = max(successful, excluded.successful)`
	activities = `SELECT user, interactive, interactive_id, non_interactive, non_interactive_id, successful, successful_id
		FROM activity WHERE tenant = ?1 AND user IN (SELECT value FROM json_each(?2))`
)

// AddSignIns implements store.Store.
func (s *Store) AddSignIns(ctx context.Context, list []store.SignIn, seen []store.Activity) error {
	return s.fail("add sign-ins", s.write(ctx, func(tx *sql.Tx) error {
		add, err := tx.Prepare(addSignIn)
		if err != nil {
			return err
		}
		defer add.Close()
		for i := range list {
			in := &list[i]
			if _, err := add.Exec(in.Tenant[:], in.At.UnixMilli(), in.ID[:], bytesOf(in.Data), in.Sum()); err != nil {
				return err
			}
		}
		return addActivities(tx, seen)
	}))
}

func addActivities(tx *sql.Tx, seen []store.Activity) error {
	merge, err := tx.Prepare(addActivity)
	if err != nil {
		return err
	}
	defer merge.Close()
	for i := range seen {
		a := &seen[i]
		_, err := merge.Exec(
			a.Tenant[:], a.User, a.Interactive.Milliseconds(), a.Interactive.ID[:], a.NonInteractive.Milliseconds(),
			a.NonInteractive.ID[:], a.Successful.Milliseconds(), a.Successful.ID[:],
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// LastSignIn implements store.Store. Tenants share the numbers.
func (s *Store) LastSignIn(ctx context.Context, _ uuid.UUID) (last uint64, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM sign_in").Scan(&last)
	return last, s.fail("find the last sign-in", err)
}

// SignIns implements store.Store.
func (s *Store) SignIns(ctx context.Context, tenant uuid.UUID, query store.SignInQuery) ([]store.SignIn, error) {
	turn, err := s.lines.Begin(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer turn.End()
	text := signInsUp
	if query.Descending {
		text = signInsDown
	}
	from, until, at, number := query.Bounds()
	upTo := min(query.UpTo, math.MaxInt64)
	rows, err := s.reader.QueryContext(ctx, text, tenant[:], from, until, upTo, at, number, query.Limit)
	if err != nil {
		return nil, s.fail("read sign-ins", err)
	}
	defer rows.Close()
	var list []store.SignIn
	for rows.Next() {
		in, err := s.scanSignIn(tenant, rows)
		if err != nil {
			return nil, s.fail("read sign-ins", err)
		}
		list = append(list, in)
	}
	return list, s.fail("read sign-ins", rows.Err())
}

// SignIn implements store.Store.
func (s *Store) SignIn(ctx context.Context, tenant, id uuid.UUID) (store.SignIn, error) {
	in, err := s.scanSignIn(tenant, s.reader.QueryRowContext(ctx, findSignIn, tenant[:], id[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return store.SignIn{}, store.ErrNotFound
	}
	return in, s.fail("read a sign-in", err)
}

func (s *Store) scanSignIn(tenant uuid.UUID, row interface{ Scan(into ...any) error }) (store.SignIn, error) {
	in := store.SignIn{Tenant: tenant}
	var at, sum int64
	if err := row.Scan(&in.Number, &at, &in.ID, &in.Data, &sum); err != nil {
		return store.SignIn{}, err
	}
	if in.At = time.UnixMilli(at).UTC(); in.Sum() != sum {
		return store.SignIn{}, s.damaged(fmt.Sprintf("sign-in %d has another checksum", in.Number))
	}
	return in, nil
}

// DropSignIns implements store.Store.
func (s *Store) DropSignIns(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	var count int64
	err := s.write(ctx, func(tx *sql.Tx) error {
		removed, err := tx.Exec(dropSignIns, tenant[:], store.FirstMilli(before), store.TrimRows)
		if err == nil {
			count, err = removed.RowsAffected()
		}
		return err
	})
	return int(count), s.fail("drop sign-ins", err)
}

// Activities implements store.Store.
func (s *Store) Activities(ctx context.Context, tenant uuid.UUID, users []uint32) ([]store.Activity, error) {
	list, err := json.Marshal(append([]uint32{}, users...))
	if err != nil {
		return nil, err
	}
	rows, err := s.reader.QueryContext(ctx, activities, tenant[:], string(list))
	if err != nil {
		return nil, s.fail("read activities", err)
	}
	defer rows.Close()
	var found []store.Activity
	for rows.Next() {
		var times [3]int64
		var ids [3]uuid.UUID
		a := store.Activity{Tenant: tenant}
		if err := rows.Scan(&a.User, &times[0], &ids[0], &times[1], &ids[1], &times[2], &ids[2]); err != nil {
			return nil, s.fail("read activities", err)
		}
		a.Interactive, a.NonInteractive = store.SeenOf(times[0], ids[0]), store.SeenOf(times[1], ids[1])
		a.Successful = store.SeenOf(times[2], ids[2])
		found = append(found, a)
	}
	return found, s.fail("read activities", rows.Err())
}

// ActiveUsers implements store.Store.
func (s *Store) ActiveUsers(ctx context.Context, tenant uuid.UUID, from, until time.Time) ([]uint32, error) {
	if from.IsZero() && until.IsZero() {
		return s.usersWhere(ctx, "", tenant[:])
	}
	return s.usersWhere(ctx, " AND interactive <> 0 AND interactive >= ?2 AND interactive < ?3",
		tenant[:], store.FirstMilli(from), store.FirstMilli(until))
}

// SeenUsers implements store.Store.
func (s *Store) SeenUsers(ctx context.Context, tenant uuid.UUID, from time.Time) ([]uint32, error) {
	return s.usersWhere(ctx, " AND max(interactive, non_interactive, successful) >= max(?2, 1)",
		tenant[:], store.FirstMilli(from))
}

// usersWhere returns the users of a tenant whose activity fulfills a condition. The first argument
// is the tenant.
func (s *Store) usersWhere(ctx context.Context, condition string, args ...any) ([]uint32, error) {
	turn, err := s.lines.Begin(ctx, uuid.UUID(args[0].([]byte)))
	if err != nil {
		return nil, err
	}
	defer turn.End()
	text := "SELECT user FROM activity WHERE tenant = ?1" + condition + " ORDER BY user"
	rows, err := s.reader.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, s.fail("read active users", err)
	}
	defer rows.Close()
	var users []uint32
	for rows.Next() {
		var user uint32
		if err := rows.Scan(&user); err != nil {
			return nil, s.fail("read active users", err)
		}
		users = append(users, user)
	}
	return users, s.fail("read active users", rows.Err())
}

// DropActivities implements store.Store.
func (s *Store) DropActivities(ctx context.Context, tenant uuid.UUID, users []uint32) error {
	list, err := json.Marshal(append([]uint32{}, users...))
	if err != nil {
		return err
	}
	return s.fail("drop activities", s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM activity WHERE tenant = ? AND user IN (SELECT value FROM json_each(?))",
			tenant[:], string(list))
		return err
	}))
}
