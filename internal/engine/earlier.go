package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// NotKeptError means that what a tenant was at a time is no longer known, or never was.
type NotKeptError struct {
	Since time.Time // from when on it is known; zero: only what the tenant is now
}

func (e *NotKeptError) Error() string {
	if e.Since.IsZero() {
		return "no earlier state of the tenant is kept"
	}
	return "states of the tenant are kept since " + e.Since.Format(time.RFC3339Nano)
}

// ImageAt returns the image of a tenant at a time: as of the last commit that is not later. It
// stays in memory until release is called. The error is a *NotKeptError if that is not known.
func (t *Tenant) ImageAt(ctx context.Context, at time.Time) (img *tenant.Image, release func(), err error) {
	if now := t.Image(); !at.Before(now.At) {
		return now, func() {}, nil
	}
	seq, err := t.lastUntil(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	return t.earlier.get(ctx, t, seq)
}

// ImagesAt calls do with the images at some times, which ascend. They are read one from the other,
// in the memory of tenants. Its errors are those of ImageAt and do.
func (t *Tenant) ImagesAt(ctx context.Context, times []time.Time, do func(time.Time, *tenant.Image) error) error {
	var img *tenant.Image
	room := new(entry)
	room.id = t.id
	defer t.earlier.give(room)
	now := t.Image()
	for _, at := range times {
		seq := now.Seq
		if at.Before(now.At) {
			var err error
			if seq, err = t.lastUntil(ctx, at); err != nil {
				return err
			}
		}
		var err error
		switch {
		case seq == now.Seq:
			img = now
		case img == nil:
			img, err = t.readEarlier(ctx, seq, func(need int64) error {
				return t.earlier.all.makeRoom(ctx, room, 2*need) // of the first image, and of what changes
			})
		case img.Seq < seq:
			img, err = t.replayTo(ctx, img, seq)
		}
		if err == nil {
			err = do(at, img)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lastUntil returns the last commit that is not later than a time.
func (t *Tenant) lastUntil(ctx context.Context, at time.Time) (uint64, error) {
	next, err := t.FirstSince(ctx, at.Truncate(time.Millisecond).Add(time.Millisecond))
	if err != nil {
		return 0, err
	}
	floors, err := t.store.Floors(ctx, t.id) // the log may have been trimmed meanwhile
	if err != nil {
		return 0, err
	}
	if next <= max(floors.Log, 1) { // the first commit that is kept is later
		return 0, t.notKept(ctx)
	}
	return next - 1, nil
}

// base is where reading an earlier image begins: a snapshot, or an empty tenant.
type base struct {
	seq  uint64
	head string // "": an empty tenant
}

// bases returns where reading can begin, the latest first: the log has all commits after each.
func (t *Tenant) bases(ctx context.Context) (list []base, floor uint64, err error) {
	manifests, err := t.store.Manifests(ctx, t.id)
	if err != nil {
		return nil, 0, err
	}
	floors, err := t.store.Floors(ctx, t.id)
	if err != nil {
		return nil, 0, err
	}
	floor = max(floors.Log, 1)
	for _, m := range manifests {
		if m.Seq+1 >= floor {
			list = append(list, base{m.Seq, m.Head})
		}
	}
	if floor == 1 {
		list = append(list, base{})
	}
	return list, floor, nil
}

// notKept returns the error for a time of which nothing is known.
func (t *Tenant) notKept(ctx context.Context) error {
	list, floor, err := t.bases(ctx)
	if err != nil {
		return err
	}
	for _, b := range slices.Backward(list) {
		if _, err := t.begin(ctx, b); unusable(err) || errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		first, err := readCommit(ctx, t.store, t.id, max(b.seq, floor))
		if errors.Is(err, store.ErrDamaged) && floor > t.Image().Seq { // all commits were trimmed
			break
		}
		if err != nil {
			return err
		}
		return &NotKeptError{Since: first.At}
	}
	return &NotKeptError{}
}

// errNoColumns means that a snapshot or commit is of a format without columns, which only rows of
// the present could fill.
var errNoColumns = errors.New("it is of a version without columns")

// errOtherLog means that a snapshot is of commits that the log has lost, for example in a failover.
var errOtherLog = errors.New("it is of another log")

func unusable(err error) bool { return errors.Is(err, errNoColumns) || errors.Is(err, errOtherLog) }

// begin reads what a base begins with: the head of its snapshot, or nil.
func (t *Tenant) begin(ctx context.Context, b base) (head *savedHead, err error) {
	var format uint32
	if b.head == "" {
		var first store.Commit
		if first, err = readCommit(ctx, t.store, t.id, 1); err == nil {
			format = first.Format
		}
	} else if head, err = t.readHead(ctx, store.Manifest{Head: b.head}); err == nil {
		format = head.head.Format
		err = t.ofThisLog(ctx, head.head)
	}
	if err == nil && format < tenant.FormatWithColumns {
		err = errNoColumns
	}
	return head, err
}

// ofThisLog returns errOtherLog if the log has another commit than that of a snapshot.
func (t *Tenant) ofThisLog(ctx context.Context, h *tenant.Head) error {
	c, err := readCommit(ctx, t.store, t.id, h.Seq)
	switch {
	case errors.Is(err, store.ErrTrimmed):
		return nil
	case errors.Is(err, store.ErrDamaged):
		return errOtherLog
	case err == nil && len(h.Chain) > 0 && !bytes.Equal(h.Chain, c.Chain[:]):
		return errOtherLog
	}
	return err
}

// readEarlier reads the image as of a commit. Room is called with how much memory it takes, in
// bytes, before it is read and again when that is known.
func (t *Tenant) readEarlier(ctx context.Context, seq uint64, room func(need int64) error) (*tenant.Image, error) {
	const tries = 3 // a snapshot may be swept, and the log trimmed, while they are read
	var last error
	for range tries {
		list, _, err := t.bases(ctx)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(b base) bool { return b.seq > seq })
		err = errNoColumns
		for i := 0; i < len(list) && unusable(err); i++ {
			var img *tenant.Image
			if img, err = t.readFrom(ctx, list[i], seq, room); err == nil {
				return img, nil
			}
		}
		switch last = err; {
		case unusable(err):
			return nil, t.notKept(ctx)
		case !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrTrimmed):
			return nil, fmt.Errorf("read tenant %s as of commit %d: %w", t.id, seq, err)
		}
	}
	return nil, t.unreadable(last)
}

// readFrom reads the image as of a commit from a base before it.
func (t *Tenant) readFrom(
	ctx context.Context, from base, seq uint64, room func(int64) error,
) (img *tenant.Image, err error) {
	head, err := t.begin(ctx, from)
	if err != nil {
		return nil, err
	}
	if err := room(head.need()); err != nil {
		return nil, err
	}
	defer head.expect()()
	img, size := tenant.NewImage(), 0
	if head != nil {
		var sizes map[string]int
		if img, sizes, err = t.imageOf(ctx, head); err != nil {
			return nil, err
		}
		for _, n := range sizes {
			size += n
		}
	}
	if img.Seq < seq {
		if img, err = t.replayTo(ctx, img, seq); err != nil {
			return nil, err
		}
	}
	img.CountMemberships()
	return img, room(imageSize(img, size))
}

// replayTo applies the commits of the log to an image, up to one. It pauses for other work.
func (t *Tenant) replayTo(ctx context.Context, img *tenant.Image, seq uint64) (*tenant.Image, error) {
	reader := t.readers.begin(t.id, img.Seq)
	defer reader.end()
	work, replay, last, read := turns.Of(ctx), img.Replay(), img.Seq, 0
	take := func(c store.Commit) error {
		if c.Format < tenant.FormatWithColumns {
			return errNoColumns
		}
		if last++; c.Seq != last {
			return fmt.Errorf("commit %d is missing: %w", last, store.ErrDamaged)
		}
		if err := replay.Apply(c); err != nil {
			return err
		}
		if c.Seq == seq {
			return errEnough
		}
		if read += len(c.Effects) + commitWeight; read > replayedAtOnce {
			return errSome
		}
		return nil
	}
	err := errSome
	for errors.Is(err, errSome) {
		reader.reached(last)
		if read, err = 0, work.Yield(); err == nil {
			err = t.store.Commits(ctx, t.id, last, take)
		}
	}
	switch {
	case err == nil:
		return nil, fmt.Errorf("commit %d is missing: %w", last+1, store.ErrDamaged)
	case !errors.Is(err, errEnough):
		return nil, err
	}
	return replay.Image(), nil
}

// replayedAtOnce is how many bytes of effects are applied without a pause.
const replayedAtOnce = 256 << 10
