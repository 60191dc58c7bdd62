package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Store keeps tenants. All methods are safe for concurrent use. A process calls Append for one
// tenant from one goroutine at a time.
type Store interface {
	Log
	Objects
	Snapshots
	Moves
	Rewinds
	Claims
	Secrets
	Tickets
	SignIns
	// Ping returns nil if the store can be read and written: it does both.
	Ping(ctx context.Context) error
	Close() error
}

// Log is the history of each tenant.
type Log interface {
	// CreateTenant adds a tenant without commits. It returns ErrExists if there is one.
	CreateTenant(ctx context.Context, tenant uuid.UUID) error
	// Tenants lists the ids of all tenants, in the order of creation.
	Tenants(ctx context.Context) ([]uuid.UUID, error)
	// Append makes commits and the object rows they change durable, all or none. The commits must
	// count up from the place where the log ends, and have their chains. A row replaces the one
	// with its kind and ordinal. The error describes the result:
	//
	//   - ErrConflict: nothing was written, because the log does not end at that place.
	//   - ErrFrozen: nothing was written, because of Freeze.
	//   - ErrUnknown: unknown, because the response was lost. Fence finds out.
	//   - Any other, such as ErrFull, ErrUnavailable or the context's: nothing was written.
	//
	// Once begun, it completes even if ctx ends.
	Append(ctx context.Context, tenant uuid.UUID, at Place, commits []Commit, objects []Object) error
	// Place returns where a tenant's log ends.
	Place(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Fence raises the tenant's epoch and returns where its log ends. From then on, each Append at
	// a place with an earlier epoch fails, including one in progress: what is not in the log now
	// will never be.
	Fence(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Commits calls yield with the commits after seq, in order. If yield returns an error, it stops
	// and returns that error. It returns ErrTrimmed if the first of them was trimmed.
	Commits(ctx context.Context, tenant uuid.UUID, after uint64, yield func(Commit) error) error
	// CommitsAt returns the commits with some numbers, which ascend or descend, in that order, and
	// no more once their effects have so many bytes in total. It omits commits that do not exist or
	// were trimmed. It returns ErrQuery for more than MaxCommitsAt numbers.
	CommitsAt(ctx context.Context, tenant uuid.UUID, seqs []uint64, most int) ([]Commit, error)
	// Floors returns up to where a tenant's history was trimmed.
	Floors(ctx context.Context, tenant uuid.UUID) (Floors, error)
	// TrimLog removes commits with sequence numbers less than below, the oldest first and at most
	// TrimRows of them. It returns how many it removed; callers repeat it until it returns 0. The
	// floor moves up in the same transaction.
	TrimLog(ctx context.Context, tenant uuid.UUID, below uint64) (int, error)
	// TrimMoved is TrimLog for the rows that orders as of commits before below need.
	TrimMoved(ctx context.Context, tenant uuid.UUID, below uint64) (int, error)
}

// Objects are the rows of each tenant's directory objects, as of the end of the log.
type Objects interface {
	// Objects returns the rows that a query selects, ordered by ordinal unless it has another
	// order. It returns ErrQuery if the order is unknown or the query names too many ordinals, and
	// ErrTrimmed if the order is as of a commit whose order is no longer kept.
	Objects(ctx context.Context, tenant uuid.UUID, query Query) ([]Object, error)
	// Moved returns the keys that rows had in the order of a property at a commit (see Order.AsOf),
	// for the rows whose keys have changed since. The result may include other rows, with the key
	// they had. It returns ErrQuery if there is no such order, and ErrTrimmed if it is no longer
	// kept.
	Moved(ctx context.Context, tenant uuid.UUID, kind Kind, property string, asOf uint64) (map[uint32]string, error)
}

// Snapshots make it unnecessary to read the log from its beginning. A snapshot is a manifest and
// the parts that it names. Parts are named by their content and never change, so snapshots share
// them. Several processes may take, load, and sweep snapshots of a tenant at once.
type Snapshots interface {
	// SaveParts makes parts durable, as saved at a time. A part that exists is not written again.
	// Each part is a transaction of its own, so that commits can be made in between.
	SaveParts(ctx context.Context, tenant uuid.UUID, parts []Part, at time.Time) error
	// Parts returns the parts with the names, in that order; ErrNotFound if one does not exist.
	Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]Part, error)
	// Manifests returns the manifests of a tenant, newest commit first.
	Manifests(ctx context.Context, tenant uuid.UUID) ([]Manifest, error)
	// ReplaceManifest replaces the manifest with the name of m. It returns ErrConflict unless that
	// manifest has m.Version, or does not exist if m.Version is 0. The new one has the next
	// version. It returns ErrNotFound if a part that it names does not exist. Parts that only the
	// old manifest named count as saved at the given time, so callers that have read the old one
	// can still load them.
	ReplaceManifest(ctx context.Context, tenant uuid.UUID, m Manifest, at time.Time) error
	// DropManifest removes the manifest with a name, if it exists. Its parts are treated as those
	// of a manifest that was replaced.
	DropManifest(ctx context.Context, tenant uuid.UUID, name string, at time.Time) error
	// Sweep removes the parts that no manifest names and that were saved before a time. It returns
	// how many it removed. Stores also remove other rows that they have marked as no longer needed.
	Sweep(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error)
}

