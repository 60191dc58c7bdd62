package tenant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"licensor/directory"
	"licensor/licensing"
	"licensor/store"
)

// snapshots takes them beside the work.
type snapshots struct {
	mu      sync.Mutex // one at a time
	last    *Image     // of the last snapshot, or what was recovered
	parts   []partName // of the last snapshot
	pending int        // bytes of effects since; written by the writer only
	running sync.WaitGroup
}

// headName is the part that says which others belong to the snapshot; written last, so a snapshot is there as a whole or not at all.
const headName = "head"

// head is a snapshot but for the parts of users. Field numbers are stored; never renumber.
type head struct {
	Seq           uint64            `cbor:"1,keyasint"`
	At            time.Time         `cbor:"2,keyasint"`
	Licensing     *licensing.Head   `cbor:"3,keyasint"`
	Directory     []byte            `cbor:"4,keyasint"`
	Organization  []byte            `cbor:"5,keyasint,omitempty"`
	Subscriptions []SubscriptionNow `cbor:"6,keyasint,omitempty"`
	Applications  []ApplicationNow  `cbor:"7,keyasint,omitempty"`
	Imports       map[string]int64  `cbor:"8,keyasint,omitempty"`
	Parts         []partName        `cbor:"9,keyasint,omitempty"`
}

// partName names the two pieces that hold a part's users.
type partName struct {
	Licensing string `cbor:"1,keyasint"`
	Directory string `cbor:"2,keyasint"`
}

// note counts what a snapshot would save a start, and takes one in the background when that is enough.
func (s *snapshots) note(t *Tenant, bytes int) {
	s.pending += bytes
	if s.pending < t.options.SnapshotAfter {
		return
	}
	if !s.mu.TryLock() {
		return // one is being taken
	}
	s.pending = 0
	img := t.Image()
	s.running.Go(func() {
		defer s.mu.Unlock()
		if err := t.snapshot(context.Background(), img); err != nil {
			t.options.Log.Error("no snapshot could be taken; the next start will take longer", "tenant", t.id, "error", err)
		}
	})
}

// snapshot makes an image durable as parts: those that changed since the last one, then the head.
func (t *Tenant) snapshot(ctx context.Context, img *Image) error {
	s := &t.snapshots
	names := make([]partName, img.Licensing.Parts())
	for i := range names {
		if i < len(s.parts) {
			names[i] = s.parts[i]
		}
		if i >= len(s.parts) || img.Licensing.PartChanged(s.last.Licensing, i) {
			names[i].Licensing = fmt.Sprintf("licensing-%d-%d", i, img.Seq)
			if err := t.save(ctx, names[i].Licensing, img.Licensing.AppendPart(nil, i)); err != nil {
				return err
			}
		}
		if i >= len(s.parts) || img.Directory.PartChanged(s.last.Directory, i) {
			names[i].Directory = fmt.Sprintf("directory-%d-%d", i, img.Seq)
			if err := t.save(ctx, names[i].Directory, img.Directory.AppendPart(nil, i)); err != nil {
				return err
			}
		}
	}
	data, err := cbor.Marshal(headOf(img, names))
	if err != nil {
		return fmt.Errorf("encode the snapshot's head: %w", err)
	}
	if err := t.save(ctx, headName, data); err != nil {
		return err
	}
	s.last, s.parts = img, names
	return t.store.DropParts(ctx, t.id, flat(names))
}

func (t *Tenant) save(ctx context.Context, name string, data []byte) error {
	return t.store.SaveParts(ctx, t.id, []store.Part{{Name: name, Data: data}})
}

func flat(names []partName) []string {
	list := []string{headName}
	for _, n := range names {
		list = append(list, n.Licensing, n.Directory)
	}
	return list
}

func headOf(img *Image, names []partName) *head {
	h := &head{
		Seq: img.Seq, At: img.At, Licensing: img.Licensing.Head(), Directory: img.Directory.AppendHead(nil),
		Imports: img.Imports, Parts: names,
	}
	if img.Organization != nil {
		h.Organization = img.Organization.Document()
	}
	for _, s := range img.Subscriptions {
		h.Subscriptions = append(h.Subscriptions, SubscriptionNow{Subscription: s})
	}
	for i := range img.Applications {
		h.Applications = append(h.Applications, ApplicationNow{Document: img.Applications[i].Document()})
	}
	return h
}

// recover reads the last snapshot, if there is one, and replays the commits after it.
func recoverImage(ctx context.Context, t *Tenant) error {
	img, names, err := readSnapshot(ctx, t)
	if err != nil {
		return err
	}
	t.snapshots.last, t.snapshots.parts = img, names
	err = t.store.Commits(ctx, t.id, img.Seq, func(c store.Commit) error {
		t.snapshots.pending += len(c.Effects) + 32
		img, err = img.apply(c)
		return err
	})
	if err != nil {
		return fmt.Errorf("recover tenant %s: %w", t.id, err)
	}
	t.image.Store(img)
	return nil
}

func readSnapshot(ctx context.Context, t *Tenant) (*Image, []partName, error) {
	parts, err := t.store.Parts(ctx, t.id, []string{headName})
	if errors.Is(err, store.ErrNotFound) {
		return empty(), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var h head
	if err := decoding.Unmarshal(parts[0].Data, &h); err != nil {
		return nil, nil, fmt.Errorf("read the snapshot's head of tenant %s: %w", t.id, err)
	}
	users, err := t.store.Parts(ctx, t.id, flat(h.Parts)[1:])
	if err != nil {
		return nil, nil, fmt.Errorf("read the snapshot of tenant %s: %w", t.id, err)
	}
	img, err := h.image(users)
	if err != nil {
		return nil, nil, fmt.Errorf("read the snapshot of tenant %s: %w", t.id, err)
	}
	return img, h.Parts, nil
}

// image puts a snapshot together; licensing and directory side by side, for they are about as much work.
func (h *head) image(parts []store.Part) (*Image, error) {
	if h.Licensing == nil {
		return nil, errors.New("it has no licensing")
	}
	var lic, dir [][]byte
	for _, p := range parts {
		if strings.HasPrefix(p.Name, "licensing-") {
			lic = append(lic, p.Data)
		} else {
			dir = append(dir, p.Data)
		}
	}
	img := &Image{Seq: h.Seq, At: h.At.UTC(), Imports: h.Imports}
	var wait sync.WaitGroup
	var licErr, dirErr error
	wait.Go(func() { img.Licensing, licErr = licensing.Restore(h.Licensing, lic) })
	wait.Go(func() { img.Directory, dirErr = directory.Decode(h.Directory, dir) })
	wait.Wait()
	if err := errors.Join(licErr, dirErr); err != nil {
		return nil, err
	}
	f := &Effects{Organization: h.Organization, Subscriptions: h.Subscriptions, Applications: h.Applications}
	return img, img.applySmall(f)
}
