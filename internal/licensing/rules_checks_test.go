package licensing_test

import (
	"testing"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 5: checks and errors.

func TestL40APlanNotAvailableWhereTheUserIs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.user("ann", "KP")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Error/ProhibitedInUsageLocationViolation")
	s.license("all", "E3 without CHAT") // the plan is not enabled any longer
	s.shows("ann", "E3 from all: Active without CHAT")
}

func TestL41ConflictsWithAnotherProduct(t *testing.T) { // scenario 4
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "POINT1")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "POINT1 direct: Active", "E3 from all: Error/MutuallyExclusiveViolation")

	f := s.fork()
	f.license("all", "E3 without SITES2")
	f.shows("ann", "POINT1 direct: Active", "E3 from all: Active without SITES2")

	s.assign("ann", "-POINT1")
	s.shows("ann", "E3 from all: Error/MutuallyExclusiveViolation")
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active")
}

func TestL41IsSymmetric(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.assign("ann", "POINT2")
	s.assign("bob", "POINT1")
	s.group("one", "ann")
	s.group("two", "bob")
	s.license("one", "POINT1")
	s.license("two", "POINT2")
	s.shows("ann", "POINT2 direct: Active", "POINT1 from one: Error/MutuallyExclusiveViolation")
	s.shows("bob", "POINT1 direct: Active", "POINT2 from two: Error/MutuallyExclusiveViolation")
}

func TestL41TheSamePlanOrSKUIsNoConflict(t *testing.T) {
	t.Parallel()
	// A SKU with two plans that exclude each other: two sources of it, each with one of them, do not
	// conflict.
	s := newStageOf(t, "A any excludes B\n B any\n ---\n BOTH A B\n JUSTA A\n ALSOA A", "ann")
	s.assign("ann", "BOTH without A")
	s.group("all", "ann")
	s.license("all", "BOTH without B")
	s.shows("ann", "BOTH direct: Active without A", "BOTH from all: Active without B")
	s.assign("ann", "BOTH without B")
	s.assign("ann", "JUSTA", "ALSOA")
	s.shows("ann", "BOTH direct: Active without B", "JUSTA direct: Active", "ALSOA direct: Active", "BOTH from all: Active without B")
}

func TestL42AnyOneOfTheSetSatisfies(t *testing.T) {
	t.Parallel()
	for _, gives := range []string{"MAILBOX", "E3 without SITES2", "E1"} {
		s := newStage(t, "ann")
		s.refused(s.tryAssign("ann", "ADDON"), "License assignment failed because service plan "+plan("ARCHIVE").String()+
			" depends on the service plan(s) "+plan("MAIL1").String()+", "+plan("MAIL2").String())
		s.group("all", "ann")
		s.license("all", gives)
		s.assign("ann", "ADDON")
	}
}

func TestL42AllSetsMustBeSatisfied(t *testing.T) {
	t.Parallel()
	s := newStageOf(t, "A any\n B any\n C any\n X any requires A|B requires C\n ---\n SA A\n SB B\n SC C\n SX X", "ann")
	s.assign("ann", "SA", "SB")
	s.refused(s.tryAssign("ann", "SX"), "License assignment failed because service plan "+plan("X").String()+" depends on the service plan(s) "+plan("C").String())
	s.assign("ann", "SX", "SC", "-SA")
}

func TestL43ADuplicateAddressForbidsExchange(t *testing.T) { // scenario 9
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid")
	s.duplicate("ann", true)
	s.duplicate("bob", true)
	s.group("all", "ann", "bob", "cid")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Error/UniquenessViolation")
	s.shows("bob", "E3 from all: Error/UniquenessViolation")
	s.shows("cid", "E3 from all: Active")
	s.assign("ann", "PHONE")
	s.assign("bob", "E3 without MAIL2") // a plan of the company, such as BASE, is not a mailbox
	s.duplicate("ann", false)
	s.shows("ann", "PHONE direct: Active", "E3 from all: Error/UniquenessViolation")
	s.reprocess("ann")
	s.shows("ann", "PHONE direct: Active", "E3 from all: Active")
	s.duplicate("cid", true)
	s.shows("cid", "E3 from all: Active")
	s.reprocess("cid")
	s.shows("cid", "E3 from all: ActiveWithError/UniquenessViolation")
	s.holds("cid", "E3")
}

