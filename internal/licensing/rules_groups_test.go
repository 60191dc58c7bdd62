package licensing_test

import (
	"testing"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 4: groups. That only security-enabled groups may
// have licenses (L30) is known outside.

func TestL30WhatRefusesAGroupsLicense(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "PHONE")
	s.refused(s.tryLicense("all", "NONE"), "License "+product("NONE").String()+" does not correspond to a valid company License.")
	s.refused(s.tryLicense("all", "E3 without CALLS"), "Disabled plan "+plan("CALLS").String()+" is not a service plan of license "+product("E3").String()+".")
	s.refused(s.tryLicense("all", "-E3"), "Group does not have a corresponding license: "+product("E3").String()+".")
	s.refused(s.tryLicense("all", "PHONE", "-PHONE"), "License "+product("PHONE").String()+" is named more than once in addLicenses and removeLicenses; name it once.")
	s.shows("ann", "PHONE from all: Active")
}

func TestL30NoSeatsAndConflictsOfMembersDoNotRefuseIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.assign("ann", "POINT1")
	s.seats("POINT2", 0)
	s.group("all", "ann", "bob")
	s.license("all", "POINT2")
	s.shows("ann", "POINT1 direct: Active", "POINT2 from all: Error/MutuallyExclusiveViolation")
	s.shows("bob", "POINT2 from all: Error/CountViolation")
}

func TestL31AGroupsProductsMustFitEachOther(t *testing.T) { // scenario 6
	t.Parallel()
	const lacks = "License operation failed. Make sure that the group has necessary services before adding or removing a dependent service. Service plan "
	named := func(name string) string { return name + " (" + plan(name).String() + ")" }
	dependency := lacks + named("ARCHIVE") + " depends on " + named("MAIL1") + " or " + named("MAIL2") + "."

	s := newStage(t, "ann")
	s.group("all", "ann")
	s.assign("ann", "E3") // what members hold elsewhere does not count
	s.refused(s.tryLicense("all", "ADDON"), dependency)
	s.refused(s.tryLicense("all", "ADDON", "E3 without MAIL2"), dependency)
	s.license("all", "ADDON", "E3")
	s.refused(s.tryLicense("all", "-E3"), dependency)
	s.refused(s.tryLicense("all", "E3 without MAIL2"), dependency)
	s.refused(s.tryLicense("all", "POINT1"), "License operation failed. Service plans "+named("SITES2")+", "+named("SITES1")+" of the group's licenses are mutually exclusive.")
	s.license("all", "E3 without SITES2", "POINT1")
	s.assign("ann", "-E3")
	s.license("all", "-E3", "-ADDON")
	s.shows("ann", "POINT1 from all: Active")
}

func TestL32L39JoiningGivesAndLeavingTakesAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Active")
	s.join("all", "ann", "bob")
	s.shows("bob", "E3 from all: Active")
	s.leave("all", "ann")
	s.shows("ann")
	s.consumed("E3", 1)
	s.license("all", "-E3")
	s.shows("bob")
	s.consumed("E3", 0)
}

func TestL33AllProductsOfAGroupOrNone(t *testing.T) { // scenario 5
	t.Parallel()
	setUp := func(s *stage) *stage {
		s.seats("ADDON", 0)
		s.group("all", "ann")
		s.license("all", "E3", "ADDON")
		return s
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		s := setUp(newStage(t, "ann"))
		s.shows("ann", "E3 from all: Error/Other", "ADDON from all: Error/CountViolation")
		s.holds("ann")
		s.consumed("E3", 0)
	})
	t.Run("independent", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "ann")
		s.independent()
		setUp(s).shows("ann", "E3 from all: Active", "ADDON from all: Error/CountViolation")
	})
}

func TestL34AUserWithoutLocationIsWhereTheOrganizationIs(t *testing.T) { // scenario 8
	t.Parallel()
	s := newStage(t)
	s.user("ann", "")
	s.user("bob", "DE")
	s.quiet(func(d *licensing.Draft) { d.SetCountry(country("KP")) })
	s.group("all", "ann", "bob")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Error/ProhibitedInUsageLocationViolation")
	s.shows("bob", "E3 from all: Active")
	equal(t, "location", s.image.Location(0), licensing.NoCountry)
	s.quiet(func(d *licensing.Draft) { d.SetCountry(country("DE")) })
	s.shows("ann", "E3 from all: Error/ProhibitedInUsageLocationViolation")
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active")
	equal(t, "location", s.image.Location(0), licensing.NoCountry)
}

func TestL34ATenantWithoutAnyLocationProhibitsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.user("ann", "")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Active")
}

