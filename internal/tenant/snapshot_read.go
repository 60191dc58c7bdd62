package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// head is a snapshot without its parts. Field numbers are stored; never renumber.
type head struct {
	Seq           uint64              `cbor:"1,keyasint"`
	At            time.Time           `cbor:"2,keyasint"`
	Licensing     *licensing.Head     `cbor:"3,keyasint"`
	Directory     []byte              `cbor:"4,keyasint"`
	Organization  []byte              `cbor:"5,keyasint,omitempty"`
	Subscriptions []SubscriptionNow   `cbor:"6,keyasint,omitempty"`
	Former        []FormerApplication `cbor:"7,keyasint,omitempty"` // of format 1
	OldImports    map[string]int64    `cbor:"8,keyasint,omitempty"` // of formats 1 to 4
	OldParts      []oldPart           `cbor:"9,keyasint,omitempty"` // of format 1
	Roles         []RoleNow           `cbor:"10,keyasint,omitempty"`
	Grants        []GrantNow          `cbor:"11,keyasint,omitempty"`
	SignIn        []byte              `cbor:"12,keyasint,omitempty"`
	Format        uint32              `cbor:"13,keyasint,omitempty"` // none: format 1
	Parts         partNames           `cbor:"14,keyasint,omitempty"`
	Links         []directory.Link    `cbor:"15,keyasint,omitempty"` // since format 3
	LinkTimes     []int64             `cbor:"16,keyasint,omitempty"` // of Links, 0 if unknown; since format 5
	Imports       []Imported          `cbor:"17,keyasint,omitempty"` // since format 5
	Chain         []byte              `cbor:"18,keyasint,omitempty"` // since format 7
	Size          int64               `cbor:"19,keyasint,omitempty"` // see Tenant.size; since format 8
	Rules         []RuleNow           `cbor:"20,keyasint,omitempty"` // since format 9
	Frozen        *FrozenNow          `cbor:"21,keyasint,omitempty"` // since format 9
	AuditDays     int                 `cbor:"22,keyasint,omitempty"` // since format 10
}

// oldPart names the two parts that hold 65,536 users in format 1.
type oldPart struct {
	Licensing string `cbor:"1,keyasint"`
	Directory string `cbor:"2,keyasint"`
}

// partNames are the names of the parts, by piece.
type partNames map[string][]string

// flat lists the names, piece by piece.
func (names partNames) flat() []string {
	var list []string
	for _, p := range pieces {
		list = append(list, names[p.name]...)
	}
	return list
}

// recoverImage reads the last snapshot, if there is one, and replays the commits after it. Last is
// its head, if that was read already.
func recoverImage(ctx context.Context, t *Tenant, last *savedHead) (err error) {
	var saved, img *Image
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
	if format < formatWithColumns {
		if img, err = t.fill(ctx, img); err != nil {
			return fmt.Errorf("recover tenant %s: fill the columns: %w", t.id, err)
		}
		t.snapshots.due = true
	}
	t.snapshots.changed(saved, img)
	img.countMemberships()
	t.image.Store(img)
	return nil
}

// chainOf returns the chain in a head; zero in earlier formats.
func chainOf(stored []byte) (chain store.Chain) {
	copy(chain[:], stored)
	return chain
}

// commitWeight is added to the size of a commit's effects, in bytes: replaying takes time even
// without effects.
const commitWeight = 32

