package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// Server is a process that serves a database.
type Server struct {
	Name    string // for people, such as the machine and the number of the process
	Program string // its version
	Reads   int    // the newest format of commits that it reads
	Since   time.Time
}

// ServedError says that another process serves the database.
type ServedError struct {
	Database string
	By       Server
}

// Error implements error.
func (e *ServedError) Error() string {
	return fmt.Sprintf("database %s: %s (Licensor %s) serves it since %s: stop that one first", e.Database,
		e.By.Name, e.By.Program, e.By.Since.UTC().Format(time.RFC3339))
}

// servingTime is how long a process counts as serving without renewal.
const servingTime = 10 * time.Second

// takeServing makes a process the one that serves, or says that it still does. It changes no row
// while another serves.
const takeServing = `INSERT INTO licensor.serving AS held (number, holder, name, program, reads, since, ends)
	VALUES (1, $1, $2, $3, $4, now(), now() + make_interval(secs => $5))
	ON CONFLICT (number) DO UPDATE SET holder = excluded.holder, name = excluded.name, program = excluded.program,
		reads = excluded.reads,
		ends = excluded.ends, since = CASE WHEN held.holder = excluded.holder THEN held.since ELSE excluded.since END
	WHERE held.holder = excluded.holder OR held.ends <= now()`

const (
	endServing  = "DELETE FROM licensor.serving WHERE number = 1 AND holder = $1"
	findServing = "SELECT name, program, reads, since FROM licensor.serving WHERE number = 1 AND ends > now()"
)

// serving is the row of a process that serves.
type serving struct {
	store  *Store
	holder uuid.UUID
	as     Server
	stop   context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	warned bool // that another process has it
}

// Serve makes this process the one that serves the database, until Close. While another does, it
// waits at most atMost, and calls say with the name of that process every five seconds; then it
// returns a *ServedError. Nothing is wrong if two serve all the same, as after a long pause of one
// of them: appends are decided by the database.
func (s *Store) Serve(
	ctx context.Context, as Server, atMost time.Duration, clock Clock, say func(text string),
) error {
	v := &serving{store: s, holder: uuid.New(), as: as, ended: make(chan struct{})}
	begin := clock.Now()
	said := begin
	for {
		other, err := v.take(ctx)
		if err != nil {
			return err
		}
		if other == nil {
			break
		}
		now := clock.Now()
		if now.Sub(begin) >= atMost {
			return other
		}
		if now.Sub(said) >= sayEvery {
			said = now
			say(fmt.Sprintf("waiting for another process to end, %s so far: %s",
				now.Sub(begin).Round(time.Second), other))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-clock.After(askEvery):
		}
	}
	var life context.Context
	life, v.stop = context.WithCancel(s.life)
	s.serving = v
	go v.renew(life)
	return nil
}

// take takes the row, or returns who has it.
func (v *serving) take(ctx context.Context) (*ServedError, error) {
	s := v.store
	for {
		changed, err := s.change(ctx, "say that it is served", takeServing, v.holder, v.as.Name, v.as.Program,
			v.as.Reads, servingTime.Seconds())
		if errors.Is(err, store.ErrUnknown) && ctx.Err() == nil { // taking it twice is harmless
			continue
		}
		if err != nil || changed > 0 {
			return nil, err
		}
		by, err := s.Serving(ctx)
		if err != nil {
			return nil, err
		}
		if by != (Server{}) { // otherwise it has ended just now
			return &ServedError{s.name, by}, nil
		}
	}
}

// Serving returns the process that serves the database; zero when none does.
func (s *Store) Serving(ctx context.Context) (Server, error) {
	return read(ctx, s, uuid.Nil, "look which process serves it", func(r reading) (by Server, err error) {
		err = r.row(r.ctx, findServing).Scan(&by.Name, &by.Program, &by.Reads, &by.Since)
		if errors.Is(err, pgx.ErrNoRows) {
			return Server{}, nil
		}
		return by, err
	})
}

// renew periodically renews that the process serves. Errors of the database show elsewhere.
func (v *serving) renew(ctx context.Context) {
	defer close(v.ended)
	tick := time.NewTicker(servingTime / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			v.again(ctx)
		}
	}
}

// again takes the row again, and warns when another process has it.
func (v *serving) again(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	other, err := v.take(ctx)
	if err != nil {
		return
	}
	if other != nil && !v.warned && v.store.warn != nil {
		v.store.warn("another process serves the database at the same time: " + other.Error())
	}
	v.warned = other != nil
}

// end removes the row, so that the next process need not wait.
func (v *serving) end() {
	v.stop()
	<-v.ended
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = v.store.change(ctx, "say that it is no longer served", endServing, v.holder) // it ends by itself
}
