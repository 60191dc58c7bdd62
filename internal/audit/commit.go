package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Commit has the entries of a commit.
type Commit struct {
	Seq         uint64
	At          time.Time
	Correlation uuid.UUID
	Actor       string // as in store.Commit
	Operation   string // the name of the command
	parts       []part
	length      int
}

// part is one entry, or some entries of each user of a set.
type part struct {
	heads []Head
	users *roaring.Bitmap // nil: one entry
	count int             // of users
	fixed []Target        // the targets of the entry; of users, those that all entries have, behind the user
	// of returns the targets of the entry of a user.
	of      func(user uint32, head int) []Target
	details []Detail
	failed  []Failure
}

// Failure is how many users did not get a license of a group, and why.
type Failure struct {
	Error licensing.Violation
	SKUID uuid.UUID
	Users int
	Group uint32
	Who   *roaring.Bitmap // must not be changed
}

func (p *part) len() int {
	if p.users == nil {
		return 1
	}
	return p.count * len(p.heads)
}

// Len returns the number of entries.
func (c *Commit) Len() int { return c.length }

// Entry returns an entry, by its place in the commit.
func (c *Commit) Entry(n int) Entry {
	at := n
	for i := range c.parts {
		if p := &c.parts[i]; at < p.len() {
			return c.entryOf(p, n, at)
		}
		at -= c.parts[i].len()
	}
	panic(fmt.Sprintf("commit %d has no entry %d", c.Seq, n))
}

func (c *Commit) entryOf(p *part, n, at int) Entry {
	e := Entry{Head: &p.heads[0], Commit: c, N: n, Targets: p.fixed, Details: p.details, failed: p.failed}
	if p.users != nil {
		user, err := p.users.Select(uint32(at / len(p.heads)))
		if err != nil { // there are as many as count
			panic(err)
		}
		head := at % len(p.heads)
		e.Head, e.Targets = &p.heads[head], p.of(user, head)
	}
	for _, t := range e.Targets {
		if t.Type == typeUser && t.userType != "" {
			e.Details = append(e.Details[:len(e.Details):len(e.Details)], Detail{"UserType", t.userType})
			break
		}
	}
	return e
}

// World is what the entries of a tenant are derived with: its current image, and the ids of purged
// objects, which only the log has.
type World struct {
	Image *tenant.Image
	// Purged returns the id of a user or group that was purged after a commit.
	Purged func(kind store.Kind, ordinal uint32, after uint64) (uuid.UUID, error)
	err    error
}

// Err returns the first error of Purged.
func (w *World) Err() error { return w.err }

// id returns the id of a user or group that a commit mentions.
func (w *World) id(kind store.Kind, ordinal uint32, seq uint64) uuid.UUID {
	id := w.Image.Directory.UserID(ordinal)
	if kind == store.KindGroup {
		id = w.Image.Directory.GroupID(ordinal)
	}
	if id == uuid.Nil && w.err == nil {
		id, w.err = w.Purged(kind, ordinal, seq)
	}
	return id
}

// Read returns the entries of a commit of a tenant.
func Read(commit store.Commit, w *World) (*Commit, error) {
	steps, err := tenant.DecodeCommit(commit)
	if err != nil {
		return nil, fmt.Errorf("the audit log: %w", err)
	}
	c := begun(commit)
	for _, step := range steps {
		if err := c.read(step, w); err != nil {
			return nil, fmt.Errorf("the audit log of commit %d: %w", commit.Seq, err)
		}
	}
	for i := range c.parts {
		c.length += c.parts[i].len()
	}
	return c, nil
}

// read adds the entries of one command of the commit.
func (c *Commit) read(step tenant.Decoded, w *World) error {
	record, err := step.DecodeRecord()
	if err != nil {
		return err
	}
	if len(record.Correlation) == len(c.Correlation) {
		c.Correlation = uuid.UUID(record.Correlation)
	} else { // the command was not requested by HTTP
		c.Correlation = uuid.NewSHA1(w.Image.Organization.ID, fmt.Appendf(nil, "commit %d", c.Seq))
	}
	b := &builder{
		Commit: c, operation: step.Operation, world: w, f: step.Effects, record: record, recorded: len(step.Record) > 0,
		names: map[nameKey]*tenant.Named{},
	}
	for i := range record.Named {
		named := &record.Named[i]
		b.names[nameKey{named.Kind, named.Ordinal}] = named
	}
	return b.build()
}

// begun returns a commit without its entries and correlation id.
func begun(commit store.Commit) *Commit {
	return &Commit{Seq: commit.Seq, At: commit.At, Actor: commit.Actor, Operation: commit.Operation}
}

type nameKey struct {
	kind    store.Kind
	ordinal uint32
}

// builder makes the parts of a command of a commit.
type builder struct {
	*Commit
	operation string // the name of the command
	world     *World
	f         *tenant.Effects
	record    *tenant.Record
	recorded  bool // otherwise the commit is of an earlier format, and says less
	names     map[nameKey]*tenant.Named
	caller    Initiator
	gone      map[uuid.UUID]bool // objects that the command purges
	lost      *roaring.Bitmap    // users that it deletes or purges
}

// The names of applications that act by themselves (U13).
const (
	systemName    = "Licensor"
	licensingName = "Microsoft Azure AD Group-Based Licensing"
)

var licensingActor = Initiator{Name: licensingName}

// initiator returns the caller of the command.
func (b *builder) initiator() Initiator {
	kind, id, _ := strings.Cut(b.Actor, " ")
	by, named := Initiator{}, b.record.Actor
	if named == nil {
		named = new(tenant.Named)
	}
	switch kind {
	case "user":
		by = Initiator{IsUser: true, ID: id, Name: named.Name, Principal: named.Principal, Address: b.record.Address}
	case "app":
		by = Initiator{AppID: id, Name: named.Name}
		if named.ID != uuid.Nil {
			by.ID = named.ID.String()
		}
	default:
		by = Initiator{Name: systemName}
	}
	return by
}

// add adds an entry of the caller.
func (b *builder) add(activity, category, operation string, targets ...Target) {
	b.addHead(b.head(activity, category, operation), targets)
}

// head returns the head of an entry of the caller.
func (b *builder) head(activity, category, operation string) Head {
	return Head{Activity: activity, Category: category, Operation: operation, Service: serviceDirectory, By: b.caller}
}

func (b *builder) addHead(h Head, targets []Target, more ...Detail) {
	b.parts = append(b.parts, part{heads: []Head{h}, fixed: targets, details: append(b.details(), more...)})
}

// details returns the additionalDetails of all entries (U20).
func (b *builder) details() []Detail {
	if b.record.Agent == "" {
		return nil
	}
	return []Detail{{"User-Agent", b.record.Agent}}
}
