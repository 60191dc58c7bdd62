package tenant

import (
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// Effects are what came of a command: what a commit holds. Field numbers are stored; never
// renumber.
type Effects struct {
	Licensing         *licensing.Effects     `cbor:"1,keyasint,omitempty"`
	Organization      []byte                 `cbor:"2,keyasint,omitempty"` // its document
	Subscriptions     []SubscriptionNow      `cbor:"3,keyasint,omitempty"`
	Former            []FormerApplication    `cbor:"4,keyasint,omitempty"` // of format 1
	NewUsers          []UserKeys             `cbor:"5,keyasint,omitempty"` // that get the next ordinals
	Keys              []UserKeys             `cbor:"6,keyasint,omitempty"`
	Users             []Mark                 `cbor:"7,keyasint,omitempty"`
	Groups            []Mark                 `cbor:"8,keyasint,omitempty"`
	Nested            []Link                 `cbor:"9,keyasint,omitempty"`
	Owners            []Link                 `cbor:"10,keyasint,omitempty"`
	Import            *ImportMark            `cbor:"11,keyasint,omitempty"`
	Managers          []ManagerNow           `cbor:"13,keyasint,omitempty"`
	Roles             []RoleNow              `cbor:"14,keyasint,omitempty"`
	Grants            []GrantNow             `cbor:"15,keyasint,omitempty"`
	SignIn            []byte                 `cbor:"16,keyasint,omitempty"` // its document
	UserValues        []Values               `cbor:"17,keyasint,omitempty"` // in columns of directory.UserSchema; since format 2
	GroupValues       []Values               `cbor:"18,keyasint,omitempty"`
	Applications      []DocumentNow          `cbor:"19,keyasint,omitempty"`
	Principals        []DocumentNow          `cbor:"20,keyasint,omitempty"`
	ApplicationValues []Values               `cbor:"21,keyasint,omitempty"` // in columns of directory.ApplicationSchema
	PrincipalValues   []Values               `cbor:"22,keyasint,omitempty"`
	Links             []LinkNow              `cbor:"23,keyasint,omitempty"` // since format 3
	Units             []DocumentNow          `cbor:"24,keyasint,omitempty"` // administrative units; since format 4
	UnitValues        []Values               `cbor:"25,keyasint,omitempty"` // in columns of directory.UnitSchema
	UnitMembers       []directory.UnitMember `cbor:"26,keyasint,omitempty"` // that came or went
	Shifted           []uuid.UUID            `cbor:"12,keyasint,omitempty"` // SKUs whose units are in another state, which their holders show (docs/spec/licensing.md L6)
}

// SubscriptionNow is a subscription as it is from now on.
type SubscriptionNow struct {
	Subscription Subscription `cbor:"1,keyasint"`
	Gone         bool         `cbor:"2,keyasint,omitempty"`
}

// UserKeys are what a user is found by.
type UserKeys struct {
	User      uint32          `cbor:"1,keyasint,omitempty"`
	ID        uuid.UUID       `cbor:"2,keyasint"`
	Name      directory.Key   `cbor:"3,keyasint"`
	Addresses []directory.Key `cbor:"4,keyasint,omitempty"`
}

// Values are what an object has in columns from now on.
type Values struct {
	Ordinal uint32 `cbor:"1,keyasint,omitempty"`
	Data    []byte `cbor:"2,keyasint"` // as Schema.AppendChanges writes them
}

// Mark is something that happened to the document of a user or group.
type Mark struct {
	Ordinal    uint32     `cbor:"1,keyasint,omitempty"`
	What       MarkKind   `cbor:"2,keyasint"`
	ID         *uuid.UUID `cbor:"3,keyasint,omitempty"` // of what is Purged, which nothing else knows any more
	Properties []string   `cbor:"4,keyasint,omitempty"` // that were Written; none when that is not known
}

// MarkKind says what happened.
type MarkKind uint8

// The kinds of marks. Numbers are stored; never renumber.
const (
	Written MarkKind = iota + 1
	Hidden
	Shown
	Purged
)

// Link is a group's nested member or owner that came or went.
type Link struct {
	Group  uint32 `cbor:"1,keyasint,omitempty"`
	Member uint32 `cbor:"2,keyasint,omitempty"`
	Gone   bool   `cbor:"3,keyasint,omitempty"`
}

// ImportMark says how far an import has come.
type ImportMark struct {
	ID   string `cbor:"1,keyasint"`
	Line int64  `cbor:"2,keyasint"`
}

func (f *Effects) encode() ([]byte, error) { return cbor.Marshal(f) }

// apply replays a commit on the image before it.
func (img *Image) apply(c store.Commit) (*Image, error) {
	f, err := decodeCommit(c)
	if err != nil {
		return nil, err
	}
	if err := f.agreeing(); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	next := *img
	next.Seq, next.At = c.Seq, c.At
	if err := next.applyLicensing(f, c.Seq, c.At); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	if err := next.applyDirectory(f); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	if err := next.applyFormer(f.Former); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	if err := next.applyApplications(f); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	if err := next.applyUnits(f); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	if err := next.applySmall(f); err != nil {
		return nil, fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	return &next, nil
}

// agreeing refuses effects that add other users to licensing than to the directory.
func (f *Effects) agreeing() error {
	var users uint64
	if f.Licensing != nil {
		for _, n := range f.Licensing.Users {
			users += uint64(n.Count)
		}
	}
	if users != uint64(len(f.NewUsers)) {
		return fmt.Errorf("%d users are new to licensing, %d to the directory", users, len(f.NewUsers))
	}
	return nil
}

func (img *Image) applyLicensing(f *Effects, seq uint64, at time.Time) (err error) {
	if f.Licensing != nil {
		img.Licensing, err = img.Licensing.Apply(f.Licensing, seq, at)
	}
	return err
}

// applySmall replays what is neither licensing nor directory. It copies, since the image it was
// made from keeps the old lists.
func (img *Image) applySmall(f *Effects) error {
	if f.Organization != nil {
		org, err := directory.ParseOrganization(f.Organization)
		if err != nil {
			return err
		}
		img.Organization = org
	}
	for _, now := range f.Subscriptions {
		img.Subscriptions = replaced(img.Subscriptions, now.Subscription, now.Gone, func(s Subscription) uuid.UUID { return s.ID })
	}
	img.applyRoles(f.Roles)
	img.applyGrants(f.Grants)
	if err := img.applyLinks(f.Links); err != nil {
		return err
	}
	img.applyUnitMembers(f)
	if f.SignIn != nil {
		signIn, err := directory.ParseSignIn(f.SignIn)
		if err != nil {
			return err
		}
		img.SignIn = signIn
	}
	if f.Import != nil {
		img.remember(f.Import)
	}
	return nil
}

// replaced is a copy of the list with the item put in the place of the one with its id, appended,
// or taken out.
func replaced[T any, ID comparable](list []T, item T, gone bool, id func(T) ID) []T {
	next := slices.Clone(list)
	at := slices.IndexFunc(next, func(t T) bool { return id(t) == id(item) })
	switch {
	case gone && at >= 0:
		return slices.Delete(next, at, at+1)
	case gone:
		return next
	case at >= 0:
		next[at] = item
		return next
	}
	return append(next, item)
}

// applyDirectory replays the changes of the index, in the order in which a command makes them.
func (img *Image) applyDirectory(f *Effects) error {
	d := img.Directory.Draft()
	for _, u := range f.NewUsers {
		d.AddUser(u.ID, u.Name, u.Addresses)
	}
	if f.Licensing != nil {
		for _, g := range f.Licensing.Groups {
			if g.New != nil {
				d.AddGroup(*g.New)
			}
			if err := applyMembers(d, g); err != nil {
				return err
			}
		}
	}
	if err := f.plausible(d); err != nil {
		return err
	}
	if err := setValues(f.UserValues, directory.UserSchema(), d.SetUserValues); err != nil {
		return err
	}
	if err := setValues(f.GroupValues, directory.GroupSchema(), d.SetGroupValues); err != nil {
		return err
	}
	for _, u := range f.Keys {
		d.SetUserKeys(u.User, u.Name, u.Addresses)
	}
	for _, l := range f.Nested {
		if l.Gone {
			d.LeaveGroup(l.Group, l.Member)
		} else {
			d.JoinGroup(l.Group, l.Member)
		}
	}
	for _, l := range f.Owners {
		if l.Gone {
			d.RemoveOwner(l.Group, l.Member)
		} else {
			d.AddOwner(l.Group, l.Member)
		}
	}
	for _, m := range f.Managers {
		if err := m.apply(d); err != nil {
			return err
		}
	}
	for _, m := range f.Users {
		mark(m, d.TouchUser, d.HideUser, d.ShowUser, d.PurgeUser)
	}
	for _, m := range f.Groups {
		mark(m, d.TouchGroup, d.HideGroup, d.ShowGroup, d.PurgeGroup)
	}
	img.Directory = d.Finish()
	return nil
}

func setValues(list []Values, schema *column.Schema, set func(uint32, []column.Change)) error {
	for _, v := range list {
		changes, err := schema.ReadChanges(v.Data)
		if err != nil {
			return fmt.Errorf("values of object number %d: %w", v.Ordinal, err)
		}
		set(v.Ordinal, changes)
	}
	return nil
}

func mark(m Mark, written, hidden, shown, purged func(uint32)) {
	switch m.What {
	case Written:
		written(m.Ordinal)
	case Hidden:
		hidden(m.Ordinal)
	case Shown:
		shown(m.Ordinal)
	case Purged:
		purged(m.Ordinal)
	}
}

// plausible refuses numbers that the directory does not have: a damaged commit must not bring the
// program down.
func (f *Effects) plausible(d *directory.Draft) error {
	users, groups := d.Users(), d.Groups()
	for _, u := range f.Keys {
		if u.User >= users {
			return fmt.Errorf("keys of user number %d, of whom there are %d", u.User, users)
		}
	}
	for _, v := range f.UserValues {
		if v.Ordinal >= users {
			return fmt.Errorf("values of user number %d, and there are %d", v.Ordinal, users)
		}
	}
	for _, v := range f.GroupValues {
		if v.Ordinal >= groups {
			return fmt.Errorf("values of group number %d, and there are %d", v.Ordinal, groups)
		}
	}
	for _, m := range f.Users {
		if m.Ordinal >= users {
			return fmt.Errorf("a mark on user number %d, of whom there are %d", m.Ordinal, users)
		}
	}
	for _, m := range f.Groups {
		if m.Ordinal >= groups {
			return fmt.Errorf("a mark on group number %d, of which there are %d", m.Ordinal, groups)
		}
	}
	for _, l := range f.Nested {
		if l.Group >= groups || l.Member >= groups || l.Group == l.Member {
			return fmt.Errorf("a link between groups number %d and %d, of which there are %d", l.Group, l.Member, groups)
		}
	}
	for _, l := range f.Owners {
		if l.Group >= groups || l.Member >= users {
			return fmt.Errorf("an owner of group number %d, of which there are %d", l.Group, groups)
		}
	}
	return nil
}

func applyMembers(d *directory.Draft, g licensing.GroupEffect) error {
	for _, list := range []struct {
		data []byte
		do   func(uint32, *roaring.Bitmap)
	}{
		{g.Joined, func(group uint32, users *roaring.Bitmap) { d.Join(group, roaring.Values(users)) }},
		{g.Left, func(group uint32, users *roaring.Bitmap) { d.Leave(group, roaring.Values(users)) }},
	} {
		if len(list.data) == 0 {
			continue
		}
		users := roaring.New()
		if err := users.UnmarshalBinary(list.data); err != nil {
			return err
		}
		if users.Maximum() >= d.Users() || g.Group >= d.Groups() {
			return fmt.Errorf("members of group number %d beyond those there are", g.Group)
		}
		list.do(g.Group, users)
	}
	return nil
}
