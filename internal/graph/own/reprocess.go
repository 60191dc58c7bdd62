package own

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// Limits of one request.
const (
	maxNamedUsers  = wire.MaxPage // so that all reasons fit on a page
	maxNamedGroups = 20
)

// Reprocess answers POST /licensor/v1/reprocess (docs/spec/licensing.md L75). The body has one of
// users, groups, inError and all. The response has the counts and the first page of reasons; the
// following pages are those of licenseErrors.
func Reprocess(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	command, groups, err := reprocessing(r)
	if err != nil {
		return err
	}
	done, err := r.Do(command)
	if err != nil {
		return err
	}
	report := done.Report
	b := r.AppendHead(r.Begin(), "reprocess/$entity")
	b = jsontext.AppendInt(jsontext.AppendName(b, "processed"), report.Processed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "fixed"), report.Fixed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "newlyInError"), report.NewlyInError)
	b = append(jsontext.AppendName(b, "stillInError"), '{')
	for i, n := range report.StillInError {
		if n > 0 {
			b = jsontext.AppendInt(jsontext.AppendName(b, licensing.Violation(i).String()), n)
		}
	}
	b = append(b, '}')
	p := wire.Page{After: -1, Limit: wire.DefaultPage}
	if len(command.Users) > 0 {
		p.Limit = wire.MaxPage
	}
	return sendErrors(r, b, done.Image, report.InError, p, groups)
}

// reprocessing reads which users to reprocess.
func reprocessing(r *wire.Request) (c tenant.Reprocess, groups []string, err error) {
	members, err := r.Members()
	if err != nil {
		return c, nil, err
	}
	var users []string
	if err := wire.Read("reprocess", members, map[string]any{"users": &users, "groups": &groups, "inError": &c.InError, "all": &c.All}); err != nil {
		return c, nil, err
	}
	if len(members) != 1 || len(users)+len(groups) == 0 && !c.InError && !c.All {
		return c, nil, problem.Refuse(`The body must say who is reprocessed, in one way: {"users":[…]}, ` +
			`{"groups":[…]}, {"inError":true} or {"all":true}.`)
	}
	if len(users) > maxNamedUsers || len(groups) > maxNamedGroups {
		return c, nil, problem.Refuse("At most %d users or %d groups can be named in one request.",
			maxNamedUsers, maxNamedGroups)
	}
	if c.Users, err = resolve(r, "users", users, r.Image.LiveUser); err != nil {
		return c, nil, err
	}
	c.Groups, err = resolve(r, "groups", groups, r.Image.LiveGroup)
	return c, groups, err
}

// resolve returns the ordinals of the keys in a property. A key that does not exist is an error in
// the property.
func resolve(r *wire.Request, property string, keys []string, find func(string) (uint32, error)) ([]uint32, error) {
	var list []uint32
	for _, key := range keys {
		ordinal, err := find(key)
		if err != nil {
			if id, ok := guid.Parse(key); ok {
				return nil, r.WrongReference(wire.Reference{Property: property, ID: id})
			}
			return nil, wire.BadReference(err)
		}
		list = append(list, ordinal)
	}
	return list, nil
}

// ListErrors answers GET /licensor/v1/licenseErrors: the users in error, all of them or
// (?group={id}) the members of groups, with the reasons.
func ListErrors(r *wire.Request) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	groups := r.URL.Query()["group"]
	ordinals, err := resolve(r, "group", groups, r.Image.LiveGroup)
	if err != nil {
		return err
	}
	users := r.Image.Licensing.InError().Clone()
	if len(ordinals) > 0 {
		users.And(membersOfAny(r.Image.Licensing, ordinals))
	}
	users.AndNot(r.Image.Licensing.DeletedUsers())
	return sendErrors(r, r.AppendHead(r.Begin(), "licenseErrors"), r.Image, users, page, groups)
}

func membersOfAny(img *licensing.Image, groups []uint32) *roaring.Bitmap {
	all := roaring.New()
	for _, group := range groups {
		all.Or(img.GroupMembers(group))
	}
	return all
}

// sendErrors ends a response with a page of users and the reasons of their errors.
func sendErrors(
	r *wire.Request, b []byte, image *tenant.Image, users *roaring.Bitmap, p wire.Page, groups []string,
) error {
	var list []uint32
	it := users.Iterator()
	it.AdvanceIfNeeded(uint32(p.After + 1))
	for len(list) <= p.Limit && it.HasNext() {
		list = append(list, it.Next())
	}
	if len(list) > p.Limit {
		list = list[:p.Limit]
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), errorsLink(r, list[p.Limit-1], p.Limit, groups))
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	r.Work.Doing("finding the reasons of errors")
	x := newExplainer(image)
	for _, user := range list {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		var err error
		if b, err = appendExplained(r, append(wire.AppendNext(b), '{'), x, user, false); err != nil {
			return err
		}
		if b, err = r.More(append(b, '}')); err != nil {
			return err
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// errorsLink returns the URL of the next page of licenseErrors.
func errorsLink(r *wire.Request, after uint32, limit int, groups []string) string {
	query := url.Values{"group": slices.Clone(groups), "$skiptoken": {r.Token(route.Own+"/licenseErrors", int64(after))}}
	if limit != wire.DefaultPage {
		query.Set("$top", string(jsontext.AppendInt(nil, limit)))
	}
	return r.Root + "/licenseErrors?" + query.Encode()
}
