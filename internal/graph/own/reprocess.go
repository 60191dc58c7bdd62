package own

import (
	"net/url"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
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
// users, groups, filter, inError and all. The response has the counts and the first page of
// reasons; the following pages are those of licenseErrors.
func Reprocess(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	to, err := reprocessing(r)
	if err != nil {
		return err
	}
	done, err := r.Do(to.Reprocess)
	if err != nil {
		return err
	}
	report := done.Report
	b := r.AppendHead(r.Begin(), "reprocess/$entity")
	if done.Changed { // the result is kept with the commit (docs/spec/changes.md C17)
		r.W.Header().Set("Location", r.Root+"/log/"+strconv.FormatUint(done.Image.Seq, 10))
		b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(done.Image.Seq))
	}
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
	limit := wire.DefaultPage
	if len(to.Users) > 0 {
		limit = wire.MaxPage
	}
	left := &errorList{image: done.Image, users: report.InError}
	if left.errorCondition, err = errorConditionOf(r, r.Options.Filter, done.Image); err != nil {
		return err
	}
	page, err := left.page(r, wire.Page{After: -1, Limit: limit})
	if err != nil {
		return err
	}
	return left.send(r, b, page, url.Values{"group": to.groups})
}

// toReprocess is what a request to reprocess users selects.
type toReprocess struct {
	tenant.Reprocess
	groups []string // their keys
}

// reprocessing reads which users to reprocess. A filter becomes that of the request, so that the
// remaining errors are those that it selects, and so do their next pages.
func reprocessing(r *wire.Request) (to toReprocess, err error) {
	members, err := r.Members()
	if err != nil {
		return to, err
	}
	var users []string
	var filter string
	into := map[string]any{"users": &users, "groups": &to.groups, "filter": &filter, "inError": &to.InError, "all": &to.All}
	if err := wire.Read("reprocess", members, into); err != nil {
		return to, err
	}
	if len(members) != 1 || len(users)+len(to.groups)+len(filter) == 0 && !to.InError && !to.All {
		return to, problem.Refuse(`The body must say who is reprocessed, in one way: {"users":[…]}, ` +
			`{"groups":[…]}, {"filter":"…"}, {"inError":true} or {"all":true}.`)
	}
	if len(users) > maxNamedUsers || len(to.groups) > maxNamedGroups {
		return to, problem.Refuse("At most %d users or %d groups can be named in one request.",
			maxNamedUsers, maxNamedGroups)
	}
	if filter != "" {
		to.Found, err = selected(r, filter)
		return to, err
	}
	if to.Users, err = Resolve(r, "users", users, r.Image.LiveUser); err != nil {
		return to, err
	}
	to.Groups, err = Resolve(r, "groups", to.groups, r.Image.LiveGroup)
	return to, err
}

// selected returns the users with an error that satisfies a filter.
func selected(r *wire.Request, text string) (*roaring.Bitmap, error) {
	options := *r.Options
	var err error
	if options.Filter, err = odata.ParseFilter(text); err != nil {
		return nil, err
	}
	r.Options = &options
	list, err := errorsOf(r, nil)
	if err != nil {
		return nil, err
	}
	users := roaring.New()
	err = list.each(r, -1, func(user, _ uint32) bool {
		users.Add(user)
		return true
	})
	return users, err
}

// Resolve returns the ordinals of the keys in a property. A key that does not exist is an error in
// the property.
func Resolve(r *wire.Request, property string, keys []string, find func(string) (uint32, error)) ([]uint32, error) {
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
