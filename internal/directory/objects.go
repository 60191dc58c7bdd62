package directory

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/compressed"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/licensing/vector"
)

// Objects are all objects of a kind with so few objects that whole documents fit in memory:
// applications, service principals, or administrative units. Each has an ordinal, in order of
// creation, which is not reused. Deleted objects are kept until they are purged, and found by their
// ids only. Objects are immutable, so they are safe for concurrent use. The cost of finding one,
// and of changing one in a Draft, does not depend on their number.
type Objects[T any] struct {
	kind    *objectKind[T]
	list    vector.Vector[*T] // by ordinal; nil: purged
	ids     *lookup
	appIDs  *lookup
	names   *lookup
	columns *column.Table // a row for each ordinal

	copying sync.Mutex // see Index
}

// objectKind is the description of a kind that Objects need.
type objectKind[T any] struct {
	name     string
	schema   *column.Schema
	parse    func(document []byte) (*T, error)
	document func(*T) []byte
	ids      func(*T) (id, appID uuid.UUID) // the appId is zero in kinds without one
	names    func(*T) []string              // other texts that it is found by
	deleted  func(*T) time.Time             // zero if it is not deleted
}

// NewApplications returns an empty list of applications. Their names are their identifierUris.
func NewApplications() *Objects[Application] {
	return newObjects(&objectKind[Application]{
		"application", ApplicationSchema(), ParseApplication, (*Application).Document,
		func(a *Application) (uuid.UUID, uuid.UUID) { return a.ID, a.AppID }, (*Application).IdentifierURIs,
		func(a *Application) time.Time { return a.DeletedDateTime },
	})
}

// NewPrincipals returns an empty list of service principals.
func NewPrincipals() *Objects[ServicePrincipal] {
	return newObjects(&objectKind[ServicePrincipal]{
		"service principal", PrincipalSchema(), ParsePrincipal, (*ServicePrincipal).Document,
		func(p *ServicePrincipal) (uuid.UUID, uuid.UUID) { return p.ID, p.AppID },
		func(*ServicePrincipal) []string { return nil },
		func(p *ServicePrincipal) time.Time { return p.DeletedDateTime },
	})
}

// NewUnits returns an empty list of administrative units.
func NewUnits() *Objects[AdministrativeUnit] {
	return newObjects(&objectKind[AdministrativeUnit]{
		"administrative unit", UnitSchema(), ParseUnit, (*AdministrativeUnit).Document,
		func(u *AdministrativeUnit) (uuid.UUID, uuid.UUID) { return u.ID, uuid.Nil },
		func(*AdministrativeUnit) []string { return nil },
		func(u *AdministrativeUnit) time.Time { return u.DeletedDateTime },
	})
}

func newObjects[T any](kind *objectKind[T]) *Objects[T] {
	return &Objects[T]{
		kind:    kind,
		ids:     new(lookup),
		appIDs:  new(lookup),
		names:   new(lookup),
		columns: column.NewTable(kind.schema),
	}
}

// Len returns how many ordinals are in use, including those of purged objects.
func (o *Objects[T]) Len() uint32 { return uint32(o.list.Len()) }

// At returns an object, including deleted ones; nil if it was purged or does not exist. The object
// must not be changed.
func (o *Objects[T]) At(ordinal uint32) *T {
	if ordinal >= o.Len() {
		return nil
	}
	return o.list.At(int(ordinal))
}

// All returns the objects that are not deleted, in order.
func (o *Objects[T]) All() iter.Seq2[uint32, *T] { return o.all(live) }

// Deleted returns the objects that are deleted and not purged, in order.
func (o *Objects[T]) Deleted() iter.Seq2[uint32, *T] { return o.all(deleted) }

func (o *Objects[T]) all(in state) iter.Seq2[uint32, *T] {
	return func(yield func(uint32, *T) bool) {
		for ordinal, object := range o.list.All() {
			if o.state(uint32(ordinal)) == in && !yield(uint32(ordinal), object) {
				return
			}
		}
	}
}

func (o *Objects[T]) state(ordinal uint32) state {
	switch object := o.At(ordinal); {
	case object == nil:
		return purged
	case !o.kind.deleted(object).IsZero():
		return deleted
	}
	return live
}

// ID returns uuid.Nil for a purged object.
func (o *Objects[T]) ID(ordinal uint32) (id uuid.UUID) {
	if object := o.At(ordinal); object != nil {
		id, _ = o.kind.ids(object)
	}
	return id
}

// IsDeleted reports whether an object is deleted and not purged.
func (o *Objects[T]) IsDeleted(ordinal uint32) bool { return o.state(ordinal) == deleted }

// IsPurged reports whether an object was purged or never existed.
func (o *Objects[T]) IsPurged(ordinal uint32) bool { return o.state(ordinal) == purged }

