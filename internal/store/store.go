package store

import (
	"context"
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
	// Append makes the commits and the object rows they change durable, all or none. The commits count
	// up from the place where the log ends, and carry their chains. A row replaces the one of its kind
	// and ordinal. Its error says what has come of it:
	//
	//   - ErrConflict: nothing, because the log does not end at that place.
	//   - ErrUnknown: nobody knows, because the answer was lost. Fence finds out.
	//   - Anything else, such as ErrFull, ErrUnavailable or the context's: nothing.
	//
	// Once begun it runs to its end even when ctx is done.
	Append(ctx context.Context, tenant uuid.UUID, at Place, commits []Commit, objects []Object) error
	// Place returns where a tenant's log ends.
	Place(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Fence raises the tenant's epoch and returns where its log ends. Every Append at a place of an
	// earlier epoch fails from then on, also one that is under way: what is not in the log by now will
	// never be.
	Fence(ctx context.Context, tenant uuid.UUID) (Place, error)
	// Commits hands the commits after seq to yield, in order, until it returns an error, which is then
	// returned.
	Commits(ctx context.Context, tenant uuid.UUID, after uint64, yield func(Commit) error) error
}

// Objects are the rows of each tenant's directory objects, as the log has left them.
type Objects interface {
	// Objects returns the rows a query selects, in order of their ordinals unless it has another
	// order; ErrQuery when its order makes no sense, or it names too many ordinals.
	Objects(ctx context.Context, tenant uuid.UUID, query Query) ([]Object, error)
	// Moved returns the keys that rows had in the order of a property at a commit (see Order.AsOf), of
	// those rows that have got another key since. Others may be among them, with the key that they
	// had. ErrQuery when there is no such order.
	Moved(ctx context.Context, tenant uuid.UUID, kind Kind, property string, asOf uint64) (map[uint32]string, error)
}

// Snapshots are what saves reading the log from its beginning. They are made of parts.
type Snapshots interface {
	// SaveParts makes parts durable (replacing parts with the same Name). Each part is a transaction
	// of its own, so that commits find room in between.
	SaveParts(ctx context.Context, tenant uuid.UUID, parts []Part) error
	// Parts returns the parts whose names are given, in that order; ErrNotFound when one is missing.
	Parts(ctx context.Context, tenant uuid.UUID, names []string) ([]Part, error)
	// DropParts removes all parts but those named.
	DropParts(ctx context.Context, tenant uuid.UUID, keep []string) error
}

// Secrets are the installation's own.
type Secrets interface {
	// Secret returns a named secret of the installation (such as its signing keys), made by make when
	// there is none yet. Of several callers at once, in any process, all get the same value.
	Secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error)
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
	// ChangeTicket replaces Data and Expires of the ticket with t.ID, whose Version must be t.Version
	// and becomes one more. When it is another by now the answer is ErrConflict: of several callers at
	// once exactly one has no error. When the ticket is gone, ErrNotFound.
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

// Part is a piece of a snapshot.
type Part struct {
	Name string
	Data []byte
}

// Ticket is something short-lived that the authority has given out or has seen: a code, a refresh
// token, a session, an assertion that was used. It is no part of a tenant's log.
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
	Ordinals []uint32 // when not nil: only these (at most 1,000); others are not looked at
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
// A list must not change while somebody goes through its pages. So it is in the order of a certain
// commit: a row that has got another text since keeps the place it had. With Below, which leaves
// out what came later, every row that is there all the while is on exactly one page, and no row is
// on two.
type Order struct {
	Property   string // one of Ordered
	Descending bool
	AsOf       uint64 // the commit
	Prefix     string // when not "": only rows whose folded text starts with it
	After      string // the Key of the last row of the page before; its ordinal is the query's After
}

// MaxOrdinals is how many ordinals a Query may name.
const MaxOrdinals = 1000

var (
	// ErrExists says that what was to be created is there.
	ErrExists = errors.New("already exists")
	// ErrNotFound says that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that another writer has come in between.
	ErrConflict = errors.New("another has changed it in between")
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
