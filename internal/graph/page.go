package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/jsontext"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// page is what of a list an answer shows.
type page struct {
	after        int64 // the place of the last element of the page before; -1 for the first page
	limit        int
	*query.Order        // nil: by ordinal
	rest         []byte // of the token: what it says of the order
}

// Sizes of pages (P25).
const (
	defaultPage = 100
	maxPage     = 999
)

// page reads the options that say which page is wanted.
func (r *request) page() (page, error) {
	return r.pageAfter(func(rest []byte) bool { return len(rest) == 0 })
}

// anyPage is page for lists whose order says what more the token is to say.
func (r *request) anyPage() (page, error) {
	return r.pageAfter(func([]byte) bool { return true })
}

// longPage is page for lists whose token says more than a place, in so many bytes.
func (r *request) longPage(size int) (page, error) {
	return r.pageAfter(func(rest []byte) bool { return len(rest) == size })
}

// pageAfter is page for tokens of which the rest fits.
func (r *request) pageAfter(fits func(rest []byte) bool) (page, error) {
	p := page{after: -1, limit: defaultPage}
	if top := r.options.Top; top != odata.Absent {
		if top < 1 || top > maxPage {
			return page{}, problem.Refuse("Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", top, maxPage)
		}
		p.limit = top
	}
	if r.options.SkipToken != "" {
		after, rest, ok := r.readToken(r.options.SkipToken)
		if !ok || !fits(rest) {
			return page{}, otherToken()
		}
		p.after, p.rest = after, rest
	}
	return p, nil
}

// orderedPage is page for lists that $orderby has an effect on.
func (r *request) orderedPage(f *query.Kind) (page, error) {
	p, err := r.anyPage()
	if err != nil {
		return page{}, err
	}
	if p.Order, err = f.Order(r.scope(), r.options); err != nil {
		return page{}, err
	}
	p.resumeByID(f, r.image)
	if p.Order == nil && len(p.rest) > 0 || p.Order != nil && p.after >= 0 && !p.Resume(p.rest) {
		return page{}, otherToken()
	}
	return p, nil
}

func otherToken() error {
	return problem.Refuse("The $skiptoken is not one of this list. Follow the @odata.nextLink of an answer as it stands, or start again without it.")
}

// restAt is what the token of the page after this one says of the order, beside the ordinal of the
// last object shown.
func (p page) restAt(last columns.Place) []byte {
	if p.Order == nil {
		return nil
	}
	return p.AppendTo(nil, last.Key)
}

// token makes a $skiptoken of the place of the last element shown, for the list that a path names,
// and of what more there is to say.
func (r *request) token(path string, after int64, rest ...byte) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(after))
	b = append(b, r.listID(path, r.eventual())...)
	return base64.RawURLEncoding.EncodeToString(append(b, rest...))
}

func (r *request) readToken(text string) (after int64, rest []byte, ok bool) {
	if !r.continues(text, true) && !r.continues(text, false) {
		return 0, nil, false
	}
	b, _ := decodeToken(text)
	after = int64(binary.BigEndian.Uint64(b))
	return after, b[16:], after >= 0
}

// decodeToken reads base64url that is written in the one way we write it: without the bits that the
// last character has to spare, and without line ends, which the decoder takes.
func decodeToken(text string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return b, err == nil && !strings.ContainsAny(text, "\r\n")
}

// continues reports whether a token is one of this list, asked for with the header of advanced
// queries or without.
func (r *request) continues(token string, eventual bool) bool {
	if token == "" || r.tenant == nil {
		return false
	}
	b, ok := decodeToken(token)
	return ok && len(b) >= 16 && slices.Equal(b[8:16], r.listID(r.URL.Path, eventual))
}

// listID identifies what is listed: a token is good for the list that it comes from, and no other.
// It guards against mistakes only: who makes up a token sees nothing that could not be seen
// without. That the list was asked for with the header of advanced queries is part of it, since
// clients leave the header out when they follow a link.
func (r *request) listID(path string, eventual bool) []byte {
	h := sha256.New()
	if eventual {
		h.Write([]byte{3})
	}
	id := r.tenant.ID()
	h.Write(id[:])
	h.Write([]byte(strings.ToLower(path)))
	if r.options.Filter != nil {
		h.Write([]byte("\x00" + fold.Text(r.options.Filter.Text))) // no filter looks at letter case
	}
	for _, key := range r.options.OrderBy {
		fmt.Fprintf(h, "\x01%s %t", fold.Text(key.Property), key.Descending)
	}
	if r.options.Search != nil {
		h.Write([]byte("\x02" + fold.Text(r.options.Search.String())))
	}
	return h.Sum(nil)[:8]
}

