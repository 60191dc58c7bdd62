package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"licensor/internal/catalog"
)

// rows is the usual implementation: a row for each assignment, and SQL over sets, in PostgreSQL. It
// checks locations, conflicts, dependencies and seats, which is less than the rules require.
type rows struct{ db *pgx.Conn }

const rowsSchema = `
CREATE TABLE person (id integer PRIMARY KEY, location text NOT NULL);
CREATE TABLE member (group_id integer, user_id integer);
CREATE TABLE license (group_id integer, sku integer, PRIMARY KEY (group_id, sku));
CREATE TABLE sku (id integer PRIMARY KEY, seats integer NOT NULL);
CREATE TABLE sku_plan (sku integer, plan integer, PRIMARY KEY (sku, plan));
CREATE TABLE excludes (plan integer, other integer, PRIMARY KEY (plan, other));
CREATE TABLE needs (plan integer, other integer, PRIMARY KEY (plan, other));
CREATE TABLE prohibited (plan integer, location text, PRIMARY KEY (plan, location));
CREATE TABLE assignment (user_id integer, sku integer, source integer, state text, error text, updated bigint,
	PRIMARY KEY (user_id, sku, source));
CREATE INDEX assignment_sku ON assignment (sku, state);
`

// ruleTables are made of the catalog once, so that no user's verdict joins it again.
const ruleTables = `
CREATE TABLE sku_excludes AS
	SELECT DISTINCT a.sku, b.sku AS other FROM sku_plan a JOIN excludes x ON x.plan = a.plan JOIN sku_plan b ON b.plan = x.other WHERE b.sku <> a.sku;
CREATE TABLE sku_prohibited AS
	SELECT DISTINCT a.sku, p.location FROM sku_plan a JOIN prohibited p ON p.plan = a.plan;
CREATE TABLE sku_needs AS
	SELECT a.sku, n.plan, n.other FROM sku_plan a JOIN needs n ON n.plan = a.plan
	WHERE NOT EXISTS (SELECT FROM needs n2 JOIN sku_plan own ON own.plan = n2.other WHERE n2.plan = n.plan AND own.sku = a.sku);
CREATE INDEX ON sku_excludes (sku, other);
CREATE INDEX ON sku_prohibited (sku, location);
CREATE INDEX ON sku_needs (sku);
`

// facts and verdict say why user u cannot get SKU s.sku, seats excepted; the verdict is empty if
// nothing prevents it. Joins over sets take half of the time that subqueries for each user do.
const (
	facts = `excluded AS (SELECT DISTINCT a.user_id, x.sku FROM assignment a JOIN sku_excludes x ON x.other = a.sku WHERE a.state = 'Active'),
		needed AS (SELECT sku, count(*) AS n FROM sku_needs GROUP BY sku),
		met AS (SELECT a.user_id, n.sku, count(DISTINCT (n.plan, n.other)) AS n FROM sku_needs n
			JOIN sku_plan p ON p.plan = n.other JOIN assignment a ON a.sku = p.sku AND a.state = 'Active' GROUP BY a.user_id, n.sku)`
	joined = `LEFT JOIN sku_prohibited p ON p.sku = s.sku AND p.location = u.location
		LEFT JOIN excluded x ON x.sku = s.sku AND x.user_id = u.id
		LEFT JOIN needed ON needed.sku = s.sku LEFT JOIN met ON met.sku = s.sku AND met.user_id = u.id`
	verdict = `CASE WHEN p.sku IS NOT NULL THEN 'ProhibitedInUsageLocationViolation' WHEN x.sku IS NOT NULL THEN 'MutuallyExclusiveViolation'
		WHEN needed.n > coalesce(met.n, 0) THEN 'DependencyViolation' ELSE '' END`
)

// setBased measures the changes of allUsers with set-based SQL on rows.
func (s *scale) setBased(ctx context.Context, users int) error {
	url, err := s.newDatabase(ctx, "rows")
	if err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	r := &rows{db}
	if err := r.fill(ctx, users); err != nil {
		return err
	}
	took, err := timed(s.rounds, func() (time.Duration, error) {
		start := time.Now()
		err := r.assign(ctx, len(firstProducts))
		took := time.Since(start)
		if err != nil {
			return 0, err
		}
		return took, r.revert(ctx, len(firstProducts))
	})
	if err != nil {
		return err
	}
	s.addValue("license-all", rawPostgres, took.Seconds())
	if took, err = timed(s.rounds, func() (time.Duration, error) { return r.reprocess(ctx) }); err != nil {
		return err
	}
	s.addValue("reprocess-all", rawPostgres, took.Seconds())
	return nil
}

