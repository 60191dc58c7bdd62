package backup

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"licensor/internal/store"
)

// digest is a sum over the content of commits or rows, and their number. Numbers and texts go in
// with their lengths, so that nothing can move from one to the next.
type digest struct {
	hash hash.Hash
	head []byte
	n    int64
}

func newDigest() *digest { return &digest{hash: sha256.New()} }

func (d *digest) commit(c *store.Commit) {
	b := binary.AppendUvarint(d.head[:0], c.Seq)
	b = binary.AppendVarint(b, c.At.UnixMilli())
	for _, text := range []string{c.Actor, c.Operation} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = binary.AppendUvarint(b, uint64(c.Format))
	d.add(append(b, c.Chain[:]...), c.Effects)
}

func (d *digest) row(o *store.Object) {
	b := binary.AppendUvarint(append(d.head[:0], byte(o.Kind)), uint64(o.Ordinal))
	b = append(b, o.ID[:]...)
	if o.Deleted.IsZero() {
		b = append(b, 0)
	} else {
		b = binary.AppendVarint(append(b, 1), o.Deleted.Unix())
	}
	d.add(binary.AppendUvarint(b, o.Seq), o.Document)
}

func (d *digest) add(head, body []byte) {
	d.head = binary.AppendUvarint(head, uint64(len(body)))
	_, _ = d.hash.Write(d.head) // a hash takes everything
	_, _ = d.hash.Write(body)
	d.n++
}

func (d *digest) sum() [sha256.Size]byte { return [sha256.Size]byte(d.hash.Sum(nil)) }
