package licensing_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 9: explanations.

// explained are a user's reasons in words: the facts that a page or an answer is rendered from.
func (s *stage) explained(user string, every bool) (list []string) {
	for _, r := range s.image.Explain(s.u(user), every) {
		list = append(list, s.words(r))
	}
	return list
}

func (s *stage) words(r licensing.Reason) string {
	from := func(direct bool, group uint32) string {
		if direct {
			return " direct"
		}
		return " from " + s.groups[group]
	}
	text := called(r.SKUID) + from(r.Direct, r.Group) + " " + r.State + "/" + r.Error.String()
	if r.Plan != uuid.Nil {
		text += "; plan " + called(r.Plan)
	}
	if r.Requires != nil {
		text += fmt.Sprint("; needs one of ", names(r.Requires))
	}
	if r.Needed {
		text += "; needed"
	}
	if r.OtherPlan != uuid.Nil {
		text += "; other plan " + called(r.OtherPlan)
	}
	if r.Other != uuid.Nil {
		text += "; other " + called(r.Other) + from(r.OtherDirect, r.OtherGroup)
	}
	if r.Location != licensing.NoCountry {
		text += fmt.Sprintf("; in %s, organization %t", r.Location, r.LocationOfOrganization)
	}
	if r.Seats != nil {
		last := "nobody"
		if r.Seats.Last != math.MaxUint32 {
			last = s.users[r.Seats.Last]
		}
		text += fmt.Sprintf("; seats %+v, consumed %d, last %s", r.Seats.Units, r.Seats.Consumed, last)
	}
	for _, m := range r.Remedies {
		text += fmt.Sprint(" | ", m.Kind)
		if m.SKUID != uuid.Nil {
			text += " " + called(m.SKUID)
		}
		if m.Kind == licensing.RemedyDisablePlan || m.Kind == licensing.RemedyRemoveLicense {
			text += from(m.Direct, m.Group)
		}
		if m.Plans != nil {
			text += fmt.Sprint(" ", names(m.Plans))
		}
		if m.Seats > 0 {
			text += fmt.Sprint(" ", m.Seats)
		}
	}
	return text
}

// A cause sets a tenant up in which ann, in the group all with E3, has an error with just these
// facts, and with these ways out.
var causes = map[string]struct {
	setUp func(s *stage)
	want  []string
}{
	"CountViolation": {
		func(s *stage) {
			s.units("E3", licensing.Units{Enabled: 1, Warning: 1, Suspended: 3})
			s.assign("cid", "E3")
			s.assign("bob", "E3")
			s.group("also", "cid")
			s.license("also", "E3") // a second source makes no one the last who came
			s.license("all", "E3")
		},
		[]string{"E3 from all Error/CountViolation; seats {Enabled:1 Warning:1 Suspended:3 LockedOut:0}, consumed 2, last bob | freeSeats E3 1"},
	},
	"CountViolation of what is over-used": {
		func(s *stage) {
			s.assign("bob", "E3")
			s.assign("cid", "E3")
			s.seats("E3", 0)
			s.license("all", "E3")
		},
		[]string{"E3 from all Error/CountViolation; seats {Enabled:0 Warning:0 Suspended:0 LockedOut:0}, consumed 2, last cid | freeSeats E3 3"},
	},
	"CountViolation of what nobody holds any more": {
		func(s *stage) {
			s.assign("bob", "E3")
			s.assign("bob", "-E3")
			s.seats("E3", 0)
			s.license("all", "E3")
		},
		[]string{"E3 from all Error/CountViolation; seats {Enabled:0 Warning:0 Suspended:0 LockedOut:0}, consumed 0, last nobody | freeSeats E3 1"},
	},
	"MutuallyExclusiveViolation with a direct license": {
		func(s *stage) {
			s.assign("ann", "POINT1")
			s.license("all", "E3")
		},
		[]string{"E3 from all Error/MutuallyExclusiveViolation; plan SITES2; other plan SITES1; other POINT1 direct" +
			" | disablePlan E3 from all [SITES2] | disablePlan POINT1 direct [SITES1] | removeLicense POINT1 direct"},
	},
	"MutuallyExclusiveViolation of several plans": {
		func(s *stage) {
			s.group("rest", "ann")
			s.license("rest", "E1")
			s.license("all", "E3 without CHAT")
		},
		[]string{"E3 from all Error/MutuallyExclusiveViolation; plan MAIL2; other plan MAIL1; other E1 from rest" +
			" | disablePlan E3 from all [MAIL2 SITES2] | disablePlan E1 from rest [MAIL1 SITES1] | removeLicense E1 from rest"},
	},
	"DependencyViolation": {
		func(s *stage) {
			s.license("all", "E3 without MAIL2")
			s.leave("all", "ann")
			s.catalog("CHAT      chat", "CHAT      chat requires CALLS|DRAW", "SITES2    sites", "SITES2 sites requires CALLS|DRAW")
			s.join("all", "ann")
		},
		[]string{"E3 from all Error/DependencyViolation; plan SITES2; needs one of [CALLS DRAW] | addPlan [CALLS DRAW] | disablePlan E3 from all [SITES2 CHAT]"},
	},
	"DependencyViolation of what is to go": {
		func(s *stage) {
			s.license("all", "E3")
			s.assign("ann", "ADDON")
			s.leave("all", "ann")
		},
		[]string{"E3 from all ActiveWithError/DependencyViolation; plan MAIL2; needed; other plan ARCHIVE; other ADDON direct" +
			" | disablePlan ADDON direct [ARCHIVE] | removeLicense ADDON direct"},
	},
	"ProhibitedInUsageLocationViolation": {
		func(s *stage) {
			s.license("all", "E3")
			s.catalog("SITES2    sites", "SITES2 sites prohibited KP")
			s.locate("ann", "KP")
			s.reprocess("ann")
		},
		[]string{"E3 from all ActiveWithError/ProhibitedInUsageLocationViolation; plan SITES2; in KP, organization false | changeLocation | disablePlan E3 from all [SITES2 CHAT]"},
	},
	"ProhibitedInUsageLocationViolation of the organization": {
		func(s *stage) {
			s.locate("ann", "")
			s.quiet(func(d *licensing.Draft) { d.SetCountry(country("KP")) })
			s.license("all", "E3")
		},
		[]string{"E3 from all Error/ProhibitedInUsageLocationViolation; plan CHAT; in KP, organization true | changeLocation | disablePlan E3 from all [CHAT]"},
	},
	"UniquenessViolation": {
		func(s *stage) {
			s.catalog("CALLS     calls", "CALLS exchange")
			s.duplicate("ann", true)
			s.license("all", "E3", "PHONE")
		},
		[]string{
			"E3 from all Error/UniquenessViolation; plan MAIL2 | changeAddress | disablePlan E3 from all [MAIL2]",
			"PHONE from all Error/UniquenessViolation; plan CALLS | changeAddress | disablePlan PHONE from all [CALLS]",
		},
	},
	"Other": {
		func(s *stage) {
			s.seats("PHONE", 0)
			s.license("all", "E3", "PHONE", "VISIO")
		},
		[]string{
			"E3 from all Error/Other; other PHONE from all | clearOther PHONE",
			"PHONE from all Error/CountViolation; seats {Enabled:0 Warning:0 Suspended:0 LockedOut:0}, consumed 0, last nobody | freeSeats PHONE 1",
			"VISIO from all Error/Other; other PHONE from all | clearOther PHONE",
		},
	},
	"MutuallyExclusiveViolation with what cannot go yet": {
		func(s *stage) {
			s.group("left", "ann")
			s.license("left", "E1")
			s.assign("ann", "ADDON")
			s.leave("left", "ann")
			s.license("all", "POINT2")
		},
		[]string{
			"POINT2 from all Error/MutuallyExclusiveViolation; plan SITES2; other plan SITES1; other E1 from left | disablePlan POINT2 from all [SITES2] | clearOther E1",
			"E1 from left ActiveWithError/DependencyViolation; plan MAIL1; needed; other plan ARCHIVE; other ADDON direct" +
				" | disablePlan ADDON direct [ARCHIVE] | removeLicense ADDON direct",
		},
	},
	"nothing any more": {
		func(s *stage) {
			s.seats("E3", 0)
			s.license("all", "E3")
			s.seats("E3", 1)
		},
		[]string{"E3 from all Error/CountViolation | reprocess"},
	},
	"something else by now": {
		func(s *stage) {
			s.seats("E3", 0)
			s.license("all", "E3")
			s.locate("ann", "KP")
		},
		[]string{"E3 from all Error/ProhibitedInUsageLocationViolation; plan CHAT; in KP, organization false | changeLocation | disablePlan E3 from all [CHAT]"},
	},
}

