package store

import (
	"context"

	"github.com/google/uuid"
)

// Rewinds are how a tenant for tests becomes again what it was. Other tenants never are: what was
// acknowledged is lost.
type Rewinds interface {
	// Rewind makes a tenant what it was at an earlier place of its log, all or nothing: later commits,
	// sign-ins and snapshots are removed, and all rows and activities are replaced. It returns the
	// place where the log then ends, whose epoch shuts out an Append that is in progress. Claims
	// stay. The error is ErrTrimmed if what the tenant is recovered from is no longer kept,
	// ErrConflict if its log ends before the place, and ErrFrozen because of Freeze.
	Rewind(ctx context.Context, tenant uuid.UUID, to Past) (Place, error)
}

// Past is what a tenant was at a place of its log, whose epoch does not count.
type Past struct {
	Place
	Rows       []Object // all of them, live and deleted
	SignIn     uint64   // the number of the last sign-in
	Activities []Activity
}

// Rewindable returns whether a tenant can be recovered as of a commit, from its log and snapshots.
func Rewindable(floors Floors, snapshots []Manifest, seq uint64) bool {
	if floors.Log <= 1 {
		return true
	}
	for _, m := range snapshots {
		if m.Seq <= seq && m.Seq+1 >= floors.Log {
			return true
		}
	}
	return false
}
