package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Sizes of the headers in a write-ahead log.
const (
	logHeader   = 32
	frameHeader = 24
)

// frames is what SQLite uses of a write-ahead log: the frames up to the last commit, as long as
// their checksums are right (https://sqlite.org/fileformat.html, section 4).
type frames struct {
	pageSize int64          // 0 if the header is not valid
	commits  uint64         // the number of transactions
	pages    int64          // of the database after the last transaction, numbered from 1
	has      map[int64]bool // the pages in the log
	begun    []int64        // those of a transaction whose end was not read yet

	lineage int64    // the page of the lineage; 0 if the log does not have it
	passed  passage  // the writes in the log
	write   *lineage // of a transaction whose end was not read yet
}

// readFrames reads a log. One that is not valid from the beginning has no frames.
func readFrames(log io.Reader) (*frames, error) {
	f := &frames{has: map[int64]bool{}}
	r := bufio.NewReaderSize(log, 1<<20)
	header := make([]byte, logHeader)
	if ok, err := readWhole(r, header); !ok {
		return f, err
	}
	sum := logSum{order: binary.LittleEndian}
	switch binary.BigEndian.Uint32(header) {
	case 0x377f0682:
	case 0x377f0683:
		sum.order = binary.BigEndian
	default:
		return f, nil
	}
	size := int64(binary.BigEndian.Uint32(header[8:]))
	if sum.add(header[:24]); !sum.is(header[24:]) || size < 512 || size > 65536 || size&(size-1) != 0 {
		return f, nil
	}
	f.pageSize = size
	frame := make([]byte, frameHeader+size)
	for {
		if ok, err := readWhole(r, frame); !ok {
			return f, err
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeader:])
		if string(frame[8:16]) != string(header[16:24]) || !sum.is(frame[16:]) {
			return f, nil
		}
		f.add(frame)
	}
}

// readWhole fills p, and reports whether there was so much.
func readWhole(r io.Reader, p []byte) (bool, error) {
	_, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return err == nil, err
}

func (f *frames) add(frame []byte) {
	page, pages := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
	f.begun = append(f.begun, int64(page))
	if line, ok := parseRecord(recordIn(frame[frameHeader:])); ok && (f.lineage == 0 || f.lineage == int64(page)) {
		f.lineage, f.write = int64(page), &line
	}
	if pages == 0 {
		return
	}
	for _, page := range f.begun {
		f.has[page] = true
	}
	if f.write != nil {
		f.passed.add(f.write)
	}
	f.begun, f.write = f.begun[:0], nil
	f.commits++
	f.pages = int64(pages)
}

// lockedAt is a byte that SQLite only locks: the page that has it is never written
// (https://sqlite.org/fileformat.html, section 1.4).
const lockedAt = 1 << 30

// lacks returns the first of the pages from one to another that the log does not have, or 0 if it
// has all of them. SQLite writes each new page to its log, even one that is free again.
func (f *frames) lacks(from, to, pageSize int64) int64 {
	for page := from; page <= to; page++ {
		if !f.has[page] && page != lockedAt/pageSize+1 {
			return page
		}
	}
	return 0
}

// logSum is the checksum of a log: each frame's includes those before it.
type logSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (s *logSum) add(data []byte) {
	for ; len(data) >= 8; data = data[8:] {
		s.s0 += s.order.Uint32(data) + s.s1
		s.s1 += s.order.Uint32(data[4:]) + s.s0
	}
}

func (s *logSum) is(stored []byte) bool {
	return s.s0 == binary.BigEndian.Uint32(stored) && s.s1 == binary.BigEndian.Uint32(stored[4:])
}
