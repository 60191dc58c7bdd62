package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // registers the driver

	"licensor/internal/directory"
)

// database is a SQLite database that is being written. A row begins with the tenant's id.
type database struct {
	ctx    context.Context
	db     *sql.DB
	tx     *sql.Tx
	tenant uuid.UUID
	insert map[string]*sql.Stmt // by table
	values []any
}

// newDatabase creates the tables in a new file. The file is not safe from crashes: it gets its name
// when it is complete.
func newDatabase(ctx context.Context, path string, list []*table) (d *database, err error) {
	d = &database{ctx: ctx, insert: map[string]*sql.Stmt{}}
	if d.db, err = sql.Open("sqlite", "file:"+uriPath(path)+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.db.Close())
		}
	}()
	d.db.SetMaxOpenConns(1)
	if d.tx, err = d.db.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return nil, err
	}
	for _, t := range list {
		if err := d.create(t); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// uriPath escapes what has a meaning in the URI of a file.
func uriPath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

func (d *database) create(t *table) (err error) {
	columns, places := []string{"tenant TEXT NOT NULL"}, "?"
	for _, c := range t.columns {
		columns = append(columns, fmt.Sprintf("%q %s", c.name, typeOf(c)))
		places += ", ?"
	}
	if _, err := d.tx.Exec(fmt.Sprintf("CREATE TABLE %q (%s)", t.name, strings.Join(columns, ", "))); err != nil {
		return err
	}
	d.insert[t.name], err = d.tx.Prepare(fmt.Sprintf("INSERT INTO %q VALUES (%s)", t.name, places))
	return err
}

func typeOf(c column) string {
	switch c.kind {
	case directory.KindBool, directory.KindInt32:
		return "INTEGER"
	}
	return "TEXT"
}

// indexes are the columns by which rows of the tables are found.
var indexes = map[string][]string{
	"users": {"id", "userPrincipalName"}, "groups": {"id"}, "memberships": {"groupId", "memberId"}, "owners": {"ownerId"},
	"managers": {"userId", "managerId"}, "prices": {"skuId"}, "licenses": {"groupId"}, "states": {"userId", "skuId"}, "commits": {"seq"},
}

func (d *database) begin(*table) error { return nil }

func (d *database) end() error { return nil }

func (d *database) write(t *table, row [][]byte) error {
	d.values = append(d.values[:0], d.tenant.String())
	for i, c := range t.columns {
		value, err := valueOf(c, row[i])
		if err != nil {
			return err
		}
		d.values = append(d.values, value)
	}
	_, err := d.insert[t.name].Exec(d.values...)
	return err
}

// valueOf returns a value for a row; lists and objects as JSON.
func valueOf(c column, value []byte) (any, error) {
	switch {
	case isAbsent(value):
		return nil, nil
	case string(value) == "true":
		return 1, nil
	case string(value) == "false":
		return 0, nil
	case value[0] == '"':
		return textOf(value)
	}
	return string(value), nil // SQLite converts numbers
}

// finish adds the indexes and completes the file.
func (d *database) finish(list []*table) error {
	for _, t := range list {
		for _, column := range indexes[t.name] {
			if err := d.ctx.Err(); err != nil {
				return errors.Join(err, d.abandon())
			}
			_, err := d.tx.Exec(fmt.Sprintf("CREATE INDEX %q ON %q (%q)", t.name+"_"+column, t.name, column))
			if err != nil {
				return errors.Join(err, d.abandon())
			}
		}
	}
	return errors.Join(d.tx.Commit(), d.db.Close())
}

// abandon closes the file, which is not complete.
func (d *database) abandon() error { return errors.Join(d.tx.Rollback(), d.db.Close()) }
