package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// applicationID marks a SQLite file as one of this program: "Lics".
const applicationID = 0x4c696373

// migrations has the steps between schemas: the n-th file, by name, leads from schema n-1 to schema
// n. Files that were released are never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate upgrades the file to the newest schema, each step in a transaction. It is called before
// the file is switched to write-ahead logging, so that a new file is never without its mark.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(steps)
	version, err := s.version(ctx)
	if err != nil {
		return s.fail("read the schema's version", err)
	}
	if version > len(steps) {
		return fmt.Errorf("the database %s has schema %d, and this program knows schemas up to %d: it was written "+
			"by a newer version; "+
			"run that version, or restore a backup made before the upgrade", s.path, version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		if err := s.fail("upgrade to schema "+fmt.Sprint(i+1), s.step(ctx, steps[i], i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) step(ctx context.Context, name string, version int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		mark := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, version)
		_, err := tx.Exec(string(script) + mark)
		return err
	})
}

// version returns the schema of the file: 0 for a new file. A file of another program is an error.
func (s *Store) version(ctx context.Context) (int, error) {
	var application, version, tables int
	row := s.writer.QueryRowContext(ctx, "SELECT application_id, user_version, (SELECT count(*) FROM "+
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
