package model

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The worked scenarios of docs/spec/licensing.md, section 11, by their numbers. Not here: 12,
// nested groups, which never reach licensing, and 23, tokens.

const (
	active  = "Active"
	count   = "Error CountViolation"
	aside   = "Error Other"
	overdue = "ActiveWithError DependencyViolation"
)

func TestScenario1TheOldestUsersGetTheSeats(t *testing.T) {
	s := newStage(t, 5, 3)
	s.join(one, 4, 2, 0, 1, 3)
	s.license(one, e3)
	for n, want := range []string{active, active, active, count, count} {
		s.state(n, one, e3, want)
	}
	s.consumed(e3, 3)
	s.leave(one, 1)
	s.consumed(e3, 2)
	s.errors(one, 2)
	s.reprocess(4)
	s.state(4, one, e3, active)
	s.state(3, one, e3, count)
}

func TestScenario2AutoReprocessGivesAFreedSeat(t *testing.T) {
	s := newStage(t, 5, 3)
	s.do(SetSettings{Settings{AutoReprocess: true}})
	s.join(one, 0, 1, 2, 3, 4)
	s.license(one, e3)
	s.leave(one, 1)
	s.state(3, one, e3, active)
	s.state(4, one, e3, count)
}

// L52: in one command, those who wait come first, the longest waiting before the others.
func TestWhoWaitsLongestGetsTheNextSeat(t *testing.T) {
	s := newStage(t, 3, 0)
	s.license(one, e3)
	for _, n := range []int{2, 0, 1} {
		s.join(one, n)
	}
	s.seats(e3, 1)
	s.do(Reprocess{[]uuid.UUID{user(0), user(1), user(2)}})
	s.state(2, one, e3, active)
	s.seats(e3, 2)
	s.do(AssignGroup{Group: one, Add: []Assign{{e3, []uuid.UUID{teams}}}})
	s.state(0, one, e3, active)
	s.state(1, one, e3, count)
}

func TestScenario3OneSeatForAllSources(t *testing.T) {
	s := newStage(t, 1, 1)
	s.do(AssignUser{User: user(0), Add: []Assign{{e3, []uuid.UUID{exchange2, teams}}}})
	s.do(AssignGroup{Group: one, Add: []Assign{{e3, []uuid.UUID{exchange2, sharePoint2}}}})
	s.do(AssignGroup{Group: two, Add: []Assign{{e3, []uuid.UUID{exchange2}}}})
	s.join(one, 0)
	s.join(two, 0)
	s.consumed(e3, 1)
	if n := len(s.m.Snapshot(user(0))); n != 3 {
		t.Fatalf("%d entries", n)
	}
	want := []Assign{{e3, []uuid.UUID{exchange2}}}
	if got := s.m.AssignedLicenses(user(0)); !reflect.DeepEqual(got, want) {
		t.Fatalf("assigned %v", got)
	}
	s.leave(two, 0)
	s.do(AssignUser{User: user(0), Remove: []uuid.UUID{e3}})
	s.consumed(e3, 1)
	s.leave(one, 0)
	s.consumed(e3, 0)
}

func TestScenario4AConflictIsResolvedByTheAdministrator(t *testing.T) {
	for name, resolve := range map[string]func(*stage){
		"plan disabled in the group": func(s *stage) {
			s.do(AssignGroup{Group: one, Add: []Assign{{e3, []uuid.UUID{sharePoint2}}}})
		},
		"direct license removed": func(s *stage) {
			s.do(AssignUser{User: user(0), Remove: []uuid.UUID{sites}})
			s.state(0, one, e3, "Error MutuallyExclusiveViolation")
			s.reprocess(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 1, 1)
			s.do(direct(0, sites))
			s.license(one, e3)
			s.join(one, 0)
			s.state(0, one, e3, "Error MutuallyExclusiveViolation")
			resolve(s)
			s.state(0, one, e3, active)
		})
	}
}

func TestScenario5AllOfAGroupOrNone(t *testing.T) {
	for independent, want := range map[bool]string{false: aside, true: active} {
		t.Run("", func(t *testing.T) {
			s := newStage(t, 1, 1)
			s.do(SetSettings{Settings{Independent: independent}})
			s.seats(addOn, 0)
			s.license(one, e3, addOn)
			s.join(one, 0)
			s.state(0, one, e3, want)
			s.state(0, one, addOn, count)
		})
	}
}

