package licensing

import (
	"math"
	"strings"
)

// Entry is the license of one SKU that one source gives, or should give, a user: a
// licenseAssignmentState (L11). An entry with equal Wished and InForce is settled; otherwise Error
// is the reason why the wish is not in force.
type Entry struct {
	Source  Source
	Wished  Variant // None: should be removed, but is still needed (L46)
	InForce Variant // None: not held from this source
	Updated uint32  // seconds since 1970: when state, error or disabled plans last changed
	// Seconds since 1970: when InForce last changed; for an entry that waits for a seat, see
	// setWaiting.
	Assigned uint32
	SKU      SKU
	Error    Violation
	Since    uint64 // the commit in which the wish of the entry's bundle arose (L50)
}

func (e *Entry) settled() bool { return e.Wished == e.InForce }

// waits reports whether the entry waits for a seat.
func (e *Entry) waits() bool { return e.Error == CountViolation && e.InForce == None }

// WaitingSince returns the commit in which the entry began to wait for a seat (L52), 0 if it does
// not wait.
func (e *Entry) WaitingSince() uint64 {
	if !e.waits() {
		return 0
	}
	return e.Since + uint64(e.Assigned)
}

// setWaiting records when the entry began to wait: Assigned, which has no meaning while nothing is
// in force, is the number of commits from the wish to then. It is nearly always 0, so an entry
// needs no field for it, and entries that were stored without it have waited since their wish.
func (e *Entry) setWaiting(since uint64) {
	e.Assigned = uint32(min(since-min(since, e.Since), math.MaxUint32))
}

// shown returns the variant whose disabled plans the entry shows: the one in force if there is one,
// otherwise the wished one (L11).
func (e *Entry) shown() Variant {
	if e.InForce != None {
		return e.InForce
	}
	return e.Wished
}

// State returns the state that Graph shows, except Disabled, which depends on the SKU's units (L6).
func (e *Entry) State() string {
	switch {
	case e.InForce == None:
		return StateError
	case e.Error == NoViolation:
		return StateActive
	}
	return StateActiveWithError
}

// The values of licenseAssignmentState.state.
const (
	StateActive          = "Active"
	StateActiveWithError = "ActiveWithError"
	StateDisabled        = "Disabled"
	StateError           = "Error"
)

// compareEntries returns the order of a user's entries: direct first, then by group, then by SKU.
func compareEntries(a, b *Entry) int {
	if a.Source != b.Source {
		if a.Source < b.Source {
			return -1
		}
		return 1
	}
	return int(a.SKU) - int(b.SKU)
}

// Source is the origin of a license: Direct, or a group.
type Source uint32

// Direct is the source of a license assigned to the user.
const Direct Source = 0

// FromGroup returns the source for the group with this ordinal.
func FromGroup(group uint32) Source { return Source(group + 1) }

// Group returns the ordinal of the group that the source is.
func (s Source) Group() (group uint32, ok bool) { return uint32(s) - 1, s != Direct }

// Variant is a SKU with certain plans disabled, numbered in its tenant.
type Variant uint32

// None is the absence of a variant.
const None Variant = 0

// SKU is the number of a SKU in its tenant.
type SKU uint16

// Violation is the reason that an entry's wish is not in force (docs/spec/licensing.md, section 5).
// The numbers are stored; never renumber.
type Violation uint8

// The violations, named as the errors of Graph.
const (
	NoViolation Violation = iota
	CountViolation
	MutuallyExclusiveViolation
	DependencyViolation
	ProhibitedInUsageLocationViolation
	UniquenessViolation
	OtherViolation
	violationCount
)

// Violations is the number of violations, with NoViolation.
const Violations = int(violationCount)

var violationNames = [violationCount]string{
	"None", "CountViolation", "MutuallyExclusiveViolation", "DependencyViolation",
	"ProhibitedInUsageLocationViolation", "UniquenessViolation", "Other",
}

// String returns the text of licenseAssignmentState.error; "None" for NoViolation.
func (e Violation) String() string {
	if e < violationCount {
		return violationNames[e]
	}
	return violationNames[OtherViolation]
}

// ViolationOf returns the violation with a name, in any letter case.
func ViolationOf(name string) (Violation, bool) {
	for v, known := range violationNames {
		if strings.EqualFold(name, known) {
			return Violation(v), true
		}
	}
	return NoViolation, false
}

// MarshalText returns the name.
func (e Violation) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