// nextLink is the address of the next page: that of this one with another token (P25).
func (r *request) nextLink(after int64, rest ...byte) string {
	var kept []string
	for _, pair := range strings.Split(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		if pair != "" && !strings.EqualFold(strings.TrimPrefix(name, "$"), "skiptoken") {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, "$skiptoken="+r.token(r.URL.Path, after, rest...))
	return r.host + r.URL.EscapedPath() + "?" + strings.Join(kept, "&")
}

// allow refuses query options that the operation does not have.
func (r *request) allow(options ...string) error {
	for _, name := range r.options.Given {
		switch {
		case name == "$format" || slices.Contains(options, name):
		case name == "$skip":
			return problem.Refuse("'$skip' is not supported by the service. Follow the @odata.nextLink of each page instead.")
		default:
			return problem.Unsupported("The query option '%s' is not supported for this resource.", name)
		}
	}
	return nil
}

// counting says whether the answer is to have @odata.count: on the first page, where the caller
// asks for advanced queries (P26).
func (r *request) counting() bool {
	return r.options.Count && r.options.SkipToken == "" && r.eventual()
}

// allowCount refuses to answer with a number alone where the header is missing (P26).
func (r *request) allowCount() error {
	if err := r.allow("$filter", "$search"); err != nil {
		return err
	}
	if !r.eventual() {
		return problem.Refuse("$count is not currently supported.")
	}
	return nil
}

// appendHead begins an answer with its context (P20), which metadata of none leaves out.
func (r *request) appendHead(b []byte, context string) []byte {
	b = append(b, '{')
	if r.metadata == "none" {
		return b
	}
	return jsontext.AppendText(jsontext.AppendName(b, "@odata.context"), r.root+"/$metadata#"+context)
}

// selected adds the properties of $select and $expand to the name of a set:
// groups(displayName,id,members(id)).
func (r *request) selected(set string) string {
	names := slices.Clip(r.options.Select)
	if len(r.options.Expand) > 0 { // what is expanded is there once
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return slices.ContainsFunc(r.options.Expand, func(e odata.Expansion) bool { return e.Name == name })
		})
	}
	for _, e := range r.options.Expand {
		names = append(names, e.Name+"("+strings.Join(e.Select, ",")+")")
	}
	if len(names) == 0 {
		return set
	}
	return set + "(" + strings.Join(names, ",") + ")"
}

// list is a list to be answered.
type list[T any] struct {
	context string
	rows    []T       // one more than limit when there is another page
	source  source[T] // yields the rows in their place
	limit   int       // 0: all rows are one page
	count   int       // -1: not wanted
	place   func(T) int64
	rest    func(T) []byte               // what the token says beside the place; nil: nothing
	next    string                       // the address of the next page, where it does not follow from the rows
	write   func(b []byte, row T) []byte // an object, with its braces
}

// paced lets others go first now and then. The answer is given up when the request's time is.
func paced[T any](r *request, write func([]byte, T) []byte) func([]byte, T) []byte {
	r.work.Doing("writing the objects of the page")
	return func(b []byte, object T) []byte {
		if err := r.work.Pace(); err != nil {
			r.fault = err
			return b
		}
		return write(b, object)
	}
}

// sendList answers with a page.
func sendList[T any](r *request, l list[T]) error {
	if r.wantsLength() {
		return r.sendText(strconv.Itoa(len(l.rows)))
	}
	b := r.appendHead(r.begin(), l.context)
	if l.count >= 0 {
		b = jsontext.AppendInt(jsontext.AppendName(b, "@odata.count"), l.count)
	}
	if l.limit > 0 && len(l.rows) > l.limit {
		l.rows = l.rows[:l.limit]
		last := l.rows[l.limit-1]
		var rest []byte
		if l.rest != nil {
			rest = l.rest(last)
		}
		l.next = r.nextLink(l.place(last), rest...)
	}
	if l.next != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), l.next)
	}
	if l.source == nil {
		l.source = sourceOf(l.rows)
	}
	b, err := appendRows(r, append(jsontext.AppendName(b, "value"), '['), l.source, paced(r, l.write))
	if err != nil {
		return err
	}
	return r.send(http.StatusOK, append(b, "]}"...))
}

// resumeByID takes up a list of applications where a page of an earlier version has ended: its
// token names the last one by id.
func (p *page) resumeByID(f *query.Kind, img *tenant.Image) {
	if p.Order == nil && len(p.rest) == len(uuid.Nil) {
		if ordinal, ok := f.ByID(img, uuid.UUID(p.rest).String()); ok {
			p.after, p.rest = int64(ordinal), nil
		}
	}
}

// countOf is n where the caller wants the count of all, otherwise -1.
func (r *request) countOf(n int) int {
	if r.counting() {
		return n
	}
	return -1
}

// appendType begins an object with its type (P21).
func (r *request) appendType(b []byte, name string) []byte {
	b = append(b, '{')
	if r.metadata == "none" {
		return b
	}
	return jsontext.AppendText(jsontext.AppendName(b, "@odata.type"), "#"+name)
}