// ByID finds an object that is not deleted by its object id.
func (o *Objects[T]) ByID(id uuid.UUID) (ordinal uint32, ok bool) {
	ordinal, ok = o.EverByID(id)
	return ordinal, ok && o.state(ordinal) == live
}

// EverByID is ByID including deleted objects.
func (o *Objects[T]) EverByID(id uuid.UUID) (ordinal uint32, ok bool) {
	return o.ids.find(idPrefix(id), func(ordinal uint32) bool {
		has, _ := o.kind.ids(o.list.At(int(ordinal)))
		return has == id
	})
}

// ByAppID finds an object that is not deleted by its appId.
func (o *Objects[T]) ByAppID(appID uuid.UUID) (ordinal uint32, ok bool) {
	return o.appIDs.find(idPrefix(appID), func(ordinal uint32) bool {
		_, has := o.kind.ids(o.list.At(int(ordinal)))
		return has == appID && o.state(ordinal) == live
	})
}

// EveryByAppID returns the ordinals of all objects with an appId, ascending: at most one of them is
// not deleted.
func (o *Objects[T]) EveryByAppID(appID uuid.UUID) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		o.appIDs.candidates(idPrefix(appID), func(ordinal uint32) bool {
			_, has := o.kind.ids(o.list.At(int(ordinal)))
			return has != appID || yield(ordinal)
		})
	}
}

// Named returns the ordinals of the objects with a name, in any letter case, that are not deleted,
// ascending.
func (o *Objects[T]) Named(name string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		o.names.candidates(KeyOf(name).prefix(), func(ordinal uint32) bool {
			alike := func(other string) bool { return fold.Equal(other, name) }
			return !slices.ContainsFunc(o.kind.names(o.list.At(int(ordinal))), alike) || yield(ordinal)
		})
	}
}

// Columns returns the table of the objects: a row for each ordinal.
func (o *Objects[T]) Columns() *column.Table { return o.columns }

// DeletedSince returns when an object was deleted; zero if it was not.
func (o *Objects[T]) DeletedSince(object *T) time.Time { return o.kind.deleted(object) }

// Parse parses a document of this kind.
func (o *Objects[T]) Parse(document []byte) (*T, error) { return o.kind.parse(document) }

// Document returns the stored form of an object of this kind.
func (o *Objects[T]) Document(object *T) []byte { return o.kind.document(object) }

// Draft begins a change. Several goroutines may make drafts of the same objects.
func (o *Objects[T]) Draft() *ObjectsDraft[T] {
	o.copying.Lock()
	defer o.copying.Unlock()
	return &ObjectsDraft[T]{
		next: Objects[T]{
			kind: o.kind, list: o.list, ids: o.ids.copy(), appIDs: o.appIDs.copy(), names: o.names.copy(),
		},
		owner:   new(vector.Owner),
		columns: o.columns.Draft(),
	}
}

// ObjectsDraft is a change of Objects in progress. It is not safe for concurrent use.
type ObjectsDraft[T any] struct {
	next    Objects[T]
	owner   *vector.Owner
	columns *column.Draft
}

// Len is Objects.Len including the objects that the draft has added.
func (d *ObjectsDraft[T]) Len() uint32 { return d.next.Len() }

// At is Objects.At including the changes of the draft.
func (d *ObjectsDraft[T]) At(ordinal uint32) *T { return d.next.At(ordinal) }

// Set replaces the object with an ordinal, or adds one if it is the next free ordinal. The object
// must not be changed afterwards. It panics at ordinals beyond that, and at those of purged
// objects.
func (d *ObjectsDraft[T]) Set(ordinal uint32, object *T) {
	switch {
	case ordinal == d.next.Len():
		d.next.list.Append(d.owner, object)
		d.columns.AddRow()
	case d.foundAlike(ordinal, object):
		d.next.list.Set(d.owner, int(ordinal), object)
		return
	default:
		d.unlink(ordinal)
		d.next.list.Set(d.owner, int(ordinal), object)
		d.columns.SetDeleted(ordinal, d.next.state(ordinal) == deleted)
	}
	d.link(ordinal, (*lookup).insert)
}

// foundAlike reports whether an object is found by the same keys as the one with an ordinal.
func (d *ObjectsDraft[T]) foundAlike(ordinal uint32, object *T) bool {
	was, kind := d.next.At(ordinal), d.next.kind
	if was == nil {
		return false
	}
	wasID, wasAppID := kind.ids(was)
	id, appID := kind.ids(object)
	return wasID == id && wasAppID == appID && kind.deleted(was).IsZero() == kind.deleted(object).IsZero() &&
		slices.Equal(kind.names(was), kind.names(object))
}

// SetValues sets an object's values in columns.
func (d *ObjectsDraft[T]) SetValues(ordinal uint32, changes []column.Change) {
	for _, c := range changes {
		d.columns.Set(ordinal, c.Column, c.Value)
	}
}