// savedHead is a snapshot without its parts.
type savedHead struct {
	name string // of the part that has it
	size int    // in bytes
	head *head  // nil: there is no snapshot
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
	h, err := decodeHead(parts[0].Data)
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

const (
	emptySize = 96 << 10 // of an empty tenant
	userSize  = 300      // of a user, in addition to its size in snapshots
)

// size returns approximately how much memory the tenant takes, in bytes.
func (t *Tenant) size() int64 {
	s := &t.snapshots
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.Image().size(s.size)
}

// size is Tenant.size for this image, given the size of its snapshot.
func (img *Image) size(snapshot int) int64 {
	return emptySize + userSize*int64(img.Directory.Users()) + int64(snapshot)
}

// readSnapshot returns the image of the last snapshot, and its format. If last is nil, it reads the
// head first. It begins again as long as the snapshot was replaced and swept meanwhile.
func readSnapshot(ctx context.Context, t *Tenant, last *savedHead) (_ *Image, format uint32, err error) {
	for tried := ""; ; {
		if last == nil {
			if last, err = t.lastHead(ctx); err != nil {
				return nil, 0, err
			}
		}
		if last.head == nil {
			return empty(), formatNow, nil
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

// loadSnapshot returns the image of a snapshot.
func (t *Tenant) loadSnapshot(ctx context.Context, saved *savedHead) (*Image, error) {
	h := saved.head
	data, err := t.readParts(ctx, h.Parts)
	if err != nil {
		return nil, err
	}
	img, err := h.image(data)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int{saved.name: saved.size}
	for piece, names := range h.Parts {
		for i, name := range names {
			sizes[name] = len(data[piece][i])
		}
	}
	t.snapshots.took(h.Parts, sizes)
	return img, nil
}

// readParts reads the parts of all pieces concurrently.
func (t *Tenant) readParts(ctx context.Context, names partNames) (map[string][][]byte, error) {
	read, errs := make([][]store.Part, len(pieces)), make([]error, len(pieces))
	var wait sync.WaitGroup
	for i, p := range pieces {
		wait.Go(func() { read[i], errs[i] = t.store.Parts(ctx, t.id, names[p.name]) })
	}
	wait.Wait()
	data := map[string][][]byte{}
	for i, p := range pieces {
		for _, part := range read[i] {
			data[p.name] = append(data[p.name], part.Data)
		}
	}
	return data, errors.Join(errs...)
}

// image builds an image from a snapshot's parts, by piece. Licensing and directory are decoded
// concurrently, since they take about as long.
func (h *head) image(parts map[string][][]byte) (*Image, error) {
	if h.Licensing == nil {
		return nil, errors.New("it has no licensing")
	}
	var columns *directory.Columns
	if h.Format >= formatWithColumns {
		columns = &directory.Columns{Users: parts["userColumns"], Groups: parts["groupColumns"]}
	}
	img := &Image{
		Seq:     h.Seq,
		Chain:   chainOf(h.Chain),
		At:      h.At.UTC(),
		Imports: append(importsOf(h.OldImports, h.At.UTC()), h.Imports...), auditDays: h.AuditDays,
		Grants: new(directory.Grants),
		Rules:  Rules{index: noRules},
	}
	var wait sync.WaitGroup
	var licErr, dirErr, appErr, principalErr, unitErr error
	wait.Go(func() {
		img.Licensing, licErr = licensing.Restore(h.Licensing, parts["licensing"], parts["licensingSets"])
	})
	wait.Go(func() { img.Directory, dirErr = directory.Decode(h.Directory, parts["directory"], columns) })
	img.Applications, appErr = directory.NewApplications().Decode(parts["applications"], parts["applicationColumns"])
	img.Principals, principalErr = directory.NewPrincipals().Decode(parts["servicePrincipals"], parts["servicePrincipalColumns"])
	img.Units, unitErr = directory.NewUnits().Decode(parts["administrativeUnits"], parts["administrativeUnitColumns"])
	wait.Wait()
	if err := errors.Join(licErr, dirErr, appErr, principalErr, unitErr); err != nil {
		return nil, err
	}
	var err error
	if img.Links, err = restoreLinks(h.Links, h.LinkTimes); err != nil {
		return nil, err
	}
	img.UnitMembers, err = directory.DecodeUnitMembers(parts["administrativeUnitMembers"],
		img.Units.Len(), img.Directory.Users(), img.Directory.Groups())
	if err != nil {
		return nil, err
	}
	d := img.draft(img.Seq, img.At)
	f := &Effects{
		Organization:  h.Organization,
		Subscriptions: h.Subscriptions,
		Roles:         h.Roles,
		Grants:        h.Grants,
		SignIn:        h.SignIn,
		Former:        h.Former,
		Rules:         h.Rules,
		Frozen:        h.Frozen,
	}
	if err := d.replay(f); err != nil {
		return nil, err
	}
	return d.finish(), nil
}
