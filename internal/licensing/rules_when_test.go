package licensing_test

import (
	"testing"
	"time"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 7: what is processed when.

func unix(seconds int64) time.Time { return time.Unix(seconds, 0) }

// Whatever a change could mend in another bundle waits (L61).
func TestL60AChangeProcessesJustTheBundlesItChanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *stage){
		"a license of another group": func(s *stage) { s.license("other", "VISIO") },
		"a membership of another":    func(s *stage) { s.leave("other", "ann") },
		"a direct assignment":        func(s *stage) { s.assign("ann", "VISIO") },
		"another member joining":     func(s *stage) { s.join("all", "bob") },
		"joining once more":          func(s *stage) { s.join("all", "ann") },
		"the same licenses again":    func(s *stage) { s.license("all", "E3") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann", "bob")
			s.seats("E3", 0)
			s.group("all", "ann")
			s.group("other", "ann")
			s.license("all", "E3")
			s.license("other", "PHONE")
			s.seats("E3", 10)
			change(s)
			equal(t, "first of the group", s.stateFrom("ann", "all"), "E3 from all: Error/CountViolation")
		})
	}
}

// stateFrom is the user's first state from a group.
func (s *stage) stateFrom(user, group string) string {
	s.t.Helper()
	at := 0
	for st := range s.image.States(s.u(user)) {
		if !st.Direct && st.Group == s.g(group) {
			return s.states(user)[at]
		}
		at++
	}
	return ""
}

func TestL60LicensesOfAGroupProcessItsBundleOfEveryMember(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid")
	s.seats("E3", 0)
	s.group("all", "ann", "bob")
	s.license("all", "E3")
	s.seats("E3", 10)
	s.license("all", "VISIO") // the whole bundle is processed, with what has waited
	for _, user := range []string{"ann", "bob"} {
		s.shows(user, "E3 from all: Active", "VISIO from all: Active")
	}
	s.shows("cid")
}

func TestL60ADirectAssignmentProcessesTheOnesNamed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3")
	s.locate("ann", "KP")
	s.assign("ann", "PHONE") // E3, now prohibited, is not checked
	s.shows("ann", "E3 direct: Active", "PHONE direct: Active")
}

// What waits for reprocessing, and that autoReprocess does it in the same commit.
func TestL61EverythingElseWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ setUp, change func(s *stage) }{
		"seats bought":             {func(s *stage) { s.seats("E3", 0) }, func(s *stage) { s.seats("E3", 1) }},
		"a seat freed":             {func(s *stage) { s.seats("E3", 1); s.assign("bob", "E3") }, func(s *stage) { s.assign("bob", "-E3") }},
		"a seat freed by deletion": {func(s *stage) { s.seats("E3", 1); s.assign("bob", "E3") }, func(s *stage) { s.delete("bob") }},
		"another location":         {func(s *stage) { s.locate("ann", "KP") }, func(s *stage) { s.locate("ann", "DE") }},
		"another organization": {
			func(s *stage) { s.locate("ann", ""); s.quiet(func(d *licensing.Draft) { d.SetCountry(country("KP")) }) },
			func(s *stage) { s.quiet(func(d *licensing.Draft) { d.SetCountry(country("DE")) }) },
		},
		"another address":             {func(s *stage) { s.duplicate("ann", true) }, func(s *stage) { s.duplicate("ann", false) }},
		"a direct conflict resolved":  {func(s *stage) { s.assign("ann", "POINT1") }, func(s *stage) { s.assign("ann", "-POINT1") }},
		"a conflict with a group":     {func(s *stage) { s.group("rest", "ann"); s.license("rest", "POINT1") }, func(s *stage) { s.leave("rest", "ann") }},
		"a conflict with its license": {func(s *stage) { s.group("rest", "ann"); s.license("rest", "POINT1") }, func(s *stage) { s.license("rest", "-POINT1") }},
		"another catalog": {
			func(s *stage) { s.assign("ann", "POINT1") },
			func(s *stage) { s.catalog("excludes SITES2", "") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "bob", "ann")
			c.setUp(s)
			s.group("all", "ann")
			s.license("all", "E3")
			before := s.stateFrom("ann", "all")
			if before[:18] != "E3 from all: Error" {
				t.Fatalf("ann shows %s", before)
			}
			automatic := s.fork()
			automatic.auto()
			equal(t, "after the setting", automatic.stateFrom("ann", "all"), before)
			c.change(automatic)
			equal(t, "with autoReprocess", automatic.stateFrom("ann", "all"), "E3 from all: Active")

			c.change(s)
			equal(t, "before reprocessing", s.stateFrom("ann", "all"), before)
			s.reprocess("ann")
			equal(t, "after reprocessing", s.stateFrom("ann", "all"), "E3 from all: Active")
		})
	}
}

func TestL61AFreedSeatGoesToTheOldestError(t *testing.T) { // scenario 2
	t.Parallel()
	setUp := func(t *testing.T) *stage {
		t.Helper()
		s := newStage(t, "ann", "bob", "cid")
		s.auto()
		s.seats("E3", 1)
		s.group("all", "cid")
		s.license("all", "E3")
		return s
	}
	t.Run("of different commits", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.join("all", "bob")
		s.join("all", "ann")
		s.leave("all", "cid")
		s.shows("ann", "E3 from all: Error/CountViolation")
		s.shows("bob", "E3 from all: Active")
	})
	t.Run("of the same commit, to the older user", func(t *testing.T) {
		t.Parallel()
		s := setUp(t)
		s.join("all", "bob", "ann")
		s.leave("all", "cid")
		s.shows("ann", "E3 from all: Active")
		s.shows("bob", "E3 from all: Error/CountViolation")
	})
}

func TestL62NothingElseChangesAState(t *testing.T) {
	t.Parallel()
	s := history(t)
	before := snapshot(s.image)
	for user := range uint32(s.image.Users()) { // reading
		for range s.image.States(user) {
			s.image.Plans(user, unix(1<<40))
		}
		s.image.Explain(user, true)
	}
	equal(t, "after reading", snapshot(s.image), before)
	again, err := restart(s.image) // a restart
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "after a restart", snapshot(again), before)
	if next, effects := again.Draft(1000, unix(1<<30)).Finish(); next != again || !effects.Empty() { // the clock
		t.Fatal("an empty commit changed something")
	}
}
