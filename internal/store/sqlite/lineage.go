package sqlite

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// lineage is where a database is in its line of history: the number of its writes, and the sessions
// that made them. A session is what one process writes between Open and Close, with a random id. So
// the session and the number of a write identify it: copies of a database that were used
// separately, and databases that were made by the same steps, have the same numbers, but not the
// same sessions.
type lineage struct {
	count    uint64 // of all writes
	sessions [16]session
}

// session is a session of a lineage. The first one begins when the table is created.
type session struct {
	id    uuid.UUID
	first uint64 // the number of its first write
}

// moment is a write in a line of history. Without a session only its number is known.
type moment struct {
	session uuid.UUID
	count   uint64
}

// now returns the last write.
func (l *lineage) now() moment { return moment{l.sessions[0].id, l.count} }

// next returns the lineage after one more write, in a session.
func (l *lineage) next(in uuid.UUID) lineage {
	next := *l
	next.count++
	if next.sessions[0].id != in {
		copy(next.sessions[1:], l.sessions[:])
		next.sessions[0] = session{in, next.count}
	}
	return next
}

// before returns the write before the last one, which is of the session before if the last one is
// the first of its session.
func (l *lineage) before() moment {
	if l.sessions[0].first == l.count {
		return moment{l.sessions[1].id, l.count - 1}
	}
	return moment{l.sessions[0].id, l.count - 1}
}

// has reports whether a write is part of the line of history, as far as that is known: of writes
// before the last 16 sessions only the number is.
func (l *lineage) has(m moment) bool {
	if m.session == uuid.Nil {
		return m.count <= l.count
	}
	if oldest := l.sessions[len(l.sessions)-1]; oldest.id != uuid.Nil && m.count < oldest.first {
		return true
	}
	to := l.count
	for _, s := range l.sessions {
		if s.id == m.session {
			return s.first <= m.count && m.count <= to
		}
		to = s.first - 1
	}
	return false
}

// A lineage is stored in a fixed number of bytes, with a checksum. A record is two of them: that of
// a claim (claim.go), which SQLite always writes as zeros, and that of the database.
const (
	lineageSize = 8 + 16*24 + 4
	recordSize  = 2 * lineageSize
)

func (l *lineage) append(to []byte) []byte {
	from := len(to)
	to = binary.BigEndian.AppendUint64(to, l.count)
	for _, s := range l.sessions {
		to = append(to, s.id[:]...)
		to = binary.BigEndian.AppendUint64(to, s.first)
	}
	return binary.BigEndian.AppendUint32(to, crc32.Checksum(to[from:], castagnoli))
}

// record returns what the table has.
func (l *lineage) record() []byte { return l.append(make([]byte, lineageSize, recordSize)) }

func parseLineage(data []byte) (l lineage, ok bool) {
	if len(data) != lineageSize {
		return l, false
	}
	end := lineageSize - 4
	if crc32.Checksum(data[:end], castagnoli) != binary.BigEndian.Uint32(data[end:]) {
		return l, false
	}
	l.count = binary.BigEndian.Uint64(data)
	for i := range l.sessions {
		at := data[8+24*i:]
		l.sessions[i] = session{uuid.UUID(at[:16]), binary.BigEndian.Uint64(at[16:])}
	}
	return l, true
}

func parseRecord(record []byte) (l lineage, ok bool) {
	if len(record) != recordSize {
		return l, false
	}
	return parseLineage(record[lineageSize:])
}

// cellBegin is how the row of the table begins in its page: the length of the row's payload, the
// number of the row, and what its only column is (https://sqlite.org/fileformat.html, sections 1.6
// and 2.1).
var cellBegin = []byte{0x86, 0x1b, 1, 3, 0x8c, 0x3c}

// recordIn returns the record in a page, or nil if it is not the page of the table. No other table
// has pages of this form. SQLite puts the only row of a page at its end, so what differs between
// two writes of a session is in one sector of the disk.
func recordIn(page []byte) []byte {
	const leafOfTable = 0x0d
	at := len(page) - recordSize - len(cellBegin)
	if at < 16 || page[0] != leafOfTable || binary.BigEndian.Uint16(page[3:]) != 1 ||
		int(binary.BigEndian.Uint16(page[8:])) != at || !bytes.HasPrefix(page[at:], cellBegin) {
		return nil
	}
	return page[len(page)-recordSize:]
}

// founding is, in SQL, the record of a database whose lineage begins after a number of writes.
func founding(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	count, ok := args[0].(int64)
	if !ok {
		return nil, fmt.Errorf("the number of writes is %v", args[0])
	}
	id, err := uuid.NewRandom()
	l := lineage{count: uint64(count)}
	l.sessions[0] = session{id, l.count}
	return l.record(), err
}

// passage has the writes through which a log leads, beginning with the one before its first.
type passage []struct {
	session  uuid.UUID
	from, to uint64
}

func (p *passage) add(l *lineage) {
	if len(*p) == 0 {
		p.reach(l.before())
	}
	p.reach(l.now())
}

func (p *passage) reach(m moment) {
	if last := len(*p) - 1; last >= 0 && (*p)[last].session == m.session {
		(*p)[last].to = m.count
		return
	}
	*p = append(*p, struct {
		session  uuid.UUID
		from, to uint64
	}{m.session, m.count, m.count})
}

func (p passage) has(m moment) bool {
	for _, part := range p {
		if part.session == m.session {
			return part.from <= m.count && m.count <= part.to
		}
	}
	return false
}

// last returns where the log ends.
func (p passage) last() moment {
	part := p[len(p)-1]
	return moment{part.session, part.to}
}
