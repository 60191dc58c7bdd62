package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/graph/route"
	"licensor/internal/jsontext"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// Page is the part of a list in a response.
type Page struct {
	After        int64 // the place of the last element of the previous page; -1 for the first page
	Limit        int
	*query.Order        // nil: by ordinal
	Rest         []byte // the order's part of the token
}

// Of returns the objects of a set that are on the page, by ordinal, and whether there are more.
// After may also be less or greater than any ordinal.
func (p Page) Of(set *roaring.Bitmap) (list []uint32, more bool) {
	if p.After >= math.MaxUint32 {
		return nil, false
	}
	it := set.Iterator()
	it.AdvanceIfNeeded(uint32(max(0, p.After+1)))
	for len(list) < p.Limit && it.HasNext() {
		list = append(list, it.Next())
	}
	return list, it.HasNext()
}

// Sizes of pages (P25).
const (
	DefaultPage = 100
	MaxPage     = 999
)

// Page reads the options for the requested page.
func (r *Request) Page() (Page, error) {
	return r.pageAfter(MaxPage, func(rest []byte) bool { return len(rest) == 0 })
}

// AnyPage is Page for lists whose order adds to the token.
func (r *Request) AnyPage() (Page, error) {
	return r.pageAfter(MaxPage, func([]byte) bool { return true })
}

// longPage is Page for lists whose token has up to so many more bytes.
func (r *Request) longPage(size int) (Page, error) {
	return r.pageAfter(MaxPage, func(rest []byte) bool { return len(rest) == size })
}

// LongestPage is Page for lists whose pages have up to most elements, and as many without $top, and
// whose token has so many more bytes.
func (r *Request) LongestPage(most, size int) (Page, error) {
	p, err := r.pageAfter(most, func(rest []byte) bool { return len(rest) == size })
	if r.Options.Top == odata.Absent {
		p.Limit = most
	}
	return p, err
}

// pageAfter is Page for tokens whose rest is valid, and pages with up to most elements.
func (r *Request) pageAfter(most int, fits func(rest []byte) bool) (Page, error) {
	p := Page{After: -1, Limit: DefaultPage}
	if top := r.Options.Top; top != odata.Absent {
		if top < 1 || top > most {
			return Page{}, problem.Refuse("Invalid page size specified: '%d'. Must be between 1 and %d "+
				"inclusive.", top, most)
		}
		p.Limit = top
	}
	if r.Options.SkipToken != "" {
		after, rest, ok := r.readToken(r.Options.SkipToken)
		if !ok || !fits(rest) {
			return Page{}, OtherToken()
		}
		p.After, p.Rest = after, rest
	}
	return p, nil
}

// orderedPage is Page for lists that support $orderby.
func (r *Request) orderedPage(f *query.Kind) (Page, error) {
	p, err := r.AnyPage()
	if err != nil {
		return Page{}, err
	}
	if p.Order, err = f.Order(r.Scope(), r.Options); err != nil {
		return Page{}, err
	}
	p.resumeByID(f, r.Image)
	if p.Order == nil && len(p.Rest) > 0 || p.Order != nil && p.After >= 0 && !p.Resume(p.Rest) {
		return Page{}, OtherToken()
	}
	return p, nil
}

// OtherToken refuses a token that does not belong to the list.
func OtherToken() error {
	return problem.Refuse("The $skiptoken does not belong to this list. Use the @odata.nextLink of a response " +
		"unchanged, or start again without it.")
}

// restAt returns the order's part of the token of the next page, in addition to the ordinal of the
// last object shown.
func (p Page) restAt(last columns.Place) []byte {
	if p.Order == nil {
		return nil
	}
	return p.AppendTo(nil, last.Key)
}

// Token returns a $skiptoken with the place of the last element shown, for the list of a path, and
// further data.
func (r *Request) Token(path string, after int64, rest ...byte) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(after))
	b = append(b, r.ListID(path, r.eventual())...)
	return base64.RawURLEncoding.EncodeToString(append(b, rest...))
}

func (r *Request) readToken(text string) (after int64, rest []byte, ok bool) {
	if !r.continues(text, true) && !r.continues(text, false) {
		return 0, nil, false
	}
	b, _ := DecodeToken(text)
	after = int64(binary.BigEndian.Uint64(b))
	return after, b[16:], after >= 0
}

