package licensing

import "slices"

// blockSize is the number of users in a block, which is copied when one of them changes.
const blockSize = 256

// block has the state of blockSize users in a few allocations, so a million users cost the garbage
// collector almost nothing, and iterating over all of them reads memory sequentially.
type block struct {
	facts   []fact
	entries ragged[Entry]
	lost    ragged[lost]
}

// fact is the data of a user that licensing needs.
type fact struct {
	location Country
	flags    flags
}

type flags uint8

const (
	deleted   flags = 1 << iota // soft-deleted: excluded from all processing (L38)
	purged                      // permanently deleted
	duplicate                   // an address of the user is shared with another user (L43)
)

// lost is a license that was in force until at; its plans are shown for 30 days (L12).
type lost struct {
	variant Variant
	at      uint32
}

const lostFor = 30 * 24 * 60 * 60 // seconds

// ragged is a list of lists in two slices: list i is items[ends[i-1]:ends[i]].
type ragged[T any] struct {
	ends  []uint32
	items []T
}

func (r *ragged[T]) at(i int) []T {
	start := uint32(0)
	if i > 0 {
		start = r.ends[i-1]
	}
	return r.items[start:r.ends[i]:r.ends[i]]
}

func (r *ragged[T]) add(list []T) {
	r.items = append(r.items, list...)
	r.ends = append(r.ends, uint32(len(r.items)))
}

// row is one user of an open block.
type row struct {
	fact    fact
	entries []Entry
	lost    []lost
}

// workbench is the one block that a draft has open for changes.
type workbench struct {
	number int // of the block; -1 if none is open
	dirty  bool
	rows   []row
	spare  []Entry // storage of new entries of the rows
	losses []lost
}

// open unpacks a block into rows.
func (w *workbench) open(number int, b *block) {
	w.number, w.dirty = number, false
	w.rows, w.spare, w.losses = w.rows[:0], w.spare[:0], w.losses[:0]
	if b == nil {
		return
	}
	for i, f := range b.facts {
		w.rows = append(w.rows, row{f, b.entries.at(i), b.lost.at(i)})
	}
}

// keep copies entries to storage that is valid until the block is closed.
func (w *workbench) keep(entries []Entry) []Entry {
	if len(w.spare)+len(entries) > cap(w.spare) {
		w.spare = make([]Entry, 0, max(2*cap(w.spare), 4*blockSize, len(entries)))
	}
	start := len(w.spare)
	w.spare = append(w.spare, entries...)
	return slices.Clip(w.spare[start:])
}

func (w *workbench) keepLost(list []lost) []lost {
	start := len(w.losses)
	w.losses = append(w.losses, list...)
	return slices.Clip(w.losses[start:])
}

// close packs the rows into a new block.
func (w *workbench) close() *block {
	n, e, l := len(w.rows), 0, 0
	for i := range w.rows {
		e += len(w.rows[i].entries)
		l += len(w.rows[i].lost)
	}
	b := &block{facts: make([]fact, 0, n)}
	b.entries = ragged[Entry]{make([]uint32, 0, n), make([]Entry, 0, e)}
	b.lost = ragged[lost]{make([]uint32, 0, n), make([]lost, 0, l)}
	for i := range w.rows {
		b.facts = append(b.facts, w.rows[i].fact)
		b.entries.add(w.rows[i].entries)
		b.lost.add(w.rows[i].lost)
	}
	return b
}

func (b *block) equal(c *block) bool {
	return b != nil && c != nil && slices.Equal(b.facts, c.facts) &&
		slices.Equal(b.entries.ends, c.entries.ends) && slices.Equal(b.entries.items, c.entries.items) &&
		slices.Equal(b.lost.ends, c.lost.ends) && slices.Equal(b.lost.items, c.lost.items)
}
