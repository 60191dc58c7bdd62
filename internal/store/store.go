package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Store keeps tenants. All methods may be called from several goroutines; Append of one tenant is
// called by one at a time.
type Store interface {
	Log
	Objects
	Snapshots
	Claims
	Secrets
	Tickets
	// Ping returns nil when the store can be read and written: it does both.
	Ping(ctx context.Context) error
	Close() error
}

// Log is what has happened in each tenant.
type Log interface {
	// CreateTenant adds a tenant with no commits; ErrExists when it is there.
	CreateTenant(ctx context.Context, tenant uuid.UUID) error
	// Tenants lists the ids of all tenants, in the order of creation.
	Tenants(ctx context.Context) ([]uuid.UUID, error)
	// Append makes the commits and the object rows they change durable, all or none. The commits
	// count up from the place where the log ends, and carry their chains. A row replaces the one of
	// its kind and ordinal. Its error describes the result:
	//
	//   - ErrConflict: nothing, because the log does not end at that place.
	//   - ErrUnknown: unknown, because the response was lost. Fence finds out.
	//   - Anything else, such as ErrFull, ErrUnavailable or the context's: nothing.
	//
	// Once begun it runs to its end even when ctx is done.
	Append(ctx context.Context, tenant uuid.UUID, at Place, commits []Commit, objects []Object) error
	// Place returns where a tenant's log ends.
	Place(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Fence raises the tenant's epoch and returns where its log ends. Every Append at a place of an
	// earlier epoch fails from then on, also one that is in progress: what is not in the log by now
	// will never be.
	Fence(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Commits hands the commits after seq to yield, in order, until it returns an error, which is then
	// returned. ErrTrimmed when the first of them was trimmed.
	Commits(ctx context.Context, tenant uuid.UUID, after uint64, yield func(Commit) error) error
	// Floors returns where what has been trimmed of a tenant ends.
	Floors(ctx context.Context, tenant uuid.UUID) (Floors, error)
	// TrimLog removes commits below a sequence number, oldest first and at most TrimRows of them,
	// and returns how many; it is called until it returns 0. Together with the commits, the floor
	// moves up.
	TrimLog(ctx context.Context, tenant uuid.UUID, below uint64) (int, error)
	// TrimMoved is TrimLog for what orders as of a commit below a sequence number need.
	TrimMoved(ctx context.Context, tenant uuid.UUID, below uint64) (int, error)
}

// Objects are the rows of each tenant's directory objects, as the log has left them.
type Objects interface {
	// Objects returns the rows a query selects, in order of their ordinals unless it has another
	// order; ErrQuery when its order makes no sense, or it names too many ordinals; ErrTrimmed when
	// the order is as of a commit whose order is no longer kept.
	Objects(ctx context.Context, tenant uuid.UUID, query Query) ([]Object, error)
	// Moved returns the keys that rows had in the order of a property at a commit (see Order.AsOf), of
	// those rows that have got another key since. Others may be among them, with the key that they
	// had. ErrQuery when there is no such order, ErrTrimmed when it is no longer kept.
	Moved(ctx context.Context, tenant uuid.UUID, kind Kind, property string, asOf uint64) (map[uint32]string, error)
}

// Snapshots save reading the log from its beginning. A snapshot is a manifest, and the parts that
// it names. Parts never change: their names say what is in them, so snapshots share them. Several
// processes may take, load, and sweep snapshots of a tenant at once.
type Snapshots interface {
	// SaveParts makes parts durable, as saved at a time. A part whose name is there is not written
	// again. Each part is a transaction of its own, so that commits find room in between.
	SaveParts(ctx context.Context, tenant uuid.UUID, parts []Part, at time.Time) error
	// Parts returns the parts whose names are given, in that order; ErrNotFound when one is missing.
	Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]Part, error)
	// Manifests returns the manifests of a tenant, those of the newest commits first.
	Manifests(ctx context.Context, tenant uuid.UUID) ([]Manifest, error)
	// ReplaceManifest makes a manifest the one with its name. There must be one of m.Version, or
	// none when that is 0; otherwise the answer is ErrConflict. The new one has the next version.
	// ErrNotFound when a part that it names is missing. Parts that only the old one named count as
	// saved at the time, so who has read the old one can still load them.
	ReplaceManifest(ctx context.Context, tenant uuid.UUID, m Manifest, at time.Time) error
	// DropManifest removes the manifest with a name, if there is one; its parts are as those of a
	// manifest that was replaced.
	DropManifest(ctx context.Context, tenant uuid.UUID, name string, at time.Time) error
	// Sweep removes the parts that no manifest names and that were saved before a time, and returns
	// how many there were. Stores remove with them what else they have marked as no longer needed.
	Sweep(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error)
}

