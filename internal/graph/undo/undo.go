package undo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/trail"
)

// Draft executes requests one after another, and keeps those that are not refused.
type Draft interface {
	// Base returns the image before the first request, and Image that after the last one.
	Base() *tenant.Image
	Image() *tenant.Image
	// Document returns the document of an object after the last request.
	Document(ctx context.Context, kind store.Kind, ordinal uint32) ([]byte, error)
	// Full is the reason why no more requests are tried; "": there is none.
	Full() string
	// Try executes a request. If it is refused, it has no effect.
	Try(ctx context.Context, method, url string, body []byte) (refusal string, err error)
}

// Rights say which former values the caller may see.
type Rights struct{ Users, Groups, Members bool }

// Stay is something that stays different.
type Stay struct {
	Type      string // user, group, subscription and so on
	ID        uuid.UUID
	Name      string // displayName; "": none
	Principal string // userPrincipalName of a user
	What      string // the name of the property or relation
	SKUID     uuid.UUID
	SKUName   string    // skuPartNumber
	Other     uuid.UUID // the other end of a relation; Nil: none
	Why       string
}

// Result is what stays different.
type Result struct {
	Stays []Stay // at most MaxStays
	Count int    // of all
}

// MaxStays is the maximum number of differences that are listed.
const MaxStays = 1000

// Run reverts a commit on a draft of the newest image.
func Run(ctx context.Context, c store.Commit, draft Draft, rights Rights, pace func() error) (*Result, error) {
	steps, err := stepsOf(c)
	if err != nil {
		return nil, err
	}
	u := &undoing{
		Draft: draft, ctx: ctx, pace: pace, seq: c.Seq, at: c.At, rights: rights,
		before: newBefore(c.Format), reasons: map[subject]string{}, noted: map[tenant.ObjectKey]bool{},
	}
	for i := range steps {
		if err := u.before.learn(&steps[i], draft.Base()); err != nil {
			return nil, fmt.Errorf("what was before commit %d: %w", c.Seq, err)
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if err := u.revert(&steps[i]); err != nil {
			return nil, err
		}
	}
	if err := u.compare(steps); err != nil {
		return nil, err
	}
	return &u.result, nil
}

// step is one of the commands of a commit.
type step struct {
	tenant.Decoded
	record   *tenant.Record
	recorded bool   // otherwise it is of a format without former values
	cells    []cell // the licenses of users that it changed
	marked   map[uint32]bool
}

func stepsOf(c store.Commit) ([]step, error) {
	list, err := tenant.DecodeCommit(c)
	if err != nil {
		return nil, err
	}
	steps := make([]step, len(list))
	for i, one := range list {
		record, err := one.DecodeRecord()
		if err != nil {
			return nil, err
		}
		s := step{Decoded: one, record: record, recorded: len(one.Record) > 0, marked: map[uint32]bool{}}
		if s.cells, err = cellsOf(one.Licensing, record); err != nil {
			return nil, fmt.Errorf("licenses before commit %d: %w", c.Seq, err)
		}
		for _, m := range one.Users {
			s.marked[m.Ordinal] = s.marked[m.Ordinal] || m.What != tenant.MarkWritten
		}
		steps[i] = s
	}
	return steps, nil
}

// imports reports whether the command is an import, whose record has less.
func (s *step) imports() bool { return s.Operation == "import" }

// groupEffects returns the changes of groups by licensing.
func (s *step) groupEffects() []licensing.GroupEffect {
	if s.Licensing == nil {
		return nil
	}
	return s.Licensing.Groups
}

// changed returns the record of a changed document; nil if there is none.
func (s *step) changed(of tenant.Changeable, ordinal uint32, id uuid.UUID) *tenant.Was {
	for i := range s.record.Changed {
		if w := &s.record.Changed[i]; w.Of == of && w.Ordinal == ordinal && (id == uuid.Nil || w.ID == id) {
			return w
		}
	}
	return nil
}

// undoing reverts a commit.
type undoing struct {
	Draft
	ctx     context.Context
	pace    func() error
	seq     uint64
	at      time.Time
	rights  Rights
	before  *before
	reasons map[subject]string
	noted   map[tenant.ObjectKey]bool // objects that stay different as a whole
	result  Result
}

// subject is a property of an object, or a relation to another.
type subject struct {
	of          uuid.UUID
	what        string
	sku, toward uuid.UUID
}

// because remembers why something is not brought back.
func (u *undoing) because(s subject, why string) {
	if _, known := u.reasons[s]; !known && len(u.reasons) < maxReasons {
		u.reasons[s] = why
	}
}

// maxReasons is the maximum number of reasons that are remembered. Others are those of the object
// as a whole, or unknown.
const maxReasons = 20_000

// Reasons.
const (
	whyChanged   = "It was changed again by a later commit."
	whyUnknown   = "The log does not have the former value."
	whyPurged    = "It was permanently deleted."
	whyDeleted   = "It is deleted."
	whyNoRequest = "A change set cannot change it."
	whyPrivate   = "The caller may not read the former value."
	whyRule      = "The members of the group follow from its rule."
	whyPassword  = "Passwords and the times at which they were set are not kept."
	whySession   = "Sessions that have ended cannot continue."
	whyFollows   = "It follows from the other changes."
)

// since reports whether a later commit concerns a user or a group.
func (u *undoing) since(kind trail.Kind, ordinal uint32) bool {
	base := u.Base()
	objects := []trail.Object{{Kind: kind, Ordinal: ordinal}}
	return len(base.Trail.Commits(objects, u.seq+1, base.Seq, false, 1)) > 0
}

func (u *undoing) full() bool { return u.Full() != "" }

// reason returns why something was not brought back: the reason of the relation to another object,
// of the property, or of the object.
func (u *undoing) reason(s subject, otherwise string) string {
	for _, one := range []subject{s, {s.of, s.what, s.sku, uuid.Nil}, {of: s.of, what: s.what}, {of: s.of}} {
		if why, ok := u.reasons[one]; ok {
			return why
		}
	}
	if why := u.Full(); why != "" {
		return why
	}
	return otherwise
}

// try tries a request, and remembers why it is refused.
func (u *undoing) try(s subject, method, url string, body []byte) error {
	refusal, err := u.Try(u.ctx, method, url, body)
	if refusal != "" {
		u.because(s, refusal)
	}
	return err
}
