package licensing_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// The rules of docs/spec/licensing.md, section 8: reprocessing.

func TestL70AllGroupsOfTheUserAreEvaluatedAgainAndDirectOnesKept(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("E3", 0)
	s.seats("PHONE", 0)
	s.group("one", "ann", "bob")
	s.group("two", "ann")
	s.license("one", "E3")
	s.license("two", "PHONE")
	s.assign("ann", "TEAMS")
	s.seats("E3", 10)
	s.seats("PHONE", 10)
	s.locate("ann", "KP")
	s.license("one", "E3 without CHAT")
	s.reprocess("ann")
	s.shows("ann", "TEAMS direct: Active", "E3 from one: Active without CHAT", "PHONE from two: Active")
}

func TestL70ADeletedUserIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.delete("ann")
	report := s.reprocess("ann")
	equal(t, "processed", report.Processed, 0)
	equal(t, "nothing changed", s.effects.Empty(), true)
}

// The text with which the real service has been seen to refuse, for each error.
func TestL71AReasonHasTheTextOfARefusal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setUp func(s *stage)
		want  string
	}{
		"count":    {func(s *stage) { s.seats("E3", 0) }, "Subscription with SKU " + product("E3").String() + " does not have any available licenses."},
		"conflict": {func(s *stage) { s.assign("ann", "POINT1") }, "License assignment failed because service plans " + plan("SITES2").String() + ", " + plan("SITES1").String() + " are mutually exclusive"},
		"location": {func(s *stage) { s.locate("ann", "KP") }, "License assignment failed because service plan " + plan("CHAT").String() + " is not available in the usage location KP."},
		"address":  {func(s *stage) { s.duplicate("ann", true) }, "License assignment failed because another user also has a proxy address of the user, which service plan " + plan("MAIL2").String() + " does not allow."},
		"dependency": {
			func(s *stage) {
				s.license("all", "E3")
				s.catalog("CHAT      chat", "CHAT      chat requires DRAW|CALLS")
			},
			"License assignment failed because service plan " + plan("CHAT").String() + " depends on the service plan(s) " + plan("DRAW").String() + ", " + plan("CALLS").String(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann")
			s.group("all")
			c.setUp(s)
			if name != "dependency" {
				s.license("all", "E3")
			}
			s.join("all", "ann")
			reasons := s.image.Explain(0, false)
			equal(t, "reasons", len(reasons), 1)
			s.refused(reasons[0].Refusal(), c.want)
		})
	}
}

func TestL72ReprocessingAgainChangesNothing(t *testing.T) { // scenario 14
	t.Parallel()
	s := history(t)
	s.reprocess(s.users...)
	before := s.image
	s.reprocess(s.users...)
	if s.image != before || !s.effects.Empty() {
		t.Fatalf("it did: %+v", s.effects)
	}
	for _, user := range s.users {
		s.reprocess(user)
	}
	if s.image != before {
		t.Fatal("one at a time it did")
	}
}

func TestL72TwoGroupsLeftInTheWrongOrder(t *testing.T) { // scenario 22
	t.Parallel()
	s := newStage(t, "ann")
	s.group("mail", "ann")
	s.group("more", "ann")
	s.license("mail", "E3")
	s.license("more", "MAILBOX", "ADDON")
	s.shows("ann", "E3 from mail: Active", "MAILBOX from more: Error/MutuallyExclusiveViolation", "ADDON from more: Error/Other")
	s.license("more", "-MAILBOX", "ADDON", "E3 without SITES2")
	s.leave("more", "ann")
	s.shows("ann", "E3 from mail: Active")

	s = newStage(t, "ann")
	s.catalog("requires MAIL1|MAIL2", "") // so that the add-on may be in a group of its own
	s.group("mail", "ann")
	s.group("more", "ann")
	s.license("mail", "E3")
	s.license("more", "ADDON")
	s.catalog()
	s.leave("mail", "ann")
	s.shows("ann", "E3 from mail: ActiveWithError/DependencyViolation", "ADDON from more: Active")
	s.leave("more", "ann")
	s.shows("ann", "E3 from mail: ActiveWithError/DependencyViolation")
	s.reprocess("ann")
	s.shows("ann")
	s.consumed("E3", 0)
}

func TestL75AReportCountsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid", "dan", "eva")
	s.seats("E3", 0)
	s.group("all", s.users...)
	s.license("all", "E3", "PHONE")
	s.seats("E3", 2)
	s.delete("eva")
	s.locate("cid", "KP")
	report := s.reprocess(s.users...)
	equal(t, "processed", report.Processed, 4)
	equal(t, "fixed", report.Fixed, 2)
	equal(t, "newly in error", report.NewlyInError, 0)
	want := map[licensing.Violation]int{
		licensing.ProhibitedInUsageLocationViolation: 1, licensing.CountViolation: 1, // E3 of cid and of dan
		licensing.OtherViolation: 2, // their PHONE
	}
	for e, n := range report.StillInError {
		equal(t, licensing.Violation(e).String()+" still", n, want[licensing.Violation(e)])
	}
	equal(t, "in error", report.InError.ToArray(), []uint32{2, 3})

	s.locate("ann", "KP")
	s.reprocess("bob") // says nothing of ann
	report = s.reprocess(s.users...)
	equal(t, "newly in error", report.NewlyInError, 1)
	equal(t, "fixed", report.Fixed, 0)
	equal(t, "in error", report.InError.ToArray(), []uint32{0, 2, 3})
}

// Reprocessing ann frees the seat of her first source, which bob gets; her second one must not
// still show that only the other product of the bundle is wrong.
func TestL72WithAutoReprocessAFreedSeatThatAnotherGets(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("E3", 1)
	s.seats("PHONE", 0)
	s.group("first", "ann")
	s.group("second")
	s.license("first", "E3")
	s.license("second", "E3", "PHONE")
	s.assign("ann", "ADDON")
	s.leave("first", "ann")
	s.assign("ann", "-ADDON")
	s.join("second", "ann")
	s.join("first", "bob")
	s.shows("ann", "E3 from first: ActiveWithError/DependencyViolation", "E3 from second: Error/Other", "PHONE from second: Error/CountViolation")
	s.auto()
	s.reprocess("ann")
	s.shows("bob", "E3 from first: Active")
	s.shows("ann", "E3 from second: Error/CountViolation", "PHONE from second: Error/CountViolation")
	s.reprocess("ann")
	equal(t, "nothing changed", s.effects.Empty(), true)
}

func TestL72OfOneUserInAnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		user := roaring.BitmapOf(uint32(rapid.IntRange(0, played.image.Users()-1).Draw(t, "user")))
		img := played.image
		for i := range uint64(3) {
			d := img.Draft(1000+i, unix(int64(5000+i)))
			d.Reprocess(user)
			next, effects := d.Finish()
			if i > 0 && next != img {
				t.Fatalf("time %d changed something: %+v", i+1, effects)
			}
			img = next
		}
	})
}