func TestL44OnlyASKUNotHeldYetNeedsASeat(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("E3", 1)
	s.assign("ann", "E3")
	s.group("all", "ann", "bob")
	s.license("all", "E3 without CHAT")
	s.shows("ann", "E3 direct: Active", "E3 from all: Active without CHAT")
	s.shows("bob", "E3 from all: Error/CountViolation without CHAT")
}

func TestL45WhatIsNotWrongItselfShowsOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("PHONE", 0)
	s.assign("ann", "POINT1")
	s.group("all", "ann")
	s.license("all", "E3", "PHONE", "VISIO")
	s.shows("ann", "POINT1 direct: Active",
		"E3 from all: Error/MutuallyExclusiveViolation", "PHONE from all: Error/CountViolation", "VISIO from all: Error/Other")
}

func TestL46ANeededPlanStays(t *testing.T) { // scenario 7
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3", "VISIO")
	s.assign("ann", "ADDON")
	s.leave("all", "ann")
	s.shows("ann", "ADDON direct: Active", "E3 from all: ActiveWithError/DependencyViolation", "VISIO from all: ActiveWithError/Other")
	s.consumed("E3", 1)
	s.consumed("VISIO", 1)
	s.assign("ann", "-ADDON")
	s.shows("ann", "E3 from all: ActiveWithError/DependencyViolation", "VISIO from all: ActiveWithError/Other")
	s.reprocess("ann")
	s.shows("ann")
	s.consumed("E3", 0)
}

func TestL46ANeededPlanThatAnotherSourceGivesGoes(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("one", "ann")
	s.group("two", "ann")
	s.license("one", "E3")
	s.license("two", "E3 without CHAT")
	s.assign("ann", "ADDON")
	s.leave("one", "ann")
	s.shows("ann", "ADDON direct: Active", "E3 from two: Active without CHAT")
	s.leave("two", "ann")
	s.shows("ann", "ADDON direct: Active", "E3 from two: ActiveWithError/DependencyViolation without CHAT")
}

func TestL46TheGroupsOwnChangeIsCheckedToo(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3", "VISIO")
	s.assign("ann", "ADDON")
	s.license("all", "E3 without MAIL2")
	s.shows("ann", "ADDON direct: Active", "E3 from all: ActiveWithError/DependencyViolation", "VISIO from all: ActiveWithError/Other")
	s.license("all", "-E3")
	s.shows("ann", "ADDON direct: Active", "E3 from all: ActiveWithError/DependencyViolation", "VISIO from all: ActiveWithError/Other")
	s.join("all", "ann") // was a member all along
	s.license("all", "MAILBOX")
	s.shows("ann", "ADDON direct: Active", "MAILBOX from all: Active", "VISIO from all: Active")
}

func TestL46WhatIsStillHeldIsMeantAgainByRejoining(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.assign("ann", "ADDON")
	s.leave("all", "ann")
	s.shows("ann", "ADDON direct: Active", "E3 from all: ActiveWithError/DependencyViolation")
	s.join("all", "ann")
	s.shows("ann", "ADDON direct: Active", "E3 from all: Active")
	s.consumed("E3", 1)
}

func TestL46DeletingAUserTakesEverythingWithoutACheck(t *testing.T) { // L60
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.assign("ann", "ADDON")
	s.leave("all", "ann")
	s.delete("ann")
	s.consumed("E3", 0)
	s.consumed("ADDON", 0)
	s.restore("ann")
	s.shows("ann") // the add-on lacks its mailbox now, and the group is left
}

// What is held is never taken by a check; it shows ActiveWithError when it is checked again (L49,
// point 1).
func TestL47WhatIsHeldIsNotTakenByACheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *stage)
		want   string
	}{
		"a location that became prohibited": { // scenario 21
			func(s *stage) { s.locate("ann", "KP") }, "E3 from all: ActiveWithError/ProhibitedInUsageLocationViolation",
		},
		"an address that became another's too": {
			func(s *stage) { s.duplicate("ann", true) }, "E3 from all: ActiveWithError/UniquenessViolation",
		},
		"a catalog that now excludes it": {
			func(s *stage) { s.catalog("CALLS     calls", "CALLS     calls excludes CHAT") }, "E3 from all: ActiveWithError/MutuallyExclusiveViolation",
		},
		"a catalog that now requires more": {
			func(s *stage) { s.catalog("CHAT      chat", "CHAT      chat requires DRAW") }, "E3 from all: ActiveWithError/DependencyViolation",
		},
		"units that are gone": {
			func(s *stage) { s.seats("E3", 0) }, "E3 from all: Active",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann")
			s.assign("ann", "PHONE")
			s.group("all", "ann")
			s.license("all", "E3")
			c.change(s)
			s.shows("ann", "PHONE direct: Active", "E3 from all: Active")
			s.reprocess("ann")
			s.shows("ann", "PHONE direct: Active", c.want)
			s.holds("ann", "PHONE", "E3")
			s.leave("all", "ann") // only the end of the wish takes it
			s.shows("ann", "PHONE direct: Active")
		})
	}
}

