package tenant

import (
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/store"
)

// objectsDraft has the changes of the applications, service principals, or administrative units.
type objectsDraft[T any] struct {
	kind  store.Kind
	name  string // of the kind, for errors
	base  *directory.Objects[T]
	draft *directory.ObjectsDraft[T] // nil until there is a change
	// The field of the effects for changes.
	documents func(*Effects) *[]DocumentNow
	values    func(*Effects) *[]Values
	// then, if not nil, is called for each document that was written or purged.
	then func(DocumentNow)
}

func applicationsDraft(img *Image) objectsDraft[directory.Application] {
	return objectsDraft[directory.Application]{
		kind: store.KindApplication, name: "applications", base: img.Applications,
		documents: func(f *Effects) *[]DocumentNow { return &f.Applications },
		values:    func(f *Effects) *[]Values { return &f.ApplicationValues },
	}
}

func principalsDraft(img *Image, d *draft) objectsDraft[directory.ServicePrincipal] {
	return objectsDraft[directory.ServicePrincipal]{
		kind: store.KindServicePrincipal, name: "service principals", base: img.Principals,
		documents: func(f *Effects) *[]DocumentNow { return &f.Principals },
		values:    func(f *Effects) *[]Values { return &f.PrincipalValues },
		then:      func(DocumentNow) { d.next.former = nil }, // now they are among the other applications
	}
}

func unitsDraft(img *Image, d *draft) objectsDraft[directory.AdministrativeUnit] {
	return objectsDraft[directory.AdministrativeUnit]{
		kind: store.KindAdministrativeUnit, name: "administrative units", base: img.Units,
		documents: func(f *Effects) *[]DocumentNow { return &f.Units },
		values:    func(f *Effects) *[]Values { return &f.UnitValues },
		then: func(now DocumentNow) {
			if now.Document == nil {
				d.next.UnitMembers = d.next.UnitMembers.Empty(now.Ordinal)
			}
		},
	}
}

// begun returns the draft, which most commands do not need.
func (o *objectsDraft[T]) begun() *directory.ObjectsDraft[T] {
	if o.draft == nil {
		o.draft = o.base.Draft()
	}
	return o.draft
}

// len returns the next free ordinal.
func (o *objectsDraft[T]) len() uint32 {
	if o.draft == nil {
		return o.base.Len()
	}
	return o.draft.Len()
}

// finish returns the objects of the draft.
func (o *objectsDraft[T]) finish() *directory.Objects[T] {
	if o.draft == nil {
		return o.base
	}
	return o.draft.Finish()
}

// put writes the document of an object, unless it is nil, and values in columns. The next free
// ordinal adds an object.
func (o *objectsDraft[T]) put(c *change, ordinal uint32, id uuid.UUID, document []byte, values []column.Change) error {
	if document != nil {
		object, err := o.base.Parse(document)
		if err != nil {
			return err
		}
		document = o.base.Document(object) // an empty list is null, as after a restart
		now := DocumentNow{Ordinal: ordinal, Document: document, What: o.what(ordinal, object)}
		noted := Was{Of: Changeable(o.kind), Ordinal: ordinal, ID: id}
		switch now.What {
		case MarkWritten:
			now.Properties = c.noteDocument(noted, o.base.Document(o.begun().At(ordinal)), document)
		case 0:
			noted.New = true
			c.noteDocument(noted, nil, document)
		}
		c.record(documentOf[T]{now, o})
		since := o.base.DeletedSince(object)
		c.write(store.Object{Kind: o.kind, Ordinal: ordinal, ID: id, Deleted: since, Document: document})
	}
	if len(values) > 0 {
		c.record(valuesOf[T]{valuesNow(ordinal, o.base.Columns().Schema(), values), o})
	}
	return nil
}

// what returns the kind of change of an object that gets another document.
func (o *objectsDraft[T]) what(ordinal uint32, object *T) MarkKind {
	was := o.begun().At(ordinal)
	if was == nil {
		return 0
	}
	switch before, after := o.base.DeletedSince(was).IsZero(), o.base.DeletedSince(object).IsZero(); {
	case before == after:
		return MarkWritten
	case after:
		return MarkRestored
	}
	return MarkDeleted
}

func (o *objectsDraft[T]) purge(c *change, ordinal uint32, id uuid.UUID) {
	c.record(documentOf[T]{DocumentNow{Ordinal: ordinal, ID: &id}, o})
	c.write(store.Object{Kind: o.kind, Ordinal: ordinal, ID: id, Purged: true})
}

// replay applies the changes of one kind of objects.
func (o *objectsDraft[T]) replay(documents []DocumentNow, values []Values) error {
	for _, now := range documents {
		if err := o.set(now); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	for _, v := range values {
		if err := o.setValues(v); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	return nil
}

func (o *objectsDraft[T]) set(now DocumentNow) error {
	draft := o.begun()
	isNew := now.Ordinal == draft.Len()
	if !isNew && draft.At(now.Ordinal) == nil || isNew && now.Document == nil {
		return fmt.Errorf("a change of number %d, which is purged or not among the %d there are",
			now.Ordinal, draft.Len())
	}
	if now.Document == nil {
		draft.Purge(now.Ordinal)
	} else {
		object, err := o.base.Parse(now.Document)
		if err != nil {
			return err
		}
		draft.Set(now.Ordinal, object)
	}
	if o.then != nil {
		o.then(now)
	}
	return nil
}

func (o *objectsDraft[T]) setValues(v Values) error {
	draft := o.begun()
	if draft.At(v.Ordinal) == nil {
		return fmt.Errorf("values of number %d, which is purged or not among the %d there are", v.Ordinal, draft.Len())
	}
	changes, err := v.read(o.base.Columns().Schema())
	if err == nil {
		draft.SetValues(v.Ordinal, changes)
	}
	return err
}

// DocumentNow is the new document of an application, service principal or administrative unit.
type DocumentNow struct {
	Ordinal  uint32     `cbor:"1,keyasint,omitempty"`
	Document []byte     `cbor:"2,keyasint,omitempty"` // none if it is purged
	What     MarkKind   `cbor:"3,keyasint,omitempty"` // none if it is new, or a log of format 2 does not tell
	ID       *uuid.UUID `cbor:"4,keyasint,omitempty"` // of a purged object
	// Properties are the members of the document that were Written, and those of its properties;
	// none if unknown. Since format 5.
	Properties []string `cbor:"5,keyasint,omitempty"`
}

// Mark returns the event that the log records for an object.
func (now DocumentNow) Mark() Mark {
	if now.Document == nil {
		return Mark{Ordinal: now.Ordinal, What: MarkPurged, ID: now.ID}
	}
	return Mark{Ordinal: now.Ordinal, What: now.What, Properties: now.Properties}
}

// documentOf is a DocumentNow of one kind of objects.
type documentOf[T any] struct {
	now DocumentNow
	of  *objectsDraft[T]
}

func (e documentOf[T]) apply(*draft) (bool, error) { return true, e.of.set(e.now) }

func (e documentOf[T]) note(f *Effects) {
	list := e.of.documents(f)
	*list = append(*list, e.now)
}

// valuesOf are Values of one kind of objects.
type valuesOf[T any] struct {
	now Values
	of  *objectsDraft[T]
}

func (e valuesOf[T]) apply(*draft) (bool, error) { return true, e.of.setValues(e.now) }

func (e valuesOf[T]) note(f *Effects) {
	list := e.of.values(f)
	*list = append(*list, e.now)
}
