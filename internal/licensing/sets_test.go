package licensing

import (
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"
)

// setOfUsers draws a set with containers of all kinds: a few users, many, runs, full ones.
func setOfUsers(t *rapid.T, label string) *roaring.Bitmap {
	set := roaring.New()
	for range rapid.IntRange(0, 4).Draw(t, label+": pieces") {
		start := uint64(rapid.IntRange(0, 4<<16).Draw(t, label+": from"))
		n := uint64(rapid.SampledFrom([]int{1, 3, 5000, 1 << 16, 3 << 16}).Draw(t, label+": users"))
		step := uint64(rapid.SampledFrom([]int{1, 1, 2, 13}).Draw(t, label+": every"))
		if step == 1 {
			set.AddRange(start, start+n)
			continue
		}
		for user := start; user < start+n; user += step {
			set.Add(uint32(user))
		}
	}
	return set
}

// Drafts change sets that share containers with sets of other images. Each image keeps the set it
// had.
func TestASetOfAnImageNeverChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := New(&Catalog{})
		first.inError.bitmap = settle(setOfUsers(t, "first"))
		images, want := []*Image{first}, []*roaring.Bitmap{first.inError.bitmap.Clone()}
		for range rapid.IntRange(1, 5).Draw(t, "drafts") {
			base := rapid.IntRange(0, len(images)-1).Draw(t, "base")
			d, expected := images[base].Draft(1, time.Time{}), want[base].Clone()
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				changeSet(t, d.ownSet(&d.next.inError), expected)
			}
			for _, set := range d.sets {
				settle(set)
			}
			images, want = append(images, d.next), append(want, expected)
		}
		for i, img := range images {
			if got := img.inError.bitmap; !got.Equals(want[i]) || got.GetCardinality() != want[i].GetCardinality() {
				t.Fatalf("image %d has another set than it began with", i)
			}
			if err := img.inError.bitmap.Validate(); err != nil {
				t.Fatalf("image %d: %v", i, err)
			}
		}
	})
}

// changeSet makes the same change of both.
func changeSet(t *rapid.T, sets ...*roaring.Bitmap) {
	kind := rapid.SampledFrom([]string{"add", "remove", "or", "andNot"}).Draw(t, "change")
	user := uint32(rapid.IntRange(0, 5<<16).Draw(t, "user"))
	others := setOfUsers(t, "others")
	for _, set := range sets {
		switch kind {
		case "add":
			set.Add(user)
		case "remove":
			set.Remove(user)
		case "or":
			set.Or(others)
		case "andNot":
			set.AndNot(others)
		}
	}
}

// The race detector would notice a draft or a reader that writes to what others read.
func TestDraftsAndReadersOfOneImageRunInParallel(t *testing.T) {
	t.Parallel()
	img := crowd(t, 70_000, 2)
	var wait sync.WaitGroup
	for g := range uint32(4) {
		wait.Go(func() {
			d := img.Draft(10, time.Unix(10, 0))
			d.DeleteUser(g)
			d.RemoveMembers(0, roaring.BitmapOf(g+10, g+20))
			d.AddUser(NoCountry)
			if _, effects := d.Finish(); len(effects.Groups) != 1 {
				t.Errorf("the draft changed %d groups", len(effects.Groups))
			}
		})
		wait.Go(func() {
			members := img.GroupMembers(0)
			mine := roaring.Or(members, img.InError())
			mine.Remove(g)
			mine.And(members.Clone())
			if n := mine.GetCardinality(); n != 69_999 || members.GetCardinality() != 70_000 {
				t.Errorf("%d of %d members are left", n, members.GetCardinality())
			}
		})
	}
	wait.Wait()
}