// Claims are the names that belong to one tenant at most, whichever process gives them away. A name
// is claimed before the commit that gives it to the tenant, and settled after that.
type Claims interface {
	// Claim claims names for a tenant at a time, all or none, and returns those that another tenant
	// has; when there are such, nothing was claimed. A name that the tenant has stays as it is.
	Claim(ctx context.Context, tenant uuid.UUID, names []string, at time.Time) (others []Claim, err error)
	// Settle says which names a tenant has after its commits and which it has no longer. It claims
	// those that no tenant has, and returns those that another tenant has.
	Settle(ctx context.Context, tenant uuid.UUID, has, hasNot []string) (others []Claim, err error)
	// Claimed returns the claims of names, in no order; unclaimed names are not among them.
	Claimed(ctx context.Context, names []string) ([]Claim, error)
	// ClaimsOf returns the claims of a tenant, in no order.
	ClaimsOf(ctx context.Context, tenant uuid.UUID) ([]Claim, error)
}

// Secrets are the installation's own.
type Secrets interface {
	// Secret returns a named secret of the installation (such as its signing keys), made by create
	// when there is none yet. Of several callers at once, in any process, all get the same value.
	Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error)
	// ReplaceSecret makes what change returns the value of a named secret, atomically: of several
	// callers at once, in any process, each is given what the one before has left, nil when there is
	// none. An error of change leaves all as it was.
	ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error
}

// Tickets are what the authority has given out for a while.
type Tickets interface {
	// AddTicket makes a ticket durable, with Version 0; ErrExists when there is one with its ID,
	// expired or not. Of several callers at once exactly one has no error.
	AddTicket(ctx context.Context, t Ticket) error
	// Ticket returns the ticket with an id, also one that has expired but was not dropped yet;
	// otherwise ErrNotFound.
	Ticket(ctx context.Context, id [32]byte) (Ticket, error)
	// ChangeTicket replaces Data and Expires of the ticket with t.ID, whose Version must be
	// t.Version and becomes one more. When it is another by now the answer is ErrConflict: of
	// several callers at once exactly one has no error. When the ticket no longer exists,
	// ErrNotFound.
	ChangeTicket(ctx context.Context, t Ticket) error
	// DropFamily removes the tickets of a family; there may be none.
	DropFamily(ctx context.Context, family uuid.UUID) error
	// DropTickets removes the tickets that have expired at a time, and returns how many there were.
	DropTickets(ctx context.Context, at time.Time) (int, error)
}

