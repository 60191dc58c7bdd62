package graph

import (
	"net/http"
	"strconv"

	"licensor/directory"
	"licensor/identity"
	"licensor/store"
	"licensor/tenant"
)

// listUsers answers GET /users.
func (api *API) listUsers(r *request) error { return r.sendUsers(false) }

// listDeletedUsers answers GET /directory/deletedItems/microsoft.graph.user.
func (api *API) listDeletedUsers(r *request) error { return r.sendUsers(true) }

// sendUsers answers with a page of the users there are, or of those that are deleted.
func (r *request) sendUsers(deleted bool) error {
	if err := r.allow("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := userFields.visible(r, r.access)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, userFields, userExpansions, fields); err != nil {
		return err
	}
	search, err := r.search(userFilters, store.KindUser, deleted)
	if err != nil {
		return err
	}
	finder := finder[tenant.UserRow]{
		query: search.query,
		read:  func(q store.Query) ([]tenant.UserRow, error) { return r.tenant.Users(r.ctx, q) },
		spot:  func(row tenant.UserRow) spot { return spot{row.Key, row.Ordinal} },
	}
	rows, err := finder.find(search.condition)
	if err != nil {
		return err
	}
	keys := finder.keys(rows)
	return sendList(r, list[user]{
		context: r.selected("users"), rows: r.usersOf(rows), limit: search.page.limit, count: search.count,
		place: func(u user) int64 { return int64(u.ordinal) }, sorted: search.page.sorted,
		key:   func(u user) string { return keys[u.ordinal] },
		write: objects(fields),
	})
}

// search is what is asked of a list of users or groups.
type search struct {
	condition
	page  page
	query store.Query
	count int // of all that fulfil the condition; -1 when not wanted
}

// search reads the options of a list of users or groups, and counts them when that is wanted.
func (r *request) search(f *filters, kind store.Kind, deleted bool) (s search, err error) {
	if (r.options.Filter != nil || r.options.Search != nil) && r.access == identity.Basic { // it would show what may not be seen
		return search{}, &identity.Forbidden{Operation: r.op.need}
	}
	if s.page, err = r.orderedPage(f); err != nil {
		return search{}, err
	}
	if s.condition, err = r.filter(f); err != nil {
		return search{}, err
	}
	found, err := r.searched(f)
	if err != nil {
		return search{}, err
	}
	s.condition = and(s.condition, found)
	if deleted && s.hasSets() {
		return search{}, notServed("Deleted items cannot be filtered by their licenses.")
	}
	s.query = s.page.query()
	s.query.Kind, s.query.Deleted, s.count = kind, deleted, -1
	if counted, err := r.counting(); err != nil || !counted {
		return s, err
	}
	s.count, err = s.condition.count(s.query, r.countRows)
	return s, err
}

func (r *request) countRows(q store.Query) (int, error) { return r.tenant.Count(r.ctx, q) }

// usersOf joins rows with the image. A row that the image does not have yet is left out: its commit is not answered either. The
// image is taken after the rows, so it is not older than them but for that.
func (r *request) usersOf(rows []tenant.UserRow) []user {
	r.image = r.tenant.Image()
	users := make([]user, 0, len(rows))
	for _, row := range rows {
		if row.Ordinal < r.image.Directory.Users() {
			users = append(users, user{row.User, row.Ordinal, r.image, r.now})
		}
	}
	return users
}

// countUsers answers GET /users/$count.
func (api *API) countUsers(r *request) error {
	return r.sendCount(userFilters, store.KindUser)
}

// sendCount answers with the number of objects under a condition, as text (P26).
func (r *request) sendCount(f *filters, kind store.Kind) error {
	if err := r.allow("$filter", "$search"); err != nil {
		return err
	}
	if !r.eventual() {
		return unsupported("$count is only supported for advanced queries. Send the header 'ConsistencyLevel: eventual' with it.")
	}
	search, err := r.search(f, kind, false)
	if err != nil {
		return err
	}
	n, err := search.condition.count(search.query, r.countRows)
	if err != nil {
		return err
	}
	return r.sendText(strconv.Itoa(n))
}

// getUser answers GET /users/{user}.
func (api *API) getUser(r *request) error {
	if err := r.allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := userFields.visible(r, r.access)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, userFields, userExpansions, fields); err != nil {
		return err
	}
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	return r.sendUser(http.StatusOK, r.image, ordinal, fields)
}

// sendUser answers with one user as of an image.
func (r *request) sendUser(status int, image *tenant.Image, ordinal uint32, fields []*field[user]) error {
	document, err := r.tenant.User(r.ctx, image, ordinal)
	if err != nil {
		return err
	}
	return sendEntity(r, userFields, status, "users", fields, &user{document, ordinal, image, r.now})
}

// createUser answers POST /users (P50).
func (api *API) createUser(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return err
	}
	hash, err := api.patchHash(r, patch, directory.NameIn(patch))
	if err != nil {
		return err
	}
	done, err := r.do(tenant.CreateUser{Patch: patch, PasswordHash: hash})
	if err != nil {
		return err
	}
	r.w.Header().Set("Location", r.root+"/users/"+done.ID.String())
	fields, err := userFields.selected(r)
	if err != nil {
		return err
	}
	return r.sendUser(http.StatusCreated, done.Image, done.Ordinal, fields)
}

// updateUser answers PATCH /users/{user}.
func (api *API) updateUser(r *request) error {
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	members, err := r.members()
	if err != nil {
		return err
	}
	patch, err := directory.ParseUserPatch(members)
	if err != nil {
		return err
	}
	if err := r.mayPatch(ordinal, patch); err != nil {
		return err
	}
	if patch.Has("passwordProfile") || patch.Has("accountEnabled") {
		return api.updateAccount(r, ordinal, patch)
	}
	return r.change(tenant.UpdateUser{User: ordinal, Patch: patch})
}

// deleteUser answers DELETE /users/{user} (P52).
func (api *API) deleteUser(r *request) error {
	ordinal, err := r.user()
	if err != nil {
		return err
	}
	if err := r.mayTakeOver(ordinal); err != nil {
		return err
	}
	if err := r.doKeepingAdministrator(r.image.Directory.UserID(ordinal), tenant.DeleteUser{User: ordinal}); err != nil {
		return err
	}
	return r.sendNothing()
}
