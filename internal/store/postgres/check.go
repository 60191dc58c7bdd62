package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// found is what a database tells about itself before it is used. Settings that it does not have are
// nil.
type found struct {
	role                                    string
	number                                  int // 150004 for 15.4
	encoding                                string
	readOnly                                bool
	fsync, fullPages, standbys, synchronous *string

	schema, usable    bool     // whether there is a schema named licensor, and the role may use it
	tables, forbidden []string // of the schema, and those that the role may not fully use
	ours              bool     // whether the tables are of this program
	version           int      // of the schema; 0 if there is none
	program           string   // that wrote the schema
}

func (f found) has(table string) bool { return slices.Contains(f.tables, table) }

const selectServer = `SELECT current_user, current_setting('server_version_num')::integer, current_setting('server_encoding'),
	current_setting('transaction_read_only') = 'on', current_setting('fsync', true), current_setting('full_page_writes', true),
	current_setting('synchronous_standby_names', true), current_setting('synchronous_commit', true),
	EXISTS (SELECT FROM pg_namespace WHERE nspname = 'licensor'),
	coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'licensor'), false)`

const selectTables = `SELECT c.relname::text, has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
		AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = 'licensor' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname`

const selectVersion = "SELECT version, program FROM licensor.migration ORDER BY version DESC LIMIT 1"

// examine queries what the database is.
func (s *Store) examine(ctx context.Context) (found, error) {
	return read(ctx, s, uuid.Nil, "examine it", func(r reading) (f found, err error) {
		err = r.row(r.ctx, selectServer).Scan(&f.role, &f.number, &f.encoding, &f.readOnly,
			&f.fsync, &f.fullPages, &f.standbys, &f.synchronous, &f.schema, &f.usable)
		if err != nil {
			return f, err
		}
		err = r.rows(selectTables, nil, func(row pgx.CollectableRow) error {
			var name string
			var allowed bool
			err := row.Scan(&name, &allowed)
			f.tables = append(f.tables, name)
			if !allowed {
				f.forbidden = append(f.forbidden, name)
			}
			return err
		})
		if err != nil || !f.usable || !f.has("migration") || slices.Contains(f.forbidden, "migration") {
			return f, err
		}
		err = r.row(r.ctx, selectVersion).Scan(&f.version, &f.program)
		if codeOf(err) == codeNoColumn || errors.Is(err, pgx.ErrNoRows) {
			return f, nil // another program's database
		}
		f.ours = err == nil
		return f, err
	})
}

// check returns an error unless the database can be used as it is.
func (s *Store) check(ctx context.Context, options Options) error {
	f, err := s.examine(ctx)
	if err != nil {
		return err
	}
	if err := s.checkServer(f); err != nil {
		return err
	}
	if err := s.checkSchema(f); err != nil {
		return err
	}
	return s.checkLoss(f, options)
}

// checkServer checks what does not depend on the schema.
func (s *Store) checkServer(f found) error {
	switch {
	case f.number < 130000:
		return s.unfit("it is PostgreSQL %d, and Licensor needs 13 or newer: upgrade the server", f.number/10000)
	case f.encoding != "UTF8":
		return s.unfit("its encoding is %s, and Licensor needs UTF8: CREATE DATABASE licensor ENCODING 'UTF8' "+
			"TEMPLATE template0", f.encoding)
	case isOff(f.fsync):
		return s.unfit("fsync is off, so a crash of the machine destroys it: ALTER SYSTEM SET fsync = on; SELECT " +
			"pg_reload_conf()")
	case isOff(f.fullPages):
		return s.unfit("full_page_writes is off, so a crash of the machine may destroy it: ALTER SYSTEM SET " +
			"full_page_writes = on; SELECT pg_reload_conf()")
	case isOff(f.synchronous):
		return s.unfit("synchronous_commit is off, so a crash loses what was acknowledged: ALTER ROLE %s SET "+
			"synchronous_commit = on", quoted(f.role))
	case f.readOnly:
		return s.unfit("it can only be read: it is a standby, or default_transaction_read_only is on: name all "+
			"hosts in the URL, or ALTER ROLE %s SET default_transaction_read_only = off", quoted(f.role))
	}
	return nil
}

