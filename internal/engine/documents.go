package engine

import (
	"context"
	"fmt"

	"licensor/internal/directory"
	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// document is a decoded row, as of a revision of the directory's index.
type document struct {
	revision uint32
	seq      uint64 // of the row
	size     int    // of the row
	value    any    // *directory.User or *directory.Group
}

// parsers parse the documents that are cached.
var parsers = map[store.Kind]func(document []byte) (any, error){
	store.KindUser:  func(document []byte) (any, error) { return directory.ParseUser(document) },
	store.KindGroup: func(document []byte) (any, error) { return directory.ParseGroup(document) },
}

// valueOf returns the value of a document; nil if it has none, as after an error.
func valueOf[T any](d document) *T {
	value, _ := d.value.(*T)
	return value
}

// User returns a user's document, which must not be changed.
func (t *Tenant) User(ctx context.Context, img *tenant.Image, user uint32) (*directory.User, error) {
	d, err := t.document(ctx, img, tenant.ObjectKey{Kind: store.KindUser, Ordinal: user})
	return valueOf[directory.User](d), err
}

// Group returns a group's document, which must not be changed.
func (t *Tenant) Group(ctx context.Context, img *tenant.Image, group uint32) (*directory.Group, error) {
	d, err := t.document(ctx, img, tenant.ObjectKey{Kind: store.KindGroup, Ordinal: group})
	return valueOf[directory.Group](d), err
}

// document returns a document from the cache, or reads it.
func (t *Tenant) document(ctx context.Context, img *tenant.Image, key tenant.ObjectKey) (document, error) {
	d, err := t.cached(key, img, func() (store.Object, error) { return t.read(ctx, key.Kind, key.Ordinal) })
	if absent(err) {
		err = t.recheck(ctx, img, key, err)
	}
	return d, err
}

// cached returns a document from the cache for the image's revision of it, or else the row that
// read returns. That row is never older than the image. It is newer (its seq is greater than the
// image's) if the image is not the current one, or if the row's commit is durable but not yet
// published; then it is not cached.
func (t *Tenant) cached(key tenant.ObjectKey, img *tenant.Image, read func() (store.Object, error)) (document, error) {
	revision := img.Revision(key)
	if d, ok := t.documents.get(documentKey{t.id, key}); ok && d.revision == revision {
		return d, nil
	}
	row, err := read()
	if err != nil {
		return document{}, err
	}
	d := document{revision: revision, seq: row.Seq, size: len(row.Document)}
	if d.value, err = parsers[key.Kind](row.Document); err != nil {
		return document{}, fmt.Errorf("read object %d of kind %d of tenant %s: %w", key.Ordinal, key.Kind, t.id, err)
	}
	if d.seq <= img.Seq {
		t.documents.add(documentKey{t.id, key}, d)
	}
	return d, nil
}

func (t *Tenant) forget(key tenant.ObjectKey) { t.documents.remove(documentKey{t.id, key}) }

// decodedSize is the memory of a document relative to its length: as a row, decoded, and written
// into a response.
const decodedSize = 4

// read is load for a request, which takes memory for the document. A small one is within what every
// request has.
func (t *Tenant) read(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
	row, err := t.load(ctx, kind, ordinal)
	if err == nil {
		err = memory.Of(ctx).Least(ctx, decodedSize*int64(len(row.Document)))
	}
	return row, err
}

// load reads a row from the store, as of the last durable commit.
func (t *Tenant) load(ctx context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
	rows, err := t.store.Objects(ctx, t.id, store.Query{Kind: kind, Ordinals: []uint32{ordinal}, After: -1})
	if err != nil {
		return store.Object{}, fmt.Errorf("read object %d of kind %d: %w", ordinal, kind, err)
	}
	if len(rows) == 0 {
		value := fmt.Sprintf("number %d", ordinal)
		return store.Object{}, &tenant.CommandError{
			Kind: tenant.ProblemNotFound, Value: value, Message: fmt.Sprintf(tenant.NotFoundText, value),
		}
	}
	return rows[0], nil
}

// Password returns the hash of a user's password; "" when the user has none.
func (t *Tenant) Password(ctx context.Context, user uint32) (string, error) {
	row, err := t.load(ctx, store.KindPassword, user)
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	hash, err := tenant.ParsePassword(row.Document)
	if err != nil {
		return "", fmt.Errorf("read the password of user number %d of tenant %s: %w", user, t.id, err)
	}
	return hash, nil
}
