package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"licensor/internal/store"
	"licensor/internal/turns"
)

// Options determine how a database is opened. The zero value is usually right.
type Options struct {
	// AllowDataLoss opens a database with several hosts whose commits do not wait for a standby: a
	// failover then loses acknowledged changes.
	AllowDataLoss bool
	// Program is the version of this program, which is stored with the schema.
	Program string
	// Warn is called with messages for the log, such as that data may be lost.
	Warn func(text string)
}

// Store is a store.Store in a PostgreSQL database.
type Store struct {
	name  string // of the database, for errors
	hosts *hosts
	pool  *pgxpool.Pool
	lines *turns.Turns // turns of reads
	warn  func(text string)

	serving *serving              // nil when this process does not serve it
	damage  atomic.Pointer[error] // the first that was met

	life     context.Context // ends with Close
	end      context.CancelFunc
	underWay sync.WaitGroup // changes that have no response yet
}

var _ store.Store = (*Store)(nil)

// Open opens the database at a URL (see the package), which must have the schema of this program.
// Its errors say what is wrong with the database and how to fix it, and never contain the password.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	s, err := connect(url)
	if err != nil {
		return nil, err
	}
	s.warn = options.Warn
	if err := s.check(ctx, options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Intact returns nil: that what is stored is still there is up to the database.
func (*Store) Intact() error { return nil }

// Damage returns the first error that has said that the database is damaged, since it was opened.
func (s *Store) Damage() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// NoteDamage says that the database is damaged, as those that read what is in it may find.
func (s *Store) NoteDamage(err error) { s.damage.CompareAndSwap(nil, &err) }

// defaultConnections is the size of a pool whose URL has no pool_max_conns.
const defaultConnections = 10

// connect returns a store that has not checked anything yet.
func connect(url string) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	s := &Store{name: nameOf(config.ConnConfig), hosts: newHosts(config.ConnConfig)}
	s.life, s.end = context.WithCancel(context.Background())
	reads := max(1, int(config.MaxConns)*3/4) // the rest is for changes
	s.lines = turns.New(reads, max(1, reads*2/3))
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		prepareLine(c)
		moved, err := s.hosts.choose(ctx, c)
		if moved {
			s.pool.Reset() // connections to the previous host are not used again
		}
		return err
	}
	config.AfterConnect = examineLine
	config.PingTimeout = 2 * time.Second
	s.pool, err = pgxpool.NewWithConfig(s.life, config)
	return s, err
}

// Close implements store.Store. Changes that wait for a response are given up: their outcome is
// unknown.
func (s *Store) Close() error {
	if s.serving != nil {
		s.serving.end()
	}
	s.end()
	s.underWay.Wait()
	s.pool.Close()
	return nil
}