// SchemaError means that the schema of a database is not the one of this program.
type SchemaError struct {
	Found, Known int    // Found is 0 if there is no schema
	Text         string // what to do
}

// Error implements error.
func (e *SchemaError) Error() string { return e.Text }

// IsOlder reports whether Migrate would solve it.
func (e *SchemaError) IsOlder() bool { return e.Found > 0 && e.Found < e.Known }

func (s *Store) checkSchema(f found) error {
	schema := func(format string, args ...any) error {
		return &SchemaError{f.version, Newest(), "database " + s.name + ": " + fmt.Sprintf(format, args...)}
	}
	switch {
	case !f.schema || f.usable && len(f.tables) == 0:
		return schema("it has no Licensor tables: run `licensor init`")
	case !f.usable:
		return s.unfit("the role %[1]s may not use the schema licensor: GRANT USAGE ON SCHEMA licensor TO %[1]s",
			quoted(f.role))
	case !f.has("migration") || !f.ours && !slices.Contains(f.forbidden, "migration"):
		return schema("its schema licensor has tables of another program (%s), and is left as it is: choose "+
			"another database", strings.Join(f.tables, ", "))
	case len(f.forbidden) > 0:
		return s.unfit("the role %[1]s may not read and write %[2]s: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "+
			"TABLES IN SCHEMA licensor TO %[1]s",
			quoted(f.role), strings.Join(f.forbidden, ", "))
	case f.version < Newest():
		return schema("it has schema %d, and this program needs schema %d: run `licensor migrate up`",
			f.version, Newest())
	case f.version > Newest():
		return schema("it has schema %d, written by Licensor %s, and this program knows schemas up to %d: run that "+
			"version or a newer one",
			f.version, f.program, Newest())
	}
	return nil
}

// checkLoss returns an error if a failover would lose acknowledged changes.
func (s *Store) checkLoss(f found, options Options) error {
	why := ""
	switch {
	case len(s.hosts.all) < 2 || f.standbys == nil:
		return nil
	case *f.standbys == "":
		why = "commits wait for no standby (synchronous_standby_names is empty), so a failover loses changes that " +
			"were acknowledged: ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (name)'; SELECT pg_reload_conf()"
	case f.synchronous != nil && *f.synchronous == "local":
		why = "commits wait for no standby (synchronous_commit is local), so a failover loses changes that were " +
			"acknowledged: ALTER ROLE " + quoted(f.role) + " SET synchronous_commit = on"
	default:
		return nil
	}
	if !options.AllowDataLoss {
		return s.unfit("%s; or accept the loss with --allow-data-loss", why)
	}
	if options.Warn != nil {
		options.Warn("database " + s.name + ": " + why)
	}
	return nil
}

// unfit returns an error that says why a database cannot be used, and how to fix it.
func (s *Store) unfit(format string, args ...any) error {
	return fmt.Errorf("database %s: %s", s.name, fmt.Sprintf(format, args...))
}

func isOff(setting *string) bool { return setting != nil && *setting == "off" }

// quoted returns a name as statements need it.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// What a role without rights cannot make in a database that has no schema yet.
var (
	errNoSchema = errors.New("make the schema")
	errNoTables = errors.New("make the first tables")
)

// withRemedy adds how to fix it to an error of a statement that makes or changes tables.
func (s *Store) withRemedy(doing string, err error) error {
	if kind := (*SchemaError)(nil); errors.As(err, &kind) {
		return err
	}
	if codeOf(err) != codeNoRights {
		return s.fail(doing, err)
	}
	role, database := quoted(s.hosts.config.User), quoted(s.hosts.config.Database)
	help := fmt.Sprintf("the role %s may not change the tables of Licensor in the database %s: run this as the role "+
		"that owns them", role, database)
	switch what := "the role " + role + " may not make tables in the database " + database; {
	case errors.Is(err, errNoSchema):
		help = fmt.Sprintf("%s: GRANT CREATE ON DATABASE %s TO %s", what, database, role)
	case errors.Is(err, errNoTables):
		help = fmt.Sprintf("%s: GRANT CREATE ON SCHEMA licensor TO %s", what, role)
	}
	return &toldError{"database " + s.name + ": " + help, errors.Join(store.ErrUnavailable, err)}
}