func caused(t *testing.T, setUp func(s *stage)) *stage {
	t.Helper()
	s := newStage(t, "ann", "bob", "cid")
	s.group("all", "ann")
	setUp(s)
	return s
}

func TestExplainNamesTheFacts(t *testing.T) {
	t.Parallel()
	for name, c := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := caused(t, c.setUp)
			equal(t, "reasons", s.explained("ann", false), c.want)
		})
	}
}

func TestExplainOnRequestEveryEntry(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	s.assign("ann", "PHONE")
	equal(t, "in error", s.explained("ann", false), nil)
	equal(t, "every", s.explained("ann", true), []string{"PHONE direct Active/None", "E3 from all Active/None"})
	s.locate("ann", "")
	s.units("E3", licensing.Units{Suspended: 1})
	equal(t, "every, of a user nowhere", s.explained("ann", true), []string{
		"PHONE direct Active/ProhibitedInUsageLocationViolation | changeLocation", "E3 from all Disabled/None",
	})
}

// Two plans of one product that need sets of the same size and with the same first plan are
// distinguished.
func TestExplainNamesThePlanThatLacksSomething(t *testing.T) {
	t.Parallel()
	s := newStageOf(t, "A any\n B any\n C any\n X any requires A|B\n Y any requires A|C\n ---\n SB B\n SC C\n SXY X Y", "ann")
	s.assign("ann", "SB")
	s.refused(s.tryAssign("ann", "SXY"), "License assignment failed because service plan "+plan("Y").String()+
		" depends on the service plan(s) "+plan("A").String()+", "+plan("C").String())
	s.assign("ann", "SXY", "SC")
	s.refused(s.tryAssign("ann", "-SC"), "License assignment failed because service plan "+plan("Y").String()+" depends on the service plan(s) "+plan("C").String())
}

func TestExplainWithIndependentBundlesBlamesNoOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.independent()
	s.seats("PHONE", 0)
	s.group("all", "ann")
	s.license("all", "E3", "PHONE")
	equal(t, "reasons", s.explained("ann", false), []string{
		"PHONE from all Error/CountViolation; seats {Enabled:0 Warning:0 Suspended:0 LockedOut:0}, consumed 0, last nobody | freeSeats PHONE 1",
	})
}