// Purge removes an object. Its ordinal stays in use.
func (d *ObjectsDraft[T]) Purge(ordinal uint32) {
	d.unlink(ordinal)
	d.next.list.Set(d.owner, int(ordinal), nil)
	d.columns.Purge(ordinal)
}

func (d *ObjectsDraft[T]) unlink(ordinal uint32) {
	if d.next.At(ordinal) == nil {
		panic(fmt.Sprintf("directory: change of %s %d, which is purged or not among the %d there are",
			d.next.kind.name, ordinal, d.next.Len()))
	}
	d.link(ordinal, (*lookup).delete)
}

func (d *ObjectsDraft[T]) link(ordinal uint32, change func(*lookup, uint64)) {
	d.next.link(ordinal, func(l *lookup, prefix uint32) { change(l, entry(prefix, ordinal)) })
}

// link adds or removes the keys that an object is found by.
func (o *Objects[T]) link(ordinal uint32, do func(l *lookup, prefix uint32)) {
	object := o.list.At(int(ordinal))
	id, appID := o.kind.ids(object)
	do(o.ids, idPrefix(id))
	if appID != uuid.Nil {
		do(o.appIDs, idPrefix(appID))
	}
	if o.state(ordinal) == deleted {
		return
	}
	for _, name := range o.kind.names(object) {
		do(o.names, KeyOf(name).prefix())
	}
}

// Finish returns the objects of the draft. The draft must not be used afterwards.
func (d *ObjectsDraft[T]) Finish() *Objects[T] {
	for _, l := range []*lookup{d.next.ids, d.next.appIDs, d.next.names} {
		l.settle()
		l.waiting = nil
	}
	o := &Objects[T]{
		kind: d.next.kind, list: d.next.list, ids: d.next.ids,
		appIDs: d.next.appIDs, names: d.next.names, columns: d.columns.Finish(),
	}
	d.next, d.columns = Objects[T]{}, nil
	return o
}

// Parts returns the number of parts of a snapshot of the documents.
func (o *Objects[T]) Parts() int { return o.list.Chunks() }

// PartChanged reports whether a part may differ from that of older objects that o was made from.
func (o *Objects[T]) PartChanged(older *Objects[T], part int) bool {
	return !o.list.SameChunk(&older.list, part)
}

// objectsFormat is the first byte of each part. A new format takes the next number.
const objectsFormat = 1

// AppendPart writes the documents of a part.
func (o *Objects[T]) AppendPart(dst []byte, part int) []byte {
	dst = append(dst, objectsFormat)
	for _, object := range o.list.Chunk(part) {
		var document []byte // nil: purged
		if object != nil {
			document = o.kind.document(object)
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(document))), document...)
	}
	return dst
}

// Decode returns the objects of parts that AppendPart wrote. It needs all parts, in order, together
// with those of their columns. Other data is an error.
func (o *Objects[T]) Decode(parts, columns [][]byte) (*Objects[T], error) {
	next := newObjects(o.kind)
	owner := new(vector.Owner)
	for i, data := range parts {
		if err := next.decodePart(owner, data); err != nil {
			return nil, fmt.Errorf("snapshot: part %d of each %s: %w", i, o.kind.name, err)
		}
		if rest := next.list.Len() % vector.ChunkLen; rest > 0 && i < len(parts)-1 {
			return nil, fmt.Errorf("snapshot: part %d of each %s has only %d of them", i, o.kind.name, rest)
		}
	}
	var err error
	if next.columns, err = column.Decode(o.kind.schema, columns); err == nil {
		err = agreeing(next.columns, next.Len(), next.state)
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot: columns of each %s: %w", o.kind.name, err)
	}
	for ordinal := range next.Len() {
		if next.At(ordinal) != nil {
			next.link(ordinal, func(l *lookup, prefix uint32) { l.insert(entry(prefix, ordinal)) })
		}
	}
	for _, l := range []*lookup{next.ids, next.appIDs, next.names} {
		l.settle()
		l.waiting = nil
	}
	return next, nil
}

func (o *Objects[T]) decodePart(owner *vector.Owner, part []byte) error {
	data, err := compressed.Unpack(part) // the objects refer to their documents in it
	if err != nil {
		return err
	}
	r := &reader{rest: data}
	if v := r.bytes(1)[0]; r.err == nil && v != objectsFormat {
		return fmt.Errorf("it is in format %d, and this version reads formats up to %d: run the version that wrote "+
			"it or a newer one", v, objectsFormat)
	}
	for n := 0; r.err == nil && len(r.rest) > 0; n++ {
		if n == vector.ChunkLen {
			return fmt.Errorf("it has more than %d objects", n)
		}
		var object *T
		if document := r.bytes(int(r.count(1))); r.err == nil && len(document) > 0 {
			var err error
			if object, err = o.kind.parse(document); err != nil {
				return err
			}
		}
		o.list.Append(owner, object)
	}
	return r.err
}
