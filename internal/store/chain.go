package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Chain identifies the content of a log up to a commit: logs with the same chain at a commit are
// equal up to there. It is SHA-256 over the chain of the previous commit and the content of this
// one, cut to 16 bytes. It is zero before the first commit, and for commits that were written
// before there were chains.
type Chain [16]byte

// Link returns the chain at a commit, given the chain at the previous one.
func (c *Commit) Link(before Chain) Chain {
	head := make([]byte, 0, 128)
	head = append(head, before[:]...)
	head = binary.BigEndian.AppendUint64(head, c.Seq)
	head = binary.BigEndian.AppendUint64(head, uint64(c.At.UnixMilli()))
	head = appendSized(head, c.Actor)
	head = appendSized(head, c.Operation)
	head = binary.BigEndian.AppendUint32(head, c.Format)
	hash := sha256.New()
	_, _ = hash.Write(head) // a hash never fails
	_, _ = hash.Write(c.Effects)
	return Chain(hash.Sum(nil)[:len(Chain{})])
}

// appendSized appends a text with its length, so that different lists of texts have different
// bytes.
func appendSized(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// Place is a position in a tenant's log: its end when the place was read.
type Place struct {
	Seq   uint64 // of the last commit; 0 if there is none
	Chain Chain  // at that commit
	Epoch uint64 // how often Fence was called
}

// After returns the place after commits that are appended at p.
func (p Place) After(commits []Commit) Place {
	if len(commits) > 0 {
		last := &commits[len(commits)-1]
		p.Seq, p.Chain = last.Seq, last.Chain
	}
	return p
}

// Check returns an error unless the sequence numbers of commits count up from the place. The
// largest number is math.MaxInt64, the largest that databases have.
func (p Place) Check(commits []Commit) error {
	for i, c := range commits {
		if want := p.Seq + 1 + uint64(i); c.Seq != want || want == 0 || want > math.MaxInt64 {
			return fmt.Errorf("append commits after commit %d: number %d of them has sequence number %d, want %d",
				p.Seq, i, c.Seq, want)
		}
	}
	return nil
}

// CheckPublish returns an error unless a tenant can be published with its log ending at a place.
func CheckPublish(at Place) error {
	if at.Seq == 0 || at.Seq > math.MaxInt64 {
		return fmt.Errorf("publish a tenant whose log ends at commit %d: that is not the number of a commit", at.Seq)
	}
	return nil
}
