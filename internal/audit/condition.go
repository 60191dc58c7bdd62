package audit

import (
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/tenant"
	"licensor/internal/trail"
)

// Condition is a condition on entries (U3). It is evaluated with three values, for as much of an
// entry as is known: for a commit before its effects are decoded, for a part of it, for an entry.
type Condition struct {
	kind  kind
	kids  []*Condition
	field Field
	op    Op
	text  string // folded
	time  time.Time
}

type kind uint8

const (
	kindAll kind = iota // of the kids
	kindOne
	kindText
	kindTime
)

// Field is what a condition compares.
type Field uint8

// The fields.
const (
	FieldID Field = iota
	FieldActivity
	FieldCategory
	FieldCorrelation
	FieldService
	FieldOperation
	FieldResult
	FieldUserID
	FieldUserName
	FieldUserPrincipalName
	FieldAppID
	FieldAppName
	FieldTargetID
	FieldTargetName
	FieldTargetPrincipalName
)

// Op is how a condition compares.
type Op uint8

// The ways to compare; the last four are of times.
const (
	OpEqual Op = iota
	OpStart
	OpLess
	OpLessOrEqual
	OpGreater
	OpGreaterOrEqual
)

// All is a condition that is fulfilled if all of its parts are; without parts it always is.
func All(parts ...*Condition) *Condition { return &Condition{kind: kindAll, kids: parts} }

// One is a condition that is fulfilled if one of its parts is.
func One(parts ...*Condition) *Condition { return &Condition{kind: kindOne, kids: parts} }

// Text compares a field with a text, without regard to letter case.
func Text(field Field, op Op, text string) *Condition {
	return &Condition{kind: kindText, field: field, op: op, text: fold.Text(text)}
}

// Time compares the time of entries.
func Time(op Op, t time.Time) *Condition { return &Condition{kind: kindTime, op: op, time: t} }

// answer is one of three values.
type answer uint8

const (
	no answer = iota
	maybe
	yes
)

// known is as much of an entry as is known.
type known struct {
	commit  *Commit
	head    *Head  // nil: not known
	entry   *Entry // nil: not known
	fixed   []Target
	another bool // the target that is not known has no id that the condition names
}

// of evaluates the condition.
func (c *Condition) of(k *known) answer {
	switch c.kind {
	case kindAll:
		result := yes
		for _, kid := range c.kids {
			result = min(result, kid.of(k))
		}
		return result
	case kindOne:
		result := no
		for _, kid := range c.kids {
			result = max(result, kid.of(k))
		}
		return result
	case kindTime:
		return truth(c.holdsAt(k.commit.At))
	}
	if c.field >= FieldTargetID {
		return c.ofTargets(k)
	}
	return c.ofText(k)
}

func truth(is bool) answer {
	if is {
		return yes
	}
	return no
}

func (c *Condition) holdsAt(at time.Time) bool {
	switch order := at.Compare(c.time); c.op {
	case OpLess:
		return order < 0
	case OpLessOrEqual:
		return order <= 0
	case OpGreater:
		return order > 0
	case OpGreaterOrEqual:
		return order >= 0
	}
	return at.Equal(c.time)
}

// matches compares a text; "" is null, which nothing equals.
func (c *Condition) matches(text string) bool {
	if text == "" {
		return false
	}
	if c.op == OpStart {
		return strings.HasPrefix(fold.Text(text), c.text)
	}
	return fold.Text(text) == c.text
}

func (c *Condition) ofText(k *known) answer {
	switch c.field {
	case FieldCorrelation:
		if k.head == nil {
			return maybe // the record has it
		}
		return truth(c.matches(k.commit.Correlation.String()))
	case FieldResult:
		return truth(c.matches(resultSuccess))
	case FieldID:
		if k.entry == nil {
			_, seq, _, ok := ParseID(c.text)
			return min(maybe, truth(ok && seq == k.commit.Seq))
		}
		return truth(c.matches(k.entry.ID()))
	}
	if k.head == nil {
		return c.ofActor(k.commit.Actor)
	}
	return truth(c.matches(c.textOf(k.head)))
}

const resultSuccess = "success" // (U18)

// ofActor evaluates a condition on the initiator by the actor of a commit.
func (c *Condition) ofActor(actor string) answer {
	kind, id, _ := strings.Cut(actor, " ")
	switch c.field {
	case FieldUserID:
		return min(maybe, truth(kind == "user" && c.matches(id)))
	case FieldUserName, FieldUserPrincipalName:
		return min(maybe, truth(kind == "user"))
	case FieldAppID:
		return min(maybe, truth(kind == "app" && c.matches(id)))
	}
	return maybe
}

func (c *Condition) textOf(h *Head) string {
	switch c.field {
	case FieldActivity:
		return h.Activity
	case FieldCategory:
		return h.Category
	case FieldService:
		return h.Service
	case FieldOperation:
		return h.Operation
	}
	switch by := &h.By; {
	case c.field == FieldUserID && by.IsUser:
		return by.ID
	case c.field == FieldUserName && by.IsUser, c.field == FieldAppName && !by.IsUser:
		return by.Name
	case c.field == FieldUserPrincipalName && by.IsUser:
		return by.Principal
	case c.field == FieldAppID && !by.IsUser:
		return by.AppID
	}
	return ""
}

