package tenant

import (
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/licensing/vector"
)

// draft is an image in progress. Commands and replay change it in the same way, effect by effect.
// Licensing has a draft of its own, and its effects are found by comparing.
type draft struct {
	base *Image
	next Image // the parts without a draft below already have their new values
	dir  *directory.Draft

	applications objectsDraft[directory.Application]
	principals   objectsDraft[directory.ServicePrincipal]
	units        objectsDraft[directory.AdministrativeUnit]

	ownsRoles  bool // the map of roles is a copy
	ownsPrices bool // the list of prices is a copy

	ruleOwner *vector.Owner // of the states of rules that the draft has set; nil: none
	ruled     []uint32      // the groups of these
}

// effect is a part of the result of a command.
type effect interface {
	// apply applies the effect, and returns false if that changes nothing. It returns an error for
	// an effect that no command can have recorded: a damaged log must not cause a panic.
	apply(d *draft) (bool, error)
	// note adds the effect to a commit.
	note(f *Effects)
}

// record applies an effect of the command and adds it to the commit. It returns false if the effect
// changes nothing, and then does not add it. This is the only way in which a command changes data
// outside licensing's draft, so a replay has the same result. It panics if the effect cannot be
// applied, which is a bug.
func (c *change) record(e effect) bool {
	changed, err := e.apply(c.draft)
	if err != nil {
		panic(err)
	}
	if changed {
		e.note(&c.effects)
		c.touch(e)
	}
	return changed
}

// draft begins an image that follows img.
func (img *Image) draft(seq uint64, at time.Time) *draft {
	d := &draft{base: img, next: *img, dir: img.Directory.Draft()}
	d.next.Seq, d.next.At = seq, at
	d.applications = applicationsDraft(img)
	d.principals = principalsDraft(img, d)
	d.units = unitsDraft(img, d)
	return d
}

// finish returns the image of the draft, which must not be used afterwards.
func (d *draft) finish() *Image {
	next := d.next
	next.Directory = d.dir.Finish()
	d.settleRules(&next)
	next.Applications, next.Principals, next.Units = d.applications.finish(), d.principals.finish(), d.units.finish()
	return &next
}

// setMembers adds users to a group or removes them, which licensing's effects tell.
func (d *draft) setMembers(group uint32, users *roaring.Bitmap, members bool) {
	if members {
		d.next.Memberships += d.dir.Join(group, roaring.Values(users))
	} else {
		d.next.Memberships -= d.dir.Leave(group, roaring.Values(users))
	}
}

// replayGroups replays new groups and changes of members, which are in licensing's effects.
func (d *draft) replayGroups(f *Effects) error {
	if f.Licensing == nil {
		return nil
	}
	for _, g := range f.Licensing.Groups {
		if g.New != nil {
			d.dir.AddGroup(*g.New)
		}
		if err := d.replayMembers(g); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) replayMembers(g licensing.GroupEffect) error {
	for _, list := range []struct {
		data    []byte
		members bool
	}{{g.Joined, true}, {g.Left, false}} {
		if len(list.data) == 0 {
			continue
		}
		users := roaring.New()
		if err := users.UnmarshalBinary(list.data); err != nil {
			return err
		}
		if users.Maximum() >= d.dir.Users() || d.dir.GroupPurged(g.Group) {
			return fmt.Errorf("members of group number %d beyond those there are", g.Group)
		}
		d.setMembers(g.Group, users, list.members)
	}
	return nil
}

// replaced returns a copy of the list in which the item replaces the one with its id, is appended,
// or is removed.
func replaced[T any, ID comparable](list []T, item T, removed bool, id func(T) ID) []T {
	next := slices.Clone(list)
	at := slices.IndexFunc(next, func(t T) bool { return id(t) == id(item) })
	switch {
	case removed && at >= 0:
		return slices.Delete(next, at, at+1)
	case removed:
		return next
	case at >= 0:
		next[at] = item
		return next
	}
	return append(next, item)
}
