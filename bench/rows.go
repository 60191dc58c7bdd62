package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the same database, the same driver
)

// rows is the usual implementation: a row for each assignment, and SQL over sets. Durability is the
// same as ours: WAL, synchronous=FULL, one transaction a change. It checks locations, conflicts,
// dependencies and seats, and nothing else, which is less than the rules require.
type rows struct{ db *sql.DB }

const rowsSchema = `
CREATE TABLE user (id INTEGER PRIMARY KEY, location TEXT NOT NULL);
CREATE TABLE member (group_id INTEGER, user_id INTEGER, PRIMARY KEY (group_id, user_id)) WITHOUT ROWID;
CREATE TABLE license (group_id INTEGER, sku INTEGER, PRIMARY KEY (group_id, sku)) WITHOUT ROWID;
CREATE TABLE sku (id INTEGER PRIMARY KEY, seats INTEGER NOT NULL);
CREATE TABLE sku_plan (sku INTEGER, plan INTEGER, PRIMARY KEY (sku, plan)) WITHOUT ROWID;
CREATE TABLE excludes (plan INTEGER, other INTEGER, PRIMARY KEY (plan, other)) WITHOUT ROWID;
CREATE TABLE needs (plan INTEGER, other INTEGER, PRIMARY KEY (plan, other)) WITHOUT ROWID;
CREATE TABLE prohibited (plan INTEGER, location TEXT, PRIMARY KEY (plan, location)) WITHOUT ROWID;
CREATE TABLE assignment (user_id INTEGER, sku INTEGER, source INTEGER, state TEXT, error TEXT, updated INTEGER,
	PRIMARY KEY (user_id, sku, source)) WITHOUT ROWID;
CREATE INDEX assignment_sku ON assignment (sku, state);
CREATE VIEW sku_excludes AS
	SELECT DISTINCT a.sku, b.sku AS other FROM sku_plan a JOIN excludes x ON x.plan = a.plan JOIN sku_plan b ON b.plan = x.other WHERE b.sku <> a.sku;
CREATE VIEW sku_prohibited AS
	SELECT DISTINCT a.sku, p.location FROM sku_plan a JOIN prohibited p ON p.plan = a.plan;
CREATE VIEW sku_needs AS
	SELECT a.sku, n.plan, n.other FROM sku_plan a JOIN needs n ON n.plan = a.plan
	WHERE NOT EXISTS (SELECT 1 FROM needs n2 JOIN sku_plan own ON own.plan = n2.other WHERE n2.plan = n.plan AND own.sku = a.sku);
`

// verdict is the reason that user u cannot get SKU s.sku, seats excepted; it is empty if there is
// none.
const verdict = `CASE
	WHEN EXISTS (SELECT 1 FROM sku_prohibited p WHERE p.sku = s.sku AND p.location = u.location) THEN 'ProhibitedInUsageLocationViolation'
	WHEN EXISTS (SELECT 1 FROM assignment a JOIN sku_excludes x ON x.other = a.sku
		WHERE a.user_id = u.id AND a.state = 'Active' AND x.sku = s.sku) THEN 'MutuallyExclusiveViolation'
	WHEN EXISTS (SELECT 1 FROM sku_needs n WHERE n.sku = s.sku AND NOT EXISTS (
		SELECT 1 FROM assignment a JOIN sku_plan p ON p.sku = a.sku WHERE a.user_id = u.id AND a.state = 'Active' AND p.plan = n.other)) THEN 'DependencyViolation'
	ELSE '' END`

func openRows(ctx context.Context, path string, w world) (*rows, error) {
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-200000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	r := &rows{db}
	if _, err := db.ExecContext(ctx, rowsSchema); err != nil {
		return nil, fmt.Errorf("make the rows' schema: %w", err)
	}
	return r, r.transaction(ctx, func(tx *sql.Tx) error { return r.fill(ctx, tx, w) })
}

