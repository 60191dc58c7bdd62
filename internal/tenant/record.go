package tenant

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
)

// By says who requests a command, and how (docs/spec/audit.md U12 to U14).
type By struct {
	Actor       string    // as in store.Commit
	Correlation uuid.UUID // of the request; uuid.Nil: none
	Address     string    // of the client; "": none
	Agent       string    // its User-Agent
}

// MaxAgent is how much of a User-Agent is kept, in bytes (docs/spec/audit.md U20).
const MaxAgent = 200

// Record is what the audit log needs of a commit and the effects do not say. A replay ignores it.
// Field numbers are stored; never renumber.
type Record struct {
	Correlation []byte  `cbor:"1,keyasint,omitempty"`
	Address     string  `cbor:"2,keyasint,omitempty"`
	Agent       string  `cbor:"3,keyasint,omitempty"`
	Actor       *Named  `cbor:"4,keyasint,omitempty"` // the user or the service principal
	Named       []Named `cbor:"5,keyasint,omitempty"` // of the objects that the command touches
	Changed     []Was   `cbor:"6,keyasint,omitempty"` // documents
	// Held is what the users held whose licenses have changed.
	Held []licensing.HeldBefore `cbor:"7,keyasint,omitempty"`
	// Licenses are those that groups had before; the effects have the new ones.
	Licenses []licensing.GroupEffect `cbor:"8,keyasint,omitempty"`
	Groups   []uint32                `cbor:"9,keyasint,omitempty"` // whose members the command reprocesses
	// Passwords are the users who got a new password. In the second in which it was set before, their
	// documents do not change.
	Passwords []uint32 `cbor:"10,keyasint,omitempty"`
	// ByRule are the dynamic groups whose members have changed by their rules.
	ByRule []uint32 `cbor:"11,keyasint,omitempty"`
	// Failed is which licenses of these users were in an error (licensing.Draft.ErrorsBefore). Since
	// format 14.
	Failed      []licensing.HeldBefore `cbor:"12,keyasint,omitempty"`
	Reprocessed *Reprocessed           `cbor:"13,keyasint,omitempty"` // since format 14
}

// Reprocessed is the result of a reprocessing (docs/spec/changes.md C17), as in licensing.Report.
type Reprocessed struct {
	Processed    int   `cbor:"1,keyasint,omitempty"`
	Fixed        int   `cbor:"2,keyasint,omitempty"`
	NewlyInError int   `cbor:"3,keyasint,omitempty"`
	StillInError []int `cbor:"4,keyasint,omitempty"` // by licensing.Violation
}

// Add adds the result of another reprocessing.
func (r *Reprocessed) Add(other *Reprocessed) {
	r.Processed += other.Processed
	r.Fixed += other.Fixed
	r.NewlyInError += other.NewlyInError
	for i, n := range other.StillInError {
		if i >= len(r.StillInError) {
			r.StillInError = append(r.StillInError, 0)
		}
		r.StillInError[i] += n
	}
}

// Named is how an object was called at a commit.
type Named struct {
	Kind      store.Kind `cbor:"1,keyasint"`
	Ordinal   uint32     `cbor:"2,keyasint,omitempty"`
	ID        uuid.UUID  `cbor:"3,keyasint"`
	Name      string     `cbor:"4,keyasint,omitempty"` // displayName
	Principal string     `cbor:"5,keyasint,omitempty"` // userPrincipalName of a user
	Type      string     `cbor:"6,keyasint,omitempty"` // userType of a user
	Unified   bool       `cbor:"7,keyasint,omitempty"` // a Microsoft 365 group
}

// Was has the properties of a document that a command has changed.
type Was struct {
	Of         Changeable   `cbor:"1,keyasint"`
	Ordinal    uint32       `cbor:"2,keyasint,omitempty"` // of users, groups, applications, service principals, units
	ID         uuid.UUID    `cbor:"3,keyasint"`
	New        bool         `cbor:"4,keyasint,omitempty"`
	Removed    bool         `cbor:"5,keyasint,omitempty"`
	Consent    bool         `cbor:"7,keyasint,omitempty"` // of a grant: a person gave it when signing in
	Properties []Difference `cbor:"6,keyasint,omitempty"`
}

// Difference is a property of a document with its values, as JSON; nil: none.
type Difference struct {
	Name string `cbor:"1,keyasint"`
	Old  []byte `cbor:"2,keyasint,omitempty"`
	New  []byte `cbor:"3,keyasint,omitempty"`
}

// Changeable is what a document is of. The kinds of rows have their numbers. Numbers are stored;
// never renumber.
type Changeable uint8

// What has documents, in addition to rows.
const (
	ChangeableOrganization Changeable = iota + 100
	ChangeableSignIn
	ChangeableSettings
	ChangeableCatalog
	ChangeableSubscription
	ChangeableGrant
	ChangeablePrices
)

// Unite adds the users in a bitmap, as it is in effects, to a set.
func Unite(set *roaring.Bitmap, data []byte) error {
	more := roaring.New()
	if err := more.UnmarshalBinary(data); err != nil {
		return err
	}
	set.Or(more)
	return nil
}
