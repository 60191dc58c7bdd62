package engine

import (
	"context"
	"errors"
	"fmt"

	"licensor/internal/compressed"
	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// recoverImage reads the last snapshot, if there is one, and replays the commits after it. Last is
// its head, if that was read already.
func recoverImage(ctx context.Context, t *Tenant, last *savedHead) (err error) {
	var saved, img *tenant.Image
	var format uint32
	var end store.Place
	for {
		tried := saved
		if saved, format, err = readSnapshot(ctx, t, last); err != nil {
			return err
		}
		last = nil
		img, end, err = t.follow(ctx, saved, func(c store.Commit) {
			t.snapshots.waiting(len(c.Effects) + commitWeight)
			format = min(format, c.Format)
		})
		if err == nil {
			break
		}
		// Another process may have taken a snapshot since, and removed the commits before it. That may
		// happen again while the newer one is read.
		if !errors.Is(err, store.ErrTrimmed) || tried != nil && saved.Seq <= tried.Seq {
			return fmt.Errorf("recover tenant %s: %w", t.id, err)
		}
		t.snapshots.take()
	}
	t.epoch = end.Epoch
	if format < tenant.FormatWithColumns {
		if img, err = t.fill(ctx, img); err != nil {
			return fmt.Errorf("recover tenant %s: fill the columns: %w", t.id, err)
		}
		t.snapshots.due = true
	}
	t.snapshots.changed(saved, img)
	img.CountMemberships()
	t.image.Store(img)
	return nil
}

// commitWeight is added to the size of a commit's effects, in bytes: replaying takes time even
// without effects.
const commitWeight = 32

// savedHead is a snapshot without its parts.
type savedHead struct {
	name string       // of the part that has it
	size int          // in bytes
	head *tenant.Head // nil: there is no snapshot
}

// lastHead reads the head of the last snapshot. It begins again as long as that was replaced and
// swept meanwhile.
func (t *Tenant) lastHead(ctx context.Context) (*savedHead, error) {
	for tried := ""; ; {
		list, err := t.store.Manifests(ctx, t.id)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return new(savedHead), nil
		}
		h, err := t.readHead(ctx, list[0])
		switch {
		case err == nil:
			return h, nil
		case !errors.Is(err, store.ErrNotFound) || list[0].Head == tried:
			return nil, t.unreadable(err)
		}
		tried = list[0].Head
	}
}

// unreadable is the error for a snapshot that cannot be read. A part that is not found is damage.
func (t *Tenant) unreadable(err error) error {
	err = fmt.Errorf("read the snapshot of tenant %s: %w", t.id, err)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w, and is named by the last snapshot: %v: restore a backup", store.ErrDamaged, err)
	}
	return err
}

func (t *Tenant) readHead(ctx context.Context, m store.Manifest) (*savedHead, error) {
	parts, err := t.store.Parts(ctx, t.id, []string{m.Head})
	if err != nil {
		return nil, err
	}
	h, err := tenant.DecodeHead(parts[0].Data)
	if err != nil {
		return nil, fmt.Errorf("its head: %w", err)
	}
	return &savedHead{m.Head, len(parts[0].Data), h}, nil
}

// need returns how much memory a tenant takes, in bytes, according to its last snapshot.
func (h *savedHead) need() int64 {
	if h == nil || h.head == nil {
		return emptySize
	}
	return max(h.head.Size, emptySize)
}

// isLarge reports whether requests for other tenants would notice that the tenant is read.
func (h *savedHead) isLarge() bool { return h.need() >= 32<<20 }

// expect postpones garbage collection while a large tenant is read.
func (h *savedHead) expect() (end func()) {
	const perByte = 3 // reading allocates nearly so many for each byte that stays
	return memory.Expect(perByte * h.need())
}

const (
	emptySize = 96 << 10 // of an empty tenant
	userSize  = 300      // of a user, in addition to its size in snapshots
)

// size returns approximately how much memory the tenant takes, in bytes.
func (t *Tenant) size() int64 {
	s := &t.snapshots
	s.mu.Lock()
	defer s.mu.Unlock()
	return imageSize(t.Image(), s.size)
}

// readSnapshot returns the image of the last snapshot, and its format. If last is nil, it reads the
// head first. It begins again as long as the snapshot was replaced and swept meanwhile.
func readSnapshot(ctx context.Context, t *Tenant, last *savedHead) (_ *tenant.Image, format uint32, err error) {
	for tried := ""; ; {
		if last == nil {
			if last, err = t.lastHead(ctx); err != nil {
				return nil, 0, err
			}
		}
		if last.head == nil {
			return tenant.NewImage(), tenant.Format, nil
		}
		img, err := t.loadSnapshot(ctx, last)
		switch {
		case err == nil:
			return img, last.head.Format, nil
		case !errors.Is(err, store.ErrNotFound) || last.name == tried:
			return nil, 0, t.unreadable(err)
		}
		tried, last = last.name, nil
	}
}

// loadSnapshot returns the image of the last snapshot, and notes its parts for the next one.
func (t *Tenant) loadSnapshot(ctx context.Context, saved *savedHead) (*tenant.Image, error) {
	img, sizes, err := t.imageOf(ctx, saved)
	if err == nil {
		t.snapshots.took(saved.head.Parts, sizes)
	}
	return img, err
}

// imageOf reads the image of a snapshot. It also returns the sizes of its parts, by name, as they
// are when they are not compressed.
func (t *Tenant) imageOf(ctx context.Context, saved *savedHead) (*tenant.Image, map[string]int, error) {
	h := saved.head
	data, err := t.readParts(ctx, h.Parts)
	if err != nil {
		return nil, nil, err
	}
	img, err := h.Image(data)
	if err != nil {
		return nil, nil, err
	}
	sizes := map[string]int{saved.name: saved.size}
	for piece, names := range h.Parts {
		for i, name := range names {
			sizes[name] = compressed.Size(data[piece][i])
		}
	}
	return img, sizes, nil
}

// readParts returns the parts of all pieces. Those of pieces with one part are read with one
// statement, which is enough for a small tenant, and others one by one: a database on the same
// machine and this process then work in turn, and leave a processor to requests.
func (t *Tenant) readParts(ctx context.Context, names tenant.PartNames) (map[string][][]byte, error) {
	var few []string
	for _, p := range tenant.Pieces {
		if len(names[p.Name]) == 1 {
			few = append(few, names[p.Name]...)
		}
	}
	read, err := t.store.Parts(ctx, t.id, few)
	if err != nil {
		return nil, err
	}
	data := map[string][][]byte{}
	for _, p := range tenant.Pieces {
		if len(names[p.Name]) == 1 {
			data[p.Name], read = [][]byte{read[0].Data}, read[1:]
			continue
		}
		for _, name := range names[p.Name] {
			one, err := t.store.Parts(ctx, t.id, []string{name})
			if err != nil {
				return nil, err
			}
			data[p.Name] = append(data[p.Name], one[0].Data)
		}
	}
	return data, nil
}

// imageSize is Tenant.size for an image, given the size of its snapshot.
func imageSize(img *tenant.Image, snapshot int) int64 {
	return emptySize + userSize*int64(img.Directory.Users()) + int64(snapshot)
}
