package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// Store is an open database.
type Store interface {
	store.Store
	// Intact returns an error when the database is no longer what was opened, such as a file that was
	// replaced; then nothing is written. It does not wait.
	Intact() error
	// Damage returns the first error that has said that the database is damaged, since it was opened.
	Damage() error
	// NoteDamage says that the database is damaged, as those that read what is in it may find.
	NoteDamage(err error)
}

var (
	_ Store = (*sqlite.Store)(nil)
	_ Store = (*postgres.Store)(nil)
)

// Options say how a database is opened.
type Options struct {
	// Create creates what a database of PostgreSQL lacks. A file is always created.
	Create bool
	// Shared opens the database also when another process serves it. A file cannot be shared.
	Shared bool
	// AllowDataLoss opens a database that lacks acknowledged changes, or would after a failover.
	AllowDataLoss bool
	// Wait is how long to wait for a database of PostgreSQL that does not answer, or for another
	// process to end that serves it.
	Wait time.Duration
	// Log gets what should be known of it; nothing when nil.
	Log *slog.Logger
	// probing says that the database will be opened again, which logs what should be known of it.
	probing bool
}

// Open opens a database. Its errors say what is wrong with it and what helps, and do not have
// passwords.
func Open(ctx context.Context, name Name, o Options) (Store, error) {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if name.file != "" {
		return openFile(ctx, name.file, o)
	}
	return openPostgres(ctx, name.url, o)
}

func openFile(ctx context.Context, path string, o Options) (Store, error) {
	if !o.AllowDataLoss {
		return stored(sqlite.Open(ctx, path))
	}
	s, err := sqlite.OpenDespiteLoss(ctx, path)
	if err != nil {
		return nil, err
	}
	switch lost := s.Lost(); {
	case lost == sqlite.Lost{}:
	case lost.LogOnly:
		o.Log.Warn("the database's log is missing or damaged, and the file may be incomplete without it: " +
			"run licensor verify")
	default:
		o.Log.Warn("acknowledged changes are missing from the database, which is used without them",
			"acknowledged", lost.Acknowledged, "present", lost.Present, "copyOfTheLog", lost.Kept)
	}
	return s, nil
}

// CloseUnused closes a database after what it was opened for has failed. A file that opening it has
// made is removed if no tenant is in it.
func CloseUnused(ctx context.Context, s Store) error {
	if file, ok := s.(*sqlite.Store); ok {
		return file.CloseUnused(context.WithoutCancel(ctx))
	}
	return s.Close()
}

// stored is needed because a nil *sqlite.Store is not a nil Store.
func stored[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenMemory returns a database in memory.
func OpenMemory(ctx context.Context) (Store, error) { return stored(sqlite.OpenMemory(ctx)) }

// wall is the time that passes.
type wall struct{}

func (wall) Now() time.Time                         { return time.Now() }
func (wall) After(d time.Duration) <-chan time.Time { return time.After(d) }

func openPostgres(ctx context.Context, url string, o Options) (Store, error) {
	begin := time.Now()
	say := func(text string) { o.Log.Warn(text) }
	if err := wait(ctx, Name{url: url}, o); err != nil {
		return nil, err
	}
	options := postgres.Options{AllowDataLoss: o.AllowDataLoss, Program: Program(), Warn: say}
	if o.probing {
		options.Warn = nil
	}
	s, err := postgres.Open(ctx, url, options)
	if schema := (*postgres.SchemaError)(nil); o.Create && errors.As(err, &schema) && schema.Found == 0 {
		if err := postgres.Create(ctx, url, options); err != nil {
			return nil, err
		}
		s, err = postgres.Open(ctx, url, options)
	}
	if err != nil {
		return nil, err
	}
	if !o.Shared {
		as := postgres.Server{Name: process(), Program: Program(), Reads: tenant.Format}
		if err := s.Serve(ctx, as, max(0, o.Wait-time.Since(begin)), wall{}, say); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if err := agree(ctx, s); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// wait waits until a database of PostgreSQL answers.
func wait(ctx context.Context, name Name, o Options) error {
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return postgres.Wait(ctx, name.url, o.Wait, wall{}, func(text string) { log.Warn(text) })
}

// Program returns the version of this program, or of the module in another one.
func Program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range append(info.Deps, &info.Main) {
		if module.Path == "licensor" {
			return cmp.Or(module.Version, "(devel)")
		}
	}
	return "unknown"
}

// process returns a display name of this process.
func process() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}
