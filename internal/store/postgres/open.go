package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"licensor/internal/store"
	"licensor/internal/turns"
)

// Options say how a database is opened. The zero value is right for most.
type Options struct {
	// AllowDataLoss opens a database of several hosts whose commits wait for no standby: a failover
	// then loses what was acknowledged.
	AllowDataLoss bool
	// Program is the version of this program, which is noted with schemas.
	Program string
	// Warn is told what should be in the log, such as that data may be lost.
	Warn func(text string)
}

// Store is a store.Store in a PostgreSQL database.
type Store struct {
	name  string // of the database, in errors
	hosts *hosts
	pool  *pgxpool.Pool
	lines *turns.Turns // turns of reads

	life     context.Context // until Close
	end      context.CancelFunc
	underWay sync.WaitGroup // changes that have no answer yet
}

var _ store.Store = (*Store)(nil)

// Open opens the database that a URL names (see the package), which must have the schema of this
// program. Its errors say what is wrong with the database and what helps, and never have the
// password.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	s, err := connect(url)
	if err != nil {
		return nil, err
	}
	if err := s.check(ctx, options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

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
	reads := max(1, int(config.MaxConns)*3/4) // others are left for changes
	s.lines = turns.New(reads, max(1, reads*2/3))
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		prepareLine(c)
		moved, err := s.hosts.choose(ctx, c)
		if moved {
			s.pool.Reset() // connections to the one before are not used again
		}
		return err
	}
	config.AfterConnect = lookAtLine
	config.PingTimeout = 2 * time.Second
	s.pool, err = pgxpool.NewWithConfig(s.life, config)
	return s, err
}

// Close implements store.Store. Changes that wait for their answer are given up: their outcome
// is unknown.
func (s *Store) Close() error {
	s.end()
	s.underWay.Wait()
	s.pool.Close()
	return nil
}
