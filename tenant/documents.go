package tenant

import (
	"context"
	"fmt"

	"licensor/directory"
	"licensor/store"
)

// cachedDocuments is how many decoded documents are kept: those who are asked for again and again are few beside those there are.
const cachedDocuments = 8192

// document is a decoded row, as of a revision of the directory's index.
type document struct {
	revision uint32
	user     *directory.User
	group    *directory.Group
}

// User answers a user's document, not to be changed.
func (t *Tenant) User(ctx context.Context, img *Image, user uint32) (*directory.User, error) {
	d, err := t.cached(objectKey{store.KindUser, user}, img.Directory.UserRevision(user), func() ([]byte, error) {
		return t.load(ctx, store.KindUser, user)
	})
	return d.user, err
}

// Group answers a group's document, not to be changed.
func (t *Tenant) Group(ctx context.Context, img *Image, group uint32) (*directory.Group, error) {
	d, err := t.cached(objectKey{store.KindGroup, group}, img.Directory.GroupRevision(group), func() ([]byte, error) {
		return t.load(ctx, store.KindGroup, group)
	})
	return d.group, err
}

// cached answers a document as of a revision: the one that is kept, or else what is read. A row that is read can be newer than the
// revision, when its commit is durable but not yet published; it is never older.
func (t *Tenant) cached(key objectKey, revision uint32, read func() ([]byte, error)) (document, error) {
	if d, ok := t.documents.Get(key); ok && d.revision == revision {
		return d, nil
	}
	data, err := read()
	if err != nil {
		return document{}, err
	}
	d := document{revision: revision}
	if key.kind == store.KindUser {
		d.user, err = directory.ParseUser(data)
	} else {
		d.group, err = directory.ParseGroup(data)
	}
	if err != nil {
		return document{}, fmt.Errorf("read object %d of kind %d of tenant %s: %w", key.ordinal, key.kind, t.id, err)
	}
	t.documents.Add(key, d)
	return d, nil
}

func (t *Tenant) forget(key objectKey) { t.documents.Remove(key) }

// load reads a document from the store.
func (t *Tenant) load(ctx context.Context, kind store.Kind, ordinal uint32) ([]byte, error) {
	rows, err := t.store.Objects(ctx, t.id, store.Query{Kind: kind, Ordinals: []uint32{ordinal}, After: -1})
	if err != nil {
		return nil, fmt.Errorf("read object %d of kind %d: %w", ordinal, kind, err)
	}
	if len(rows) == 0 {
		return nil, notFound(fmt.Sprintf("number %d", ordinal))
	}
	return rows[0].Document, nil
}

// UserRow is a user of a list.
type UserRow struct {
	Ordinal uint32
	User    *directory.User
	Key     string // as the store's Object has it
}

// GroupRow is a group of a list.
type GroupRow struct {
	Ordinal uint32
	Group   *directory.Group
	Key     string // as the store's Object has it
}

// Users answers the users that a query selects, in its order. The query's Kind is not looked at.
func (t *Tenant) Users(ctx context.Context, query store.Query) ([]UserRow, error) {
	query.Kind = store.KindUser
	img := t.Image() // before the rows are read, so that none is older than the revision that it is kept under
	rows, err := t.store.Objects(ctx, t.id, query)
	if err != nil {
		return nil, err
	}
	list := make([]UserRow, 0, len(rows))
	for _, row := range rows {
		if row.Ordinal >= img.Directory.Users() {
			continue // durable, but not yet published
		}
		d, err := t.cached(objectKey{store.KindUser, row.Ordinal}, img.Directory.UserRevision(row.Ordinal), func() ([]byte, error) { return row.Document, nil })
		if err != nil {
			return nil, err
		}
		list = append(list, UserRow{row.Ordinal, d.user, row.Key})
	}
	return list, nil
}

// Groups answers the groups that a query selects, in its order. The query's Kind is not looked at.
func (t *Tenant) Groups(ctx context.Context, query store.Query) ([]GroupRow, error) {
	query.Kind = store.KindGroup
	img := t.Image() // before the rows are read, so that none is older than the revision that it is kept under
	rows, err := t.store.Objects(ctx, t.id, query)
	if err != nil {
		return nil, err
	}
	list := make([]GroupRow, 0, len(rows))
	for _, row := range rows {
		if row.Ordinal >= img.Directory.Groups() {
			continue // durable, but not yet published
		}
		d, err := t.cached(objectKey{store.KindGroup, row.Ordinal}, img.Directory.GroupRevision(row.Ordinal), func() ([]byte, error) { return row.Document, nil })
		if err != nil {
			return nil, err
		}
		list = append(list, GroupRow{row.Ordinal, d.group, row.Key})
	}
	return list, nil
}

// Count answers how many users or groups a query selects.
func (t *Tenant) Count(ctx context.Context, query store.Query) (int, error) {
	return t.store.Count(ctx, t.id, query)
}