// Claims are the names that at most one tenant has, whichever process claims them. A name is
// claimed before the commit that gives it to the tenant, and settled after it.
type Claims interface {
	// Claim claims names for a tenant at a time, all or none. It returns those that other tenants
	// have; if there are any, nothing was claimed. A name that the tenant already has stays as it
	// is.
	Claim(ctx context.Context, tenant uuid.UUID, names []string, at time.Time) (others []Claim, err error)
	// Settle records which names a tenant has after its commits, and which it no longer has. It
	// claims those that no tenant has, and returns those that other tenants have.
	Settle(ctx context.Context, tenant uuid.UUID, has, hasNot []string) (others []Claim, err error)
	// Claimed returns the claims of names, in no particular order; unclaimed names are omitted.
	Claimed(ctx context.Context, names []string) ([]Claim, error)
	// ClaimsOf returns the claims of a tenant, in no particular order.
	ClaimsOf(ctx context.Context, tenant uuid.UUID) ([]Claim, error)
}

// Secrets are the secrets of the installation.
type Secrets interface {
	// Secret returns a named secret, such as the signing keys. If there is none, it is made by
	// create. Concurrent callers, in any process, get the same value.
	Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)
	// ReplaceSecret replaces the value of a named secret by what change returns, atomically: change
	// gets the current value, nil if there is none, whichever processes call it at once. If change
	// returns an error, nothing changes.
	ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
	// SecretNames returns the names of all secrets, in order.
	SecretNames(ctx context.Context) ([]string, error)
}

// Tickets are the short-lived records of the authority.
type Tickets interface {
	// AddTicket makes a ticket durable, with Version 0. It returns ErrExists if there is one with
	// its ID, expired or not. Of several concurrent callers exactly one succeeds.
	AddTicket(ctx context.Context, t Ticket) error
	// Ticket returns the ticket with an id, including one that has expired and was not dropped yet;
	// otherwise ErrNotFound.
	Ticket(ctx context.Context, id [32]byte) (Ticket, error)
	// ChangeTicket replaces Data and Expires of the ticket with t.ID. It returns ErrConflict unless
	// the stored Version is t.Version, which it increments, so of several concurrent callers
	// exactly one succeeds. It returns ErrNotFound if the ticket does not exist.
	ChangeTicket(ctx context.Context, t Ticket) error
	// DropFamily removes the tickets of a family. There may be none.
	DropFamily(ctx context.Context, family uuid.UUID) error
	// DropTickets removes the tickets that have expired at a time, and returns how many it removed.
	DropTickets(ctx context.Context, at time.Time) (int, error)
}

// Commit is one step of a tenant: effects, their position in the log, time and author.
type Commit struct {
	Seq       uint64
	At        time.Time // UTC, whole milliseconds
	Actor     string    // "app {id}", "user {id}" or "system"
	Operation string    // the name of the command
	Format    uint32    // of the effects; 1 for commits that were written before there were formats
	Chain     Chain     // at this commit
	Effects   []byte
}

// MaxCommitsAt is the maximum number of commits that CommitsAt returns.
const MaxCommitsAt = 256

// CheckCommitsAt returns ErrQuery for more numbers than CommitsAt allows.
func CheckCommitsAt(seqs []uint64) error {
	if len(seqs) > MaxCommitsAt {
		return fmt.Errorf("%w: %d commits, and at most %d are possible", ErrQuery, len(seqs), MaxCommitsAt)
	}
	return nil
}

// Kind is the kind of an object row.
type Kind uint8

// The kinds. Numbers are stored; never renumber.
const (
	KindUser  Kind = 1
	KindGroup Kind = 2
	// KindPassword is a user's password, as a hash; its ordinal and id are the user's.
	KindPassword         Kind = 3
	KindApplication      Kind = 4
	KindServicePrincipal Kind = 5
	// KindAdministrativeUnit is a unit without its members, which only commits and snapshots have.
	KindAdministrativeUnit Kind = 6
)

// Object is the row of a directory object. Its document is JSON with Graph's property names. Append
// removes a row that has Purged set.
type Object struct {
	Kind     Kind
	Ordinal  uint32 // dense and unique per kind and tenant
	ID       uuid.UUID
	Deleted  time.Time // zero unless soft-deleted; UTC, whole seconds
	Document []byte
	Seq      uint64 // the commit that wrote the row; 0 for rows written before this was recorded
	Purged   bool
	// Key is what the row is ordered by (see Order), in results of a query that has an Order.
	Key string
}

