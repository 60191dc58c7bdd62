package licensing_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 6: order, and who gets the last seat.

func TestL50OfTwoWaitingBundlesTheOlderComesFirst(t *testing.T) {
	t.Parallel()
	for older, want := range map[string]string{
		"first":  "POINT1 from first: Active | POINT2 from second: Error/MutuallyExclusiveViolation",
		"second": "POINT1 from first: Error/MutuallyExclusiveViolation | POINT2 from second: Active",
	} {
		t.Run(older, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann")
			s.contenders()
			s.join(older, "ann")
			s.join("first", "ann")
			s.join("second", "ann")
			s.decide("ann", want)
		})
	}
}

// contenders are two groups whose products conflict and of whose products there are no seats.
func (s *stage) contenders() {
	s.t.Helper()
	s.group("first")
	s.group("second")
	s.license("first", "POINT1")
	s.license("second", "POINT2")
	s.seats("POINT1", 0)
	s.seats("POINT2", 0)
}

// decide buys the seats and reprocesses the user.
func (s *stage) decide(user, want string) {
	s.t.Helper()
	s.seats("POINT1", 1)
	s.seats("POINT2", 1)
	s.reprocess(user)
	text := ""
	for i, state := range s.states(user) {
		if i > 0 {
			text += " | "
		}
		text += state
	}
	equal(s.t, user+" shows", text, want)
}

func TestL50ABundleIsAsOldAsTheLaterOfJoiningAndTheFirstLicense(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("POINT1", 0)
	s.seats("POINT2", 0)
	s.group("first", "ann") // joined first, but has its first license last
	s.group("second")
	s.license("second", "POINT2")
	s.join("second", "ann")
	s.license("first", "POINT1")
	s.decide("ann", "POINT1 from first: Error/MutuallyExclusiveViolation | POINT2 from second: Active")
}

func TestL50ALaterLicenseOfTheGroupDoesNotMakeItsBundleYounger(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.contenders()
	s.join("first", "ann")
	s.join("second", "ann")
	s.license("first", "VISIO")
	s.decide("ann", "POINT1 from first: Active | VISIO from first: Active | POINT2 from second: "+
		"Error/MutuallyExclusiveViolation")
}

func TestL50LeavingAndRejoiningMakesTheBundleYoung(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.contenders()
	s.join("first", "ann")
	s.join("second", "ann")
	s.leave("first", "ann")
	s.join("first", "ann")
	s.decide("ann", "POINT1 from first: Error/MutuallyExclusiveViolation | POINT2 from second: Active")
}

func TestL50BundlesWithSomethingInForceComeFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("POINT1", 0)
	s.seats("POINT2", 0)
	s.group("first", "ann")
	s.license("first", "POINT1")
	s.group("second", "ann")
	s.license("second", "PHONE")
	s.license("second", "POINT2")
	s.shows("ann", "POINT1 from first: Error/CountViolation",
		"POINT2 from second: Error/CountViolation", "PHONE from second: ActiveWithError/Other")
	s.decide("ann", "POINT1 from first: Error/MutuallyExclusiveViolation | POINT2 from second: Active | PHONE from "+
		"second: Active")
}

func TestL50OfTheSameCommitTheLowerGroupIDComesFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("zoo")
	s.group("art") // created later, but its id is lower
	s.license("zoo", "POINT1")
	s.license("art", "POINT2")
	s.seats("POINT1", 0)
	s.seats("POINT2", 0)
	s.quiet(func(d *licensing.Draft) {
		d.AddMembers(s.g("zoo"), s.all("ann"))
		d.AddMembers(s.g("art"), s.all("ann"))
	})
	s.decide("ann", "POINT1 from zoo: Error/MutuallyExclusiveViolation | POINT2 from art: Active")
}

func TestL50OfTheSameCommitDirectComesBeforeGroup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, first, want string }{
		{"same commit", "", "POINT1 direct: Active | POINT2 from all: Error/MutuallyExclusiveViolation"},
		{"group older", "all", "POINT2 from all: Active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann")
			s.seats("POINT2", 0)
			s.group("all")
			s.license("all", "POINT2")
			if c.first != "" {
				s.join(c.first, "ann")
			}
			s.do(func(d *licensing.Draft) error {
				d.AddMembers(s.g("all"), s.all("ann"))
				return d.AssignUser(0, []licensing.Assign{{SKUID: product("POINT1")}}, nil)
			})
			s.seats("POINT2", 1)
			s.delete("ann")
			s.restore("ann") // the only time when direct licenses take their turn with others (L60)
			s.decide("ann", c.want)
		})
	}
}

func TestL51TheTurnsAreRepeatedAndTheLastErrorsStay(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.independent() // so that the add-on, which comes first by its id, is on its own
	s.group("all")
	s.license("all", "ADDON", "E3")
	s.join("all", "ann")
	s.shows("ann", "E3 from all: Active", "ADDON from all: Active")
	s.seats("ADDON", 1)
	s.join("all", "bob") // the first round says DependencyViolation of the add-on, the second no seats
	s.shows("bob", "E3 from all: Active", "ADDON from all: Error/CountViolation")
}