// DecodeToken decodes base64url in canonical form: the spare bits of the last character must be
// zero, and there must be no line ends, which the decoder would accept.
func DecodeToken(text string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return b, err == nil && !strings.ContainsAny(text, "\r\n")
}

// continues reports whether a token belongs to this list, with or without the header of advanced
// queries.
func (r *Request) continues(token string, eventual bool) bool {
	if token == "" || r.Tenant == nil {
		return false
	}
	b, ok := DecodeToken(token)
	return ok && len(b) >= 16 && slices.Equal(b[8:16], r.ListID(r.URL.Path, eventual))
}

// Life identifies the tenant, and how often it was reset, for tokens of lists that continue: those
// of before a reset name commits that no longer exist.
func (r *Request) Life() []byte {
	id := r.Tenant.ID()
	if n := r.Resets.Load(); n > 0 {
		return binary.BigEndian.AppendUint32(id[:], n)
	}
	return id[:]
}

// ListID identifies a list: a token is only valid for the list that it comes from. It detects
// mistakes only: a forged token reveals nothing that its caller could not see without. It includes
// whether the list was requested with the header of advanced queries, since clients omit the header
// when they follow a link.
func (r *Request) ListID(path string, eventual bool) []byte {
	h := sha256.New()
	if eventual {
		h.Write([]byte{3})
	}
	h.Write(r.Life())
	h.Write([]byte(strings.ToLower(path)))
	if r.Options.Filter != nil {
		h.Write([]byte("\x00" + fold.Text(r.Options.Filter.Text))) // filters ignore letter case
	}
	for _, key := range r.Options.OrderBy {
		fmt.Fprintf(h, "\x01%s %t", fold.Text(key.Property), key.Descending)
	}
	if r.Options.Search != nil {
		h.Write([]byte("\x02" + fold.Text(r.Options.Search.String())))
	}
	return h.Sum(nil)[:8]
}

// NextLink returns the URL of the next page: that of this one with another token (P25).
func (r *Request) NextLink(after int64, rest ...byte) string {
	var kept []string
	for _, pair := range strings.Split(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		if pair != "" && !strings.EqualFold(strings.TrimPrefix(name, "$"), "skiptoken") {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, "$skiptoken="+r.Token(r.URL.Path, after, rest...))
	return r.Origin + r.URL.EscapedPath() + "?" + strings.Join(kept, "&")
}

// Allow refuses query options that the operation does not support. Those of our own operations
// include all that are not of OData; Graph ignores unknown ones.
func (r *Request) Allow(options ...string) error {
	for _, name := range r.Options.Given {
		switch {
		case name == "$format" || slices.Contains(options, name):
		case name == "$skip":
			return problem.Refuse("'$skip' is not supported by the service. Follow the @odata.nextLink of each " +
				"page instead.")
		default:
			return problem.Unsupported("The query option '%s' is not supported for this resource.", name)
		}
	}
	return r.allowOwn(options)
}

// allowOwn refuses options of our own operations that are not of OData, such as at.
func (r *Request) allowOwn(options []string) error {
	if !strings.HasPrefix(strings.ToLower(r.URL.Path), route.Own+"/") {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) { // always the same one is named
		is := func(option string) bool { return strings.EqualFold(option, name) }
		given := "$" + strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "$"))
		if !slices.ContainsFunc(options, is) && !slices.Contains(r.Options.Given, given) {
			return problem.Unsupported("The query option '%s' is not supported for this resource.", problem.Clip(name))
		}
	}
	return nil
}

// Values returns those of a query option of our own operations, whose name is in any letter case
// (P1).
func (r *Request) Values(name string) (list []string) {
	given := r.URL.Query()
	for _, other := range slices.Sorted(maps.Keys(given)) {
		if strings.EqualFold(other, name) {
			list = append(list, given[other]...)
		}
	}
	return list
}

// Value returns the first of Values, or "".
func (r *Request) Value(name string) string {
	if list := r.Values(name); len(list) > 0 {
		return list[0]
	}
	return ""
}