func TestL35AGroupWithLicensesCannotBeDeleted(t *testing.T) { // scenario 13
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	remove := func(d *licensing.Draft) error { return d.PurgeGroup(s.g("all")) }
	s.refused(s.try(remove), "A group with active licenses assigned cannot be deleted.")
	s.license("all", "-E3")
	s.do(remove)
	equal(t, "gone", s.image.GroupPurged(0), true)
	equal(t, "members", s.image.GroupMembers(0).GetCardinality(), uint64(0))
}

func TestL36ChangingDisabledPlansOfAGroupChangesAllMembers(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.group("all", "ann", "bob")
	s.license("all", "E3")
	s.license("all", "E3 without CHAT")
	for _, user := range s.users {
		s.shows(user, "E3 from all: Active without CHAT")
		s.holds(user, "E3 without CHAT")
	}
	s.consumed("E3", 2)
}

func TestL36APlanAddedToASKUIsThereAtOnce(t *testing.T) { // scenario 17
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.catalog("DRAW      draw", "DRAW      draw\n BOARD board")
	s.group("all", "ann")
	s.license("all", "E3 without MAIL2 CHAT BASE")
	s.assign("bob", "PHONE")
	before := s.image.AppendPart(nil, 0)
	s.catalog("DRAW      draw", "DRAW      draw\n BOARD board", "CHAT BASE\n\tMAILBOX", "CHAT BASE BOARD\n\tMAILBOX", "CALLS\n\tVISIO", "CALLS BOARD\n\tVISIO")
	equal(t, "plans of ann", s.plansOf("ann"), []string{"SITES2", "BOARD"})
	equal(t, "plans of bob", s.plansOf("bob"), []string{"CALLS", "BOARD"})
	equal(t, "entries", s.image.AppendPart(nil, 0), before)
	s.license("all", "E3 without MAIL2 CHAT BASE BOARD")
	equal(t, "plans of ann", s.plansOf("ann"), []string{"SITES2", "BOARD Deleted"})
}

func TestL36APlanTakenOutOfASKUIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3 without CHAT SITES2")
	s.catalog("MAIL2 SITES2 CHAT BASE", "MAIL2 SITES2 BASE")
	equal(t, "plans", s.plansOf("ann"), []string{"MAIL2", "BASE"})
	s.holds("ann", "E3 without SITES2")
	s.shows("ann", "E3 direct: Active without SITES2")
	s.catalog()
	s.holds("ann", "E3 without CHAT SITES2")
}

func TestL37MovingFromDirectToGroupNeverLosesTheSeat(t *testing.T) { // scenario 18
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("E3", 1)
	s.assign("ann", "E3")
	s.group("all")
	s.license("all", "E3")
	s.join("all", "ann")
	s.shows("ann", "E3 direct: Active", "E3 from all: Active")
	s.assign("ann", "-E3")
	s.shows("ann", "E3 from all: Active")
	s.consumed("E3", 1)
}

func TestL38DeletingFreesTheSeatsAndRestoringProcessesAgain(t *testing.T) { // scenario 11
	t.Parallel()
	setUp := func(t *testing.T) *stage {
		t.Helper()
		s := newStage(t, "ann", "bob")
		s.group("all", "ann")
		s.license("all", "E3")
		s.assign("ann", "PHONE")
		s.delete("ann")
		equal(t, "deleted", s.image.Deleted(0), true)
		s.holds("ann")
		s.consumed("E3", 0)
		s.consumed("PHONE", 0)
		equal(t, "members", s.image.GroupMembers(0).ToArray(), []uint32{0})
		return s
	}
	t.Run("when there are seats", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.restore("ann")
		s.shows("ann", "PHONE direct: Active", "E3 from all: Active")
	})
	t.Run("when there are none", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.seats("E3", 0)
		s.seats("PHONE", 0)
		s.restore("ann")
		s.shows("ann", "E3 from all: Error/CountViolation")
		s.seats("PHONE", 1)
		s.reprocess("ann")
		s.shows("ann", "E3 from all: Error/CountViolation")
	})
	t.Run("what changed meanwhile counts", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.license("all", "-E3", "VISIO")
		s.reprocess("ann")
		s.holds("ann")
		s.restore("ann")
		s.shows("ann", "PHONE direct: Active", "VISIO from all: Active")
	})
	t.Run("a user gone for good is nowhere", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.quiet(func(d *licensing.Draft) { d.PurgeUser(0, []uint32{0}) })
		equal(t, "purged", s.image.Purged(0), true)
		equal(t, "deleted", s.image.Deleted(0), false)
		equal(t, "members", s.image.GroupMembers(0).ToArray(), []uint32{})
		s.shows("ann")
	})
}
