package auditlog

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/history"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/outcome"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/trail"
)

// ListLog answers GET /licensor/v1/log (docs/spec/changes.md C12): the commits, the newest first,
// each with its author and how many users gained, lost or failed to get licenses, and so on (C5).
func ListLog(r *wire.Request) error {
	if err := r.Allow("$filter", "$top", "$skiptoken"); err != nil {
		return err
	}
	q, err := logQuery(r)
	if err != nil {
		return err
	}
	return sendHistory(r, q, "/log", func(b []byte, e *history.Entry) []byte {
		return append(appendCounts(appendCommit(append(b, '{'), e), e), '}')
	})
}

// GetLog answers GET /licensor/v1/log/{commit}: what a commit did, user by user.
func GetLog(r *wire.Request) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	e, err := entryOf(r)
	if err != nil {
		return err
	}
	list, more := page.Of(e.Users())
	b := appendCounts(appendCommit(r.AppendHead(r.Begin(), "log/$entity"), e), e)
	if e.Reprocessed != nil {
		b = appendReprocessed(jsontext.AppendName(b, "reprocessed"), e.Reprocessed)
	}
	if more {
		path := route.Own + "/log/" + strconv.FormatUint(e.Seq, 10)
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"),
			nextOf(r, path, int64(list[len(list)-1]), page.Limit))
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	for _, user := range list {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		for _, h := range e.Of(user) {
			b = appendUser(append(wire.AppendNext(b), '{'), r.Image, user)
			if b, err = r.More(append(appendHappening(b, r.Image, &h), '}')); err != nil {
				return err
			}
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// entryOf returns what the commit that the path names did.
func entryOf(r *wire.Request) (*history.Entry, error) {
	commit, err := r.Commit()
	if err != nil {
		return nil, err
	}
	return history.Read(commit, r.Image.Licensing)
}

// UserHistory answers GET /licensor/v1/users/{user}/history (C13): each license that has come, gone
// or failed, and by which commit, the newest first. A page has the rows of up to $top commits.
func UserHistory(r *wire.Request) error {
	user, err := everUser(r)
	if err != nil {
		return err
	}
	q := history.Query{
		Objects: []trail.Object{{Kind: trail.User, Ordinal: user}},
		Has:     func(e *history.Entry) bool { return len(e.Of(user)) > 0 },
	}
	return sendRows(r, q, func(e *history.Entry) []history.Happening { return e.Of(user) })
}

// everUser returns the user that the path names, who may be deleted, but not permanently.
func everUser(r *wire.Request) (uint32, error) {
	user, err := r.User()
	if id, ok := guid.Parse(r.Keys[0]); err != nil && ok {
		if deleted, there := r.Image.Directory.UserByID(id); there {
			return deleted, nil
		}
	}
	return user, err
}

// GroupHistory answers GET /licensor/v1/groups/{group}/history (C13): the commits that changed the
// members or licenses of a group, and what became of users by its licenses.
func GroupHistory(r *wire.Request) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	group, err := r.Group()
	if err != nil {
		return err
	}
	q := history.Query{
		Objects: []trail.Object{{Kind: trail.Group, Ordinal: group}},
		Has:     func(e *history.Entry) bool { return e.Concerns(group) },
	}
	return sendHistory(r, q, "/groups/"+r.Keys[0]+"/history", func(b []byte, e *history.Entry) []byte {
		through := *e
		through.Happenings = e.Through(group)
		return append(appendCounts(appendCommit(append(b, '{'), e), &through), '}')
	})
}

// sendRows answers with a row for each happening.
func sendRows(r *wire.Request, q history.Query, of func(*history.Entry) []history.Happening) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	return sendHistory(r, q, "/users/"+r.Keys[0]+"/history", func(b []byte, e *history.Entry) []byte {
		for i, h := range of(e) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendHappening(appendCommit(append(b, '{'), e), r.Image, &h), '}')
		}
		return b
	})
}

