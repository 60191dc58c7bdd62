package tenant

import (
	"reflect"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// Effects are the result of a command: the content of a commit. Most fields are lists of effects,
// which change.record adds. Field numbers are stored; never renumber.
type Effects struct {
	Licensing         *licensing.Effects  `cbor:"1,keyasint,omitempty"`
	Organization      organizationNow     `cbor:"2,keyasint,omitempty"` // its document
	Subscriptions     []SubscriptionNow   `cbor:"3,keyasint,omitempty"`
	Former            []FormerApplication `cbor:"4,keyasint,omitempty"` // of format 1
	NewUsers          []NewUser           `cbor:"5,keyasint,omitempty"` // which get the next ordinals
	Keys              []UserKeys          `cbor:"6,keyasint,omitempty"`
	Users             []UserMark          `cbor:"7,keyasint,omitempty"`
	Groups            []GroupMark         `cbor:"8,keyasint,omitempty"`
	Nested            []Nesting           `cbor:"9,keyasint,omitempty"`
	Owners            []Ownership         `cbor:"10,keyasint,omitempty"`
	Import            *ImportMark         `cbor:"11,keyasint,omitempty"`
	Managers          []ManagerNow        `cbor:"13,keyasint,omitempty"`
	Roles             []RoleNow           `cbor:"14,keyasint,omitempty"`
	Grants            []GrantNow          `cbor:"15,keyasint,omitempty"`
	SignIn            signInNow           `cbor:"16,keyasint,omitempty"` // its document
	UserValues        []UserValues        `cbor:"17,keyasint,omitempty"` // in columns of directory.UserSchema; since format 2
	GroupValues       []GroupValues       `cbor:"18,keyasint,omitempty"`
	Applications      []DocumentNow       `cbor:"19,keyasint,omitempty"`
	Principals        []DocumentNow       `cbor:"20,keyasint,omitempty"`
	ApplicationValues []Values            `cbor:"21,keyasint,omitempty"` // in columns of directory.ApplicationSchema
	PrincipalValues   []Values            `cbor:"22,keyasint,omitempty"`
	Links             []LinkNow           `cbor:"23,keyasint,omitempty"` // since format 3
	Units             []DocumentNow       `cbor:"24,keyasint,omitempty"` // administrative units; since format 4
	UnitValues        []Values            `cbor:"25,keyasint,omitempty"` // in columns of directory.UnitSchema
	UnitMembers       []UnitMemberNow     `cbor:"26,keyasint,omitempty"` // that were added or removed
	Rules             []RuleNow           `cbor:"27,keyasint,omitempty"` // of dynamic groups; since format 9
	Frozen            *FrozenNow          `cbor:"28,keyasint,omitempty"`
	Record            []byte              `cbor:"32,keyasint,omitempty"` // a Record, which a replay skips; since format 10
	AuditDays         auditDaysNow        `cbor:"33,keyasint,omitempty"`
	SignInDays        signInDaysNow       `cbor:"34,keyasint,omitempty"` // since format 11
	Steps             []Step              `cbor:"35,keyasint,omitempty"` // and nothing else; since format 12
	Prices            []PriceNow          `cbor:"36,keyasint,omitempty"` // since format 13
	// SKUs whose units have another state, which their holders show (docs/spec/licensing.md L6).
	Shifted []uuid.UUID `cbor:"12,keyasint,omitempty"`
}

func (f *Effects) encode() ([]byte, error) { return cbor.Marshal(f) }

// empty reports whether the command changed nothing.
func (f *Effects) empty() bool { return reflect.ValueOf(f).Elem().IsZero() }
