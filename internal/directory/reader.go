package directory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// reader reads a head or part. After the first error it returns zeros.
type reader struct {
	rest []byte
	err  error
}

var errTruncated = errors.New("the data ends too early")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || len(r.rest) < n {
		r.fail(errTruncated)
		return make([]byte, n)
	}
	read := r.rest[:n]
	r.rest = r.rest[n:]
	return read
}

func (r *reader) version() byte {
	v := r.bytes(1)[0]
	if r.err == nil && (v < withoutManagers || v > formatVersion) {
		r.fail(fmt.Errorf("it is in format %d, and this version reads formats up to %d: run the version that wrote "+
			"it or a newer one", v, formatVersion))
	}
	return v
}

func (r *reader) number() uint32 {
	value, n := binary.Uvarint(r.rest)
	if n <= 0 || value > math.MaxUint32 {
		r.fail(errTruncated)
		return 0
	}
	r.rest = r.rest[n:]
	return uint32(value)
}

// count reads the number of elements that follow, which take at least size bytes each. It refuses
// more than the data can hold, so that nothing is allocated for them.
func (r *reader) count(size int) uint32 {
	n := r.number()
	if int64(n)*int64(size) > int64(len(r.rest)) {
		r.fail(errTruncated)
		return 0
	}
	return n
}

// set appends an ascending set of values below limit.
func (r *reader) set(dst []uint32, limit uint32) []uint32 {
	last := uint64(0)
	for i := range r.count(1) {
		step := r.number()
		if last += uint64(step); i > 0 && step == 0 || last >= uint64(limit) {
			r.fail(fmt.Errorf("a set with %d after other values, below %d", last, limit))
			return dst
		}
		dst = append(dst, uint32(last))
	}
	return dst
}

func (r *reader) state() state {
	s := state(r.bytes(1)[0])
	if s > purged {
		r.fail(fmt.Errorf("state %d is not known", s))
	}
	return s
}

func (r *reader) group(groups, users uint32) group {
	g := group{state: r.state()}
	if r.err != nil || g.state == purged {
		return noGroup
	}
	copy(g.id[:], r.bytes(len(g.id)))
	g.revision = r.number()
	g.members = slices.Clip(r.set(nil, groups))
	g.owners = slices.Clip(r.set(nil, users))
	return g
}

// user reads a user and appends its keys and groups to the block.
func (r *reader) user(b *block, groups uint32, version byte) user {
	u, revision := user{state: r.state()}, uint32(0)
	if r.err == nil && u.state != purged {
		copy(u.id[:], r.bytes(len(u.id)))
		revision = r.number()
		keys := r.count(len(Key{}))
		for range keys {
			b.keys = append(b.keys, Key(r.bytes(len(Key{}))))
		}
		if keys == 0 {
			r.fail(errors.New("a user without a name"))
		}
		b.groups = r.set(b.groups, groups)
		if version > withoutManagers {
			u.manager = r.number()
		}
	}
	u.keyEnd = uint32(len(b.keys))
	b.revisions = append(b.revisions, revision)
	b.groupEnds = append(b.groupEnds, uint32(len(b.groups)))
	return u
}

func (r *reader) end() {
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.rest))
	}
}
