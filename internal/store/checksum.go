package store

import (
	"encoding/binary"
	"hash/crc32"
)

// Rows have a CRC-32C of their content, since databases detect damage to their own structures only,
// if that. Numbers and texts are hashed with their lengths, so that different rows have different
// bytes. Columns that were added later are omitted while they have their default value, so that the
// checksums of older rows remain valid.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum returns the checksum of a commit's row.
func (c *Commit) Sum() int64 {
	head := make([]byte, 0, 128)
	head = binary.BigEndian.AppendUint64(head, c.Seq)
	head = binary.BigEndian.AppendUint64(head, uint64(c.At.UnixMilli()))
	head = appendSized(head, c.Actor)
	head = appendSized(head, c.Operation)
	if c.Format != 1 {
		head = binary.BigEndian.AppendUint32(head, c.Format)
	}
	if c.Chain != (Chain{}) {
		head = append(head, c.Chain[:]...)
	}
	return sum(head, c.Effects)
}

// Sum returns the checksum of an object's row.
func (o *Object) Sum() int64 {
	head := make([]byte, 0, 48)
	head = append(head, byte(o.Kind))
	head = binary.BigEndian.AppendUint32(head, o.Ordinal)
	head = append(head, o.ID[:]...)
	if !o.Deleted.IsZero() {
		head = binary.BigEndian.AppendUint64(head, uint64(o.Deleted.Unix()))
	}
	if o.Seq != 0 {
		head = append(head, 's') // distinguishes Seq from Deleted
		head = binary.BigEndian.AppendUint64(head, o.Seq)
	}
	return sum(head, o.Document)
}

// Sum returns the checksum of a ticket's row.
func (t *Ticket) Sum() int64 {
	head := make([]byte, 0, 80)
	head = append(head, t.ID[:]...)
	head = append(head, t.Tenant[:]...)
	head = append(head, t.Family[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(t.Expires.Unix()))
	head = binary.BigEndian.AppendUint32(head, t.Version)
	return sum(head, t.Data)
}

// Sum returns the checksum of a part's row.
func (p *Part) Sum() int64 { return sum([]byte(p.Name), p.Data) }

func sum(head, body []byte) int64 {
	return int64(crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, body))
}
