package tenant

import (
	"fmt"

	"licensor/internal/licensing"
	"licensor/internal/licensing/vector"
	"licensor/internal/store"
	"licensor/internal/trail"
)

// Replay is an image on which commits are replayed. Many share its draft, since beginning and
// finishing one takes longer than applying a commit.
type Replay struct {
	draft     *draft
	licensing *licensing.Replay
	owner     *vector.Owner // of the trail
	commits   int
	bytes     int // of effects
}

// A draft is finished after this much: it keeps track of what was changed.
const (
	replayedCommits = 4096
	replayedBytes   = 8 << 20
)

// Replay returns a replay of the commits after the image.
func (img *Image) Replay() *Replay {
	return &Replay{draft: img.draft(img.Seq, img.At), licensing: img.Licensing.Replay(), owner: new(vector.Owner)}
}

// Apply replays the next commit. An error means that the commit does not belong here, or is
// damaged; the replay must not be used afterwards.
func (r *Replay) Apply(c store.Commit) error {
	steps, err := DecodeCommit(c)
	if err != nil {
		return err
	}
	if r.commits >= replayedCommits || r.bytes >= replayedBytes {
		r.Image()
	}
	next := &r.draft.next
	if c.Format >= formatWithChain && c.Chain != c.Link(next.Chain) {
		return &BranchedError{End: c.Seq, Mine: next.Seq}
	}
	next.Seq, next.At, next.Chain = c.Seq, c.At, c.Chain
	r.commits, r.bytes = r.commits+1, r.bytes+len(c.Effects)
	var concerned trail.Concerned
	for _, step := range steps {
		more, err := r.effects(step.Effects)
		if err != nil {
			return fmt.Errorf("replay commit %d: %w", c.Seq, err)
		}
		concerned.Unite(more)
	}
	next.Trail.Add(r.owner, concerned)
	return nil
}

// effects applies effects, and returns what they concern.
func (r *Replay) effects(f *Effects) (trail.Concerned, error) {
	none := trail.Concerned{}
	if err := f.agreeing(); err != nil {
		return none, err
	}
	if f.Licensing != nil {
		if err := r.licensing.Apply(f.Licensing, r.draft.next.Seq, r.draft.next.At); err != nil {
			return none, err
		}
	}
	before := r.draft.dir.Users()
	if err := r.draft.replay(f); err != nil {
		return none, err
	}
	record, err := f.concerns()
	if err != nil {
		return none, err
	}
	return f.concerned(before, r.draft.dir, record), nil
}

// Image returns the image after the last commit. The replay continues from there.
func (r *Replay) Image() *Image {
	r.draft.next.Licensing = r.licensing.Finish()
	img := r.draft.finish()
	*r = *img.Replay()
	return img
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
	single(func(f *Effects) signInDaysNow { return f.SignInDays }),
	each(func(f *Effects) []PriceNow { return f.Prices }),
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

// BranchedError means that the log does not continue from an image.
type BranchedError struct {
	End  uint64 // the number of the last commit
	Mine uint64 // that of the image
}

func (e *BranchedError) Error() string {
	if e.End < e.Mine {
		return fmt.Sprintf("the log ends at commit %d, and there is a snapshot of commit %d: the store is damaged, "+
			"or was put together of two: restore a backup", e.End, e.Mine)
	}
	return fmt.Sprintf("the log has diverged from what was read of it, up to commit %d: the store is damaged, or "+
		"was put together of two: restore a backup", e.End)
}

func (*BranchedError) Unwrap() error { return store.ErrDamaged }
