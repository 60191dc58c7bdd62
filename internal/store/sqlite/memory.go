package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/google/uuid"

	"licensor/internal/turns"
)

// memories counts the stores in memory; each has a number in its name.
var memories atomic.Int64

// OpenMemory opens a store in memory, which is lost when it is closed. It has no file and no lock.
func OpenMemory(ctx context.Context) (*Store, error) {
	s := &Store{path: "in memory", lines: turns.New(readers, readers/2), session: uuid.New(), claimed: true}
	name := fmt.Sprintf("/licensor-%d", memories.Add(1))
	s.writer = connect(name, writing+inMemory, 1)
	err := s.migrate(ctx)
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

// inMemory makes several connections use one database without a file.
const inMemory = "&vfs=memdb"
