package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// piece is a list of parts that a snapshot consists of, each of 65,536 objects, or of 256
// documents.
type piece struct {
	name    string // stored
	parts   func(img *Image) int
	changed func(was, is *Image, part int) bool // whether a part may differ
	write   func(img *Image, part int) []byte
}

var pieces = []piece{
	{
		"licensing",
		func(img *Image) int { return img.Licensing.Parts() },
		func(was, is *Image, part int) bool { return is.Licensing.PartChanged(was.Licensing, part) },
		func(img *Image, part int) []byte { return img.Licensing.AppendPart(nil, part) },
	},
	{
		"directory",
		func(img *Image) int { return img.Directory.Parts() },
		func(was, is *Image, part int) bool { return is.Directory.PartChanged(was.Directory, part) },
		func(img *Image, part int) []byte { return img.Directory.AppendPart(nil, part) },
	},
	columnPiece("userColumns", func(img *Image) *column.Table { return img.Directory.UserColumns() }),
	columnPiece("groupColumns", func(img *Image) *column.Table { return img.Directory.GroupColumns() }),
	objectsPiece("applications", func(img *Image) *directory.Objects[directory.Application] { return img.Applications }),
	columnPiece("applicationColumns", func(img *Image) *column.Table { return img.Applications.Columns() }),
	objectsPiece("servicePrincipals", func(img *Image) *directory.Objects[directory.ServicePrincipal] { return img.Principals }),
	columnPiece("servicePrincipalColumns", func(img *Image) *column.Table { return img.Principals.Columns() }),
	objectsPiece("administrativeUnits", func(img *Image) *directory.Objects[directory.AdministrativeUnit] { return img.Units }),
	columnPiece("administrativeUnitColumns", func(img *Image) *column.Table { return img.Units.Columns() }),
	{
		"administrativeUnitMembers",
		func(img *Image) int { return img.UnitMembers.Parts() },
		func(was, is *Image, part int) bool { return is.UnitMembers.PartChanged(was.UnitMembers, part) },
		func(img *Image, part int) []byte { return img.UnitMembers.AppendPart(nil, part) },
	},
}

func columnPiece(name string, of func(img *Image) *column.Table) piece {
	return piece{
		name,
		func(img *Image) int { return of(img).Parts() },
		func(was, is *Image, part int) bool { return of(is).PartChanged(of(was), part) },
		func(img *Image, part int) []byte { return of(img).AppendPart(nil, part) },
	}
}

func objectsPiece[T any](name string, of func(img *Image) *directory.Objects[T]) piece {
	return piece{
		name,
		func(img *Image) int { return of(img).Parts() },
		func(was, is *Image, part int) bool { return of(is) != of(was) && of(is).PartChanged(of(was), part) },
		func(img *Image, part int) []byte { return of(img).AppendPart(nil, part) },
	}
}

// snapshots takes them beside the work. It holds no image: an old one would keep alive all that has
// changed since.
type snapshots struct {
	taking  sync.Mutex     // one at a time; guards parts and sizes
	parts   partNames      // of the last snapshot
	sizes   map[string]int // bytes of its parts, by name
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	stale   staleness
	pending int // bytes of effects since the last snapshot
	size    int // bytes of the last snapshot

	due bool // one is to be taken as soon as the tenant works
}

// staleness says which parts have changed since they were saved, by piece.
type staleness map[string][]bool

// add notes that a part has changed.
func (s staleness) add(piece string, part int) {
	for len(s[piece]) <= part {
		s[piece] = append(s[piece], false)
	}
	s[piece][part] = true
}

func (s staleness) has(piece string, part int) bool { return part < len(s[piece]) && s[piece][part] }

// changed notes which parts are not the same in two images.
func (s *snapshots) changed(was, is *Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale == nil {
		s.stale = staleness{}
	}
	for _, p := range pieces {
		for part := range p.parts(is) {
			if p.changed(was, is, part) && !s.stale.has(p.name, part) {
				s.stale.add(p.name, part)
			}
		}
	}
}

// take returns what is stale and counts from zero again.
func (s *snapshots) take() staleness {
	s.mu.Lock()
	defer s.mu.Unlock()
	stale := s.stale
	s.stale, s.pending = nil, 0
	return stale
}

// giveBack takes take back, when no snapshot came of it.
func (s *snapshots) giveBack(stale staleness) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale == nil {
		s.stale = staleness{}
	}
	for piece, parts := range stale {
		for part, is := range parts {
			if is {
				s.stale.add(piece, part)
			}
		}
	}
}

func (s *snapshots) waiting(more int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += more
	return s.pending
}

// quarter is a quarter of the last snapshot, so that what is written of snapshots stays in
// proportion to what is written of commits; 0 for one that takes no noticeable time.
func (s *snapshots) quarter() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size < 1<<20 {
		return 0
	}
	return s.size / 4
}

// took notes what the last snapshot consists of. The caller holds taking, or is alone.
func (s *snapshots) took(names partNames, sizes map[string]int) {
	s.parts, s.sizes = names, sizes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = 0
	for _, n := range sizes {
		s.size += n
	}
}

// headName is the part that says which others belong to the snapshot; written last, so a snapshot
// is there as a whole or not at all.
const headName = "head"

// head is a snapshot but for its parts. Field numbers are stored; never renumber.
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
	LinkTimes     []int64             `cbor:"16,keyasint,omitempty"` // of Links, 0 where it is not known; since format 5
	Imports       []Imported          `cbor:"17,keyasint,omitempty"` // since format 5
	Chain         []byte              `cbor:"18,keyasint,omitempty"` // since format 7
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