// fill creates the same tenant as ours: the rules of the catalog, the users, and their memberships.
func (r *rows) fill(ctx context.Context, users int) error {
	if _, err := r.db.Exec(ctx, rowsSchema); err != nil {
		return err
	}
	if err := r.fillCatalog(ctx, users); err != nil {
		return err
	}
	n, k := 0, memberships
	source := pgx.CopyFromFunc(func() ([]any, error) {
		if k == memberships {
			n, k = n+1, 0
		}
		if n > users {
			return nil, nil
		}
		k++
		return []any{int32(groupsOf(n - 1)[k-1]), int32(n - 1)}, nil
	})
	if _, err := r.db.CopyFrom(ctx, pgx.Identifier{"member"}, []string{"group_id", "user_id"}, source); err != nil {
		return err
	}
	for _, text := range []string{
		fmt.Sprintf("INSERT INTO person SELECT i, 'DE' FROM generate_series(0, %d) AS i", users-1),
		"ALTER TABLE member ADD PRIMARY KEY (group_id, user_id)", "VACUUM ANALYZE",
	} {
		if _, err := r.db.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	for sku := range firstProducts {
		if err := r.assign(ctx, sku); err != nil {
			return err
		}
	}
	_, err := r.db.Exec(ctx, "VACUUM ANALYZE")
	return err
}

func (r *rows) fillCatalog(ctx context.Context, users int) error {
	plans := map[string]int{}
	number := func(id fmt.Stringer) int {
		if _, ok := plans[id.String()]; !ok {
			plans[id.String()] = len(plans)
		}
		return plans[id.String()]
	}
	var all []string
	for n, name := range append(firstProducts, lastProduct) {
		p, err := productOf(name)
		if err != nil {
			return err
		}
		all = append(all, fmt.Sprintf("INSERT INTO sku VALUES (%d, %d)", n, users))
		for _, plan := range p.ServicePlanIDs {
			all = append(all, fmt.Sprintf("INSERT INTO sku_plan VALUES (%d, %d)", n, number(plan)))
		}
	}
	for _, p := range catalog.BuiltIn().ServicePlans {
		for _, o := range p.Excludes {
			all = append(all, fmt.Sprintf("INSERT INTO excludes VALUES (%[1]d, %[2]d), (%[2]d, %[1]d) "+
				"ON CONFLICT DO NOTHING", number(p.ID), number(o)))
		}
		for _, set := range p.RequiresAnyOf {
			for _, o := range set {
				all = append(all, fmt.Sprintf("INSERT INTO needs VALUES (%d, %d) ON CONFLICT DO NOTHING",
					number(p.ID), number(o)))
			}
		}
	}
	_, err := r.db.Exec(ctx, strings.Join(append(all, ruleTables), ";\n"), pgx.QueryExecModeSimpleProtocol)
	return err
}

// assign assigns a product to the group of all users: each eligible member gets it, oldest first,
// while there are seats.
func (r *rows) assign(ctx context.Context, sku int) error {
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // does nothing after Commit
	if _, err := tx.Exec(ctx, "INSERT INTO license VALUES (0, $1)", sku); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH s AS (SELECT $1::integer AS sku), `+facts+`,
		judged AS (SELECT u.id, `+verdict+` AS error
			FROM member m JOIN person u ON u.id = m.user_id CROSS JOIN s `+joined+` WHERE m.group_id = 0),
		ranked AS (SELECT id, error, sum((error = '')::integer) OVER (ORDER BY id) AS place FROM judged),
		free AS MATERIALIZED (SELECT k.seats - (SELECT count(DISTINCT user_id) FROM assignment WHERE sku = k.id AND state = 'Active') AS n FROM sku k WHERE k.id = $1)
		INSERT INTO assignment
		SELECT id, $1, 0, CASE WHEN error = '' AND place <= n THEN 'Active' ELSE 'Error' END,
			CASE WHEN error <> '' THEN error WHEN place <= n THEN 'None' ELSE 'CountViolation' END, extract(epoch FROM now())
		FROM ranked CROSS JOIN free`, sku)
	if err != nil {
		return fmt.Errorf("assign SKU %d: %w", sku, err)
	}
	return tx.Commit(ctx)
}

// revert removes a product from the group, and what is left of its rows.
func (r *rows) revert(ctx context.Context, sku int) error {
	for _, text := range []string{
		fmt.Sprintf("DELETE FROM assignment WHERE sku = %d", sku),
		fmt.Sprintf("DELETE FROM license WHERE sku = %d", sku),
		"VACUUM ANALYZE assignment",
	} {
		if _, err := r.db.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// reprocess checks every assignment again, and fails if that changes any.
func (r *rows) reprocess(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	done, err := r.db.Exec(ctx, `
		WITH wished AS (SELECT m.user_id, l.sku, m.group_id FROM license l JOIN member m ON m.group_id = l.group_id), `+facts+`,
		judged AS (SELECT s.user_id, s.sku, s.group_id, a.state, a.error AS was, `+verdict+` AS error
			FROM wished s JOIN person u ON u.id = s.user_id
			LEFT JOIN assignment a ON a.user_id = s.user_id AND a.sku = s.sku AND a.source = s.group_id `+joined+`)
		INSERT INTO assignment
		SELECT user_id, sku, group_id, CASE WHEN state = 'Active' THEN 'ActiveWithError' ELSE 'Error' END, error, extract(epoch FROM now()) FROM judged
		WHERE state IS NULL OR (state = 'Active' AND error <> '') OR (state <> 'Active' AND error <> was)
		ON CONFLICT (user_id, sku, source) DO UPDATE SET state = excluded.state, error = excluded.error, updated = excluded.updated`)
	if err == nil && done.RowsAffected() != 0 {
		err = fmt.Errorf("reprocessing the rows changed %d of them", done.RowsAffected())
	}
	return time.Since(start), err
}
