package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

const (
	// addSignIns numbers the rows in their order.
	addSignIns = `WITH seen AS (
			INSERT INTO licensor.activity AS a (tenant, ordinal, interactive, interactive_id,
				non_interactive, non_interactive_id, successful, successful_id)
			SELECT * FROM unnest($6::uuid[], $7::bigint[], $8::bigint[], $9::uuid[], $10::bigint[], $11::uuid[], $12::bigint[], $13::uuid[])
			ON CONFLICT (tenant, ordinal) DO UPDATE SET
				interactive = greatest(a.interactive, excluded.interactive),
				interactive_id = CASE WHEN excluded.interactive >= a.interactive THEN excluded.interactive_id ELSE a.interactive_id END,
				non_interactive = greatest(a.non_interactive, excluded.non_interactive),
				non_interactive_id = CASE WHEN excluded.non_interactive >= a.non_interactive THEN excluded.non_interactive_id ELSE a.non_interactive_id END,
				successful = greatest(a.successful, excluded.successful),
				successful_id = CASE WHEN excluded.successful >= a.successful THEN excluded.successful_id ELSE a.successful_id END
		) INSERT INTO licensor.sign_in (tenant, at, id, data, sum)
		SELECT i.tenant, i.at, i.id, i.data, i.sum
		FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bigint[]) WITH ORDINALITY AS i (tenant, at, id, data, sum, n)
		ORDER BY i.n ON CONFLICT DO NOTHING`
	lastSignIn = "SELECT coalesce(max(number), 0) FROM licensor.sign_in WHERE tenant = $1"
	signInsOf  = "SELECT number, at, id, data, sum FROM licensor.sign_in WHERE tenant = $1"
	findSignIn = signInsOf + " AND id = $2"
	signInsUp  = signInsOf + " AND at BETWEEN $2 AND $3 AND number <= $4 AND (at, number) > ($5, $6) " +
		"ORDER BY at, number LIMIT $7"
	signInsDown = signInsOf + " AND at BETWEEN $2 AND $3 AND number <= $4 AND (at, number) < ($5, $6) " +
		"ORDER BY at DESC, number DESC LIMIT $7"
	dropSignIns = `DELETE FROM licensor.sign_in WHERE tenant = $1 AND number IN (
		SELECT number FROM licensor.sign_in WHERE tenant = $1 AND at < $2 LIMIT $3)`

	activities = `SELECT ordinal, interactive, interactive_id, non_interactive, non_interactive_id, successful, successful_id
		FROM licensor.activity WHERE tenant = $1 AND ordinal = ANY ($2)`
	activeUsers = "SELECT ordinal FROM licensor.activity WHERE tenant = $1 AND interactive <> 0 " +
		"AND interactive >= $2 AND interactive < $3 ORDER BY ordinal"
	seenUsers = "SELECT ordinal FROM licensor.activity WHERE tenant = $1 " +
		"AND greatest(interactive, non_interactive, successful) >= greatest($2::bigint, 1) ORDER BY ordinal"
	allActivities  = "SELECT ordinal FROM licensor.activity WHERE tenant = $1 ORDER BY ordinal"
	dropActivities = "DELETE FROM licensor.activity WHERE tenant = $1 AND ordinal = ANY ($2)"
)

// AddSignIns implements store.Store.
func (s *Store) AddSignIns(ctx context.Context, list []store.SignIn, seen []store.Activity) error {
	args := append(signInColumns(list), activityColumns(seen)...)
	return s.write(ctx, "add sign-ins", func(ctx context.Context, c conn) error {
		_, err := c.planned(len(seen)).exec(ctx, addSignIns, args...)
		return err
	})
}

func signInColumns(list []store.SignIn) []any {
	tenants, ids := make([]uuid.UUID, len(list)), make([]uuid.UUID, len(list))
	times, sums := make([]int64, len(list)), make([]int64, len(list))
	data := make([][]byte, len(list))
	for i := range list {
		in := &list[i]
		tenants[i], times[i], ids[i], data[i], sums[i] = in.Tenant, in.At.UnixMilli(), in.ID, bytesOf(in.Data), in.Sum()
	}
	return []any{tenants, times, ids, data, sums}
}

// activityColumns orders the rows by their keys: statements that lock the same rows must do so in
// the same order.
func activityColumns(seen []store.Activity) []any {
	seen = slices.Clone(seen)
	slices.SortFunc(seen, func(a, b store.Activity) int {
		if c := slices.Compare(a.Tenant[:], b.Tenant[:]); c != 0 {
			return c
		}
		return int(a.User) - int(b.User)
	})
	tenants, users := make([]uuid.UUID, len(seen)), make([]int64, len(seen))
	columns := []any{tenants, users}
	for i := range seen {
		tenants[i], users[i] = seen[i].Tenant, int64(seen[i].User)
	}
	for _, of := range []func(a *store.Activity) store.Seen{
		func(a *store.Activity) store.Seen { return a.Interactive },
		func(a *store.Activity) store.Seen { return a.NonInteractive },
		func(a *store.Activity) store.Seen { return a.Successful },
	} {
		times, ids := make([]int64, len(seen)), make([]uuid.UUID, len(seen))
		for i := range seen {
			at := of(&seen[i])
			times[i], ids[i] = at.Milliseconds(), at.ID
		}
		columns = append(columns, times, ids)
	}
	return columns
}

