package own

import (
	"sync"

	"github.com/google/uuid"
)

// mostDownloads is how many downloads of a kind are made at a time, besides that of an operator.
const mostDownloads = 4

// downloads are those of a kind that are being made. Each owner, which is a tenant or uuid.Nil for
// all operators, has one at a time, so that a caller that reads slowly keeps only its own tenant
// waiting.
type downloads struct {
	mu   sync.Mutex
	busy map[uuid.UUID]bool
}

// begin reports whether a download may be made. Then end must be called after it.
func (d *downloads) begin(owner uuid.UUID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	others := len(d.busy)
	if d.busy[uuid.Nil] {
		others--
	}
	if d.busy[owner] || owner != uuid.Nil && others >= mostDownloads {
		return false
	}
	if d.busy == nil {
		d.busy = map[uuid.UUID]bool{}
	}
	d.busy[owner] = true
	return true
}

func (d *downloads) end(owner uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.busy, owner)
}
