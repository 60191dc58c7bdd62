package licensing_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// What users held before a change, together with its effects, gives what they hold after it.
func TestBeforeAndEffectsGiveWhatIsHeldAfterwards(t *testing.T) {
	t.Parallel()
	held := func(img *licensing.Image, user uint32) (list []licensing.Outcome) {
		if int(user) >= img.Users() {
			return nil
		}
		for _, e := range img.Entries(user) {
			if e.InForce != licensing.None {
				list = append(list, licensing.Outcome{Source: e.Source, SKU: e.SKU, InForce: e.InForce})
			}
		}
		return list
	}
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		for _, c := range played.log {
			changes, err := licensing.HeldChanges(c.effects.Changes, c.heldBefore)
			if err != nil {
				t.Fatal(err)
			}
			for user := range uint32(c.after.Users()) {
				was, is := held(c.before, user), held(c.after, user)
				found := 0
				for _, change := range changes {
					if !change.Users.Contains(user) {
						continue
					}
					after := append([]licensing.Outcome(nil), change.After...)
					if found++; !reflect.DeepEqual(change.Before, was) || !reflect.DeepEqual(after, is) {
						t.Fatalf("commit %d changes user %d from %v to %v, not to what the log says: from %v to %v",
							c.seq, user, was, is, change.Before, change.After)
					}
				}
				if changed := !reflect.DeepEqual(was, is); changed != (found == 1) {
					t.Fatalf("commit %d: user %d is in %d changes, from %v to %v", c.seq, user, found, was, is)
				}
			}
		}
	})
}

// Of users with changed entries, it is known which of these were in an error before, and how.
func TestErrorsBeforeAreThoseOfChangedUsers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		for _, c := range played.log {
			changed := roaring.New()
			for _, change := range c.effects.Changes {
				changed.Or(usersIn(t, change.Users))
			}
			said := map[uint32][]licensing.Outcome{}
			for _, before := range c.errorsBefore {
				for user := range roaring.Values(usersIn(t, before.Users)) {
					said[user] = append(said[user], before.Held...)
				}
			}
			for user := range roaring.Values(changed) {
				var failed []licensing.Outcome
				if int(user) < c.before.Users() {
					for _, e := range c.before.Entries(user) {
						if e.Error != licensing.NoViolation {
							failed = append(failed, licensing.Outcome{
								Source: e.Source, SKU: e.SKU, Wished: e.Wished, InForce: e.InForce, Error: e.Error,
							})
						}
					}
				}
				if !reflect.DeepEqual(said[user], failed) {
					t.Fatalf("commit %d: user %d had the errors %v, and it says %v", c.seq, user, failed, said[user])
				}
				delete(said, user)
			}
			if len(said) > 0 {
				t.Fatalf("commit %d says errors of others: %v", c.seq, said)
			}
		}
	})
}

func usersIn(t *rapid.T, data []byte) *roaring.Bitmap {
	users := roaring.New()
	if err := users.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	return users
}

// The users of a long stretch who held the same take no more than one container, and users who held
// something else in between are apart.
func TestBeforeGroupsUsersByWhatTheyHeld(t *testing.T) {
	t.Parallel()
	img := licensing.New(readCatalog(office))
	product := img.Catalog().Products[0].SKUID
	other := img.Catalog().Products[1].SKUID
	d := img.Draft(1, time.Unix(60, 0))
	for range 5000 {
		d.AddUser(country("DE"))
	}
	for _, sku := range []licensing.Assign{{SKUID: product}, {SKUID: other}} {
		if err := d.SetUnits(sku.SKUID, licensing.Units{Enabled: 10_000}, true); err != nil {
			t.Fatal(err)
		}
	}
	for user := range uint32(5000) {
		if user%1000 == 7 {
			continue
		}
		if err := d.AssignUser(user, []licensing.Assign{{SKUID: product}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	img, _ = d.Finish()
	if list := d.Before(); len(list) > 0 {
		t.Fatalf("new users held %v", list)
	}
	d = img.Draft(2, time.Unix(120, 0))
	for user := range uint32(5000) {
		if err := d.AssignUser(user, nil, []uuid.UUID{product}); user%1000 != 7 && err != nil {
			t.Fatal(err)
		}
	}
	d.Finish()
	list := d.Before()
	if len(list) != 1 || len(list[0].Held) != 1 || len(list[0].Users) > 100 {
		t.Errorf("users who held one product are recorded as %d lists, the first %v with %d bytes", len(list), list[0].Held, len(list[0].Users))
	}
}
