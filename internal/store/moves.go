package store

import (
	"cmp"
	"context"

	"github.com/google/uuid"
)

// Moves are how tenants are read as a whole, and how they are imported from another store or a
// backup. An imported tenant is filled first and published last. Until then its log ends at commit
// 0, so programs do not know it.
type Moves interface {
	// View hands to do a tenant as it is now. Whatever is committed meanwhile, the view stays the
	// same, until do returns; its error is then returned. A store may have to keep what the view
	// still shows, so do should not wait for anyone.
	View(ctx context.Context, tenant uuid.UUID, do func(v View) error) error
	// Fill writes commits and rows of a tenant that is not published, all or none. They replace those
	// with the same numbers, and rows with Purged set are removed. The first commit is where the log
	// begins (see Floors); the others follow each other. ErrConflict when the tenant is published.
	Fill(ctx context.Context, tenant uuid.UUID, commits []Commit, objects []Object) error
	// Publish ends the filling of a tenant: its log ends at a place, whose commit must not be 0 and
	// whose epoch does not count, and has these floors. ErrConflict when the tenant is published.
	Publish(ctx context.Context, tenant uuid.UUID, at Place, floors Floors) error
	// Discard removes rows of any kind of a tenant that is not published, at most TrimRows of them,
	// and returns how many; it is called until it returns 0. When no row is left, it removes the
	// tenant. ErrConflict when the tenant is published.
	Discard(ctx context.Context, tenant uuid.UUID) (int, error)
	// Freeze makes every Append to a tenant fail with ErrFrozen, also one that is in progress, and
	// says why; it returns where the log ends. An empty reason unfreezes it.
	Freeze(ctx context.Context, tenant uuid.UUID, why string) (Place, error)
	// Frozen returns why a tenant is frozen; "" when it is not.
	Frozen(ctx context.Context, tenant uuid.UUID) (why string, err error)
}

// FrozenAsMoved begins the reason that a tenant is frozen for if its later changes are elsewhere.
const FrozenAsMoved = "it was moved to "

// View is a tenant as it was at one moment. It is used by one goroutine. The functions that are
// passed to its methods must not use it.
type View interface {
	// Place returns where the log ends.
	Place() (Place, error)
	Floors() (Floors, error)
	Manifests() ([]Manifest, error)
	Claims() ([]Claim, error)
	// Count returns how many commits and rows there are.
	Count() (commits, rows int64, err error)
	// Commits is Log.Commits.
	Commits(after uint64, yield func(Commit) error) error
	// Rows returns the rows of all kinds, live and deleted, after a key, in order. There are at most
	// limit of them, and no more once their documents have so many bytes together.
	Rows(after RowKey, limit, bytes int) ([]Object, error)
	// Marks returns the marks of the rows after a key, in order, at most limit of them.
	Marks(after RowKey, limit int) ([]Mark, error)
}

// RowKey is what a row of a tenant is known by. Rows are in the order of kinds, then of ordinals;
// the zero RowKey is before all of them.
type RowKey struct {
	Kind    Kind
	Ordinal uint32
}

// Compare is negative when k is before other, and 0 when they are the same.
func (k RowKey) Compare(other RowKey) int {
	return cmp.Or(cmp.Compare(k.Kind, other.Kind), cmp.Compare(k.Ordinal, other.Ordinal))
}

// RowKey returns the key of a row.
func (o *Object) RowKey() RowKey { return RowKey{o.Kind, o.Ordinal} }

// Mark returns the mark of a row.
func (o *Object) Mark() Mark { return Mark{o.RowKey(), o.Seq, o.Sum()} }

// Mark stands for the content of a row.
type Mark struct {
	RowKey
	Seq uint64 // the commit that wrote the row
	Sum int64  // Object.Sum
}