func TestScenario6AGroupMustHoldWhatItsProductsNeed(t *testing.T) {
	s := newStage(t, 1, 1)
	s.refused(AssignGroup{Group: one, Add: []Assign{{addOn, nil}}}, GroupDependency)
	s.do(AssignGroup{Group: one, Add: []Assign{{e3, []uuid.UUID{sharePoint2, teams}}, {addOn, nil}}})
	s.refused(AssignGroup{Group: one, Remove: []uuid.UUID{e3}}, GroupDependency)
	s.refused(AssignGroup{Group: one, Add: []Assign{{sites, nil}, {e3, nil}}}, GroupExclusive)
}

func TestScenario7WhatIsNeededStays(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3, basic)
	s.join(one, 0)
	s.do(direct(0, addOn))
	s.leave(one, 0)
	s.state(0, one, e3, overdue)
	s.state(0, one, basic, "ActiveWithError Other")
	s.consumed(e3, 1)
	s.do(AssignUser{User: user(0), Remove: []uuid.UUID{addOn}})
	s.state(0, one, e3, overdue)
	s.reprocess(0)
	s.state(0, one, e3, "")
	s.consumed(e3, 0)
}

func TestScenario8Locations(t *testing.T) {
	for auto, after := range map[bool]string{false: "Error ProhibitedInUsageLocationViolation", true: active} {
		t.Run("", func(t *testing.T) {
			s := newStage(t, 0, 1)
			s.do(SetSettings{Settings{AutoReprocess: auto}},
				SetOrganization{china}, AddUser{user(0), licensing.NoCountry})
			s.license(one, e3)
			s.join(one, 0)
			s.state(0, one, e3, "Error ProhibitedInUsageLocationViolation")
			s.refused(direct(0, e3), NoUsageLocation)
			s.do(SetLocation{user(0), germany})
			s.state(0, one, e3, after)
			s.reprocess(0)
			s.state(0, one, e3, active)
		})
	}
}

func TestScenario9DuplicateAddresses(t *testing.T) {
	s := newStage(t, 2, 2)
	s.do(SetDuplicate{user(0), true}, SetDuplicate{user(1), true})
	s.license(one, e3)
	s.join(one, 0, 1)
	s.state(0, one, e3, "Error UniquenessViolation")
	s.state(1, one, e3, "Error UniquenessViolation")
	s.do(SetDuplicate{user(0), false}, SetDuplicate{user(1), false})
	s.do(Reprocess{[]uuid.UUID{user(1), user(0)}})
	s.state(0, one, e3, active)
	s.do(SetDuplicate{user(0), true})
	s.state(0, one, e3, active)
	s.reprocess(0)
	s.state(0, one, e3, "ActiveWithError UniquenessViolation")
}

func TestScenario10ASwapInOneRequest(t *testing.T) {
	s := newStage(t, 1, 1)
	s.do(direct(0, sites))
	s.refused(direct(0, e3), RefusalKind(Exclusive))
	s.do(AssignUser{User: user(0), Add: []Assign{{e3, nil}}, Remove: []uuid.UUID{sites}})
	s.consumed(sites, 0)
	s.consumed(e3, 1)
}

func TestScenario11DeletedAndRestored(t *testing.T) {
	s := newStage(t, 2, 1)
	s.license(one, e3)
	s.join(one, 0, 1)
	s.do(direct(0, basic))
	s.do(DeleteUser{user(0)})
	s.consumed(e3, 0)
	s.refused(direct(0, basic), NotFound)
	s.reprocess(1)
	s.do(direct(1, basic))
	s.do(RestoreUser{user(0)})
	s.state(0, one, e3, count)
	s.state(0, Direct, basic, "")
	s.do(DeleteUser{user(0)}, PurgeUser{user(0)})
	s.errors(one, 0)
}

func TestScenario13AGroupWithLicensesStays(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.join(one, 0)
	s.refused(DeleteGroup{one}, GroupLicensed)
	s.do(AssignGroup{Group: one, Remove: []uuid.UUID{e3}})
	s.consumed(e3, 0)
	s.do(DeleteGroup{one})
}

