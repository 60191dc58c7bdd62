package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/membership"
	"licensor/internal/query"
)

const (
	// maxWhole is the time in which a rule must be evaluated for all users.
	maxWhole = 5 * time.Second
	// maxSlow is the total time that one command may spend in patterns that take longer than quick.
	maxSlow = time.Second
	quick   = time.Millisecond
)

var errTooLong = errors.New("a rule takes too long for all users")

// evaluate returns the users who fulfill a rule, by their columns. It calls pause, which may be
// nil, from time to time; the time limit does not include that. Results of users in except mean
// nothing, and errors of theirs do not count.
func (f *following) evaluate(rule *membership.Rule, except []uint32, pause func() error) (*roaring.Bitmap, error) {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	limit := newLimit(maxWhole, cancel)
	of := f.population()
	of.Except, of.Pause = except, limit.without(pause)
	is, err := find(ctx, rule, of)
	if limit.exceeded() && err != nil && f.ctx.Err() == nil {
		err = errTooLong
	}
	return is, err
}

func (f *following) population() *membership.Population {
	return &membership.Population{
		Table: f.table, Now: f.at, Reports: f.reports, Members: f.members,
		User: func(user uint32) membership.User { return f.draftUser(user) },
	}
}

// byColumns is the number of users from which a rule is evaluated by their columns.
const byColumns = 256

// wide reports whether a rule is evaluated for some users by their columns.
func wide(rule *membership.Rule, users *roaring.Bitmap) bool {
	return users.GetCardinality() >= byColumns && !rule.CanFail()
}

// among returns those of some users who fulfill a rule.
func (f *following) among(rule *membership.Rule, users *roaring.Bitmap) (*roaring.Bitmap, error) {
	if wide(rule, users) {
		c, err := rule.Condition(f.ctx, f.population())
		if err != nil {
			return nil, err
		}
		return c.FindAmong(f.table, query.WithinLive, users.ToArray()).Bitmap(), nil
	}
	all := roaring.New()
	for user := range roaring.Values(users) {
		is, err := f.holds(rule, user)
		if err != nil {
			return nil, err
		}
		if is {
			all.Add(user)
		}
	}
	return all, nil
}

func find(ctx context.Context, rule *membership.Rule, of *membership.Population) (*roaring.Bitmap, error) {
	c, err := rule.Condition(ctx, of)
	if err != nil {
		return nil, err
	}
	rows, err := c.Find(ctx, of.Table, query.WithinLive, of.Pause)
	if err != nil {
		return nil, err
	}
	return rows.Bitmap(), nil
}

func (f *following) reports(manager uuid.UUID) *roaring.Bitmap {
	if user, ok := f.dir.LiveUserByID(manager); ok {
		return roaring.BitmapOf(f.dir.Reports(user)...)
	}
	return roaring.New()
}

func (f *following) members(group uuid.UUID) *roaring.Bitmap {
	if ordinal, ok := f.dir.LiveGroupByID(group); ok {
		return f.lic.Members(ordinal).Clone()
	}
	return roaring.New()
}

var errSlow = errors.New("the patterns of the rules take too long together")

// holds reports whether a user fulfills a rule. A deleted user does not.
func (f *following) holds(rule *membership.Rule, user uint32) (bool, error) {
	if !f.isLive(user) {
		return false, nil
	}
	if !rule.CanFail() {
		return rule.Holds(f.draftUser(user), f.at)
	}
	if f.slow > maxSlow {
		return false, &culpritError{user, errSlow}
	}
	began := time.Now()
	is, err := rule.Holds(f.draftUser(user), f.at)
	if took := time.Since(began); took > quick {
		f.slow += took
	}
	if err != nil {
		err = &culpritError{user, err}
	}
	return is, err
}

// limit is a limit of time that does not include pauses.
type limit struct {
	timer *time.Timer
	since time.Time
	left  time.Duration
}

// newLimit returns a limit that calls a function when it is exceeded.
func newLimit(d time.Duration, call func()) *limit {
	return &limit{time.AfterFunc(d, call), time.Now(), d}
}

// without returns a function that pauses, and nil for nil.
func (l *limit) without(pause func() error) func() error {
	if pause == nil {
		return nil
	}
	return func() error {
		if !l.timer.Stop() {
			return errTooLong
		}
		l.left -= time.Since(l.since)
		err := pause()
		l.since = time.Now()
		l.timer.Reset(max(0, l.left))
		return err
	}
}

// exceeded ends the limit, and reports whether it was exceeded.
func (l *limit) exceeded() bool { return !l.timer.Stop() }

// EvaluateRule evaluates a rule for a user, and returns the result of each part
// (docs/spec/dynamic-membership.md D80, D82). Errors are *membership.PatternError.
func (img *Image) EvaluateRule(
	ctx context.Context, at time.Time, rule *membership.Rule, user uint32,
) (*membership.Detail, error) {
	c := img.change(ctx, at, nil) // it is discarded
	c.following.table = c.dir.UserColumns()
	return rule.Evaluate(c.following.draftUser(user), at)
}
