package licensing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 2: what a user's and a group's properties show.

func skuIDs(img *licensing.Image) (ids []uuid.UUID) {
	for _, s := range img.SKUs() {
		ids = append(ids, s.SKUID)
	}
	return ids
}

func TestL10DisabledPlansAreThoseThatNoActiveSourceEnables(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without CHAT SITES2")
	s.holds("ann", "E3 without CHAT SITES2")
	s.group("one", "ann")
	s.license("one", "E3 without MAIL2 CHAT")
	s.holds("ann", "E3 without CHAT")
	s.group("two", "ann")
	s.license("two", "E3")
	s.holds("ann", "E3")
	s.leave("two", "ann")
	s.holds("ann", "E3 without CHAT")
}

func TestL10ASKUOnlyInErrorIsNotHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "PHONE", "POINT1")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "POINT1 direct: Active", "PHONE direct: Active", "E3 from all: Error/MutuallyExclusiveViolation")
	s.holds("ann", "POINT1", "PHONE")
}

func TestL11AnEntryForEachSKUAndSource(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("one", "ann")
	s.group("two", "ann")
	s.license("two", "E3", "PHONE without CALLS")
	s.license("one", "PHONE")
	s.assign("ann", "PHONE")
	s.shows("ann", "PHONE direct: Active", "PHONE from one: Active", "E3 from two: Active", "PHONE from two: Active without CALLS")
}

func TestL11DisabledPlansAreThoseInForceWhereHeldAndThoseWishedOtherwise(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("E3", 1)
	s.group("all", "ann", "bob")
	s.license("all", "E3 without CHAT")
	s.seats("PHONE", 0)
	s.license("all", "E3 without MAIL2", "PHONE")
	s.shows("ann", "E3 from all: ActiveWithError/Other without CHAT", "PHONE from all: Error/CountViolation")
	s.shows("bob", "E3 from all: Error/CountViolation without MAIL2", "PHONE from all: Error/CountViolation")
}

func TestL11LastUpdatedChangesOnlyWithStateErrorOrDisabledPlans(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("PHONE", 0)
	s.group("all", "ann")
	s.license("all", "E3")
	first := s.updated("ann", "E3")
	equal(t, "given at", first, s.now())

	s.reprocess("ann")
	s.seats("E3", 7)
	s.locate("ann", "FR")
	equal(t, "after what changes no entry", s.updated("ann", "E3"), first)

	s.license("all", "PHONE") // no seat: E3 becomes ActiveWithError
	second := s.updated("ann", "E3")
	equal(t, "after another error", second, s.now())

	s.license("all", "E3 without CHAT") // a wish that cannot be met and does not show
	s.shows("ann", "E3 from all: ActiveWithError/Other", "PHONE from all: Error/CountViolation")
	equal(t, "after another wish", s.updated("ann", "E3"), second)

	s.seats("PHONE", 1)
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active without CHAT", "PHONE from all: Active")
	equal(t, "after other plans", s.updated("ann", "E3"), s.now())
}

func TestL11LastUpdatedIsUTCInWholeSeconds(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	at := time.Date(2026, 3, 1, 12, 0, 0, 987_000_000, time.FixedZone("", 3600))
	d := s.image.Draft(99, at)
	if err := d.AssignUser(0, []licensing.Assign{{SKUID: product("PHONE")}}, nil); err != nil {
		t.Fatal(err)
	}
	s.image, _ = d.Finish()
	equal(t, "updated", s.updated("ann", "PHONE").Format(time.RFC3339Nano), "2026-03-01T11:00:00Z")
}

func TestL12APlanInTwoSKUsIsListedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without SITES2 BASE", "TEAMS")
	equal(t, "plans", slices.Sorted(slices.Values(s.plansOf("ann"))), []string{"CHAT", "MAIL2"})
}

func TestL12APlanInTwoSKUsHasTheBetterStatus(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without SITES2 BASE MAIL2", "TEAMS")
	for _, c := range []struct {
		e3, teams licensing.Units
		want      string
	}{
		{licensing.Units{Suspended: 1}, licensing.Units{Enabled: 1}, "CHAT"},
		{licensing.Units{Enabled: 1}, licensing.Units{Suspended: 1}, "CHAT"},
		{licensing.Units{LockedOut: 1}, licensing.Units{Warning: 1}, "CHAT Warning"},
		{licensing.Units{Warning: 1}, licensing.Units{LockedOut: 1}, "CHAT Warning"},
		{licensing.Units{LockedOut: 1}, licensing.Units{Suspended: 1}, "CHAT Suspended"},
	} {
		s.units("E3", c.e3)
		s.units("TEAMS", c.teams)
		equal(t, "plans", s.plansOf("ann"), []string{c.want})
	}
}

func TestL12ALostPlanIsShownFor30Days(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without BASE")
	s.assign("ann", "-E3", "TEAMS")
	lost := s.now()
	want := []string{"CHAT", "MAIL2 Deleted", "SITES2 Deleted"}
	const month = 30 * 24 * time.Hour
	equal(t, "at once", s.plansAt("ann", lost), want)
	equal(t, "a second before 30 days", s.plansAt("ann", lost.Add(month-time.Second)), want)
	equal(t, "after 30 days", s.plansAt("ann", lost.Add(month)), []string{"CHAT"})
	s.assign("ann", "E3 without BASE")
	equal(t, "got back", s.plansOf("ann"), []string{"MAIL2", "SITES2", "CHAT"})
}

func TestL12ADisabledPlanIsLostToo(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3 without BASE")
	given := s.now()
	s.license("all", "E3 without BASE CHAT")
	equal(t, "plans", s.plansOf("ann"), []string{"MAIL2", "SITES2", "CHAT Deleted"})
	for p := range s.image.Plans(0, s.now()) {
		if p.At != s.now() {
			t.Errorf("%s since %s, not %s (and not %s)", p.Plan.Name, p.At, s.now(), given)
		}
	}
}

func TestL13WhatIsHeldNamesItsProductAndDisabledPlans(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without CHAT")
	for h := range s.image.Held(0) {
		equal(t, "product", h.Product.SKUPartNumber, "E3")
		equal(t, "plans", names(h.Product.ServicePlanIDs), []string{"MAIL2", "SITES2", "CHAT", "BASE"})
		equal(t, "disabled", names(h.DisabledPlans), []string{"CHAT"})
	}
}

func TestL14AGroupKnowsItsLicensesAndItsMembersInError(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid")
	s.seats("E3", 1)
	s.group("all", "ann", "bob")
	s.group("other", "cid")
	equal(t, "licensed", s.image.GroupLicensed(s.g("all")), false)
	s.license("all", "PHONE", "E3 without CHAT")
	equal(t, "licensed", s.image.GroupLicensed(s.g("all")), true)
	var got []string
	for _, a := range s.image.GroupLicenses(s.g("all")) {
		got = append(got, called(a.SKUID)+without(a.DisabledPlans))
	}
	equal(t, "licenses", got, []string{"E3 without CHAT", "PHONE"})
	equal(t, "in error", s.image.GroupErrors(s.g("all")).ToArray(), []uint32{1})
	equal(t, "in error from the other", s.image.GroupErrors(s.g("other")).ToArray(), []uint32{})
	equal(t, "in error at all", s.image.InError().ToArray(), []uint32{1})
	s.leave("all", "bob")
	equal(t, "in error", s.image.GroupErrors(s.g("all")).ToArray(), []uint32{})
}
