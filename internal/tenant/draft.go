package tenant

import (
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/licensing"
)

// draft is an image in the making. Commands and replay change it in the same way, effect by effect.
// Licensing has a draft of its own, and its effects are found by comparing.
type draft struct {
	base *Image
	next Image // what has no draft of its own below is as the effects have left it
	dir  *directory.Draft

	applications objectsDraft[directory.Application]
	principals   objectsDraft[directory.ServicePrincipal]
	units        objectsDraft[directory.AdministrativeUnit]

	ownsRoles bool // the map of roles is a copy
}

// effect is a part of the result of a command.
type effect interface {
	// apply carries it out, and reports false when that changes nothing. It refuses what no command
	// can have noted: a damaged log must not bring the program down.
	apply(d *draft) (bool, error)
	// note adds it to what the commit holds.
	note(f *Effects)
}

// record carries out an effect of the command and notes it, unless it changes nothing; then it
// reports false. This is the only way in which a command changes what licensing's draft does not
// have, so what is replayed comes to the same. An effect that cannot be carried out is a fault of
// the program.
func (c *change) record(e effect) bool {
	changed, err := e.apply(c.draft)
	if err != nil {
		panic(err)
	}
	if changed {
		e.note(&c.effects)
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

// finish returns the image of the draft, which can no longer be used.
func (d *draft) finish() *Image {
	next := d.next
	next.Directory = d.dir.Finish()
	next.Applications, next.Principals, next.Units = d.applications.finish(), d.principals.finish(), d.units.finish()
	return &next
}

// setMembers makes users members of a group, or ends that. Licensing's effects say who they are.
func (d *draft) setMembers(group uint32, users *roaring.Bitmap, members bool) {
	if members {
		d.next.Memberships += d.dir.Join(group, roaring.Values(users))
	} else {
		d.next.Memberships -= d.dir.Leave(group, roaring.Values(users))
	}
}

// replayGroups replays which groups are new and who has joined and left, which licensing's effects
// say.
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

// replaced is a copy of the list with the item put in the place of the one with its id, appended,
// or taken out.
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