func TestL52TheOldestUsersGetTheSeats(t *testing.T) { // scenario 1
	t.Parallel()
	s := newStage(t, "zoe", "max", "eva", "ben", "ann")
	s.seats("E3", 3)
	s.group("all", "ann", "ben")
	s.join("all", "zoe", "max", "eva")
	s.license("all", "E3")
	for _, user := range []string{"zoe", "max", "eva"} {
		s.shows(user, "E3 from all: Active")
	}
	s.shows("ben", "E3 from all: Error/CountViolation")
	s.shows("ann", "E3 from all: Error/CountViolation")
	s.consumed("E3", 3)
	s.leave("all", "max")
	equal(t, "in error", s.image.GroupErrors(0).ToArray(), []uint32{3, 4})
	s.reprocess("ann")
	s.shows("ann", "E3 from all: Active")
	s.shows("ben", "E3 from all: Error/CountViolation")
}

// waiters are a group of three users; the youngest has waited longest for a seat, then the oldest.
func waiters(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, "ann", "bob", "cid")
	s.seats("E3", 0)
	s.group("all")
	s.license("all", "E3")
	for _, user := range []string{"cid", "ann", "bob"} {
		s.join("all", user)
	}
	return s
}

// Every command that processes many users takes those who wait for a seat first, the longest
// waiting before the others.
func TestL52WhoWaitsLongestGetsTheNextSeat(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(s *stage){
		"reprocessing": func(s *stage) { s.reprocess(s.users...) },
		"reprocessing, where one who does not wait is older": func(s *stage) {
			s.user("dan", "DE")
			s.license("more", "PHONE")
			s.join("more", "dan")
			s.reprocess("cid", "dan", "ann")
		},
		"licenses of the group": func(s *stage) { s.license("all", "E3 without CHAT") },
		"licenses of another":   func(s *stage) { s.license("more", "E3") },
		"joining another":       func(s *stage) { s.license("many", "E3"); s.join("many", s.users...) },
		"after a restart": func(s *stage) {
			again, err := restart(s.image)
			s.accepted(err)
			s.image = again
			s.reprocess(s.users...)
		},
		"with autoReprocess, a seat bought": func(s *stage) { s.auto(); s.seats("E3", 0); s.seats("E3", 1) },
		"with autoReprocess, the country": func(s *stage) {
			s.auto()
			s.quiet(func(d *licensing.Draft) { d.SetCountry(country("FR")) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := waiters(t)
			s.group("more", s.users...)
			s.group("many")
			s.license("all", "E3 without SITES2 CHAT") // the waiting users still wait, for something else
			s.seats("E3", 1)
			command(s)
			equal(t, "who holds E3", s.image.Holders(product("E3")).ToArray(), []uint32{2})
		})
	}
}

// Waiting begins with the error, not with the wish, and it begins again for those who did not wait
// in between.
func TestL52WaitingBeginsWithTheError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		between func(s *stage)
		want    uint32
	}{
		"nothing":         {func(*stage) {}, 2},
		"another error":   {func(s *stage) { s.locate("cid", "KP"); s.reprocess("cid"); s.locate("cid", "DE"); s.reprocess("cid") }, 0},
		"left and joined": {func(s *stage) { s.leave("all", "cid"); s.join("all", "cid") }, 0},
		"deleted":         {func(s *stage) { s.delete("cid"); s.restore("cid") }, 0},
		"tried in vain":   {func(s *stage) { s.reprocess("cid") }, 2},
		"both have left":  {func(s *stage) { s.leave("all", "cid", "ann"); s.join("all", "cid", "ann") }, 1},
		"a seat for a day": {func(s *stage) {
			s.seats("E3", 1)
			s.reprocess("cid")
			s.seats("E3", 0)
			s.leave("all", "cid")
			s.join("all", "cid")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := waiters(t)
			c.between(s)
			s.seats("E3", 1)
			s.reprocess(s.users...)
			equal(t, "who holds E3", s.image.Holders(product("E3")).ToArray(), []uint32{c.want})
		})
	}
}

// A product that a group gets later has been waited for since then, however old the group's bundle
// is.
func TestL52ALaterProductIsWaitedForSinceItCame(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob")
	s.seats("E3", 0)
	s.group("old", "ann")
	s.license("old", "PHONE")
	s.group("new", "bob")
	s.license("new", "E3")
	s.license("old", "E3")
	s.seats("E3", 1)
	s.reprocess(s.users...)
	equal(t, "who holds E3", s.image.Holders(product("E3")).ToArray(), []uint32{1})
}

