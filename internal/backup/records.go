package backup

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/store"
)

// The kinds of pieces, in the order in which a stream has them: those of each tenant, the secrets,
// then what is in the stream. Numbers and fields are stored: a change needs a new format.
const (
	kindTenant   = 'T' // tenantRecord
	kindParts    = 'P' // []partRecord
	kindManifest = 'M' // manifestRecord
	kindCommits  = 'C' // []commitRecord
	kindRows     = 'R' // []rowRecord
	kindClaims   = 'L' // []string
	kindDone     = 'D' // Tenant: what the tenant was
	kindSecrets  = 'S' // []secretRecord
	kindIndex    = 'I' // []Tenant
	kindEnd      = 'E' // endRecord
)

// Tenant is a tenant in a backup.
type Tenant struct {
	_         struct{} `cbor:",toarray"`
	ID        uuid.UUID
	Seq       uint64 // of the commit that it is as of
	Chain     store.Chain
	LogFloor  uint64 // the first of its commits
	Commits   int64
	Rows      int64
	Claims    int64
	CommitSum [sha256.Size]byte // of what is in its commits and rows; see digest
	RowSum    [sha256.Size]byte
}

// tenantRecord begins a tenant.
type tenantRecord struct {
	_        struct{} `cbor:",toarray"`
	ID       uuid.UUID
	LogFloor uint64
}

type partRecord struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Data []byte
}

type manifestRecord struct {
	_     struct{} `cbor:",toarray"`
	Seq   uint64
	Head  string
	Parts []string
}

type commitRecord struct {
	_         struct{} `cbor:",toarray"`
	Seq       uint64
	At        int64 // milliseconds since 1970
	Actor     string
	Operation string
	Format    uint32
	Chain     store.Chain
	Effects   []byte
}

func recordOf(c store.Commit) commitRecord {
	if c.Effects == nil {
		c.Effects = []byte{} // nil would be null
	}
	return commitRecord{
		Seq: c.Seq, At: c.At.UnixMilli(), Actor: c.Actor, Operation: c.Operation,
		Format: c.Format, Chain: c.Chain, Effects: c.Effects,
	}
}

func (c commitRecord) commit() store.Commit {
	return store.Commit{
		Seq: c.Seq, At: time.UnixMilli(c.At).UTC(), Actor: c.Actor, Operation: c.Operation,
		Format: c.Format, Chain: c.Chain, Effects: c.Effects,
	}
}

type rowRecord struct {
	_        struct{} `cbor:",toarray"`
	Kind     store.Kind
	Ordinal  uint32
	ID       uuid.UUID
	Deleted  *int64 // seconds since 1970
	Seq      uint64
	Document []byte
}

func recordOfRow(o store.Object) rowRecord {
	r := rowRecord{Kind: o.Kind, Ordinal: o.Ordinal, ID: o.ID, Seq: o.Seq, Document: o.Document}
	if !o.Deleted.IsZero() {
		at := o.Deleted.Unix()
		r.Deleted = &at
	}
	return r
}

func (r rowRecord) object() store.Object {
	o := store.Object{Kind: r.Kind, Ordinal: r.Ordinal, ID: r.ID, Seq: r.Seq, Document: r.Document}
	if r.Deleted != nil {
		o.Deleted = time.Unix(*r.Deleted, 0).UTC()
	}
	return o
}

type secretRecord struct {
	_     struct{} `cbor:",toarray"`
	Name  string
	Value []byte
}

type endRecord struct {
	_       struct{} `cbor:",toarray"`
	At      int64    // when the backup began, in milliseconds since 1970
	Tenants int64
	Secrets int64
	Claims  []string // of the installation; see engine.Tenants
}

// decoding refuses unknown fields and lets lists be as long as pieces have them.
var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, MaxArrayElements: 1 << 24,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// decode reads the record of a piece.
func decode[T any](p *pieceReader, content []byte) (record T, err error) {
	if err := decoding.Unmarshal(content, &record); err != nil {
		return record, p.damaged(fmt.Sprintf("it cannot be read: %v", err))
	}
	return record, nil
}
