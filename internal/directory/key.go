package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
)

// Key identifies a user principal name or an address: it is the first half of the SHA-256 of the
// text in lower case. Two texts with equal keys are treated as equal. That is safe: among a billion
// texts the chance of an accidental collision is about 1 in 10^21. A deliberate collision takes
// 2^64 hashes, and only has the effect that a name of the attacker's own users appears to be taken,
// or an address shared.
type Key [16]byte

// KeyOf returns the key of a user principal name, or of an address in the form of User.Addresses.
func KeyOf(text string) Key {
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	return Key(sum[:16])
}

// lookup finds ordinals by 128 bits: a sorted set of numbers whose upper half is 32 of those bits
// and whose lower half is an ordinal. An entry takes eight bytes instead of twenty; in exchange
// each hit must be compared with the whole key, which is stored with the object. With a million
// entries one search in four thousand has a false hit.
//
// A draft's additions are inserted when a search needs them or when there are many, since inserting
// many in order is several times faster. The lookups of an index have no pending additions.
type lookup struct {
	set     btree.Set[uint64]
	waiting []uint64
}

const mostWaiting = 1 << 17

// copy returns a lookup that shares unchanged data. The old one may be read concurrently, since
// copying changes nothing that readers use; but only one goroutine may copy it at a time.
func (l *lookup) copy() *lookup { return &lookup{set: *l.set.Copy()} }

func (l *lookup) insert(e uint64) {
	if l.waiting = append(l.waiting, e); len(l.waiting) >= mostWaiting {
		l.settle()
	}
}

func (l *lookup) delete(e uint64) {
	l.settle()
	l.set.Delete(e)
}

func (l *lookup) settle() {
	if len(l.waiting) == 0 {
		return
	}
	slices.Sort(l.waiting)
	for _, e := range l.waiting {
		l.set.Insert(e)
	}
	l.waiting = l.waiting[:0]
}

func entry(prefix, ordinal uint32) uint64 { return uint64(prefix)<<32 | uint64(ordinal) }

func (k Key) prefix() uint32 { return binary.BigEndian.Uint32(k[:]) }

// idPrefix mixes all bits of an id, because ids that people choose are often consecutive numbers.
func idPrefix(id uuid.UUID) uint32 {
	h := binary.BigEndian.Uint64(id[:8])*0x9E3779B97F4A7C15 ^ binary.BigEndian.Uint64(id[8:])
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	return uint32(h >> 32)
}

// candidates calls yield with the ordinals with the prefix, ascending, until it returns false.
func (l *lookup) candidates(prefix uint32, yield func(ordinal uint32) bool) {
	l.settle()
	l.set.Ascend(entry(prefix, 0), func(e uint64) bool {
		return uint32(e>>32) == prefix && yield(uint32(e))
	})
}

// find returns the first ordinal with the prefix that matches.
func (l *lookup) find(prefix uint32, matches func(ordinal uint32) bool) (found uint32, ok bool) {
	l.candidates(prefix, func(ordinal uint32) bool {
		found, ok = ordinal, matches(ordinal)
		return !ok
	})
	if !ok {
		return 0, false
	}
	return found, true
}