// note counts what a snapshot would save a start, and takes one in the background when that is
// enough.
func (s *snapshots) note(t *Tenant, was *Image, bytes int) {
	s.changed(was, t.Image())
	if s.waiting(bytes) >= max(t.options.SnapshotAfter, s.quarter()) {
		s.begin(t)
	}
}

// begin takes a snapshot in the background, unless one is being taken.
func (s *snapshots) begin(t *Tenant) {
	if !s.taking.TryLock() {
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

// snapshot makes an image durable as parts: those that are stale, then the head. The caller holds
// taking.
func (t *Tenant) snapshot(ctx context.Context, img *Image, stale staleness) (err error) {
	s := &t.snapshots
	defer func() {
		if err != nil {
			s.giveBack(stale)
		}
	}()
	names, sizes := partNames{}, map[string]int{}
	for _, p := range pieces {
		list := make([]string, p.parts(img))
		copy(list, s.parts[p.name])
		for part := range list {
			if !stale.has(p.name, part) && list[part] != "" {
				sizes[list[part]] = s.sizes[list[part]]
				continue
			}
			list[part] = fmt.Sprintf("%s-%d-%d", p.name, part, img.Seq)
			data := p.write(img, part)
			if err := t.save(ctx, list[part], data); err != nil {
				return err
			}
			sizes[list[part]] = len(data)
		}
		names[p.name] = list
	}
	data, err := cbor.Marshal(headOf(img, names))
	if err != nil {
		return fmt.Errorf("encode the snapshot's head: %w", err)
	}
	if err := t.save(ctx, headName, data); err != nil {
		return err
	}
	sizes[headName] = len(data)
	s.took(names, sizes)
	return t.store.DropParts(ctx, t.id, append(names.flat(), headName))
}

func (t *Tenant) save(ctx context.Context, name string, data []byte) error {
	return t.store.SaveParts(ctx, t.id, []store.Part{{Name: name, Data: data}})
}

func headOf(img *Image, names partNames) *head {
	h := &head{
		Seq: img.Seq, Chain: img.Chain[:], At: img.At,
		Licensing: img.Licensing.Head(), Directory: img.Directory.AppendHead(nil),
		Imports: img.Imports, Parts: names, Roles: img.roleList(), SignIn: img.SignIn.Document(), Format: formatNow,
	}
	if img.Organization != nil {
		h.Organization = img.Organization.Document()
	}
	for _, s := range img.Subscriptions {
		h.Subscriptions = append(h.Subscriptions, SubscriptionNow{Subscription: s})
	}
	for g := range img.Grants.All() {
		h.Grants = append(h.Grants, GrantNow{Grant: g})
	}
	h.Links, h.LinkTimes = slices.Collect(img.Links.All()), linkTimes(img.Links)
	return h
}

// recoverImage reads the last snapshot, if there is one, and replays the commits after it.
func recoverImage(ctx context.Context, t *Tenant) error {
	saved, format, err := readSnapshot(ctx, t)
	if err != nil {
		return err
	}
	img, end, err := t.follow(ctx, saved, func(c store.Commit) {
		t.snapshots.waiting(len(c.Effects) + commitWeight)
		format = min(format, c.Format)
	})
	if err != nil {
		return fmt.Errorf("recover tenant %s: %w", t.id, err)
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

// chainOf is a chain as the head has it: none in earlier formats.
func chainOf(stored []byte) (chain store.Chain) {
	copy(chain[:], stored)
	return chain
}

// commitWeight is what a commit counts besides its effects, in bytes: replaying one takes a while
// however little came of it.
const commitWeight = 32

// readSnapshot returns the image of the last snapshot, and its format.
func readSnapshot(ctx context.Context, t *Tenant) (*Image, uint32, error) {
	parts, err := t.store.Parts(ctx, t.id, []string{headName})
	if errors.Is(err, store.ErrNotFound) {
		return empty(), formatNow, nil
	}
	if err != nil {
		return nil, 0, err
	}
	h, err := decodeHead(parts[0].Data)
	if err != nil {
		return nil, 0, fmt.Errorf("read the snapshot's head of tenant %s: %w", t.id, err)
	}
	data, err := t.readParts(ctx, h.Parts)
	if err != nil {
		return nil, 0, fmt.Errorf("read the snapshot of tenant %s: %w", t.id, err)
	}
	img, err := h.image(data)
	if err != nil {
		return nil, 0, fmt.Errorf("read the snapshot of tenant %s: %w", t.id, err)
	}
	sizes := map[string]int{headName: len(parts[0].Data)}
	for piece, names := range h.Parts {
		for i, name := range names {
			sizes[name] = len(data[piece][i])
		}
	}
	t.snapshots.took(h.Parts, sizes)
	return img, h.Format, nil
}

// readParts reads the parts of all pieces, piece beside piece.
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

// image puts a snapshot together from its parts by piece; licensing and directory side by side, for
// they are about as much work.
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
		Imports: append(importsOf(h.OldImports, h.At.UTC()), h.Imports...),
		Grants:  new(directory.Grants),
	}
	var wait sync.WaitGroup
	var licErr, dirErr, appErr, principalErr, unitErr error
	wait.Go(func() { img.Licensing, licErr = licensing.Restore(h.Licensing, parts["licensing"]) })
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
	}
	if err := d.replay(f); err != nil {
		return nil, err
	}
	return d.finish(), nil
}
