package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/store"
)

// Store has the parts of a store that are examined.
type Store interface {
	engine.Store
	store.Moves
}

// Damage is something that is not as it was written, or does not fit the rest.
type Damage struct {
	Tenant uuid.UUID `json:"tenant"`
	Table  string    `json:"table"`
	Key    string    `json:"key"`
	What   string    `json:"what"`
	Help   string    `json:"help"`
}

// String returns the damage as a line.
func (d Damage) String() string {
	return fmt.Sprintf("tenant %s: %s %s: %s: %s", d.Tenant, d.Table, d.Key, d.What, d.Help)
}

// What helps against damage.
const (
	restore = "restore the tenant from a backup"
	retake  = "remove the manifest, so that the next start takes a new snapshot from the log, " +
		"or restore a backup"
	settleNames    = "start a server, which claims the names of each tenant that it loads"
	restoreArchive = "restore the archive from a backup"
	fix            = "run `licensor verify --fix`, which replaces it"
	change         = "change the text"
)

// Options say what is examined.
type Options struct {
	Deep     bool
	Archive  *archive.Folder // commits that were removed from logs; nil: not examined
	Report   func(Damage)
	Progress func(doing string, part float64, rows int64) // nil: none
}

// Result is what was examined of a tenant.
type Result struct {
	Commits, Rows int64
	Damages       int64
	// Users and groups with U+0000 in their texts, which are damages that tenant.ReplaceNUL fixes.
	Users, Groups *roaring.Bitmap
	// Stale counts users whose licenses would change if they were reprocessed: not a damage, since it
	// depends on settings when users are reprocessed. Only Deep counts them.
	Stale int64
}

// Tenant examines a tenant. With an error, the result is what was examined before it.
func Tenant(ctx context.Context, s Store, id uuid.UUID, o Options) (Result, error) {
	e := &examination{ctx: ctx, store: s, id: id, Options: o}
	e.result.Users, e.result.Groups = roaring.New(), roaring.New()
	err := s.View(ctx, id, func(v store.View) error {
		e.view = v
		return e.all()
	})
	if errors.Is(err, store.ErrDamaged) {
		e.damaged("tenant", id.String(), err.Error(), restore)
		err = nil
	}
	return e.result, err
}

// examination is the examination of one tenant.
type examination struct {
	Options
	ctx    context.Context
	store  Store
	view   store.View
	id     uuid.UUID
	place  store.Place
	floor  uint64 // the first commit in the log
	total  int64  // commits and rows
	result Result
}

func (e *examination) damaged(table, key, what, help string) {
	e.result.Damages++
	e.Report(Damage{e.id, table, key, what, help})
}

// unreadable reports data that cannot be read as damage, unless the examination was interrupted or
// the database is unavailable: then it returns the error.
func (e *examination) unreadable(table, key string, err error, help string) error {
	if ended := e.ctx.Err(); ended != nil {
		return ended
	}
	if errors.Is(err, store.ErrUnavailable) {
		return err
	}
	e.damaged(table, key, err.Error(), help)
	return nil
}

// advance counts what was examined, and reports progress.
func (e *examination) advance(doing string, count *int64) error {
	*count++
	done := e.result.Commits + e.result.Rows
	if done%256 == 0 && e.Progress != nil {
		e.Progress(doing, min(1, float64(done)/float64(max(e.total, 1))), done)
	}
	return e.ctx.Err()
}

func (e *examination) all() (err error) {
	if e.place, err = e.view.Place(); err != nil {
		return err
	}
	floors, err := e.view.Floors()
	if err != nil {
		return err
	}
	e.floor = max(floors.Log, 1)
	commits, rows, err := e.view.Count()
	if err != nil {
		return err
	}
	e.total = commits + rows
	if e.place.Seq == 0 {
		return nil // it is being created, restored or copied
	}
	if want := int64(e.place.Seq - e.floor + 1); commits != want {
		e.damaged("commits", fmt.Sprintf("%d to %d", e.floor, e.place.Seq),
			fmt.Sprintf("there are %d, and should be %d", commits, want), restore)
	}
	saved, err := e.snapshots()
	if err != nil {
		return err
	}
	img, err := e.log(saved)
	if err != nil || img == nil {
		return err
	}
	if err := e.rows(img); err != nil {
		return err
	}
	if err := e.orders(img); err != nil {
		return err
	}
	if err := e.names(img); err != nil {
		return err
	}
	if e.Deep {
		e.licenses(img)
	}
	return e.ctx.Err()
}
