package audit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/guid"
)

// Entry is a directoryAudit (U10).
type Entry struct {
	*Head
	Commit  *Commit
	N       int // in the commit
	Targets []Target
	Details []Detail
	failed  []Failure
}

// size returns approximately how many bytes the entry takes.
func (e *Entry) size() int {
	n := 512
	for i := range e.Targets {
		n += 128
		for _, p := range e.Targets[i].Properties {
			n += len(p.Name) + len(p.Old) + len(p.New)
		}
	}
	return n
}

// Failures returns why users did not get the licenses of a group, for an entry about a group that
// got licenses (U28).
func (e *Entry) Failures() []Failure { return e.failed }

// Head is what the entries of a part have in common.
type Head struct {
	Activity  string // activityDisplayName
	Category  string
	Operation string // operationType
	Service   string // loggedByService
	By        Initiator
}

// Initiator is who caused an entry (U13): a user, or an application.
type Initiator struct {
	IsUser    bool
	ID        string // of the user, or of the service principal; "": null
	AppID     string // of the application; "": null
	Name      string // displayName; "": null
	Principal string // userPrincipalName; "": null
	Address   string // ipAddress of a user; "": null
}

// Target is a targetResource (U15).
type Target struct {
	ID         string
	Name       string // displayName; "": null
	Type       string
	Principal  string // userPrincipalName; "": null
	GroupType  string // "": null
	Properties []Property

	userType string // of a user
}

// The values of type.
const (
	typeUser        = "User"
	typeGroup       = "Group"
	typeApplication = "Application"
	typePrincipal   = "ServicePrincipal"
	typeRole        = "Role"
	typeDirectory   = "Directory"
	typeOther       = "Other"
)

// Property is a modifiedProperty. Its values are JSON (U16); "": null.
type Property struct{ Name, Old, New string }

// Detail is a keyValue.
type Detail struct{ Key, Value string }

// The values of loggedByService (U21): the second is for entries that only we have.
const (
	serviceDirectory = "Core Directory"
	serviceOwn       = "Licensor"
)

// ID returns the id of the entry (U11).
func (e *Entry) ID() string {
	number := strconv.FormatUint(e.Commit.Seq, 36)
	if missing := 5 - len(number); missing > 0 {
		number = strings.Repeat("0", missing) + number
	}
	return fmt.Sprintf("Directory_%s_%s_%d", e.Commit.Correlation, strings.ToUpper(number), e.N)
}

// ParseID returns the parts of an id; false if it is not one.
func ParseID(id string) (correlation uuid.UUID, seq uint64, n int, ok bool) {
	parts := strings.Split(id, "_")
	if len(parts) != 4 || !strings.EqualFold(parts[0], "Directory") || len(parts[2]) < 5 {
		return uuid.Nil, 0, 0, false
	}
	correlation, ok = guid.Parse(parts[1])
	seq, wrong := strconv.ParseUint(parts[2], 36, 63)
	number, other := strconv.ParseUint(parts[3], 10, 31)
	return correlation, seq, int(number), ok && cmp.Or(wrong, other) == nil
}

// Result returns the result of the activity: only what was committed has an entry (U18).
func (e *Entry) Result() string { return resultSuccess }

// Time returns the activityDateTime.
func (e *Entry) Time() time.Time { return e.Commit.At }
