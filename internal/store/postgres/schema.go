package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
)

// migrations has the steps between schemas: the n-th file, by name, leads from schema n-1 to schema
// n. Files that were released are never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

func steps() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	slices.Sort(names)
	return names
}

// Newest returns the schema of this program.
func Newest() int { return len(steps()) }

// Create creates the schema in a database that has none, for Open. The role must be allowed to
// create a schema, unless there is an empty one named licensor in which it may create tables. If
// there are tables already, nothing changes and it returns a *SchemaError.
func Create(ctx context.Context, url string, options Options) error {
	return prepare(ctx, url, func(s *Store, f found) error {
		if err := s.checkSchema(f); f.version > 0 || err == nil {
			return &SchemaError{
				f.version, Newest(),
				fmt.Sprintf("database %s has the tables of Licensor already (schema %d)", s.name, f.version),
			}
		} else if len(f.tables) > 0 || f.schema && !f.usable {
			return err
		}
		_, err := s.raise(ctx, options.Program)
		return err
	})
}

// Schema returns the schema of a database, and the one to which Migrate brings it; 0 if there is
// none.
func Schema(ctx context.Context, url string) (at, newest int, err error) {
	err = prepare(ctx, url, func(s *Store, f found) error {
		at = f.version
		var kind *SchemaError
		if err := s.checkSchema(f); !errors.As(err, &kind) || kind.Found == 0 && len(f.tables) > 0 {
			return err
		}
		return nil
	})
	return at, Newest(), err
}

// Migrate upgrades the schema of a database to that of this program, and returns the previous one.
// Servers may run meanwhile. A step that is interrupted changes nothing.
func Migrate(ctx context.Context, url string, options Options) (from int, err error) {
	err = prepare(ctx, url, func(s *Store, f found) error {
		from = f.version
		var kind *SchemaError
		if err := s.checkSchema(f); err == nil || !errors.As(err, &kind) || !kind.IsOlder() {
			return err
		}
		_, err := s.raise(ctx, options.Program)
		return err
	})
	return from, err
}

// prepare calls do with the schema of a database, if the database can be used otherwise.
func prepare(ctx context.Context, url string, do func(s *Store, f found) error) error {
	s, err := connect(url)
	if err != nil {
		return err
	}
	defer s.Close()
	f, err := s.examine(ctx)
	if err != nil {
		return err
	}
	if err := s.checkServer(f); err != nil {
		return err
	}
	return do(s, f)
}

// raise executes the remaining steps, each as a whole or not at all. If several processes do so
// at once, each step is executed once.
func (s *Store) raise(ctx context.Context, program string) (version int, err error) {
	for version < Newest() {
		if version, err = s.step(ctx, program); err != nil {
			return version, s.withRemedy("make the schema", err)
		}
	}
	return version, nil
}

// step executes the next step and returns the schema after it. In a database without a schema it
// executes all steps in one transaction: if it is interrupted, there is still none, rather than one
// that looks like that of an older program.
func (s *Store) step(ctx context.Context, program string) (version int, err error) {
	c, err := s.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Release()
	err = pgx.BeginTxFunc(ctx, c.Conn, pgx.TxOptions{BeginQuery: beginStep}, func(tx pgx.Tx) error {
		if err := makeSchema(ctx, tx); err != nil {
			return err
		}
		version, err = versionNow(ctx, tx)
		if err != nil || version >= Newest() {
			return err
		}
		last, isNew := version+1, version == 0
		if isNew {
			last = Newest()
		}
		for version < last && err == nil {
			version++
			err = execute(ctx, tx, version, program)
		}
		if err != nil && isNew {
			err = fmt.Errorf("%w: %w", errNoTables, err)
		}
		return err
	})
	return version, err
}

// execute executes the step that leads to a schema.
func execute(ctx context.Context, tx pgx.Tx, version int, program string) error {
	script, err := migrations.ReadFile(steps()[version-1])
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, string(script), pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("to schema %d: %w", version, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO licensor.migration (version, program) VALUES ($1, $2)",
		pgx.QueryExecModeExec, version, program)
	return err
}

// makeSchema creates the schema unless it exists, and locks it until the transaction ends.
func makeSchema(ctx context.Context, tx pgx.Tx) error {
	var there, marked bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'licensor'),
			EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
				WHERE n.nspname = 'licensor' AND c.relname = 'migration')`, pgx.QueryExecModeExec).Scan(&there, &marked)
	switch {
	case err != nil:
		return err
	case marked:
		_, err = tx.Exec(ctx, "LOCK TABLE licensor.migration IN EXCLUSIVE MODE", pgx.QueryExecModeExec)
	case !there:
		if _, err = tx.Exec(ctx, "CREATE SCHEMA licensor", pgx.QueryExecModeExec); err != nil {
			err = fmt.Errorf("%w: %w", errNoSchema, err)
		}
	}
	return err
}

// versionNow returns the current schema; 0 if there is none.
func versionNow(ctx context.Context, tx pgx.Tx) (version int, err error) {
	var marked bool
	err = tx.QueryRow(ctx, "SELECT to_regclass('licensor.migration') IS NOT NULL", pgx.QueryExecModeExec).Scan(&marked)
	if err != nil || !marked {
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM licensor.migration",
		pgx.QueryExecModeExec).Scan(&version)
	return version, err
}
