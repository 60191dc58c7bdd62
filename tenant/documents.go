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
	key, revision := objectKey{store.KindUser, user}, img.Directory.UserRevision(user)
	if d, ok := t.documents.Get(key); ok && d.revision == revision {
		return d.user, nil
	}
	data, err := t.load(ctx, store.KindUser, user)
	if err != nil {
		return nil, err
	}
	u, err := directory.ParseUser(data)
	if err != nil {
		return nil, fmt.Errorf("read user number %d of tenant %s: %w", user, t.id, err)
	}
	t.documents.Add(key, document{revision: revision, user: u})
	return u, nil
}

// Group answers a group's document, not to be changed.
func (t *Tenant) Group(ctx context.Context, img *Image, group uint32) (*directory.Group, error) {
	key, revision := objectKey{store.KindGroup, group}, img.Directory.GroupRevision(group)
	if d, ok := t.documents.Get(key); ok && d.revision == revision {
		return d.group, nil
	}
	data, err := t.load(ctx, store.KindGroup, group)
	if err != nil {
		return nil, err
	}
	g, err := directory.ParseGroup(data)
	if err != nil {
		return nil, fmt.Errorf("read group number %d of tenant %s: %w", group, t.id, err)
	}
	t.documents.Add(key, document{revision: revision, group: g})
	return g, nil
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
}

// GroupRow is a group of a list.
type GroupRow struct {
	Ordinal uint32
	Group   *directory.Group
}

// Users answers the users that a query selects, in the order of their ordinals. The query's Kind is not looked at.
func (t *Tenant) Users(ctx context.Context, query store.Query) ([]UserRow, error) {
	query.Kind = store.KindUser
	rows, err := t.store.Objects(ctx, t.id, query)
	if err != nil {
		return nil, err
	}
	list := make([]UserRow, 0, len(rows))
	for _, row := range rows {
		u, err := directory.ParseUser(row.Document)
		if err != nil {
			return nil, fmt.Errorf("read user %s of tenant %s: %w", row.ID, t.id, err)
		}
		list = append(list, UserRow{row.Ordinal, u})
	}
	return list, nil
}

// Groups answers the groups that a query selects, in the order of their ordinals. The query's Kind is not looked at.
func (t *Tenant) Groups(ctx context.Context, query store.Query) ([]GroupRow, error) {
	query.Kind = store.KindGroup
	rows, err := t.store.Objects(ctx, t.id, query)
	if err != nil {
		return nil, err
	}
	list := make([]GroupRow, 0, len(rows))
	for _, row := range rows {
		g, err := directory.ParseGroup(row.Document)
		if err != nil {
			return nil, fmt.Errorf("read group %s of tenant %s: %w", row.ID, t.id, err)
		}
		list = append(list, GroupRow{row.Ordinal, g})
	}
	return list, nil
}

// Count answers how many users or groups a query selects.
func (t *Tenant) Count(ctx context.Context, query store.Query) (int, error) {
	return t.store.Count(ctx, t.id, query)
}
