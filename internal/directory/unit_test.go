package directory

import (
	"errors"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory/column"
	"licensor/internal/licensing/vector"
)

func unitOf(t *testing.T, body string) (*AdministrativeUnit, error) {
	t.Helper()
	members, err := Members([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := ParseUnitPatch(members)
	if err != nil {
		return nil, err
	}
	return NewUnit(patch, uuid.UUID{1})
}

func TestUnitsAreKeptAsTheyWereSent(t *testing.T) {
	t.Parallel()
	u, err := unitOf(t, `{"DisplayName":"Oslo","description":"d","visibility":"hiddenmembership","membershipType":"ASSIGNED","membershipRule":null,"isMemberManagementRestricted":false}`)
	if err != nil {
		t.Fatal(err)
	}
	const document = `{"description":"d","displayName":"Oslo","id":"01000000-0000-0000-0000-000000000000","isMemberManagementRestricted":false,` +
		`"membershipType":"Assigned","visibility":"HiddenMembership"}`
	if got := string(u.Document()); got != document {
		t.Errorf("the document is %s, want %s", got, document)
	}
	again, err := ParseUnit([]byte(document))
	if err != nil || string(again.Document()) != document {
		t.Errorf("read again it is %+v, %v", again, err)
	}
	deleted := *u
	deleted.DeletedDateTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	checkValues(t, UnitSchema(), u.Values(), map[string]column.Value{
		"description": {Text: "d"}, "displayName": {Text: "Oslo"}, "isMemberManagementRestricted": {Truth: column.TruthFalse},
	})
	checkValues(t, UnitSchema(), deleted.Changed(u),
		map[string]column.Value{"deletedDateTime": {Time: column.TimeOf(deleted.DeletedDateTime)}})
}

func TestUnitsThatWouldHaveNoEffectAreRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]InvalidKind{
		`{}`:                   InvalidMissing,
		`{"displayName":null}`: InvalidValue,
		`{"displayName":"x","visibility":"Private"}`:                    InvalidValue,
		`{"displayName":"x","members":[]}`:                              InvalidUnknown,
		`{"displayName":"x","deletedDateTime":null}`:                    InvalidReadOnly,
		`{"displayName":"x","membershipType":"dynamic"}`:                InvalidNotServed,
		`{"displayName":"x","membershipRule":"(user.city -eq \"x\")"}`:  InvalidNotServed,
		`{"displayName":"x","membershipRuleProcessingState":"Paused"}`:  InvalidNotServed,
		`{"displayName":"x","isMemberManagementRestricted":true}`:       InvalidNotServed,
		`{"displayName":"x","isMemberManagementRestricted":"yes, sir"}`: InvalidType,
	} {
		var invalid *InvalidError
		if _, err := unitOf(t, body); !errors.As(err, &invalid) || invalid.Kind != want {
			t.Errorf("%s: %v, want kind %d", body, err, want)
		}
	}
}

// plainMembers are the members of units in the plainest form. Gone is never set.
type plainMembers map[UnitMember]bool

func (plain plainMembers) check(t *rapid.T, m *UnitMembers) {
	t.Helper()
	for unit := range uint32(5) {
		for _, isGroup := range []bool{false, true} {
			var want []uint32
			for member := range uint32(6) {
				at := UnitMember{Unit: unit, Member: member, IsGroup: isGroup}
				if m.Has(at) != plain[at] || slices.Contains(m.Of(member, isGroup), unit) != plain[at] {
					t.Fatalf("%+v is %v, and is in %v; want %v", at, m.Has(at), m.Of(member, isGroup), plain[at])
				}
				if plain[at] {
					want = append(want, member)
				}
			}
			set := m.Users(unit)
			if isGroup {
				set = m.Groups(unit)
			}
			if set == nil {
				set = roaring.New()
			}
			if !slices.Equal(set.ToArray(), slices.Clip(want)) {
				t.Fatalf("unit %d has %v, want %v", unit, set, want)
			}
		}
	}
}

