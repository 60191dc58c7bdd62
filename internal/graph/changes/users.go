package changes

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/outcome"
	"licensor/internal/sheet"
	"licensor/internal/tenant"
)

// users answers GET /licensor/v1/previews/{id}/users (C7): what becomes of users, by product. Pages
// have up to $top users; all rows of a user are on one page. With ?format=csv, or if the caller
// accepts text/csv, the response is a table.
func (all *Previews) users(r *wire.Request) error {
	if err := r.Allow("$filter", "$top", "$skiptoken", "$format"); err != nil {
		return err
	}
	p, err := all.get(r)
	if err != nil {
		return err
	}
	is, err := conditionOf(r.Options.Filter, p)
	if err != nil {
		return err
	}
	path := route.Own + "/previews/" + p.id.String() + "/users"
	return p.sendUsers(r, is, path, url.Values{}, func() ([]byte, error) {
		return r.AppendHead(r.Begin(), "previews/users"), nil
	})
}

// sendUsers answers with a page of the rows that satisfy a condition. The link to the next page has
// a path and a query. Head begins the response, unless that is a table.
func (p *preview) sendUsers(
	r *wire.Request, is condition, path string, query url.Values, head func() ([]byte, error),
) error {
	table, err := own.WantsTable(r, r.Options.Format, "json", wire.JSONType)
	if err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	users, next := page.Of(p.outcome.Users(is))
	link := ""
	if next {
		link = nextLink(r, path, query, users[len(users)-1], page.Limit)
	}
	if table {
		return p.sendTable(r, users, is, link)
	}
	b, err := head()
	if err != nil {
		return err
	}
	if link != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), link)
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	reasons := own.ReasonsIn(p.after)
	for _, user := range users {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		for _, row := range p.outcome.Rows(user) {
			if !is(row.What) {
				continue
			}
			if b, err = r.More(p.appendRow(wire.AppendNext(b), &row, reasons)); err != nil {
				return err
			}
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// nextLink returns the URL of the page after a user.
func nextLink(r *wire.Request, path string, query url.Values, after uint32, limit int) string {
	query.Set("$skiptoken", r.Token(path, int64(after)))
	if r.Options.Filter != nil {
		query.Set("$filter", r.Options.Filter.Text)
	}
	if r.Options.Format != "" {
		query.Set("$format", r.Options.Format)
	}
	if limit != wire.DefaultPage {
		query.Set("$top", string(jsontext.AppendInt(nil, limit)))
	}
	return r.Origin + path + "?" + query.Encode()
}

// appendRow writes what becomes of a user and a product.
func (p *preview) appendRow(b []byte, row *outcome.Row, reasons *own.Reasons) []byte {
	b = p.appendUser(append(b, '{'), row.User)
	b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), row.SKUID)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), p.partNumber(row.SKUID))
	b = jsontext.AppendText(jsontext.AppendName(b, "outcome"), row.Kind.String())
	b = p.appendSide(jsontext.AppendName(b, "before"), p.before.Licensing, &row.Before)
	b = p.appendSide(jsontext.AppendName(b, "after"), p.after.Licensing, &row.After)
	if row.Kind == outcome.Fail {
		b = reasons.Append(jsontext.AppendName(b, "reasons"), row.User, row.SKUID)
	}
	return append(b, '}')
}

// userNamed returns the names of a user, who may exist in only one of the images.
func (p *preview) userNamed(user uint32) tenant.Named {
	if img := p.after; user < img.Directory.Users() && !img.Directory.UserPurged(user) {
		return img.UserNamed(user)
	}
	return p.before.UserNamed(user)
}

// appendUser writes the id and names of a user.
func (p *preview) appendUser(b []byte, user uint32) []byte {
	named := p.userNamed(user)
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), named.ID)
	b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), named.Principal)
	return jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), named.Name)
}

func (p *preview) partNumber(skuID uuid.UUID) string {
	for _, img := range []*licensing.Image{p.after.Licensing, p.before.Licensing} {
		if product, ok := img.Product(skuID); ok {
			return product.SKUPartNumber
		}
	}
	return ""
}

func (p *preview) appendSide(b []byte, img *licensing.Image, s *outcome.Side) []byte {
	b = jsontext.AppendList(append(b, `{"sources":`...), s.Sources, p.appendSource)
	return append(jsontext.AppendList(append(b, `,"plans":`...), planNames(img, s), jsontext.AppendText), '}')
}

func (p *preview) appendSource(b []byte, source licensing.State) []byte {
	b = jsontext.AppendText(append(b, `{"state":`...), source.State)
	b = jsontext.AppendName(jsontext.AppendText(jsontext.AppendName(b, "error"), source.Error.String()), "assignedByGroup")
	if source.Direct {
		return append(b, "null}"...)
	}
	return append(p.appendGroup(append(b, '{'), source.Group), "}}"...)
}

// planNames returns the names of the service plans in force.
func planNames(img *licensing.Image, s *outcome.Side) []string {
	names := make([]string, 0, len(s.Plans))
	for _, id := range s.Plans {
		name := id.String()
		if plan, ok := img.Plan(id); ok {
			name = plan.Name
		}
		names = append(names, name)
	}
	return names
}

// sendTable answers with a page as CSV. The address of the next page is in a Link header (RFC
// 8288).
func (p *preview) sendTable(r *wire.Request, users []uint32, is func(outcome.What) bool, link string) error {
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	_ = w.Write(columns) // to memory
	for _, user := range users {
		if err := r.Work.Yield(); err != nil {
			return err
		}
		for _, row := range p.outcome.Rows(user) {
			if is(row.What) {
				_ = w.Write(p.cells(&row))
			}
		}
	}
	w.Flush()
	if link != "" {
		r.W.Header().Set("Link", "<"+link+`>; rel="next"`)
	}
	return r.SendAs(http.StatusOK, "text/csv; charset=utf-8", append(r.Begin(), table.Bytes()...))
}

// columns are those of the table.
var columns = []string{
	"id", "userPrincipalName", "displayName", "skuId", "skuPartNumber", "outcome",
	"sourcesBefore", "sourcesAfter", "statesBefore", "statesAfter", "errors", "plansBefore", "plansAfter",
}

func (p *preview) cells(row *outcome.Row) []string {
	named := p.userNamed(row.User)
	sources := func(s *outcome.Side) (from, states, violations []string) {
		for _, one := range s.Sources {
			name := "direct"
			if !one.Direct {
				name = p.groupNamed(one.Group).Name
			}
			from, states = append(from, name), append(states, one.State)
			violations = append(violations, one.Error.String())
		}
		return from, states, violations
	}
	fromBefore, before, _ := sources(&row.Before)
	fromAfter, after, violations := sources(&row.After)
	cells := []string{
		named.ID.String(), named.Principal, named.Name, row.SKUID.String(), p.partNumber(row.SKUID), row.Kind.String(),
	}
	for _, list := range [][]string{
		fromBefore, fromAfter, before, after, violations,
		planNames(p.before.Licensing, &row.Before), planNames(p.after.Licensing, &row.After),
	} {
		cells = append(cells, strings.Join(list, "; "))
	}
	for i := range cells {
		cells[i] = sheet.Harmless(cells[i])
	}
	return cells
}

// notSupported refuses a condition.
func notSupported(column int) error {
	return problem.Refuse("The condition at position %d of $filter is not supported: rows can be compared by outcome "+
		"(gain, lose, fail, clear, change), skuId and group, with eq, ne and in.", column)
}