// counting reports whether the response has @odata.count: on the first page of advanced queries
// (P26).
func (r *Request) counting() bool {
	return r.Options.Count && r.Options.SkipToken == "" && r.eventual()
}

// AllowCount refuses to respond with only a number if the header is missing (P26).
func (r *Request) AllowCount() error {
	if err := r.Allow("$filter", "$search"); err != nil {
		return err
	}
	if !r.eventual() {
		return problem.Refuse("$count is not currently supported.")
	}
	return nil
}

// AppendHead begins a response with its context (P20), which is omitted with metadata=none.
func (r *Request) AppendHead(b []byte, context string) []byte {
	b = append(b, '{')
	if r.Metadata == "none" {
		return b
	}
	return jsontext.AppendText(jsontext.AppendName(b, "@odata.context"), r.Root+"/$metadata#"+context)
}

// Selected adds the properties of $select and $expand to the name of a set:
// groups(displayName,id,members(id)).
func (r *Request) Selected(set string) string {
	names := slices.Clip(r.Options.Select)
	if len(r.Options.Expand) > 0 { // a duplicate is omitted
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return slices.ContainsFunc(r.Options.Expand, func(e odata.Expansion) bool { return e.Name == name })
		})
	}
	for _, e := range r.Options.Expand {
		names = append(names, e.Name+"("+strings.Join(e.Select, ",")+")")
	}
	if len(names) == 0 {
		return set
	}
	return set + "(" + strings.Join(names, ",") + ")"
}

// List is the list of a response.
type List[T any] struct {
	Context string
	Rows    []T       // one more than limit if there is another page
	Source  Source[T] // yields the rows instead
	limit   int       // 0: all rows on one page
	Count   int       // -1: not requested
	place   func(T) int64
	rest    func(T) []byte               // further data of the token; nil: none
	Next    string                       // the URL of the next page, if it does not follow from the rows
	Write   func(b []byte, row T) []byte // an object, with its braces
}

// paced lets other work run first from time to time. It ends the response when the time of the
// request is over.
func paced[T any](r *Request, write func([]byte, T) []byte) func([]byte, T) []byte {
	r.Work.Doing("writing the objects of the page")
	return func(b []byte, object T) []byte {
		if err := r.Work.Pace(); err != nil {
			r.fault = err
			return b
		}
		return write(b, object)
	}
}

// SendList answers with a page.
func SendList[T any](r *Request, l List[T]) error {
	if r.wantsLength() {
		return r.SendText(strconv.Itoa(len(l.Rows)))
	}
	b := r.AppendHead(r.Begin(), l.Context)
	if l.Count >= 0 {
		b = jsontext.AppendInt(jsontext.AppendName(b, "@odata.count"), l.Count)
	}
	if l.limit > 0 && len(l.Rows) > l.limit {
		l.Rows = l.Rows[:l.limit]
		last := l.Rows[l.limit-1]
		var rest []byte
		if l.rest != nil {
			rest = l.rest(last)
		}
		l.Next = r.NextLink(l.place(last), rest...)
	}
	if l.Next != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), l.Next)
	}
	if l.Source == nil {
		l.Source = SourceOf(l.Rows)
	}
	b, err := AppendRows(r, append(jsontext.AppendName(b, "value"), '['), l.Source, paced(r, l.Write))
	if err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}

// resumeByID continues a list of applications after a page of an earlier version, whose token has
// the id of the last application.
func (p *Page) resumeByID(f *query.Kind, img *tenant.Image) {
	if p.Order == nil && len(p.Rest) == len(uuid.Nil) {
		if ordinal, ok := f.ByID(img, uuid.UUID(p.Rest).String()); ok {
			p.After, p.Rest = int64(ordinal), nil
		}
	}
}

// CountOf returns n if the caller requests the total number, otherwise -1.
func (r *Request) CountOf(n int) int {
	if r.counting() {
		return n
	}
	return -1
}

// AppendType begins an object with its type (P21).
func (r *Request) AppendType(b []byte, name string) []byte {
	b = append(b, '{')
	if r.Metadata == "none" {
		return b
	}
	return jsontext.AppendText(jsontext.AppendName(b, "@odata.type"), "#"+name)
}