func TestScenario14TheSecondTimeChangesNothing(t *testing.T) {
	s := newStage(t, 2, 1)
	s.license(one, e3, addOn)
	s.join(one, 0, 1)
	s.do(Reprocess{[]uuid.UUID{user(0), user(1)}})
	once := s.m.Dump()
	s.do(Reprocess{[]uuid.UUID{user(0), user(1)}})
	if s.m.Dump() != once {
		t.Fatal("changed")
	}
}

func TestScenario15FewerUnitsTakeNothing(t *testing.T) {
	s := newStage(t, 3, 2)
	s.license(one, e3)
	s.join(one, 0, 1)
	s.seats(e3, 1)
	s.consumed(e3, 2)
	s.join(one, 2)
	s.state(2, one, e3, count)
	s.reprocess(1)
	s.state(1, one, e3, active)
}

func TestScenario16SuspendedAndBack(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.join(one, 0)
	before := s.m.Snapshot(user(0))
	s.do(SetUnits{e3, Units{Suspended: 1}, true})
	s.state(0, one, e3, "Disabled")
	s.seats(e3, 1)
	if after := s.m.Snapshot(user(0)); !reflect.DeepEqual(before, after) {
		t.Fatalf("before %v after %v", before, after)
	}
}

func TestScenario17APlanAddedToAProduct(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.join(one, 0)
	c := scenarioCatalog()
	c.Products[0].ServicePlanIDs = append(c.Products[0].ServicePlanIDs, chat)
	s.do(SetCatalog{c})
	if !slices.Contains(s.m.Plans(user(0)), chat) {
		t.Fatal("not enabled")
	}
	s.do(AssignGroup{Group: one, Add: []Assign{{e3, []uuid.UUID{chat}}}})
	if slices.Contains(s.m.Plans(user(0)), chat) {
		t.Fatal("enabled although disabled")
	}
}

func TestScenario18FromDirectToGroupWithTheLastSeat(t *testing.T) {
	s := newStage(t, 1, 1)
	s.do(direct(0, e3))
	s.license(one, e3)
	s.join(one, 0)
	s.state(0, one, e3, active)
	s.do(AssignUser{User: user(0), Remove: []uuid.UUID{e3}})
	s.consumed(e3, 1)
	s.refused(AssignUser{User: user(0), Remove: []uuid.UUID{e3}}, Inherited)
}

func TestScenario19OneSeatTooFew(t *testing.T) { // with fewer users than in the text
	s := newStage(t, 200, 199)
	for n := range 200 {
		s.join(one, 199-n)
	}
	s.license(one, e3)
	s.errors(one, 1)
	s.state(199, one, e3, count)
}

func TestScenario20AProductAddedToAGroup(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.join(one, 0)
	s.seats(addOn, 0)
	s.license(one, addOn)
	s.state(0, one, e3, "ActiveWithError Other")
	s.state(0, one, addOn, count)
	s.seats(addOn, 1)
	s.reprocess(0)
	s.state(0, one, e3, active)
	s.state(0, one, addOn, active)
}

func TestScenario21ALocationBecomesProhibited(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.join(one, 0)
	s.do(SetLocation{user(0), china})
	s.state(0, one, e3, active)
	s.reprocess(0)
	s.state(0, one, e3, "ActiveWithError ProhibitedInUsageLocationViolation")
	s.consumed(e3, 1)
}

// L31 lets no group have a product whose needs only another group meets, so the need comes with a
// later catalog.
func TestScenario22GroupsLeftInTheWrongOrder(t *testing.T) {
	s := newStage(t, 1, 1)
	s.license(one, e3)
	s.license(two, basic)
	s.join(one, 0)
	s.join(two, 0)
	c := scenarioCatalog()
	c.ServicePlans[5].RequiresAnyOf = [][]uuid.UUID{{exchange2}}
	s.do(SetCatalog{c})
	s.leave(one, 0)
	s.state(0, one, e3, overdue)
	s.leave(two, 0)
	s.state(0, one, e3, overdue)
	s.reprocess(0)
	s.state(0, one, e3, "")
}
