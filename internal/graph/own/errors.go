package own

import (
	"net/http"
	"net/url"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// errorList are the errors of some users, as of one image.
type errorList struct {
	image *tenant.Image
	users *roaring.Bitmap // in error, and others
	errorCondition
}

// ListErrors answers GET /licensor/v1/licenseErrors: the users in error, all of them or
// (?group={id}) the members of groups, with the errors that satisfy $filter and their reasons.
func ListErrors(r *wire.Request) error {
	if err := r.Allow("group", "at", "$filter", "$orderby", "$count", "$top", "$skiptoken"); err != nil {
		return err
	}
	groups := r.Values("group")
	at, err := asOf(r)
	if err != nil {
		return err
	}
	list, err := errorsOf(r, groups)
	if err != nil {
		return err
	}
	page, err := errorPage(r)
	if err != nil {
		return err
	}
	found, err := list.page(r, page)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "licenseErrors")
	if found.count >= 0 {
		b = jsontext.AppendInt(jsontext.AppendName(b, "@odata.count"), found.count)
	}
	return list.send(r, b, found, url.Values{"group": groups, "at": at})
}

// errorsOf returns the errors that satisfy $filter: of all users, or of the members of groups.
func errorsOf(r *wire.Request, groups []string) (*errorList, error) {
	ordinals, err := Resolve(r, "group", groups, r.Image.LiveGroup)
	if err != nil {
		return nil, err
	}
	condition, err := errorConditionOf(r, r.Options.Filter, r.Image)
	if err != nil {
		return nil, err
	}
	list := &errorList{r.Image, inError(r.Image.Licensing), condition}
	if len(ordinals) > 0 {
		list.users.And(membersOfAny(r.Image.Licensing, ordinals))
	}
	if condition.among != nil {
		list.users.And(condition.among)
	}
	return list, nil
}

func membersOfAny(img *licensing.Image, groups []uint32) *roaring.Bitmap {
	all := roaring.New()
	for _, group := range groups {
		all.Or(img.GroupMembers(group))
	}
	return all
}

// is returns the condition of the entries of a user.
func (l *errorList) is(user uint32) func(*licensing.Entry) bool {
	return func(e *licensing.Entry) bool { return e.Error != licensing.NoViolation && l.holds(user, e) }
}

// since returns when the oldest of a user's errors began, in seconds since 1970; false if no error
// satisfies the condition.
func (l *errorList) since(user uint32) (oldest uint32, ok bool) {
	entries := l.image.Licensing.Entries(user)
	for i := range entries {
		e := &entries[i]
		if e.Error != licensing.NoViolation && l.holds(user, e) && (!ok || e.Updated < oldest) {
			oldest, ok = e.Updated, true
		}
	}
	return oldest, ok
}

// each calls take for the users with an error that satisfies the condition, ascending, those after
// an ordinal, until take returns false.
func (l *errorList) each(r *wire.Request, after int64, take func(user, since uint32) bool) error {
	r.Work.Doing("finding users in error")
	it := l.users.Iterator()
	it.AdvanceIfNeeded(uint32(after + 1))
	for n := 1; it.HasNext(); n++ {
		if n%pausing == 0 {
			if err := r.Work.Yield(); err != nil {
				return err
			}
		}
		user := it.Next()
		if since, ok := l.since(user); ok && !take(user, since) {
			return nil
		}
	}
	return nil
}

// foundErrors is a page of users.
type foundErrors struct {
	users []uint32
	next  string // the $skiptoken of the next page; "" if there is none
	limit int
	count int // of all users that were found; -1 if not requested
}

// page finds the users of a page.
func (l *errorList) page(r *wire.Request, p wire.Page) (found foundErrors, err error) {
	found.limit, found.count = p.Limit, -1
	counting := r.Options.Count && r.Options.SkipToken == ""
	by, err := errorOrderOf(r, p, l.image.Directory.UserColumns())
	if err != nil {
		return found, err
	}
	from := p.After
	if by.ordered() || counting {
		from = -1
	}
	count := 0
	err = l.each(r, from, func(user, since uint32) bool {
		count++
		return by.take(user, since) || counting
	})
	if counting {
		found.count = count
	}
	places := by.first()
	if len(places) > p.Limit {
		places = places[:p.Limit]
		found.next = by.token(r, places[p.Limit-1])
	}
	for _, place := range places {
		found.users = append(found.users, place.user)
	}
	return found, err
}

// send ends a response with a page of users and the reasons of their errors. The link to the next
// page has a query.
func (l *errorList) send(r *wire.Request, b []byte, found foundErrors, query url.Values) error {
	if found.next != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), errorsLink(r, found, query))
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	r.Work.Doing("finding the reasons of errors")
	x := newExplainer(l.image)
	for _, user := range found.users {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		var err error
		if b, err = appendExplained(r, append(wire.AppendNext(b), '{'), x, user, l.is(user)); err != nil {
			return err
		}
		if b, err = r.More(append(b, '}')); err != nil {
			return err
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

const errorsPath = "/licenseErrors"

// errorsLink returns the URL of the next page of licenseErrors, which has a query.
func errorsLink(r *wire.Request, found foundErrors, query url.Values) string {
	query.Set("$skiptoken", found.next)
	if r.Options.Filter != nil {
		query.Set("$filter", r.Options.Filter.Text)
	}
	for _, key := range r.Options.OrderBy {
		query.Set("$orderby", orderText(key))
	}
	if found.limit != wire.DefaultPage {
		query.Set("$top", string(jsontext.AppendInt(nil, found.limit)))
	}
	return r.Root + errorsPath + "?" + query.Encode()
}

func orderText(key odata.Order) string {
	if key.Descending {
		return key.Property + " desc"
	}
	return key.Property
}

// tokenOf returns a $skiptoken of licenseErrors, also in responses of reprocess.
func tokenOf(r *wire.Request, after uint32, rest ...byte) string {
	return r.Token(route.Own+errorsPath, int64(after), rest...)
}
