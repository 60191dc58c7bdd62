package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Chain stands for a log up to a commit: logs with the same chain at a commit are the same up to
// there. It is SHA-256 over the chain of the commit before and what the commit holds, cut to 16
// bytes. It is zero before the first commit, and at commits that were written before there were
// chains.
type Chain [16]byte

// Link returns the chain at a commit, after that of the commit before.
func (c *Commit) Link(before Chain) Chain {
	head := make([]byte, 0, 128)
	head = append(head, before[:]...)
	head = binary.BigEndian.AppendUint64(head, c.Seq)
	head = binary.BigEndian.AppendUint64(head, uint64(c.At.UnixMilli()))
	head = appendSized(head, c.Actor)
	head = appendSized(head, c.Operation)
	head = binary.BigEndian.AppendUint32(head, c.Format)
	hash := sha256.New()
	_, _ = hash.Write(head) // a hash takes everything
	_, _ = hash.Write(c.Effects)
	return Chain(hash.Sum(nil)[:len(Chain{})])
}

// appendSized appends a text with its length, so that nothing can move from one to the next.
func appendSized(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// Place is where the log of a tenant ends.
type Place struct {
	Seq   uint64 // of the last commit; 0 when there is none
	Chain Chain  // at that commit
	Epoch uint64 // how often Fence was called
}

// After returns the place when commits have been appended at p.
func (p Place) After(commits []Commit) Place {
	if len(commits) > 0 {
		last := &commits[len(commits)-1]
		p.Seq, p.Chain = last.Seq, last.Chain
	}
	return p
}

// Check returns an error unless the sequence numbers of commits count up from the place. They end
// at math.MaxInt64, which is the largest number that databases know.
func (p Place) Check(commits []Commit) error {
	for i, c := range commits {
		if want := p.Seq + 1 + uint64(i); c.Seq != want || want == 0 || want > math.MaxInt64 {
			return fmt.Errorf("append commits after commit %d: number %d of them has sequence number %d, want %d",
				p.Seq, i, c.Seq, want)
		}
	}
	return nil
}