// ofTargets evaluates a condition that one of the targets fulfills.
func (c *Condition) ofTargets(k *known) answer {
	targets := k.fixed
	if k.entry != nil {
		targets = k.entry.Targets
	}
	for i := range targets {
		text := targets[i].ID
		switch c.field {
		case FieldTargetName:
			text = targets[i].Name
		case FieldTargetPrincipalName:
			text = targets[i].Principal
		}
		if c.matches(text) {
			return yes
		}
	}
	if k.entry != nil || k.another && c.field == FieldTargetID {
		return no
	}
	return maybe
}

// bounds returns the earliest and the latest time that entries which fulfill the condition can
// have; the zero time if there is none.
func (c *Condition) bounds() (since, until time.Time) {
	switch {
	case c.kind == kindTime && (c.op == OpGreater || c.op == OpGreaterOrEqual):
		return c.time, time.Time{}
	case c.kind == kindTime && (c.op == OpLess || c.op == OpLessOrEqual):
		return time.Time{}, c.time
	case c.kind == kindTime:
		return c.time, c.time
	case c.kind == kindAll:
		for _, kid := range c.kids {
			from, to := kid.bounds()
			if from.After(since) {
				since = from
			}
			if until.IsZero() || !to.IsZero() && to.Before(until) {
				until = to
			}
		}
	}
	return since, until
}

// targetIDs appends the ids of targets that the condition names.
func (c *Condition) targetIDs(ids []uuid.UUID) []uuid.UUID {
	if c.kind == kindText && c.field == FieldTargetID {
		if id, err := uuid.Parse(c.text); err == nil {
			ids = append(ids, id)
		}
	}
	for _, kid := range c.kids {
		ids = kid.targetIDs(ids)
	}
	return ids
}

// concerned returns objects of which each entry that fulfills the condition has one as a target;
// false if the condition does not say that, or if an object is not found: it may be one that was
// purged.
func (c *Condition) concerned(img *tenant.Image) (objects []trail.Object, ok bool) {
	switch {
	case c.kind == kindText && c.field == FieldTargetID && c.op == OpEqual:
		id, err := uuid.Parse(c.text)
		if err != nil {
			return nil, false
		}
		object, ok := img.Concerning(id)
		return []trail.Object{object}, ok
	case c.kind == kindAll:
		for _, kid := range c.kids {
			if objects, ok := kid.concerned(img); ok {
				return objects, true
			}
		}
	case c.kind == kindOne:
		for _, kid := range c.kids {
			more, ok := kid.concerned(img)
			if !ok {
				return nil, false
			}
			objects = append(objects, more...)
		}
		return objects, true
	}
	return nil, false
}

// matching yields the places of the entries of a commit, from one on, that fulfill a condition.
// named are the users whose ids the condition names; nil if there may be others.
func (c *Commit) matching(condition *Condition, from int, named *roaring.Bitmap, yield func(Entry) bool) {
	first := 0
	for i := range c.parts {
		p := &c.parts[i]
		next := first + p.len()
		if next > from && !c.matchingOf(p, condition, first, max(from, first), named, yield) {
			return
		}
		first = next
	}
}

// matchingOf is matching for a part, whose first entry has a place.
func (c *Commit) matchingOf(
	p *part, condition *Condition, first, from int, named *roaring.Bitmap, yield func(Entry) bool,
) bool {
	answers := make([]answer, len(p.heads))
	const none, few, all = 0, 1, 2
	among := none
	for i := range p.heads {
		k := known{commit: c, head: &p.heads[i], fixed: p.fixed}
		if answers[i] = condition.of(&k); answers[i] == no {
			continue
		}
		k.another = true
		if p.users == nil || named == nil || answers[i] == yes || condition.of(&k) != no {
			among = all
		} else {
			among = max(among, few)
		}
	}
	switch {
	case among == none:
		return true
	case among == few:
		return c.ofNamed(p, condition, first, from, answers, named, yield)
	}
	for n := from; n < first+p.len(); n++ {
		if !c.test(p, condition, n, first, answers, yield) {
			return false
		}
	}
	return true
}

// ofNamed is matchingOf for some users only.
func (c *Commit) ofNamed(
	p *part, condition *Condition, first, from int, answers []answer, named *roaring.Bitmap, yield func(Entry) bool,
) bool {
	for user := range roaring.Values(roaring.And(p.users, named)) {
		place := first + (int(p.users.Rank(user))-1)*len(p.heads)
		for n := max(from, place); n < place+len(p.heads); n++ {
			if !c.test(p, condition, n, first, answers, yield) {
				return false
			}
		}
	}
	return true
}

func (c *Commit) test(p *part, condition *Condition, n, first int, answers []answer, yield func(Entry) bool) bool {
	is := answers[(n-first)%len(answers)]
	if is == no {
		return true
	}
	e := c.entryOf(p, n, n-first)
	if is == maybe && condition.of(&known{commit: c, head: e.Head, entry: &e}) != yes {
		return true
	}
	return yield(e)
}

// namedUsers returns the users of the ids that the condition names; nil if one of them is not
// found: it may be a user who was purged.
func namedUsers(condition *Condition, img *tenant.Image) *roaring.Bitmap {
	named := roaring.New()
	for _, id := range condition.targetIDs(nil) {
		if user, ok := img.Directory.UserByID(id); ok {
			named.Add(user)
		} else if _, ok := img.Directory.GroupByID(id); !ok {
			return nil
		}
	}
	return named
}
