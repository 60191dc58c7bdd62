package tenant

import (
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
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
	// SKUs whose units have another state, which their holders show (docs/spec/licensing.md L6).
	Shifted []uuid.UUID `cbor:"12,keyasint,omitempty"`
}

func (f *Effects) encode() ([]byte, error) { return cbor.Marshal(f) }

// empty reports whether the command changed nothing.
func (f *Effects) empty() bool { return reflect.ValueOf(f).Elem().IsZero() }

// replay is an image on which commits are replayed. Many share its draft, since beginning and
// finishing one takes longer than applying a commit.
type replay struct {
	draft     *draft
	licensing *licensing.Replay
	commits   int
	bytes     int // of effects
}

// A draft is finished after this much: it keeps track of what was changed.
const (
	replayedCommits = 4096
	replayedBytes   = 8 << 20
)

// replay begins a replay of the commits after the image.
func (img *Image) replay() *replay {
	return &replay{draft: img.draft(img.Seq, img.At), licensing: img.Licensing.Replay()}
}

// apply replays the next commit. After an error, the replay must not be used any longer.
func (r *replay) apply(c store.Commit) error {
	f, err := decodeCommit(c)
	if err != nil {
		return err
	}
	if r.commits >= replayedCommits || r.bytes >= replayedBytes {
		*r = *r.finish().replay()
	}
	next := &r.draft.next
	if c.Format >= formatWithChain && c.Chain != c.Link(next.Chain) {
		return &branchedError{end: c.Seq, mine: next.Seq}
	}
	next.Seq, next.At, next.Chain = c.Seq, c.At, c.Chain
	r.commits, r.bytes = r.commits+1, r.bytes+len(c.Effects)
	if err := r.effects(f); err != nil {
		return fmt.Errorf("replay commit %d: %w", c.Seq, err)
	}
	return nil
}

func (r *replay) effects(f *Effects) error {
	if err := f.agreeing(); err != nil {
		return err
	}
	if f.Licensing != nil {
		if err := r.licensing.Apply(f.Licensing, r.draft.next.Seq, r.draft.next.At); err != nil {
			return err
		}
	}
	return r.draft.replay(f)
}

// finish returns the image after the commits. The replay must not be used afterwards.
func (r *replay) finish() *Image {
	r.draft.next.Licensing = r.licensing.Finish()
	return r.draft.finish()
}

// agreeing refuses effects that add different users to licensing and to the directory.
func (f *Effects) agreeing() error {
	var users uint64
	if f.Licensing != nil {
		for _, n := range f.Licensing.Users {
			users += uint64(n.Count)
		}
	}
	if users != uint64(len(f.NewUsers)) {
		return fmt.Errorf("%d users are new to licensing, %d to the directory", users, len(f.NewUsers))
	}
	return nil
}

// replay applies the effects of a command.
func (d *draft) replay(f *Effects) error {
	for _, part := range replayed {
		if err := part(d, f); err != nil {
			return err
		}
	}
	return nil
}

// replayed has a function for each kind of effects, which applies those of a commit. Effects that
// refer to an object come after its creation and before its deletion.
var replayed = []func(*draft, *Effects) error{
	each(func(f *Effects) []NewUser { return f.NewUsers }),
	(*draft).replayGroups,
	each(func(f *Effects) []UserValues { return f.UserValues }),
	each(func(f *Effects) []GroupValues { return f.GroupValues }),
	each(func(f *Effects) []UserKeys { return f.Keys }),
	each(func(f *Effects) []Nesting { return f.Nested }),
	each(func(f *Effects) []Ownership { return f.Owners }),
	each(func(f *Effects) []ManagerNow { return f.Managers }),
	each(func(f *Effects) []UserMark { return f.Users }),
	each(func(f *Effects) []GroupMark { return f.Groups }),
	each(func(f *Effects) []RuleNow { return f.Rules }),
	single(func(f *Effects) *FrozenNow { return f.Frozen }),
	each(func(f *Effects) []FormerApplication { return f.Former }),
	func(d *draft, f *Effects) error { return d.applications.replay(f.Applications, f.ApplicationValues) },
	func(d *draft, f *Effects) error { return d.principals.replay(f.Principals, f.PrincipalValues) },
	func(d *draft, f *Effects) error { return d.units.replay(f.Units, f.UnitValues) },
	single(func(f *Effects) organizationNow { return f.Organization }),
	each(func(f *Effects) []SubscriptionNow { return f.Subscriptions }),
	each(func(f *Effects) []RoleNow { return f.Roles }),
	each(func(f *Effects) []GrantNow { return f.Grants }),
	each(func(f *Effects) []LinkNow { return f.Links }),
	each(func(f *Effects) []UnitMemberNow { return f.UnitMembers }),
	single(func(f *Effects) signInNow { return f.SignIn }),
	single(func(f *Effects) *ImportMark { return f.Import }),
	single(func(f *Effects) auditDaysNow { return f.AuditDays }),
}

// each applies a list of effects.
func each[E effect](of func(*Effects) []E) func(*draft, *Effects) error {
	return func(d *draft, f *Effects) error {
		for _, e := range of(f) {
			if _, err := e.apply(d); err != nil {
				return err
			}
		}
		return nil
	}
}

// single applies an effect of which a commit has at most one. The zero value of its type changes
// nothing.
func single[E effect](of func(*Effects) E) func(*draft, *Effects) error {
	return func(d *draft, f *Effects) error {
		_, err := of(f).apply(d)
		return err
	}
}
