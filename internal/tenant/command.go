package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/trail"
)

// Command is a change that a caller requests of a tenant. Its name is the operation in the log.
type Command interface {
	name() string
	run(c *change) error
}

// Done is the result of a command.
type Done struct {
	Image   *Image
	Changed bool // false: nothing changed and nothing was written
	ID      uuid.UUID
	Ordinal uint32 // of the created user, group or administrative unit
	Report  licensing.Report
	Rows    []RowProblem // of an import
	// Skipped counts the rows of an import that were skipped, because they were processed when
	// it was sent before.
	Skipped int
	// Existing counts the rows of an import that were there before, see Import.
	Existing int
}

// change is a command in progress: drafts of the image, the effects so far and the rows to write.
// If the command fails, it is discarded.
type change struct {
	*draft
	ctx   context.Context
	at    time.Time
	newID func() uuid.UUID
	load  func(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) // returns a row as of base
	// claim claims names; nil if nothing is claimed.
	claim   func(ctx context.Context, names []string) (other *store.Claim, err error)
	lic     *licensing.Draft
	effects Effects
	rows    []store.Object // to be written
	places  map[ObjectKey]int
	values  []column.Change // of the last user, whose memory is used again
	done    Done

	following following
	ahead     *Ahead // nil: no rule was evaluated ahead
	imports   bool   // it is an import, whose rules may be about what comes later
	exact     bool   // of these, one whose members are as they are given
	expected  []expectedMember
	noted     noted
	concerned trail.Concerned // what the commit concerns, once the change is finished
}

// change begins a change that is the next commit.
func (img *Image) change(ctx context.Context, at time.Time, newID func() uuid.UUID) *change {
	return img.changeIn(ctx, img.Seq+1, at, newID)
}

// changeIn begins a change that belongs to a commit: the next one, or that of the image
// (together.go).
func (img *Image) changeIn(ctx context.Context, seq uint64, at time.Time, newID func() uuid.UUID) *change {
	c := &change{
		draft: img.draft(seq, at), ctx: ctx, at: at, newID: newID, lic: img.Licensing.Draft(seq, at),
		places: map[ObjectKey]int{},
	}
	c.following = newFollowing(c)
	return c
}

// finish returns the image after the command and its commit; no commit if nothing changed. The
// image does not have the commit in its trail yet, and neither has the chain.
func (c *change) finish(by By, operation string) (*Image, *store.Commit, error) {
	if err := c.follow(); err != nil {
		return nil, nil, err
	}
	c.refuseUnexpected()
	if user, n, crowded := c.lic.Crowded(maxEntries); crowded {
		id := c.dir.UserID(user)
		return nil, nil, invalid(id, "A user can have at most %d licenses, directly and from groups together, and "+
			"%s would have %d.", maxEntries, id, n)
	}
	lic, effects := c.lic.Finish()
	if !effects.Empty() {
		c.effects.Licensing = effects
	}
	if c.effects.empty() {
		return c.base, nil, nil
	}
	if effects != nil && len(effects.Units) > 0 {
		c.effects.Shifted = shifted(c.base.Licensing.SKUs(), lic.SKUs())
	}
	c.next.Licensing = lic
	next := c.draft.finish()
	err := c.bounded(next)
	if err != nil {
		return nil, nil, err
	}
	record := c.recordOf(by, next)
	c.concerned = c.effects.concerned(c.base.Directory.Users(), next.Directory, record)
	if c.effects.Record, err = record.encode(); err != nil {
		return nil, nil, fmt.Errorf("encode the audit record of %s: %w", operation, err)
	}
	data, err := c.effects.encode()
	if err != nil {
		return nil, nil, fmt.Errorf("encode effects of %s: %w", operation, err)
	}
	return next, &store.Commit{
		Seq: next.Seq, At: next.At, Actor: by.Actor, Operation: operation, Format: Format, Effects: data,
	}, nil
}

// document returns the document of a user or group, including the changes of the command.
func (c *change) document(kind store.Kind, ordinal uint32) ([]byte, error) {
	if at, ok := c.places[ObjectKey{kind, ordinal}]; ok {
		return c.rows[at].Document, nil
	}
	row, err := c.load(c.ctx, kind, ordinal)
	return row.Document, err
}

// write adds a row that is written with the commit.
func (c *change) write(o store.Object) {
	key := ObjectKey{o.Kind, o.Ordinal}
	if at, ok := c.places[key]; ok {
		c.rows[at] = o
		return
	}
	c.places[key] = len(c.rows)
	c.rows = append(c.rows, o)
}

// writeUser adds the row of a user with its new document, and records the changes of columns; was
// is nil for a new user.
func (c *change) writeUser(user uint32, was, now *directory.User, document []byte) {
	if c.values = now.AppendChanged(c.values[:0], was); len(c.values) > 0 {
		c.record(UserValues(valuesNow(user, directory.UserSchema(), c.values)))
	}
	c.write(store.Object{
		Kind: store.KindUser, Ordinal: user, ID: now.ID, Deleted: now.DeletedDateTime, Document: document,
	})
}

// writeGroup is writeUser for groups.
func (c *change) writeGroup(group uint32, was, now *directory.Group, document []byte) {
	if changes := now.Changed(was); len(changes) > 0 {
		c.record(GroupValues(valuesNow(group, directory.GroupSchema(), changes)))
	}
	c.write(store.Object{
		Kind: store.KindGroup, Ordinal: group, ID: now.ID, Deleted: now.DeletedDateTime, Document: document,
	})
}

func (c *change) markUser(m Mark) {
	if m.What == MarkPurged {
		id := c.dir.UserID(m.Ordinal)
		m.ID = &id
	}
	c.record(UserMark(m))
}

func (c *change) markGroup(m Mark) {
	if m.What == MarkPurged {
		id := c.dir.GroupID(m.Ordinal)
		m.ID = &id
	}
	c.record(GroupMark(m))
}

// written returns the mark of a document that replaces another.
func (c *change) written(kind store.Kind, ordinal uint32, id uuid.UUID, was, now []byte) Mark {
	names := c.noteDocument(Was{Of: Changeable(kind), Ordinal: ordinal, ID: id}, was, now)
	return Mark{Ordinal: ordinal, What: MarkWritten, Properties: names}
}

// live returns an error if a user is deleted or purged.
func (c *change) live(user uint32) error {
	if !c.isLive(user) {
		return noSuch(c.dir.UserID(user))
	}
	return nil
}

func (c *change) liveGroup(group uint32) error {
	if c.dir.GroupPurged(group) || c.dir.GroupDeleted(group) {
		return noSuch(c.dir.GroupID(group))
	}
	return nil
}

// duplicates tells licensing which users share these addresses (docs/spec/licensing.md L43).
func (c *change) duplicates(addresses []directory.Key) {
	for _, key := range addresses {
		for owner := range c.dir.AddressOwners(key) {
			c.lic.SetDuplicate(owner, c.dir.AddressShared(owner))
		}
	}
}

func one(user uint32) *roaring.Bitmap { return roaring.BitmapOf(user) }

func addressKeys(u *directory.User) []directory.Key {
	list := u.Addresses()
	keys := make([]directory.Key, len(list))
	for i, a := range list {
		keys[i] = directory.KeyOf(a)
	}
	return keys
}