// sendHistory answers with a page of entries.
func sendHistory(
	r *wire.Request, q history.Query, path string, write func([]byte, *history.Entry) []byte,
) error {
	page, err := r.Page()
	if err != nil {
		return err
	}
	q.Limit = page.Limit
	if q.From == 0 {
		q.From = r.Image.Seq
	}
	if page.After >= 0 {
		q.From = uint64(page.After)
	}
	entries, next, err := q.Read(r.Context(), r.Tenant, r.Image)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), strings.TrimPrefix(path, "/"))
	if next > 0 {
		link := nextOf(r, route.Own+path, int64(next), page.Limit)
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), link)
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	for _, e := range entries {
		if b, err = r.More(write(wire.AppendNext(b), e)); err != nil {
			return err
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// nextOf returns the URL of the next page.
func nextOf(r *wire.Request, path string, after int64, limit int) string {
	query := url.Values{"$skiptoken": {r.Token(path, after)}}
	if r.Options.Filter != nil {
		query.Set("$filter", r.Options.Filter.Text)
	}
	if limit != wire.DefaultPage {
		query.Set("$top", strconv.Itoa(limit))
	}
	return r.Origin + path + "?" + query.Encode()
}

// appendCommit writes the number, time, author and operation of a commit.
func appendCommit(b []byte, e *history.Entry) []byte {
	b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(e.Seq))
	b = jsontext.AppendTime(jsontext.AppendName(b, "createdDateTime"), e.At)
	b = jsontext.AppendText(jsontext.AppendName(b, "operation"), e.Operation)
	if e.Operations != nil {
		b = jsontext.AppendList(jsontext.AppendName(b, "operations"), e.Operations, jsontext.AppendText)
	}
	kind, id, _ := strings.Cut(e.Author, " ")
	switch kind {
	case "app":
		kind = "application"
	case "user":
	default:
		kind, id = "system", ""
	}
	b = jsontext.AppendText(append(jsontext.AppendName(b, "author"), `{"type":`...), kind)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "id"), id)
	name := ""
	if e.Named != nil {
		name = e.Named.Name
	}
	return append(jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), name), '}')
}

// appendCounts writes to how many users something happened; null where the log does not know (C14).
func appendCounts(b []byte, e *history.Entry) []byte {
	if !e.Known {
		return append(jsontext.AppendName(b, "users"), "null"...)
	}
	b = append(jsontext.AppendName(b, "users"), '{')
	for _, kind := range outcome.Kinds {
		if b = jsontext.AppendName(b, kind.String()); kind == outcome.Clear && !e.ErrorsKnown {
			b = append(b, "null"...)
			continue
		}
		b = jsontext.AppendInt(b, e.Count(kind))
	}
	return append(b, '}')
}

// appendReprocessed writes the result of a reprocessing (C17), as the response to it had it.
func appendReprocessed(b []byte, did *tenant.Reprocessed) []byte {
	b = jsontext.AppendInt(append(b, `{"processed":`...), did.Processed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "fixed"), did.Fixed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "newlyInError"), did.NewlyInError)
	b = append(jsontext.AppendName(b, "stillInError"), '{')
	for i, n := range did.StillInError {
		if n > 0 {
			b = jsontext.AppendInt(jsontext.AppendName(b, licensing.Violation(i).String()), n)
		}
	}
	return append(b, "}}"...)
}

func appendUser(b []byte, img *tenant.Image, user uint32) []byte {
	named := img.UserNamed(user)
	b = jsontext.AppendName(b, "id")
	if named.ID == uuid.Nil { // it was purged
		b = append(b, "null"...)
	} else {
		b = jsontext.AppendID(b, named.ID)
	}
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "userPrincipalName"), named.Principal)
	return jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), named.Name)
}

// appendHappening writes what happened to a user and a product.
func appendHappening(b []byte, img *tenant.Image, h *history.Happening) []byte {
	b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), h.SKUID)
	name := ""
	if p, ok := img.Licensing.Product(h.SKUID); ok {
		name = p.SKUPartNumber
	}
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), name)
	b = jsontext.AppendText(jsontext.AppendName(b, "outcome"), h.Kind.String())
	b = jsontext.AppendText(jsontext.AppendName(b, "error"), h.Error.String())
	return jsontext.AppendList(jsontext.AppendName(b, "groups"), h.Groups, func(b []byte, group uint32) []byte {
		named := img.GroupNamed(group)
		b = jsontext.AppendID(append(b, `{"id":`...), img.Licensing.GroupID(group))
		return append(jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), named.Name), '}')
	})
}

// logQuery reads $filter of the log: comparisons that are joined by and.
func logQuery(r *wire.Request) (q history.Query, err error) {
	if r.Options.Filter == nil {
		return q, nil
	}
	nodes := []odata.Node{r.Options.Filter.Root}
	if joined, ok := nodes[0].(*odata.Logic); ok && joined.Op == odata.OpAnd {
		nodes = joined.Args
	}
	c := logFilter{r: r, q: &q}
	for _, n := range nodes {
		if err := c.add(n); err != nil {
			return q, err
		}
	}
	q.Is = func(commit store.Commit) bool {
		for _, is := range c.is {
			if !is(commit) {
				return false
			}
		}
		return true
	}
	q.Has = func(e *history.Entry) bool {
		for _, has := range c.has {
			if !has(e) {
				return false
			}
		}
		return true
	}
	return q, nil
}
