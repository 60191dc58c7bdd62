package licensing_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 3: direct assignment.

func TestL20AllOfARequestOrNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("PHONE", 0)
	s.assign("ann", "VISIO")
	before := s.image
	s.refused(s.tryAssign("ann", "E3", "PHONE", "-VISIO"), "Subscription with SKU "+product("PHONE").String()+" does not have any available licenses.")
	if s.image != before {
		t.Fatal("a refusal changed something")
	}
	s.seats("PHONE", 1)
	s.assign("ann", "E3", "PHONE", "-VISIO")
	s.shows("ann", "E3 direct: Active", "PHONE direct: Active")
}

func TestL20AnEmptyRequestChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	before := s.image
	s.assign("ann")
	if s.image != before || !s.effects.Empty() {
		t.Fatalf("it did: %+v", s.effects)
	}
}

func TestL20RemovalsCountBeforeAdditions(t *testing.T) { // scenario 10
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("POINT1", 1)
	s.seats("POINT2", 1)
	s.assign("ann", "POINT1")
	s.refused(s.tryAssign("ann", "POINT2"), "License assignment failed because service plans "+plan("SITES2").String()+", "+plan("SITES1").String()+" are mutually exclusive")
	s.assign("ann", "POINT2", "-POINT1")
	s.shows("ann", "POINT2 direct: Active")
	s.consumed("POINT1", 0)
	s.assign("bob", "POINT1")
}

func TestL21AddingASKUHeldDirectlyReplacesItsDisabledPlans(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without CHAT")
	s.assign("ann", "E3 without SITES2 MAIL2")
	s.shows("ann", "E3 direct: Active without MAIL2 SITES2")
	s.assign("ann", "E3")
	s.shows("ann", "E3 direct: Active")
}

func TestL21DirectAndGroupAreSourcesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.assign("ann", "E3 without CHAT")
	s.shows("ann", "E3 direct: Active without CHAT", "E3 from all: Active")
	s.assign("ann", "-E3")
	s.shows("ann", "E3 from all: Active")
}

// Each refusal of L22 and L23, and that nothing changes.
func TestL22L23Refusals(t *testing.T) {
	t.Parallel()
	quoted := func(text string, ids ...uuid.UUID) string {
		for _, id := range ids {
			text += id.String()
		}
		return text
	}
	for name, c := range map[string]struct {
		request []string
		want    string
	}{
		"L22 no seats":         {[]string{"VISIO"}, quoted("Subscription with SKU ", product("VISIO")) + " does not have any available licenses."},
		"L22 not subscribed":   {[]string{"PHONE"}, quoted("License ", product("PHONE")) + " does not correspond to a valid company License."},
		"L22 not in catalog":   {[]string{"NONE"}, quoted("License ", product("NONE")) + " does not correspond to a valid company License."},
		"L22 conflict":         {[]string{"POINT2"}, quoted("License assignment failed because service plans ", plan("SITES2")) + quoted(", ", plan("SITES1")) + " are mutually exclusive"},
		"L22 conflict within":  {[]string{"E1", "E3", "-POINT1"}, quoted("License assignment failed because service plans ", plan("MAIL1")) + quoted(", ", plan("MAIL2")) + " are mutually exclusive"},
		"L22 dependency":       {[]string{"ADDON"}, quoted("License assignment failed because service plan ", plan("ARCHIVE")) + quoted(" depends on the service plan(s) ", plan("MAIL1")) + quoted(", ", plan("MAIL2"))},
		"L22 not held":         {[]string{"-E3"}, "User does not have a corresponding license."},
		"L22 only in error":    {[]string{"-MAILBOX"}, "User does not have a corresponding license."},
		"L22 only from group":  {[]string{"-TEAMS"}, "User license is inherited from a group membership and it cannot be removed directly from the user."},
		"L22 removing unknown": {[]string{"-NONE"}, "User does not have a corresponding license."},
		"L23 plan not in SKU":  {[]string{"E3 without CALLS"}, quoted("Disabled plan ", plan("CALLS")) + quoted(" is not a service plan of license ", product("E3")) + "."},
		"L23 twice to add":     {[]string{"E3", "E3 without CHAT"}, quoted("License ", product("E3")) + " is named more than once in addLicenses and removeLicenses; name it once."},
		"L23 twice to remove":  {[]string{"-POINT1", "-POINT1"}, quoted("License ", product("POINT1")) + " is named more than once in addLicenses and removeLicenses; name it once."},
		"L23 in both":          {[]string{"POINT1", "-POINT1"}, quoted("License ", product("POINT1")) + " is named more than once in addLicenses and removeLicenses; name it once."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann", "bob")
			s.group("all", "ann")
			s.license("all", "TEAMS")
			s.group("waiting", "ann")
			s.seats("MAILBOX", 0)
			s.license("waiting", "MAILBOX")
			s.assign("ann", "POINT1")
			s.seats("VISIO", 1)
			s.assign("bob", "VISIO")
			s.do(func(d *licensing.Draft) error { return d.SetUnits(product("PHONE"), licensing.Units{}, false) })
			before := s.image
			err := s.tryAssign("ann", c.request...)
			s.refused(err, c.want)
			var refusal *licensing.RefusalError
			if !errors.As(err, &refusal) || s.image != before {
				t.Fatalf("%T, image changed: %t", err, s.image != before)
			}
		})
	}
}

