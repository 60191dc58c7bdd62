package database

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// Schema returns the schema of a database, and the newest that this program knows; 0 when there is
// none. It changes nothing.
func Schema(ctx context.Context, name Name, o Options) (found, known int, err error) {
	if name.file != "" {
		return sqlite.Schema(ctx, name.file)
	}
	if err := wait(ctx, name, o); err != nil {
		return 0, 0, err
	}
	return postgres.Schema(ctx, name.url)
}

// Migrate brings a database to the schema of this program, and returns which one it had. Each step
// is made as a whole or not at all. Servers of PostgreSQL may run meanwhile.
func Migrate(ctx context.Context, name Name, o Options) (from, to int, err error) {
	from, to, err = Schema(ctx, name, o)
	if err != nil {
		return from, to, err
	}
	if name.file == "" {
		_, err = postgres.Migrate(ctx, name.url, postgres.Options{Program: Program()})
		return from, to, err
	}
	s, err := Open(ctx, name, o)
	if err != nil {
		return from, to, err
	}
	return from, to, s.Close()
}

// Written returns the format in which commits of a database are written; 0 when that is not said: a
// file has one program at a time, which writes the format that it knows.
func Written(ctx context.Context, s Store) (format uint32, err error) {
	if _, shared := s.(*postgres.Store); !shared {
		return 0, nil
	}
	err = s.ReplaceSecret(ctx, store.FormatSecret, func(old []byte) ([]byte, error) {
		if format, err = parseFormat(old); err != nil {
			return nil, err
		}
		return nil, errSeen
	})
	if errors.Is(err, errSeen) {
		err = nil
	}
	return format, err
}

// errSeen leaves a value as it is.
var errSeen = errors.New("the value was read")

func parseFormat(text []byte) (uint32, error) {
	if text == nil {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("the format of commits is %q: %w", text, store.ErrDamaged)
	}
	return uint32(n), nil
}

// Finalize makes programs write the format of this one, so that older ones can no longer read what
// is written. It returns a *TooOldError while one that cannot read it serves the database.
func Finalize(ctx context.Context, s Store) (from uint32, err error) {
	p, shared := s.(*postgres.Store)
	if !shared {
		return tenant.Format, nil
	}
	by, err := p.Serving(ctx)
	if err != nil {
		return 0, err
	}
	if by != (postgres.Server{}) && by.Reads < tenant.Format {
		return 0, &TooOldError{by}
	}
	err = s.ReplaceSecret(ctx, store.FormatSecret, func(old []byte) ([]byte, error) {
		was, err := parseFormat(old)
		if from = was; err != nil || from == 0 {
			from = tenant.Format
		}
		if err == nil && from > tenant.Format {
			err = tooNew(from)
		}
		return []byte(strconv.Itoa(tenant.Format)), err
	})
	return from, err
}

// TooOldError says that a process that serves a database cannot read what would be written.
type TooOldError struct{ By postgres.Server }

// Error implements error.
func (e *TooOldError) Error() string {
	return fmt.Sprintf("%s (Licensor %s) reads formats up to %d, and format %d would be written: replace it by a "+
		"newer version first", e.By.Name, e.By.Program, e.By.Reads, tenant.Format)
}

func tooNew(format uint32) error {
	return fmt.Errorf("its commits are written in format %d, and this program knows formats up to %d: run the version "+
		"that wrote it or a newer one", format, tenant.Format)
}

// agree returns an error unless this program may write to a database: programs of several versions
// may open one, and write the format that all of them read until Finalize.
func agree(ctx context.Context, s *postgres.Store) error {
	value, err := s.Secret(ctx, store.FormatSecret, func() ([]byte, error) {
		return []byte(strconv.Itoa(tenant.Format)), nil
	})
	if err != nil {
		return err
	}
	written, err := parseFormat(value)
	switch {
	case err != nil:
		return err
	case written > tenant.Format:
		return tooNew(written)
	case written < tenant.OldestWritten:
		return fmt.Errorf("its commits are written in format %d, and this program writes formats from %d on: when all "+
			"servers have this version, run `licensor migrate finalize`", written, tenant.OldestWritten)
	}
	return nil
}
