package licensing_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// same compares two images by what a snapshot of them holds.
func same(a, b *licensing.Image) bool {
	if a.Parts() != b.Parts() || !reflect.DeepEqual(a.Head(), b.Head()) {
		return false
	}
	for i := range a.Parts() {
		if !bytes.Equal(a.AppendPart(nil, i), b.AppendPart(nil, i)) ||
			!bytes.Equal(a.AppendSets(nil, i), b.AppendSets(nil, i)) {
			return false
		}
	}
	return true
}

func restored(t *rapid.T, img *licensing.Image) *licensing.Image {
	again, err := restart(img)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// restart makes an image again of a snapshot.
func restart(img *licensing.Image) (*licensing.Image, error) {
	var parts, sets [][]byte
	for i := range img.Parts() {
		parts, sets = append(parts, img.AppendPart(nil, i)), append(sets, img.AppendSets(nil, i))
	}
	return licensing.Restore(img.Head(), parts, sets)
}

func TestEffectsReplayedGiveTheSameImage(t *testing.T) { // L53
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		from := rapid.IntRange(0, len(played.log)-1).Draw(t, "snapshot after")
		for _, start := range []int{0, from} {
			img := restored(t, played.log[start].before)
			for _, c := range played.log[start:] {
				next, err := img.Apply(c.effects, c.seq, c.at)
				if err != nil {
					t.Fatalf("replay %d: %v", c.seq, err)
				}
				if !same(next, c.after) {
					t.Fatalf("replayed from %d, commit %d gives another image\n%+v\n%+v",
						start, c.seq, next.Head(), c.after.Head())
				}
				img = next
			}
			upTo := rapid.IntRange(start, len(played.log)-1).Draw(t, "replayed at once up to")
			replay := restored(t, played.log[start].before).Replay()
			for _, c := range played.log[start : upTo+1] {
				if err := replay.Apply(c.effects, c.seq, c.at); err != nil {
					t.Fatalf("replay %d: %v", c.seq, err)
				}
			}
			if next, c := replay.Finish(), played.log[upTo]; !same(next, c.after) {
				t.Fatalf("replayed at once from %d to commit %d, there is another image\n%+v\n%+v",
					start, c.seq, next.Head(), c.after.Head())
			}
		}
	})
}

func TestADraftLeavesItsBaseAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var before []string
		played, _ := play(t, func(played *tenant, _ *model.Model) {})
		for _, c := range played.log {
			before = append(before, snapshot(c.before))
		}
		for i, c := range played.log {
			d := c.before.Draft(c.seq, c.at)
			d.Reprocess(c.before.Everybody())
			for user := range uint32(c.before.Users()) {
				d.DeleteUser(user)
			}
			d.Finish()
			if snapshot(c.before) != before[i] {
				t.Fatal("a draft changed the image it was made from")
			}
		}
	})
}

func TestReprocessingEverybodyTwiceChangesNothingTheSecondTime(t *testing.T) { // L72
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		last := played.log[len(played.log)-1]
		d := played.image.Draft(last.seq+1, last.at.Add(time.Second))
		report := d.Reprocess(played.image.Everybody())
		once, _ := d.Finish()
		d = once.Draft(last.seq+2, last.at.Add(2*time.Second))
		again := d.Reprocess(once.Everybody())
		twice, effects := d.Finish()
		if !effects.Empty() || twice != once {
			t.Fatalf("the second time changed something: %+v", effects)
		}
		if again.Fixed+again.NewlyInError != 0 || !again.InError.Equals(report.InError) {
			t.Fatalf("the second report says %+v", again)
		}
	})
}

func TestSeatsAreNeverOversold(t *testing.T) { // L4
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		for _, c := range played.log {
			had := c.before.SKUs()
			for _, s := range c.after.SKUs() {
				at := slices.IndexFunc(had, func(h licensing.SKUInfo) bool { return h.SKUID == s.SKUID })
				if s.Consumed > s.Units.Enabled+s.Units.Warning && (at < 0 || s.Consumed > had[at].Consumed) {
					t.Fatalf("commit %d gave a seat of %s that there is not: %+v", c.seq, model.Name(s.SKUID), s)
				}
			}
		}
	})
}

// After reprocessing, the reasons that are found name the very errors that the entries show.
func TestExplanationsAgreeWithTheErrors(t *testing.T) { // section 9
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		d := played.image.Draft(1000, time.Unix(5000, 0))
		d.Reprocess(played.image.Everybody())
		img, _ := d.Finish()
		for it := img.InError().Iterator(); it.HasNext(); {
			user := it.Next()
			reasons := img.Explain(user, false)
			k := 0
			for _, e := range img.Entries(user) {
				if e.Error == licensing.NoViolation {
					continue
				}
				if r := reasons[k]; r.Error != e.Error || r.Entry != e || len(r.Remedies) == 0 {
					t.Fatalf("%s: %+v is explained by %+v", model.Name(played.users[user]), e, r)
				}
				k++
			}
			if k != len(reasons) {
				t.Fatalf("%d reasons for %d errors", len(reasons), k)
			}
		}
	})
}