// LastSignIn implements store.Store.
func (s *Store) LastSignIn(ctx context.Context, tenant uuid.UUID) (uint64, error) {
	return read(ctx, s, tenant, "find the last sign-in", func(r reading) (last uint64, err error) {
		err = r.row(r.ctx, lastSignIn, tenant).Scan(&last)
		return last, err
	})
}

// SignIns implements store.Store.
func (s *Store) SignIns(ctx context.Context, tenant uuid.UUID, query store.SignInQuery) ([]store.SignIn, error) {
	text := signInsUp
	if query.Descending {
		text = signInsDown
	}
	from, until, at, number := query.Bounds()
	args := []any{tenant, from, until, int64(min(query.UpTo, math.MaxInt64)), at, number, query.Limit}
	return read(ctx, s, tenant, "read sign-ins", func(r reading) (list []store.SignIn, err error) {
		err = r.rows(text, args, func(row pgx.CollectableRow) error {
			in, err := s.scanSignIn(tenant, row)
			list = append(list, in)
			return err
		})
		return list, err
	})
}

// SignIn implements store.Store.
func (s *Store) SignIn(ctx context.Context, tenant, id uuid.UUID) (store.SignIn, error) {
	return read(ctx, s, tenant, "read a sign-in", func(r reading) (store.SignIn, error) {
		return s.scanSignIn(tenant, r.row(r.ctx, findSignIn, tenant, id))
	})
}

func (s *Store) scanSignIn(tenant uuid.UUID, row pgx.Row) (store.SignIn, error) {
	in := store.SignIn{Tenant: tenant}
	var at, sum int64
	err := row.Scan(&in.Number, &at, &in.ID, &in.Data, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.SignIn{}, callersError{store.ErrNotFound}
	} else if err != nil {
		return store.SignIn{}, err
	}
	if in.At = time.UnixMilli(at).UTC(); in.Sum() != sum {
		return store.SignIn{}, callersError{s.damaged(fmt.Sprintf("sign-in %d has another checksum", in.Number))}
	}
	return in, nil
}

// DropSignIns implements store.Store.
func (s *Store) DropSignIns(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	var dropped int64
	err := s.write(ctx, "drop sign-ins", func(ctx context.Context, c conn) (err error) {
		dropped, err = c.exec(ctx, dropSignIns, tenant, store.FirstMilli(before), store.TrimRows)
		return err
	})
	return int(dropped), err
}

// Activities implements store.Store.
func (s *Store) Activities(ctx context.Context, tenant uuid.UUID, users []uint32) ([]store.Activity, error) {
	return read(ctx, s, tenant, "read activities", func(r reading) (found []store.Activity, err error) {
		r.conn = r.planned(len(users))
		err = r.rows(activities, []any{tenant, wide(users)}, func(row pgx.CollectableRow) error {
			var times [3]int64
			var ids [3]uuid.UUID
			a := store.Activity{Tenant: tenant}
			err := row.Scan(&a.User, &times[0], &ids[0], &times[1], &ids[1], &times[2], &ids[2])
			a.Interactive, a.NonInteractive = store.SeenOf(times[0], ids[0]), store.SeenOf(times[1], ids[1])
			a.Successful = store.SeenOf(times[2], ids[2])
			found = append(found, a)
			return err
		})
		return found, err
	})
}

// wide returns ordinals as the database has them.
func wide(ordinals []uint32) []int64 {
	list := make([]int64, len(ordinals))
	for i, ordinal := range ordinals {
		list[i] = int64(ordinal)
	}
	return list
}

// ActiveUsers implements store.Store.
func (s *Store) ActiveUsers(ctx context.Context, tenant uuid.UUID, from, until time.Time) ([]uint32, error) {
	if from.IsZero() && until.IsZero() {
		return s.usersOf(ctx, tenant, allActivities, tenant)
	}
	return s.usersOf(ctx, tenant, activeUsers, tenant, store.FirstMilli(from), store.FirstMilli(until))
}

// SeenUsers implements store.Store.
func (s *Store) SeenUsers(ctx context.Context, tenant uuid.UUID, from time.Time) ([]uint32, error) {
	return s.usersOf(ctx, tenant, seenUsers, tenant, store.FirstMilli(from))
}

// usersOf returns the users whom a statement finds.
func (s *Store) usersOf(ctx context.Context, tenant uuid.UUID, text string, args ...any) ([]uint32, error) {
	return read(ctx, s, tenant, "read active users", func(r reading) (users []uint32, err error) {
		err = r.rows(text, args, func(row pgx.CollectableRow) error {
			var user uint32
			err := row.Scan(&user)
			users = append(users, user)
			return err
		})
		return users, err
	})
}

// DropActivities implements store.Store.
func (s *Store) DropActivities(ctx context.Context, tenant uuid.UUID, users []uint32) error {
	return s.write(ctx, "drop activities", func(ctx context.Context, c conn) error {
		_, err := c.planned(len(users)).exec(ctx, dropActivities, tenant, wide(users))
		return err
	})
}