// Floors tell which part of a tenant's history was trimmed.
type Floors struct {
	Log   uint64 // commits before it were trimmed; 0 or 1 if none were
	Moved uint64 // orders as of commits before it are no longer available
}

// TrimRows is the maximum number of rows that one call trims.
const TrimRows = 5000

// Part is a piece of a snapshot.
type Part struct {
	Name string
	Data []byte
}

// NewPart returns a part that is named by its kind and its content.
func NewPart(kind string, data []byte) Part {
	sum := sha256.Sum256(data)
	return Part{kind + "-" + hex.EncodeToString(sum[:16]), data}
}

// FormatSecret is the name under which Secrets have the format in which commits of a database are
// written. It belongs to the database, so it is not moved with tenants.
const FormatSecret = "commit-format"

// NewestManifest is the name of the manifest of a tenant's last snapshot.
const NewestManifest = "newest"

// Manifest names the parts of a snapshot.
type Manifest struct {
	Name    string // of the manifest; a tenant may have several
	Version uint64 // how often it was replaced; the first has 1
	Seq     uint64 // the commit that the snapshot was taken at; 0 if unknown
	Head    string // the part that describes the others
	Parts   []string
}

// Claim is a name that a tenant has, or is about to have.
type Claim struct {
	Name   string // at most 300 bytes of valid UTF-8 without U+0000
	Tenant uuid.UUID
	At     time.Time // when it was claimed (UTC, whole milliseconds); zero once it is settled
}

// Ticket is a short-lived record of something that the authority has issued or seen: a code, a
// refresh token, a session, an assertion that was used. It is not part of a tenant's log.
type Ticket struct {
	ID      [32]byte // SHA-256 of the secret that its holder has, so that reading the store does not reveal it
	Tenant  uuid.UUID
	Family  uuid.UUID // tickets that are dropped together
	Expires time.Time // UTC, whole seconds
	Version uint32    // how often the ticket was changed
	Data    []byte
}

// Query selects object rows of one kind, ordered by ordinal unless Order says otherwise.
type Query struct {
	Kind     Kind
	Ordinals []uint32 // if not nil, only these, at most MaxOrdinals; unknown ones are ignored
	Deleted  bool     // only soft-deleted rows; otherwise only live ones. Ignored with Ordinals and Order.
	Below    uint32   // if not 0, only rows with an ordinal less than this
	// nil orders by ordinal. Otherwise the rows have only Ordinal and Key, of live and deleted
	// rows, and Ordinals is ignored.
	Order *Order
	After int64 // only rows with a greater ordinal, or with Order those after that row; -1 for the first page
	Limit int   // 0: no limit
	Bytes int   // if not 0, no more rows once their documents have so many bytes in total. Ignored with Order.
}

// Ordered are the properties that rows can be ordered by.
var Ordered = []string{"userPrincipalName", "displayName", "mail", "createdDateTime"}

// Order orders rows by the texts of a property, folded (see fold.Text), by code point. Rows with
// the same text are ordered by ordinal; rows without a text come first. Descending reverses all of
// this.
//
// A list must not change while its pages are read, so the order is as of one commit: a row whose
// text has changed since keeps its place. With Below, which omits rows that were added later, each
// row that exists all the time is on exactly one page, and no row is on two.
type Order struct {
	Property   string // one of Ordered
	Descending bool
	AsOf       uint64 // the commit
	Prefix     string // when not "": only rows whose folded text starts with it
	After      string // the Key of the last row of the previous page; the row's ordinal is the query's After
}

// MaxOrdinals is the maximum number of ordinals in a Query.
const MaxOrdinals = 1 << 16

var (
	// ErrExists means that the object to create already exists.
	ErrExists = errors.New("already exists")
	// ErrNotFound means that the requested object does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that another writer has changed it meanwhile.
	ErrConflict = errors.New("modified concurrently")
	// ErrFrozen means that a tenant accepts no commits now; the text says why.
	ErrFrozen = errors.New("the tenant is frozen")
	// ErrTrimmed means that the requested part of the history is no longer kept.
	ErrTrimmed = errors.New("no longer kept")
	// ErrUnknown means that the response to a change was lost: it may have been made, or may still
	// be.
	ErrUnknown = errors.New("it is not known whether the change was made")
	// ErrQuery means that a query is invalid; the text says why.
	ErrQuery = errors.New("unusable query")
	// ErrFull means that there is no room left. Nothing was written. The store continues when there
	// is room again.
	ErrFull = errors.New("no room left on the disk")
	// ErrDamaged means that the stored data is not what was written.
	ErrDamaged = errors.New("the store is damaged")
	// ErrUnavailable means that the store cannot be read or written now.
	ErrUnavailable = errors.New("the store is unavailable")
)
