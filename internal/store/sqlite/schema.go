package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"licensor/internal/durable"
)

// applicationID marks a file as one of this program.
const applicationID = durable.ApplicationID

// migrations has the steps between schemas: the n-th file, by name, leads from schema n-1 to schema
// n. Files that were released are never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// steps returns the names of all migrations, in order.
func steps() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	slices.Sort(names)
	return names, err
}

// Schema returns the schema of an existing file, and the one to which Open brings it. It changes
// nothing.
func Schema(ctx context.Context, path string) (found, known int, err error) {
	names, err := steps()
	if err != nil {
		return 0, 0, err
	}
	if path, err = locate(path); err != nil {
		return 0, 0, err
	}
	lock, err := lockFile(path)
	if err != nil {
		return 0, 0, err
	}
	s := &Store{path: path, lock: lock, refused: true, added: addable(path)} // so that the log stays as it is
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.file, err = openFile(path); err != nil {
		return 0, 0, err
	}
	if err := s.examineFiles(); err != nil {
		return 0, 0, err
	}
	s.reader = connect(path, reading+readOnly, 1)
	found, err = s.version(ctx, s.reader)
	return found, len(names), s.fail("read the schema's version", err)
}

// schemaOfLineage is the first schema with a lineage.
const schemaOfLineage = 9

// migrate upgrades the file to the newest schema, in one transaction. It is called before the file
// is switched to write-ahead logging, and switches an existing file back, so that no log has
// changes of the schema: the file alone shows which log belongs to it.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	version, err := s.version(ctx, s.writer)
	if err != nil {
		return s.fail("read the schema's version", err)
	}
	if version > len(steps) {
		return fmt.Errorf("the database %s has schema %d, and this program knows schemas up to %d: it was written "+
			"by a newer version; "+
			"run that version, or restore a backup made before the upgrade", s.path, version, len(steps))
	}
	if version == len(steps) {
		return nil
	}
	if version > 0 {
		if err := s.leaveLog(ctx); err != nil {
			return s.fail("merge the log before the upgrade", err)
		}
		s.logged = 0
		if err := s.noteMerged(); err != nil {
			return err
		}
	}
	return s.fail(fmt.Sprintf("upgrade from schema %d to %d", version, len(steps)), s.upgrade(ctx, steps, version))
}

// leaveLog merges the log into the file and ends write-ahead logging, which needs the only open
// connection.
func (s *Store) leaveLog(ctx context.Context) error {
	s.reader.SetMaxIdleConns(0)
	defer s.reader.SetMaxIdleConns(readers)
	var mode string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode=DELETE").Scan(&mode); err != nil {
		return err
	}
	if mode != "delete" {
		return fmt.Errorf("SQLite's journal mode stayed %q", mode)
	}
	return nil
}

// upgrade executes the steps that lead on from a version.
func (s *Store) upgrade(ctx context.Context, steps []string, version int) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, name := range steps[version:] {
			script, err := migrations.ReadFile(name)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(string(script)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		_, err := tx.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, len(steps)))
		return err
	})
}

// version returns the schema of the file: 0 for a new file. A file of another program is an error.
func (s *Store) version(ctx context.Context, db *sql.DB) (int, error) {
	var application, version, tables int
	row := db.QueryRowContext(ctx, "SELECT application_id, user_version, (SELECT count(*) FROM "+
		"sqlite_schema) FROM pragma_application_id, pragma_user_version")
	if err := row.Scan(&application, &version, &tables); err != nil {
		return 0, err
	}
	blank := application == 0 && version == 0 && tables == 0
	if application != applicationID && !blank {
		return 0, fmt.Errorf("it is a database of another program, and is left as it is: choose another place")
	}
	return version, nil
}