// Commit is one step of a tenant: effects with their place in the order, time and author.
type Commit struct {
	Seq       uint64
	At        time.Time // UTC, whole milliseconds
	Actor     string    // "app {id}", "user {id}" or "system"
	Operation string    // the name of the command
	Format    uint32    // of the effects; 1 for commits written before they had it
	Chain     Chain     // at this commit
	Effects   []byte
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

// Object is the row of a directory object: its document is JSON with the names of Graph's
// properties. A row with Purged set is removed by Append.
type Object struct {
	Kind     Kind
	Ordinal  uint32 // dense, unique in its kind and tenant
	ID       uuid.UUID
	Deleted  time.Time // zero unless soft-deleted; UTC, whole seconds
	Document []byte
	Seq      uint64 // the commit that wrote the row; 0 for rows written before they had it
	Purged   bool
	Key      string // in an answer in the order of a property: what it is ordered by (see Order); otherwise empty
}

// Floors say what is left of a tenant's history.
type Floors struct {
	Log   uint64 // commits below it were trimmed; 0 or 1 when none were
	Moved uint64 // the rows in an order as of a commit below it can no longer be had
}

// TrimRows is how many rows one call trims at most.
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

// Manifest says which parts a snapshot consists of.
type Manifest struct {
	Name    string // of the manifest; a tenant may have several
	Version uint64 // how often it was replaced; the first has 1
	Seq     uint64 // the commit of which the snapshot is; 0 when that is not known
	Head    string // the part that says what the others are
	Parts   []string
}

// Claim is a name that a tenant has, or is about to have.
type Claim struct {
	Name   string // at most 300 bytes of valid UTF-8 without U+0000
	Tenant uuid.UUID
	At     time.Time // when it was claimed (UTC, whole milliseconds); zero once it is settled
}

// Ticket is something short-lived that the authority has given out or has seen: a code, a refresh
// token, a session, an assertion that was used. It is not part of a tenant's log.
type Ticket struct {
	ID      [32]byte // SHA-256 of the secret its holder has, so that who reads the store cannot use it
	Tenant  uuid.UUID
	Family  uuid.UUID // those that end together
	Expires time.Time // UTC, whole seconds
	Version uint32    // how often it was changed
	Data    []byte
}

// Query selects object rows of one kind, ordered by ordinal unless Order says otherwise.
type Query struct {
	Kind     Kind
	Ordinals []uint32 // when not nil: only these (at most MaxOrdinals); others are ignored
	Deleted  bool     // soft-deleted rows only; otherwise live ones only. Ignored with Ordinals and Order.
	Below    uint32   // when not 0: only rows with an ordinal less than this
	// When nil, by ordinal. Otherwise just Ordinal and Key are returned, of live and deleted rows;
	// Ordinals is ignored.
	Order *Order
	After int64 // rows with an ordinal greater than this, with Order those behind that row; -1 for the first page
	Limit int   // 0: no limit
	Bytes int   // when not 0: no more rows once their documents have so many bytes together. Ignored with Order.
}

// Ordered are the properties that rows can be ordered by.
var Ordered = []string{"userPrincipalName", "displayName", "mail", "createdDateTime"}

// Order is the order of a property's texts, folded (see fold.Text), by code point. Rows with the
// same text are in the order of their ordinals, those without a text come first; descending, all
// this is the other way round.
//
// A list must not change while its pages are read. So it is in the order of a certain commit: a row
// that has got another text since keeps the place it had. With Below, which leaves out what came
// later, every row that is there all the while is on exactly one page, and no row is on two.
type Order struct {
	Property   string // one of Ordered
	Descending bool
	AsOf       uint64 // the commit
	Prefix     string // when not "": only rows whose folded text starts with it
	After      string // the Key of the last row of the page before; its ordinal is the query's After
}

// MaxOrdinals is how many ordinals a Query may name.
const MaxOrdinals = 1 << 16

var (
	// ErrExists means that the object to create exists already.
	ErrExists = errors.New("already exists")
	// ErrNotFound says that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that another writer has come in between.
	ErrConflict = errors.New("another has changed it in between")
	// ErrTrimmed says that what was asked for is no longer kept.
	ErrTrimmed = errors.New("no longer kept")
	// ErrUnknown says that the answer to a change was lost: it may have been made, and may still be.
	ErrUnknown = errors.New("it is not known whether the change was made")
	// ErrQuery says that a query cannot be answered; the text says why.
	ErrQuery = errors.New("unusable query")
	// ErrFull says that there is no room left. Nothing was written; the store works on when there is
	// room again.
	ErrFull = errors.New("no room left on the disk")
	// ErrDamaged says that what is stored is not what was written.
	ErrDamaged = errors.New("the store is damaged")
	// ErrUnavailable says that the store cannot be read or written now.
	ErrUnavailable = errors.New("the store is unavailable")
)
