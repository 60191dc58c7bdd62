package own

import (
	"net/http"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	columns "licensor/internal/query"
)

// Overview answers GET /licensor/v1/overview: the numbers of the first page of an administrator.
// Most come from sets and columns of the image; only users in error are read one by one.
func Overview(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	failures, err := countErrors(r, r.Image.Licensing)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "overview")
	b = jsontext.AppendInt(append(jsontext.AppendName(b, "commit"), `{"number":`...), int(r.Image.Seq))
	b = append(jsontext.AppendTime(jsontext.AppendName(b, "dateTime"), r.Image.At), '}')
	if b, err = appendUserCounts(r, jsontext.AppendName(b, "users")); err != nil {
		return err
	}
	if b, err = appendGroupCounts(r, jsontext.AppendName(b, "groups")); err != nil {
		return err
	}
	list := products(r.Image, failures, r.Now)
	b = appendProductCounts(jsontext.AppendName(b, "products"), list)
	b = appendErrorCounts(jsontext.AppendName(b, "errors"), r.Image.Licensing, failures)
	return r.Send(http.StatusOK, append(b, '}'))
}

// userFilters are the conditions whose users are counted, by the name of the number.
var userFilters = []struct{ name, filter string }{
	{"disabled", "accountEnabled eq false"},
	{"guests", "userType eq 'Guest'"},
	{"withoutUsageLocation", "usageLocation eq null"},
}

// appendUserCounts counts users by columns, whose sets are cached for the image, and by the holders
// of each SKU. Deleted users hold nothing (L38).
func appendUserCounts(r *wire.Request, b []byte) ([]byte, error) {
	all, err := r.Tenant.Find(r.Context(), r.Image, query.Users.Type, columns.WithinLive, columns.All(), "", nil)
	if err != nil {
		return b, err
	}
	licensed := int(holders(r.Image.Licensing).GetCardinality())
	b = jsontext.AppendInt(append(b, `{"count":`...), all.Count())
	b = jsontext.AppendInt(jsontext.AppendName(b, "licensed"), licensed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "unlicensed"), all.Count()-licensed)
	for _, f := range userFilters {
		n, err := countUsers(r, f.filter)
		if err != nil {
			return b, err
		}
		b = jsontext.AppendInt(jsontext.AppendName(b, f.name), n)
	}
	return append(b, '}'), nil
}

// holders returns the users who hold a license.
func holders(img *licensing.Image) *roaring.Bitmap {
	var sets []*roaring.Bitmap
	for _, info := range img.EverySKU() {
		if info.Holders != nil {
			sets = append(sets, info.Holders)
		}
	}
	return roaring.AndNot(roaring.FastOr(sets...), img.DeletedUsers())
}

// countUsers returns the number of users who satisfy a filter.
func countUsers(r *wire.Request, text string) (int, error) {
	filter, err := odata.ParseFilter(text)
	if err != nil {
		return 0, err
	}
	scope := query.Scope{Image: r.Image, Now: r.Now, Advanced: true}
	wanted, err := query.Users.Wanted(scope, &odata.Options{Filter: filter})
	if err != nil {
		return 0, err
	}
	found, err := r.Tenant.Find(r.Context(), r.Image, query.Users.Type, columns.WithinLive, wanted.Condition, text, nil)
	if err != nil {
		return 0, err
	}
	return found.Count(), nil
}

// appendGroupCounts counts groups in one pass over what licensing knows of them.
func appendGroupCounts(r *wire.Request, b []byte) ([]byte, error) {
	img, index := r.Image.Licensing, r.Image.Directory
	var all, licensed, failed, withErrors int
	for group := range index.Groups() {
		if group%pausing == pausing-1 {
			if err := r.Work.Yield(); err != nil {
				return b, err
			}
		}
		if index.GroupPurged(group) || index.GroupDeleted(group) {
			continue
		}
		all++
		if img.GroupLicensed(group) {
			licensed++
		}
		if wrong := img.GroupErrors(group); wrong != nil && !wrong.IsEmpty() {
			withErrors++
		}
		if d := r.Image.Dynamic(group); d != nil && d.Failed != "" {
			failed++
		}
	}
	b = jsontext.AppendInt(append(b, `{"count":`...), all)
	b = jsontext.AppendInt(jsontext.AppendName(b, "licensed"), licensed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "dynamic"), r.Image.DynamicGroups())
	b = jsontext.AppendInt(jsontext.AppendName(b, "withFailedRules"), failed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "withErrors"), withErrors)
	return append(b, '}'), nil
}

// appendProductCounts sums up the products. Units are those that can be assigned.
func appendProductCounts(b []byte, list []product) []byte {
	var units, held, unassigned, dead, short int
	var renewal time.Time
	for i := range list {
		p := &list[i]
		units += p.Units.Enabled + p.Units.Warning
		dead += p.Units.Suspended + p.Units.LockedOut
		held += p.Consumed
		unassigned += max(0, p.Free())
		if p.short() {
			short++
		}
		if !p.renewal.IsZero() && (renewal.IsZero() || p.renewal.Before(renewal)) {
			renewal = p.renewal
		}
	}
	b = jsontext.AppendInt(append(b, `{"count":`...), len(list))
	b = jsontext.AppendInt(jsontext.AppendName(b, "units"), units)
	b = jsontext.AppendInt(jsontext.AppendName(b, "suspendedUnits"), dead)
	b = jsontext.AppendInt(jsontext.AppendName(b, "held"), held)
	b = jsontext.AppendInt(jsontext.AppendName(b, "unassigned"), unassigned)
	b = jsontext.AppendInt(jsontext.AppendName(b, "short"), short)
	b = jsontext.AppendTime(jsontext.AppendName(b, "renewalDateTime"), renewal)
	return append(b, '}')
}

func appendErrorCounts(b []byte, img *licensing.Image, failures *tally) []byte {
	b = jsontext.AppendInt(append(b, `{"users":`...), failures.users)
	b = jsontext.AppendInt(jsontext.AppendName(b, "waiting"), failures.kinds[licensing.CountViolation])
	b = jsontext.AppendTime(jsontext.AppendName(b, "oldestDateTime"), began(failures.oldest))
	b = append(jsontext.AppendName(b, "byError"), '{')
	for kind, n := range failures.kinds {
		if n > 0 {
			b = jsontext.AppendInt(jsontext.AppendName(b, licensing.Violation(kind).String()), n)
		}
	}
	return append(b, "}}"...)
}
