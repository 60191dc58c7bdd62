package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/directory"
	"licensor/internal/membership"
	"licensor/internal/query"
)

// Ahead has the users who fulfill some rules in an image. They are found before a command waits for
// the writer, which then evaluates these rules only for users who have changed since: evaluating
// them for all users can take seconds, and other commands would wait.
type Ahead struct {
	image *Image
	at    time.Time
	rules map[string]outcome // by the text of the rule
}

// outcome is the result of a rule for all users.
type outcome struct {
	users *roaring.Bitmap
	err   error // why the rule could not be evaluated
	whole
}

// whole is a rule that a command will evaluate for all users.
type whole struct {
	rule   *membership.Rule
	except []uint32 // users whom the command changes
}

const (
	// maxAhead is how many rules of a command are evaluated ahead.
	maxAhead = 256
	// maxSince is the maximum number of changed users for whom the writer evaluates a rule one by
	// one. For more, evaluating it for all users by the columns does not take longer.
	maxSince = 1 << 14
)

// EvaluatesAll reports whether a command will evaluate rules for all users, which may take long.
func (img *Image) EvaluatesAll(cmd Command) bool { return len(img.wholly(cmd)) > 0 }

// EvaluateAhead evaluates the rules that a command will need for all users. It calls pause from
// time to time, if that is not nil.
func (img *Image) EvaluateAhead(
	ctx context.Context, at time.Time, cmd Command, pause func() error,
) (*Ahead, error) {
	a := &Ahead{img, at, map[string]outcome{}}
	f := &img.change(ctx, at, nil).following
	f.table = img.Directory.UserColumns()
	for _, w := range img.wholly(cmd) {
		text := w.rule.Text()
		if _, ok := a.rules[text]; ok || len(a.rules) == maxAhead {
			continue
		}
		users, err := f.evaluate(w.rule, w.except, pause)
		if err != nil && !isFailure(err) {
			return nil, err
		}
		a.rules[text] = outcome{users, err, w}
	}
	return a, nil
}

// wholly returns the rules that a command will evaluate for all users, if that may take long.
func (img *Image) wholly(cmd Command) (rules []whole) {
	add := func(rule *membership.Rule, except ...uint32) {
		if rule == nil || len(rule.Sources()) > 0 {
			return
		}
		if _, reports := rule.Manager(); !reports {
			rules = append(rules, whole{rule, except})
		}
	}
	switch cmd := cmd.(type) {
	case If:
		return img.wholly(cmd.Then)
	case CreateGroup:
		add(ruleOf(cmd.Patch))
	case UpdateGroup:
		switch {
		case cmd.Patch.Has("membershipRule"):
			add(ruleOf(cmd.Patch))
		case cmd.Patch.Has("membershipRuleProcessingState"), cmd.Patch.Has("groupTypes"):
			add(img.rule(cmd.Group))
		}
	case RestoreGroup:
		add(img.rule(cmd.Group))
	case Import:
		for _, row := range cmd.Rows {
			if row.Group != nil {
				add(ruleOf(row.Group.Patch))
			}
		}
	case EvaluateRules:
		for _, group := range cmd.concerned(img) {
			add(img.rule(group))
		}
	case UpdateUser:
		for _, rule := range img.failedFor(cmd.User) {
			add(rule, cmd.User)
		}
	case DeleteUser:
		for _, rule := range img.failedFor(cmd.User) {
			add(rule, cmd.User)
		}
	}
	return rules
}

// rule returns the rule of a group, or that it had as a dynamic group; nil if there is none.
func (img *Image) rule(group uint32) *membership.Rule {
	if group >= img.Directory.Groups() {
		return nil
	}
	var was *membership.Rule
	if d := img.Rules.of(group); d != nil {
		was = d.Rule
	}
	return ruleIn(img, group, was)
}

func ruleOf(patch directory.GroupPatch) *membership.Rule {
	rule, err := membership.Parse(directory.RuleIn(patch))
	if err != nil {
		return nil
	}
	return rule
}

// failedFor returns the rules that could not be evaluated for a user.
func (img *Image) failedFor(user uint32) (rules []*membership.Rule) {
	for _, group := range img.Rules.index.timed {
		if d := img.Rules.of(group); d.Culprit == user+1 {
			rules = append(rules, d.Rule)
		}
	}
	return rules
}

// fulfilling returns the users who fulfill a rule, as of the command.
func (f *following) fulfilling(rule *membership.Rule) (*roaring.Bitmap, error) {
	if f.ahead != nil {
		if was, ok := f.ahead.rules[rule.Text()]; ok {
			changed, err := f.since(rule)
			if err != nil {
				return nil, err
			}
			if changed != nil {
				changed.AddMany(was.except)
				if !was.blames(changed) {
					return f.update(rule, was, changed)
				}
			}
		}
	}
	return f.evaluate(rule, nil, nil)
}

// blames reports whether a rule could not be evaluated for one of some users.
func (was outcome) blames(users *roaring.Bitmap) bool {
	e, ok := errors.AsType[*membership.PatternError](was.err)
	return ok && users.Contains(e.Row)
}

// since returns the users for whom the result of a rule may be another than ahead; nil if these are
// many.
func (f *following) since(rule *membership.Rule) (*roaring.Bitmap, error) {
	var columns []int
	for _, p := range rule.Properties() {
		if p.Column >= 0 {
			columns = append(columns, p.Column)
		}
	}
	changed := roaring.New()
	for user := range f.table.Differing(f.ahead.image.Directory.UserColumns(), columns) {
		changed.Add(user)
	}
	if rule.UsesNow() {
		rows, err := rule.Between(f.ahead.at, f.at).Find(f.ctx, f.table, query.WithinLive, nil)
		if err != nil {
			return nil, err
		}
		changed.Or(rows.Bitmap())
	}
	if rule.UsesPlans() {
		users, ok := f.lic.PlansChanged(f.ahead.image.Licensing, f.ahead.at, f.at)
		if !ok {
			return nil, nil
		}
		changed.Or(users)
	}
	if changed.GetCardinality() > maxSince {
		return nil, nil
	}
	return changed, nil
}

// update evaluates a rule for the users who have changed since it was evaluated ahead.
func (f *following) update(rule *membership.Rule, was outcome, changed *roaring.Bitmap) (*roaring.Bitmap, error) {
	if was.err != nil {
		return nil, was.err
	}
	now, err := f.among(rule, changed)
	if err != nil {
		return nil, err
	}
	return roaring.Or(now, roaring.AndNot(was.users, changed)), nil
}

// isFailure reports whether a rule could not be evaluated, although it was tried (D28).
func isFailure(err error) bool {
	_, pattern := errors.AsType[*membership.PatternError](err)
	return pattern || errors.Is(err, errTooLong)
}
