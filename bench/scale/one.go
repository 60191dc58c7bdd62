package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"licensor/internal/database"
	"licensor/internal/store"
	"licensor/internal/store/postgres"
)

// people measures a tenant with a number of users, on both stores.
func (s *scale) people(ctx context.Context, users int) error {
	files := s.path("files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	if err := writeFiles(files, users); err != nil {
		return err
	}
	lite := s.file("scale.db")
	pg, err := s.database(ctx, "scale")
	if err != nil {
		return err
	}
	for _, h := range []*house{lite, pg} {
		if err := s.fill(ctx, h, files); err != nil {
			return fmt.Errorf("import on %s: %w", h.name, err)
		}
	}
	if err := os.RemoveAll(files); err != nil {
		return err
	}
	if s.only == onlyImports {
		return errors.Join(s.copyRaw(ctx, pg), s.dropDatabase(ctx, "scale"), removeDatabase(lite.at))
	}
	if s.only == onlyLoads {
		err = errors.Join(s.loads(ctx, lite), s.loads(ctx, pg))
		return errors.Join(err, s.dropDatabase(ctx, "scale"), removeDatabase(lite.at))
	}
	if err := s.inProcess(ctx, lite, pg, users); err != nil {
		return err
	}
	for _, h := range []*house{lite, pg} {
		if err := s.served(ctx, h, users); err != nil {
			return fmt.Errorf("serve %s: %w", h.name, err)
		}
	}
	if err := s.setBased(ctx, users); err != nil {
		return fmt.Errorf("set-based SQL: %w", err)
	}
	if err := s.commands(ctx, lite, pg); err != nil {
		return err
	}
	for _, name := range []string{"scale", "rows"} {
		err = errors.Join(err, s.dropDatabase(ctx, name))
	}
	return errors.Join(err, removeDatabase(lite.at))
}

// loads measures how the tenant is loaded that was imported.
func (s *scale) loads(ctx context.Context, h *house) error {
	tokens, err := h.openTokens(ctx, 3)
	if err != nil {
		return err
	}
	return s.cold(ctx, h, tokens)
}

// fill creates the tenants of a database, and measures the import of the large one by the command.
func (s *scale) fill(ctx context.Context, h *house, files string) error {
	err := h.within(ctx, func() error {
		if _, err := h.found(ctx, 0, bigDomain); err != nil {
			return err
		}
		return errors.Join(h.small(ctx, 1), h.small(ctx, 2))
	})
	if err != nil {
		return err
	}
	took := map[string]time.Duration{}
	for _, file := range []string{"users.json", "groups.json", "members.csv"} {
		args := append([]string{"import", "--json", "--tenant", bigTenant.String()}, h.flags()...)
		if took[file], err = s.licensor(ctx, append(args, filepath.Join(files, file))...); err != nil {
			return err
		}
	}
	s.addValue("import-users", h.name, took["users.json"].Seconds())
	s.addValue("import-all", h.name, (took["users.json"] + took["groups.json"] + took["members.csv"]).Seconds())
	return nil
}

// inProcess measures what is measured without HTTP.
func (s *scale) inProcess(ctx context.Context, lite, pg *house, users int) error {
	for _, h := range []*house{lite, pg} {
		err := h.within(ctx, func() error {
			if err := s.memory(ctx, h, users); err != nil {
				return err
			}
			if err := h.license(ctx, users); err != nil {
				return err
			}
			if err := s.allUsers(ctx, h, users); err != nil {
				return err
			}
			return s.changes(ctx, h, users)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		// Opened again, so that what follows the last snapshot is counted from its first byte.
		if err := h.within(ctx, func() error { return s.snapshots(ctx, h, users) }); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	if err := s.raw(ctx, pg, users); err != nil {
		return fmt.Errorf("raw appends: %w", err)
	}
	return s.copyRaw(ctx, pg)
}

// copyRaw measures COPY of the documents of all users into an empty table with the same indexes, in
// transactions of 20,000 rows.
func (s *scale) copyRaw(ctx context.Context, from *house) error {
	to, err := s.database(ctx, "copy")
	if err != nil {
		return err
	}
	var sum time.Duration
	err = from.within(ctx, func() error {
		return to.within(ctx, func() error {
			conn, err := pgx.Connect(ctx, to.at.URL())
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			for after := int64(-1); ; {
				next := store.Query{Kind: store.KindUser, After: after, Limit: rowsAtOnce}
				rows, err := from.store.Objects(ctx, bigTenant, next)
				if err != nil || len(rows) == 0 {
					return err
				}
				after = int64(rows[len(rows)-1].Ordinal)
				start := time.Now()
				source, columns, err := postgres.CopyRows(bigTenant, rows)
				if err == nil {
					_, err = conn.CopyFrom(ctx, pgx.Identifier{"licensor", "object"}, columns, source)
				}
				if err != nil {
					return err
				}
				sum += time.Since(start)
			}
		})
	})
	if err != nil {
		return fmt.Errorf("raw COPY: %w", err)
	}
	s.addValue("import-users", rawPostgres, sum.Seconds())
	return s.dropDatabase(ctx, "copy")
}

// commands measures the commands that move databases as a whole.
func (s *scale) commands(ctx context.Context, lite, pg *house) error {
	for _, h := range []*house{lite, pg} {
		file := s.path("backup")
		took, err := s.licensor(ctx, append([]string{"backup", "--json", "--to", file}, h.flags()...)...)
		if err != nil {
			return err
		}
		s.addValue("backup", h.name, took.Seconds())
		to := s.file("restored.db")
		if h == pg {
			if to, err = s.database(ctx, "restored"); err != nil {
				return err
			}
		}
		if took, err = s.licensor(ctx, append([]string{"restore", "--json", file}, to.flags()...)...); err != nil {
			return err
		}
		s.addValue("restore", h.name, took.Seconds())
		if err := errors.Join(os.Remove(file), removeDatabase(to.at), s.dropDatabase(ctx, "restored")); err != nil {
			return err
		}
	}
	to, err := s.database(ctx, "copied")
	if err != nil {
		return err
	}
	path, _ := lite.at.IsFile()
	took, err := s.licensor(ctx, "copy", "--json", "--finish", "--from", "sqlite:"+path, "--to", to.at.URL())
	if err != nil {
		return err
	}
	s.addValue("copy", onPostgres, took.Seconds())
	return s.dropDatabase(ctx, "copied")
}

// removeDatabase removes a file of SQLite and those that belong to it.
func removeDatabase(at database.Name) error {
	path, isFile := at.IsFile()
	if !isFile {
		return nil
	}
	found, err := filepath.Glob(path + "*")
	for _, name := range found {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}