// TestUnitMembersAreSets compares members with a plain set under random changes, each version with
// what it was, and the last one with what a snapshot of it gives.
func TestUnitMembersAreSets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m, plain := new(UnitMembers), plainMembers{}
		for range rapid.IntRange(0, 10).Draw(rt, "versions") {
			before, was := m, maps.Clone(plain)
			if rapid.IntRange(0, 5).Draw(rt, "empty") == 0 {
				unit := rapid.Uint32Range(0, 4).Draw(rt, "unit")
				m = m.Empty(unit)
				maps.DeleteFunc(plain, func(member UnitMember, _ bool) bool { return member.Unit == unit })
			} else {
				var changes []UnitMember
				for range rapid.IntRange(1, 6).Draw(rt, "changes") {
					c := UnitMember{
						Unit:    rapid.Uint32Range(0, 4).Draw(rt, "unit"),
						Member:  rapid.Uint32Range(0, 5).Draw(rt, "member"),
						IsGroup: rapid.Bool().Draw(rt, "group"),
					}
					if plain[c] = true; rapid.Bool().Draw(rt, "gone") {
						delete(plain, c)
						c.Removed = true
					}
					changes = append(changes, c)
				}
				m = m.Change(changes)
			}
			plain.check(rt, m)
			was.check(rt, before)
		}
		var parts [][]byte
		for part := range m.Parts() {
			parts = append(parts, m.AppendPart(nil, part))
		}
		again, err := DecodeUnitMembers(parts, 5, 6, 6)
		if err != nil {
			rt.Fatal(err)
		}
		plain.check(rt, again)
	})
}

func TestUnitMembersOfDamagedSnapshotsAreRefused(t *testing.T) {
	t.Parallel()
	part := new(UnitMembers).
		Change([]UnitMember{{Unit: 1, Member: 7}, {Unit: 1, Member: 3, IsGroup: true}}).AppendPart(nil, 0)
	newer := slices.Clone(part)
	newer[0]++
	for name, read := range map[string]func() (*UnitMembers, error){
		"fewer units":    func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{part}, 1, 8, 4) },
		"fewer users":    func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{part}, 2, 7, 4) },
		"fewer groups":   func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{part}, 2, 8, 3) },
		"a short part":   func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{part, part}, 4, 8, 4) },
		"cut off":        func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{part[:len(part)-1]}, 2, 8, 4) },
		"another number": func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{newer}, 2, 8, 4) },
		"nothing":        func() (*UnitMembers, error) { return DecodeUnitMembers([][]byte{{}}, 2, 8, 4) },
	} {
		if _, err := read(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := DecodeUnitMembers([][]byte{part}, 2, 8, 4); err != nil {
		t.Error(err)
	}
}

// TestAMemberOfALargeUnitCopiesLittle is not parallel: it measures what is allocated.
func TestAMemberOfALargeUnitCopiesLittle(t *testing.T) {
	for _, n := range []uint32{1000, 1_000_000} {
		users := roaring.New()
		for user := uint32(0); user < n; user += 2 { // so that the containers are as large as they get
			users.Add(user)
		}
		m := new(UnitMembers)
		m.units.Append(new(vector.Owner), unitSets{users: marked(users)})
		const rounds = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			m.Change([]UnitMember{{Member: n / 2, Removed: true}})
			m.Change([]UnitMember{{Member: n/2 + 1}})
		}
		runtime.ReadMemStats(&after)
		if copied, most := (after.TotalAlloc-before.TotalAlloc)/rounds/2, uint64(20<<10); copied > most {
			t.Errorf("a change of a unit with %d members copies %d bytes, want at most %d", n/2, copied, most)
		}
	}
}

// FuzzUnitMembers puts arbitrary bytes where a part should be: damaged data must give an error,
// never a panic.
func FuzzUnitMembers(f *testing.F) {
	f.Add(new(UnitMembers).Change([]UnitMember{{Unit: 1, Member: 7}, {Member: 1000, IsGroup: true}}).AppendPart(nil, 0))
	f.Add([]byte{unitMembersFormat, 255, 255, 255, 255, 15})
	f.Fuzz(func(_ *testing.T, part []byte) {
		_, _ = DecodeUnitMembers([][]byte{part}, 100, 100_000, 100_000)
	})
}
