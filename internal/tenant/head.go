package tenant

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"licensor/internal/compressed"
	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/trail"
	"licensor/internal/turns"
)

// Head is a snapshot without its parts. Field numbers are stored; never renumber.
type Head struct {
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
	Parts         PartNames           `cbor:"14,keyasint,omitempty"`
	Links         []directory.Link    `cbor:"15,keyasint,omitempty"` // since format 3
	LinkTimes     []int64             `cbor:"16,keyasint,omitempty"` // of Links, 0 if unknown; since format 5
	Imports       []Imported          `cbor:"17,keyasint,omitempty"` // since format 5
	Chain         []byte              `cbor:"18,keyasint,omitempty"` // since format 7
	Size          int64               `cbor:"19,keyasint,omitempty"` // see Tenant.size; since format 8
	Rules         []RuleNow           `cbor:"20,keyasint,omitempty"` // since format 9
	Frozen        *FrozenNow          `cbor:"21,keyasint,omitempty"` // since format 9
	AuditDays     int                 `cbor:"22,keyasint,omitempty"` // since format 10
	SignInDays    int                 `cbor:"23,keyasint,omitempty"` // since format 11
	Prices        []Price             `cbor:"24,keyasint,omitempty"` // since format 13
}

// oldPart names the two parts that hold 65,536 users in format 1.
type oldPart struct {
	Licensing string `cbor:"1,keyasint"`
	Directory string `cbor:"2,keyasint"`
}

// PartNames are the names of the parts, by piece.
type PartNames map[string][]string

// Flat lists the names, piece by piece.
func (names PartNames) Flat() []string {
	var list []string
	for _, p := range Pieces {
		list = append(list, names[p.Name]...)
	}
	return list
}

// HeadOf returns the head of a snapshot of an image, whose parts have these names. Its size is not
// set.
func HeadOf(img *Image, names PartNames) *Head {
	h := &Head{
		Seq: img.Seq, Chain: img.Chain[:], At: img.At,
		Licensing: img.Licensing.Head(), Directory: img.Directory.AppendHead(nil),
		Imports: img.Imports, Parts: names, Roles: img.roleList(), SignIn: img.SignIn.Document(), Format: Format,
		AuditDays: img.auditDays, SignInDays: img.signInDays, Prices: img.prices,
	}
	if img.Organization != nil {
		h.Organization = img.Organization.Document()
	}
	for _, s := range img.Subscriptions {
		h.Subscriptions = append(h.Subscriptions, SubscriptionNow{Subscription: s})
	}
	if h.Rules = img.Rules.list(); img.Rules.frozen {
		h.Frozen = &FrozenNow{true}
	}
	for g := range img.Grants.All() {
		h.Grants = append(h.Grants, GrantNow{Grant: g})
	}
	h.Links, h.LinkTimes = slices.Collect(img.Links.All()), linkTimes(img.Links)
	return h
}

// Image returns the image of a snapshot, given its parts, by piece.
func (h *Head) Image(parts map[string][][]byte) (*Image, error) {
	if h.Licensing == nil {
		return nil, errors.New("it has no licensing")
	}
	var columns *directory.Columns
	if h.Format >= FormatWithColumns {
		columns = &directory.Columns{Users: parts["userColumns"], Groups: parts["groupColumns"]}
	}
	img := &Image{
		Seq:     h.Seq,
		Chain:   chainOf(h.Chain),
		At:      h.At.UTC(),
		Imports: append(importsOf(h.OldImports, h.At.UTC()), h.Imports...), auditDays: h.AuditDays,
		signInDays: h.SignInDays, prices: h.Prices,
		Grants: new(directory.Grants),
		Rules:  Rules{index: noRules},
	}
	if err := h.decodeObjects(img, parts, columns); err != nil {
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
	if img.Trail = trail.After(h.Seq); h.Format >= formatWithTrail {
		if img.Trail, err = trail.Decode(parts[trailPiece], h.Seq); err != nil {
			return nil, err
		}
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

// decodeObjects decodes licensing and the objects, licensing and directory concurrently, since they
// take about as long.
func (h *Head) decodeObjects(img *Image, parts map[string][][]byte, columns *directory.Columns) error {
	var wait sync.WaitGroup
	var licErr, dirErr, appErr, principalErr, unitErr error
	wait.Go(func() {
		turns.Aside(len(parts["licensing"]) > 1, func() {
			img.Licensing, licErr = h.restoreLicensing(parts["licensing"], parts["licensingSets"])
		})
	})
	wait.Go(func() { img.Directory, dirErr = directory.Decode(h.Directory, parts["directory"], columns) })
	img.Applications, appErr = directory.NewApplications().Decode(parts["applications"], parts["applicationColumns"])
	img.Principals, principalErr = directory.NewPrincipals().Decode(parts["servicePrincipals"], parts["servicePrincipalColumns"])
	img.Units, unitErr = directory.NewUnits().Decode(parts["administrativeUnits"], parts["administrativeUnitColumns"])
	wait.Wait()
	return errors.Join(licErr, dirErr, appErr, principalErr, unitErr)
}

// restoreLicensing decompresses the parts, because package licensing depends on no other one.
func (h *Head) restoreLicensing(parts, sets [][]byte) (*licensing.Image, error) {
	unpack := func(stored [][]byte) (list [][]byte, err error) {
		for i, part := range stored {
			data, e := compressed.Unpack(part)
			if e != nil {
				err = errors.Join(err, fmt.Errorf("licensing: part %d: %w", i, e))
			}
			list = append(list, data)
		}
		return list, err
	}
	parts, err := unpack(parts)
	sets, more := unpack(sets)
	if err := errors.Join(err, more); err != nil {
		return nil, err
	}
	return licensing.Restore(h.Licensing, parts, sets)
}

// chainOf returns the chain in a head; zero in earlier formats.
func chainOf(stored []byte) (chain store.Chain) {
	copy(chain[:], stored)
	return chain
}
