package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"licensor/internal/turns"
)

// memories counts the databases in memory; each has a number in its name.
var memories atomic.Int64

// OpenMemory opens a store in memory, which is lost when it is closed. It has no file and no lock.
func OpenMemory(ctx context.Context) (*Store, error) {
	s := &Store{path: "in memory", lines: turns.New(readers, readers/2), session: uuid.New(), claimed: true}
	name := nameInMemory()
	s.writer = connect(name, writing+inMemory, 1)
	err := s.copyTemplate(ctx)
	if err == nil {
		err = s.readLineage(ctx)
	}
	if err == nil {
		s.reader = connect(name, reading+inMemory, readers)
		if err = s.prepare(ctx); err != nil {
			err = s.fail("prepare", err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func nameInMemory() string { return fmt.Sprintf("/licensor-%d", memories.Add(1)) }

// inMemory makes several connections use one database without a file.
const inMemory = "&vfs=memdb"

// copyTemplate copies a database with the newest schema.
func (s *Store) copyTemplate(ctx context.Context) error {
	from, err := template()
	if err != nil {
		return err
	}
	writer, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer writer.Close()
	return writer.Raw(func(conn any) error {
		copying, err := conn.(interface {
			NewRestore(from string) (*sqlite.Backup, error)
		}).NewRestore(from)
		if err != nil {
			return err
		}
		_, err = copying.Step(-1)
		return errors.Join(err, copying.Finish())
	})
}

// template returns the address of a database in memory that has the newest schema and no tenants.
// It is created once a process: a copy takes a small part of the time of the migrations.
var template = sync.OnceValues(func() (string, error) {
	name := nameInMemory()
	s := &Store{path: "in memory", writer: connect(name, writing+inMemory, 1)}
	err := s.migrate(context.Background())
	if err == nil {
		// A connection that is never closed keeps the database. It is not one of database/sql, whose
		// goroutine would look like a leak in tests.
		_, err = folding().Open(address(name, reading+inMemory))
	}
	return address(name, reading+inMemory), errors.Join(err, s.writer.Close())
})
