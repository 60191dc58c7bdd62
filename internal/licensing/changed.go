package licensing

import (
	"iter"

	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
)

// ChangedUsers yields the users whose entries may be different in a later image, ascending: those
// in blocks that the images do not share. Users that are only in one of them are among these.
func (img *Image) ChangedUsers(later *Image) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for chunk := range max(img.blocks.Chunks(), later.blocks.Chunks()) {
			if img.blocks.SameChunk(&later.blocks, chunk) {
				continue
			}
			was, is := img.blocks.Chunk(chunk), later.blocks.Chunk(chunk)
			for i := range max(len(was), len(is)) {
				n := 0
				if i < len(was) {
					n = len(was[i].facts)
				}
				if i < len(is) {
					if n == len(is[i].facts) && was[i] == is[i] {
						continue
					}
					n = max(n, len(is[i].facts))
				}
				first := uint32(chunk*vector.ChunkLen+i) * blockSize
				for user := range uint32(n) {
					if !yield(first + user) {
						return
					}
				}
			}
		}
	}
}

// GroupID returns the id of a group.
func (img *Image) GroupID(group uint32) uuid.UUID { return img.group(group).id }

// CurrentEntries returns the entries of a user who exists and is not deleted; otherwise nil. They
// must not be changed.
func (img *Image) CurrentEntries(user uint32) []Entry {
	if int(user) >= img.users || img.Deleted(user) || img.Purged(user) {
		return nil
	}
	return img.Entries(user)
}