func TestL52OfAHundredThousandTheYoungestGetsNoSeat(t *testing.T) { // scenario 19
	t.Parallel()
	const n = 100_000
	s := newStage(t)
	s.seats("E3", n-1)
	s.group("all")
	everybody := roaring.New()
	everybody.AddRange(0, n)
	s.quiet(func(d *licensing.Draft) {
		for range n {
			d.AddUser(country("DE"))
		}
		d.AddMembers(0, everybody)
	})
	s.license("all", "E3")
	equal(t, "in error", s.image.GroupErrors(0).ToArray(), []uint32{n - 1})
	s.consumed("E3", n-1)
	equal(t, "changes", len(s.effects.Changes), 2)
	var report licensing.Report
	s.quiet(func(d *licensing.Draft) { report = d.Reprocess(everybody) })
	equal(t, "still in error", report.InError.ToArray(), []uint32{n - 1})
	equal(t, "nothing changed", s.effects.Empty(), true)
}

// history is a story with many turns; it ends on the same bytes however often it is told.
func history(t testing.TB) *stage {
	t.Helper()
	s := newStage(t, "zoe", "max", "eva", "ben", "ann", "kim")
	s.auto()
	for _, sku := range []string{"POINT1", "POINT2", "E3", "PHONE"} {
		s.seats(sku, 2)
	}
	for _, g := range []string{"zoo", "art", "pub", "bar"} {
		s.group(g, "ann", "max", "kim", "zoe")
	}
	s.license("zoo", "POINT1", "VISIO")
	s.license("art", "POINT2 without SITES2", "PHONE")
	s.license("pub", "E3 without CHAT MAIL2")
	s.license("bar", "E1", "ADDON")
	s.seats("E3", 3)
	s.assign("eva", "E3 without SITES2 CHAT")
	s.join("zoo", "eva", "ben")
	s.license("art", "POINT2")
	s.locate("kim", "KP")
	s.duplicate("max", true)
	s.delete("zoe")
	s.leave("art", "max", "kim")
	s.seats("POINT1", 4)
	s.restore("zoe")
	s.leave("bar", "ann")
	s.catalog("CALLS     calls", "CALLS     calls excludes DRAW")
	s.independent()
	s.reprocess(s.users...)
	return s
}

func TestL53TheSameHistoryGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	first := history(t)
	for range 20 {
		again := history(t)
		if !same(first.image, again.image) {
			t.Fatalf("two runs differ:\n%s\n%s", snapshot(first.image), snapshot(again.image))
		}
		if !reflect.DeepEqual(first.effects, again.effects) {
			t.Fatalf("effects of two runs differ:\n%+v\n%+v", first.effects, again.effects)
		}
	}
}

func snapshot(img *licensing.Image) string {
	return fmt.Sprintf("%+v\n%x\n%x", img.Head(), img.AppendPart(nil, 0), img.AppendSets(nil, 0))
}

// A user added and deleted in one commit, as by an import, is as deleted for a replay as for the
// draft.
func TestL53UsersWhoComeDeletedAreReplayed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	base := s.image
	s.quiet(func(d *licensing.Draft) {
		d.DeleteUser(d.AddUser(country("DE")))
		d.PurgeUser(d.AddUser(country("FR")), nil)
		d.AddUser(country("FR"))
	})
	again, err := base.Apply(s.effects, s.seq, s.now())
	if err != nil {
		t.Fatal(err)
	}
	if !same(s.image, again) {
		t.Fatalf("the replay differs:\n%s\n%s", snapshot(s.image), snapshot(again))
	}
}

// Reprocessing users whose state does not change allocates nothing for each of them. Not parallel:
// it counts all allocations.
func TestReprocessingWhatDoesNotChangeAllocatesNothingPerUser(t *testing.T) {
	allocations := func(n int) float64 {
		img := crowdOf(t, n)
		everybody := img.Everybody()
		return testing.AllocsPerRun(5, func() {
			d := img.Draft(100, unix(100))
			d.Reprocess(everybody)
			if next, _ := d.Finish(); next != img {
				t.Fatal("something changed")
			}
		})
	}
	few, many := allocations(1_000), allocations(10_000)
	if many > few+10 || few > 100 { // a bitmap of more users is built in a few more steps
		t.Fatalf("%v allocations for 1,000 users, %v for 10,000", few, many)
	}
}

// crowdOf has n users in two groups, who all hold E3, a tenth with a warning and none with the
// conflicting other product.
func crowdOf(t *testing.T, n int) *licensing.Image {
	t.Helper()
	s := newStage(t)
	for _, sku := range []string{"E3", "VISIO"} {
		s.seats(sku, n)
	}
	s.group("all")
	s.group("some")
	s.quiet(func(d *licensing.Draft) {
		for i := range n {
			where := country("DE")
			if i%10 == 0 {
				where = country("KP")
			}
			d.AddUser(where)
		}
	})
	s.license("all", "E3 without CHAT", "VISIO")
	s.license("some", "POINT1")
	s.quiet(func(d *licensing.Draft) { d.AddMembers(0, s.image.Everybody()) })
	s.quiet(func(d *licensing.Draft) { d.AddMembers(1, s.image.Everybody()) })
	s.quiet(func(d *licensing.Draft) { d.Reprocess(s.image.Everybody()) })
	return s.image
}