func TestL47AChangeOfPlansThatCannotBeMadeLeavesTheOldOnesInForce(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "POINT1")
	s.group("all", "ann")
	s.license("all", "E3 without SITES2")
	s.license("all", "E3 without CHAT")
	s.shows("ann", "POINT1 direct: Active", "E3 from all: ActiveWithError/MutuallyExclusiveViolation without SITES2")
	s.assign("ann", "-POINT1")
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active without CHAT")
}

func TestL48TheWishIsNeverLost(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("E3", 0)
	s.group("all", "ann")
	s.license("all", "E3")
	for range 3 {
		s.reprocess("ann")
		s.shows("ann", "E3 from all: Error/CountViolation")
	}
	f := s.fork()
	f.leave("all", "ann") // the source no longer exists
	f.shows("ann")
	s.seats("E3", 1) // the error no longer exists
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active")
}

// The order of checks is that of L49: each error hides those after it.
func TestL49TheFirstCheckThatFailsIsTheError(t *testing.T) {
	t.Parallel()
	// AUX is prohibited, conflicts, lacks something, is Exchange and has no seat.
	s := newStageOf(t, "A exchange excludes B requires C prohibited KP\n B any\n C any\n ---\n AUX A\n SB B\n SC C", "ann")
	s.seats("AUX", 0)
	s.assign("ann", "SB")
	s.duplicate("ann", true)
	s.locate("ann", "KP")
	s.group("rest")
	s.license("rest", "SC")
	s.group("all", "ann")
	s.catalogOf("A exchange excludes B prohibited KP\n B any\n C any\n ---\n AUX A\n SB B\n SC C") // L31 would refuse it
	s.license("all", "AUX")
	s.catalogOf("A exchange excludes B requires C prohibited KP\n B any\n C any\n ---\n AUX A\n SB B\n SC C")
	for _, step := range []struct {
		want  string
		mends func()
	}{
		{"ProhibitedInUsageLocationViolation", func() { s.locate("ann", "DE") }},
		{"MutuallyExclusiveViolation", func() { s.assign("ann", "-SB") }},
		{"DependencyViolation", func() { s.assign("ann", "SC") }},
		{"UniquenessViolation", func() { s.duplicate("ann", false) }},
		{"CountViolation", func() { s.seats("AUX", 1) }},
	} {
		s.reprocess("ann")
		list := s.states("ann")
		equal(t, "last entry", list[len(list)-1], "AUX from all: Error/"+step.want)
		step.mends()
	}
	s.reprocess("ann")
	s.shows("ann", "SC direct: Active", "AUX from all: Active")
}

// catalogOf replaces the whole catalog.
func (s *stage) catalogOf(text string) {
	s.t.Helper()
	s.do(func(d *licensing.Draft) error { return d.SetCatalog(readCatalog(text)) })
}

func TestL49AProductAddedToAGroupWhoseMembersHoldTheFirst(t *testing.T) { // scenario 20
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.seats("PHONE", 0)
	s.license("all", "PHONE")
	s.shows("ann", "E3 from all: ActiveWithError/Other", "PHONE from all: Error/CountViolation")
	s.holds("ann", "E3")
	s.seats("PHONE", 1)
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active", "PHONE from all: Active")
}

func TestL49WithIndependentBundlesEachProductIsOne(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.independent()
	s.group("all", "ann")
	s.license("all", "E3")
	s.seats("PHONE", 0)
	s.license("all", "PHONE", "VISIO")
	s.shows("ann", "E3 from all: Active", "PHONE from all: Error/CountViolation", "VISIO from all: Active")
}
