package vector

import (
	"iter"
	"slices"
)

// ChunkLen is the number of values in a chunk; only the last chunk may have fewer.
const ChunkLen = 256

const pageLen = 256 // chunks of a page

// Owner marks what one draft has made or copied and may therefore change. It must not be used
// concurrently.
type Owner struct{ _ byte } // must have a size so that each has an address of its own

// Vector is a list of values. The zero value is an empty one. Its methods that take no Owner are
// safe for concurrent use.
//
// While a draft is in progress, only its newest Vector may be used: a copy made earlier in the same
// draft shares what the draft changes in place.
type Vector[T any] struct {
	length int
	owner  *Owner // of the array of pages
	pages  []*page[T]
}

type page[T any] struct {
	owner  *Owner
	chunks []*chunk[T]
}

type chunk[T any] struct {
	owner *Owner
	items []T
}

// Len returns the number of values.
func (v *Vector[T]) Len() int { return v.length }

// At returns value i. It panics if there is no such value.
func (v *Vector[T]) At(i int) T {
	u := uint(i)
	return v.pages[u/(ChunkLen*pageLen)].chunks[u/ChunkLen%pageLen].items[u%ChunkLen]
}

// All returns the values with their indexes, in order.
func (v *Vector[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for n := range v.Chunks() {
			for i, value := range v.Chunk(n) {
				if !yield(n*ChunkLen+i, value) {
					return
				}
			}
		}
	}
}

// Chunks returns the number of chunks.
func (v *Vector[T]) Chunks() int { return (v.length + ChunkLen - 1) / ChunkLen }

// Chunk returns the values of chunk n, from n*ChunkLen on; nil if there is no such chunk. They must
// not be changed.
func (v *Vector[T]) Chunk(n int) []T {
	if n >= v.Chunks() {
		return nil
	}
	return slices.Clip(v.chunk(n).items)
}

func (v *Vector[T]) chunk(n int) *chunk[T] { return v.pages[n/pageLen].chunks[n%pageLen] }

// SameChunk reports whether the vectors share chunk n, or both have no such chunk. Vectors that do
// not share it may still have equal values there. It compares two pointers.
func (v *Vector[T]) SameChunk(other *Vector[T], n int) bool {
	has, had := n < v.Chunks(), n < other.Chunks()
	return has == had && (!has || v.chunk(n) == other.chunk(n))
}

// Set replaces value i.
func (v *Vector[T]) Set(owner *Owner, i int, value T) { *v.Own(owner, i) = value }

// Own returns a pointer to value i, through which it may be changed until the draft ends or the
// vector grows.
func (v *Vector[T]) Own(owner *Owner, i int) *T {
	if i < 0 || i >= v.length {
		panic("vector: index out of range")
	}
	return &v.ownChunk(owner, i/ChunkLen).items[i%ChunkLen]
}

// Append appends a value.
func (v *Vector[T]) Append(owner *Owner, value T) {
	if v.length%(ChunkLen*pageLen) == 0 {
		v.ownPages(owner)
		v.pages = append(v.pages, &page[T]{owner: owner})
	}
	if v.length%ChunkLen == 0 {
		p := v.ownPage(owner, v.length/(ChunkLen*pageLen))
		p.chunks = append(p.chunks, &chunk[T]{owner: owner})
	}
	c := v.ownChunk(owner, v.length/ChunkLen)
	c.items = append(c.items, value)
	v.length++
}

func (v *Vector[T]) ownChunk(owner *Owner, n int) *chunk[T] {
	if c := v.chunk(n); c.owner == owner { // its page belongs to the owner, too
		return c
	}
	slot := &v.ownPage(owner, n/pageLen).chunks[n%pageLen]
	*slot = &chunk[T]{owner, slices.Clone((*slot).items)}
	return *slot
}

func (v *Vector[T]) ownPage(owner *Owner, n int) *page[T] {
	if p := v.pages[n]; p.owner == owner {
		return p
	}
	v.ownPages(owner)
	v.pages[n] = &page[T]{owner, slices.Clone(v.pages[n].chunks)}
	return v.pages[n]
}

func (v *Vector[T]) ownPages(owner *Owner) {
	if v.owner != owner {
		v.owner, v.pages = owner, slices.Clone(v.pages)
	}
}