// fill creates the same tenant as ours: the catalog, the people, one group of all users for each
// product, and a new group.
func (r *rows) fill(ctx context.Context, tx *sql.Tx, w world) error {
	plans := map[string]int{}
	number := func(id fmt.Stringer) int {
		if _, ok := plans[id.String()]; !ok {
			plans[id.String()] = len(plans)
		}
		return plans[id.String()]
	}
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
	var all []string
	for s, p := range w.products {
		all = append(all, fmt.Sprintf("INSERT INTO sku VALUES (%d, %d)", s, w.users))
		for _, plan := range p.ServicePlanIDs {
			all = append(all, fmt.Sprintf("INSERT INTO sku_plan VALUES (%d, %d)", s, number(plan)))
		}
	}
	for _, p := range w.catalog.ServicePlans {
		for _, o := range p.Excludes {
			all = append(all,
				fmt.Sprintf("INSERT OR IGNORE INTO excludes VALUES (%[1]d, %[2]d), (%[2]d, %[1]d)",
					number(p.ID), number(o)))
		}
		for _, set := range p.RequiresAnyOf {
			for _, o := range set {
				all = append(all, fmt.Sprintf("INSERT OR IGNORE INTO needs VALUES (%d, %d)", number(p.ID), number(o)))
			}
		}
	}
	all = append(all,
		fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < %d) INSERT INTO user "+
			"SELECT i, 'DE' FROM n", w.users-1))
	for g := range len(w.products) {
		all = append(all, fmt.Sprintf("INSERT INTO member SELECT %d, id FROM user", g))
	}
	if err := exec(strings.Join(all, ";\n")); err != nil {
		return fmt.Errorf("fill the rows: %w", err)
	}
	for g := range len(w.products) - 1 {
		if err := r.assign(ctx, tx, g, g); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// assign assigns a product to a group: each eligible member gets it, oldest first, while there are
// seats.
func (r *rows) assign(ctx context.Context, tx *sql.Tx, group, sku int) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO license VALUES (?, ?)", group, sku); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		WITH s(sku) AS (SELECT ?2),
		judged AS (SELECT u.id, `+verdict+` AS error FROM member m JOIN user u ON u.id = m.user_id CROSS JOIN s WHERE m.group_id = ?1),
		ranked AS (SELECT id, error, sum(error = '') OVER (ORDER BY id) AS place FROM judged),
		free(n) AS (SELECT k.seats - (SELECT count(DISTINCT user_id) FROM assignment WHERE sku = k.id AND state = 'Active') FROM sku k WHERE k.id = ?2)
		INSERT INTO assignment
		SELECT id, ?2, ?1, CASE WHEN error = '' AND place <= n THEN 'Active' ELSE 'Error' END,
			CASE WHEN error <> '' THEN error WHEN place <= n THEN 'None' ELSE 'CountViolation' END, unixepoch()
		FROM ranked CROSS JOIN free`, group, sku)
	if err != nil {
		return fmt.Errorf("assign SKU %d to group %d: %w", sku, group, err)
	}
	return nil
}

// reprocess checks every assignment again, adds those that are missing and removes those that are
// invalid.
func (r *rows) reprocess(ctx context.Context) (changed int64, err error) {
	err = r.transaction(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			WITH wished AS (SELECT m.user_id, l.sku, m.group_id FROM license l JOIN member m ON m.group_id = l.group_id),
			judged AS (SELECT s.user_id, s.sku, s.group_id, a.state, a.error AS was, `+verdict+` AS error
				FROM wished s JOIN user u ON u.id = s.user_id
				LEFT JOIN assignment a ON a.user_id = s.user_id AND a.sku = s.sku AND a.source = s.group_id)
			INSERT OR REPLACE INTO assignment
			SELECT user_id, sku, group_id, CASE WHEN state = 'Active' THEN 'ActiveWithError' ELSE 'Error' END, error, unixepoch() FROM judged
			WHERE state IS NULL OR (state = 'Active' AND error <> '') OR (state <> 'Active' AND error <> was)`)
		if err != nil {
			return fmt.Errorf("reprocess the rows: %w", err)
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// timeAssign measures an assignment in one transaction, and reverts it for the next round.
func (r *rows) timeAssign(ctx context.Context, n int) (time.Duration, error) {
	start := time.Now()
	err := r.transaction(ctx, func(tx *sql.Tx) error { return r.assign(ctx, tx, n, n) })
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, r.transaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM license WHERE group_id = ?1; DELETE FROM assignment WHERE "+
			"source = ?1", n)
		return err
	})
}
