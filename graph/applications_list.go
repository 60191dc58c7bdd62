package graph

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/tenant"
)

// textsBy are those of applications and service principals. The id depends on which of the two is listed.
func textsBy(id func(*application) string) textsOf[application] {
	return textsOf[application]{
		"id":             id,
		"appId":          func(a *application) string { return a.AppID.String() },
		"displayName":    func(a *application) string { return a.DisplayName },
		"appDisplayName": func(a *application) string { return a.DisplayName },
	}
}

// listApplications answers GET /applications.
func (api *API) listApplications(r *request) error {
	return r.sendApplications("applications", applicationFields, r.image.Clients(), func(a *application) uuid.UUID { return a.ID })
}

// listPrincipals answers GET /servicePrincipals.
func (api *API) listPrincipals(r *request) error {
	return r.sendApplications("servicePrincipals", principalFields, principals(r.image), func(a *application) uuid.UUID { return a.Principal.ID })
}

// sendApplications answers with a page of the applications as objects of one of their two types. They are in the order of their creation,
// those of one moment by id, and a page goes on after the last one shown, also when that one is deleted.
func (r *request) sendApplications(set string, fields *fieldSet[application], all []directory.Client, id func(*application) uuid.UUID) error {
	if err := r.allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	selected, err := fields.selected(r)
	if err != nil {
		return err
	}
	page, err := r.longPage(len(uuid.Nil))
	if err != nil {
		return err
	}
	rows := make([]application, len(all))
	for i, a := range all {
		rows[i] = application{a, r.image}
	}
	if rows, err = filtered(r, rows, textsBy(func(a *application) string { return id(a).String() })); err != nil {
		return err
	}
	count, err := r.countOf(len(rows))
	if err != nil {
		return err
	}
	key := func(a application) (int64, []byte) { of := id(&a); return a.since(), of[:] }
	slices.SortFunc(rows, func(a, b application) int { return compareKeys(key, a, b) })
	rows = slices.DeleteFunc(rows, func(a application) bool {
		since, id := key(a)
		return cmp.Or(cmp.Compare(since, page.after), bytes.Compare(id, page.rest)) <= 0
	})
	return sendList(r, list[application]{
		context: r.selected(set), rows: rows[:min(len(rows), page.limit+1)], limit: page.limit, count: count,
		place: application.since, rest: func(a application) []byte { _, id := key(a); return id }, write: objects(selected),
	})
}

// since is where an application stands among those of another age: Microsoft Graph before all.
func (a application) since() int64 {
	if a.isGraph() {
		return 0
	}
	return 1 + max(0, a.CreatedDateTime.Unix())
}

func compareKeys[T any](key func(T) (int64, []byte), a, b T) int {
	placeA, restA := key(a)
	placeB, restB := key(b)
	return cmp.Or(cmp.Compare(placeA, placeB), bytes.Compare(restA, restB))
}

// principals are all service principals.
func principals(img *tenant.Image) (list []directory.Client) {
	for ordinal := range img.Principals.All() {
		list = append(list, img.PrincipalAt(ordinal))
	}
	return list
}
