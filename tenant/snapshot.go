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

// snapshots takes them beside the work. It holds no image: an old one would keep alive all that has changed since.
type snapshots struct {
	taking  sync.Mutex // one at a time; guards parts
	parts   []partName // of the last snapshot
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	stale   []staleness
	pending int // bytes of effects since the last snapshot
}

// staleness says which pieces of a part have changed since they were saved.
type staleness struct{ licensing, directory bool }

// changed notes which parts are not the same in two images.
func (s *snapshots) changed(was, is *Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = compared(s.stale, was, is)
}

func compared(stale []staleness, was, is *Image) []staleness {
	for len(stale) < is.Licensing.Parts() {
		stale = append(stale, staleness{})
	}
	for i := range stale {
		stale[i].licensing = stale[i].licensing || is.Licensing.PartChanged(was.Licensing, i)
		stale[i].directory = stale[i].directory || is.Directory.PartChanged(was.Directory, i)
	}
	return stale
}

// take answers what is stale and counts from zero again.
func (s *snapshots) take() []staleness {
	s.mu.Lock()
	defer s.mu.Unlock()
	stale := s.stale
	s.stale, s.pending = nil, 0
	return stale
}

// giveBack takes take back, when no snapshot came of it.
func (s *snapshots) giveBack(stale []staleness) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, was := range stale {
		if i == len(s.stale) {
			s.stale = append(s.stale, was)
			continue
		}
		s.stale[i].licensing = s.stale[i].licensing || was.licensing
		s.stale[i].directory = s.stale[i].directory || was.directory
	}
}

func (s *snapshots) waiting(more int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += more
	return s.pending
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
	Roles         []RoleNow         `cbor:"10,keyasint,omitempty"`
	Grants        []GrantNow        `cbor:"11,keyasint,omitempty"`
	SignIn        []byte            `cbor:"12,keyasint,omitempty"`
	Format        uint32            `cbor:"13,keyasint,omitempty"` // none: format 1
}

// partName names the two pieces that hold a part's users.
type partName struct {
	Licensing string `cbor:"1,keyasint"`
	Directory string `cbor:"2,keyasint"`
}

// note counts what a snapshot would save a start, and takes one in the background when that is enough.
func (s *snapshots) note(t *Tenant, was *Image, bytes int) {
	s.changed(was, t.Image())
	if s.waiting(bytes) < t.options.SnapshotAfter || !s.taking.TryLock() {
		return
	}
	stale, img := s.take(), t.Image()
	s.running.Go(func() {
		defer s.taking.Unlock()
		if err := t.snapshot(context.Background(), img, stale); err != nil {
			t.options.Log.Error("no snapshot could be taken; the next start will take longer", "tenant", t.id, "error", err)
		}
	})
}

// snapshot makes an image durable as parts: those that are stale, then the head. The caller holds taking.
func (t *Tenant) snapshot(ctx context.Context, img *Image, stale []staleness) (err error) {
	s := &t.snapshots
	defer func() {
		if err != nil {
			s.giveBack(stale)
		}
	}()
	names := make([]partName, img.Licensing.Parts())
	copy(names, s.parts)
	for i := range names {
		if stale[i].licensing || names[i].Licensing == "" {
			names[i].Licensing = fmt.Sprintf("licensing-%d-%d", i, img.Seq)
			if err := t.save(ctx, names[i].Licensing, img.Licensing.AppendPart(nil, i)); err != nil {
				return err
			}
		}
		if stale[i].directory || names[i].Directory == "" {
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
	s.parts = names
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
		Imports: img.Imports, Parts: names, Roles: img.roleList(), SignIn: img.SignIn.Document(), Format: formatNow,
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
	for _, g := range img.Grants {
		h.Grants = append(h.Grants, GrantNow{Grant: g})
	}
	return h
}

// recoverImage reads the last snapshot, if there is one, and replays the commits after it.
func recoverImage(ctx context.Context, t *Tenant) error {
	img, names, err := readSnapshot(ctx, t)
	if err != nil {
		return err
	}
	saved := img
	t.snapshots.parts = names
	err = t.store.Commits(ctx, t.id, img.Seq, func(c store.Commit) error {
		t.snapshots.pending += len(c.Effects) + commitWeight
		img, err = img.apply(c)
		return err
	})
	if err != nil {
		return fmt.Errorf("recover tenant %s: %w", t.id, err)
	}
	t.snapshots.changed(saved, img)
	t.image.Store(img)
	return nil
}

// commitWeight is what a commit counts besides its effects, in bytes: replaying one takes a while however little came of it.
const commitWeight = 32

func readSnapshot(ctx context.Context, t *Tenant) (*Image, []partName, error) {
	parts, err := t.store.Parts(ctx, t.id, []string{headName})
	if errors.Is(err, store.ErrNotFound) {
		return empty(), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	h, err := decodeHead(parts[0].Data)
	if err != nil {
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
	f := &Effects{Organization: h.Organization, Subscriptions: h.Subscriptions, Applications: h.Applications, Roles: h.Roles, Grants: h.Grants, SignIn: h.SignIn}
	return img, img.applySmall(f)
}