func TestL22NoUsageLocation(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.quiet(func(d *licensing.Draft) { d.SetCountry(country("DE")) })
	s.assign("ann", "PHONE")
	s.locate("ann", "")
	s.refused(s.tryAssign("ann", "E3"), "License assignment cannot be done for user with invalid usage location.")
	s.assign("ann", "-PHONE") // removing needs none
}

// A refusal leaves nothing behind in the draft either, such as a set of disabled plans never seen
// before.
func TestL22ARefusalLeavesTheDraftAsItWas(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("E3", 0)
	s.group("all", "ann")
	before := s.image
	d := s.image.Draft(50, s.now())
	if err := d.AssignUser(0, []licensing.Assign{{SKUID: product("E3"), DisabledPlans: plans("CHAT")}}, nil); err == nil {
		t.Fatal("not refused")
	}
	err := d.AssignGroup(0, []licensing.Assign{
		{SKUID: product("E3"), DisabledPlans: plans("MAIL2")}, {SKUID: product("ADDON")},
	}, nil)
	if err == nil {
		t.Fatal("not refused")
	}
	if next, effects := d.Finish(); next != before || !effects.Empty() {
		t.Fatalf("left behind: %+v", effects)
	}
}

func TestL23DisabledPlansAreASet(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without SITES2 CHAT CHAT")
	s.shows("ann", "E3 direct: Active without CHAT SITES2")
	before := s.image
	s.assign("ann", "E3 without CHAT SITES2")
	if s.image != before {
		t.Fatal("the same set changed something")
	}
}

func TestL24ADirectAssignmentIsCheckedAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("location", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.user("ann", "KP")
		s.refused(s.tryAssign("ann", "E3"), "License assignment failed because service plan "+plan("CHAT").String()+" is not available in the usage location KP.")
		s.assign("ann", "E3 without CHAT")
	})
	t.Run("addresses", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "ann")
		s.duplicate("ann", true)
		s.refused(s.tryAssign("ann", "E3"), "License assignment failed because another user also has a proxy address of the user, which service plan "+plan("MAIL2").String()+" does not allow.")
		s.assign("ann", "E3 without MAIL2")
	})
	t.Run("additions of one request are one bundle", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "ann")
		s.assign("ann", "ADDON", "E3")
		s.shows("ann", "E3 direct: Active", "ADDON direct: Active")
	})
	t.Run("what goes", func(t *testing.T) { // L46
		t.Parallel()
		s := newStage(t, "ann")
		s.assign("ann", "ADDON", "E3")
		want := "License assignment failed because service plan " + plan("ARCHIVE").String() + " depends on the service plan(s) " + plan("MAIL2").String()
		s.refused(s.tryAssign("ann", "-E3"), want)
		s.refused(s.tryAssign("ann", "E3 without MAIL2"), "License assignment failed because service plan "+plan("ARCHIVE").String()+" depends on the service plan(s) "+plan("MAIL2").String())
		s.assign("ann", "-E3", "E1")
		s.assign("ann", "-E1", "-ADDON")
		s.shows("ann")
	})
}

func TestL25ADeletedUserCannotBeLicensed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.delete("ann")
	s.refused(s.tryAssign("ann", "E3"), "Licenses of a deleted user cannot be changed. Restore the user first.")
	s.restore("ann")
	s.assign("ann", "E3")
}
