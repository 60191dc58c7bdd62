package framing

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
)

// RefusalError is the reason that a request is refused.
type RefusalError struct {
	Status int
	Reason string
}

func (r *RefusalError) Error() string { return r.Reason }

func bad(format string, args ...any) *RefusalError {
	return &RefusalError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// chunked is the length of a chunked body.
const chunked = -1

// head is the part of a request's head that determines its end and its host.
type head struct {
	old     bool // HTTP/1.0
	target  string
	connect bool
	hosts   []string
	lengths []string
	codings []string
}

// bodyOf returns the length of the body of a request, or chunked. The text is the whole head,
// including the empty line at its end.
func bodyOf(text []byte) (length int64, refusal *RefusalError) {
	line, rest, _ := bytes.Cut(text, crlf)
	var h head
	if refusal := h.request(line); refusal != nil {
		return 0, refusal
	}
	for count := 1; ; count++ {
		line, rest, _ = bytes.Cut(rest, crlf)
		if len(line) == 0 {
			break
		}
		if count > mostFields {
			return 0, tooMany
		}
		name, value, refusal := field(line)
		if refusal != nil {
			return 0, refusal
		}
		h.note(name, value)
	}
	if refusal := h.host(); refusal != nil {
		return 0, refusal
	}
	return h.length()
}

var crlf = []byte("\r\n")

// mostFields is the maximum number of headers of a request: each takes far more memory than bytes
// on the wire.
const mostFields = 100

var tooMany = &RefusalError{
	http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("there are more than %d headers", mostFields),
}

// request parses the first line (RFC 9112, 3).
func (h *head) request(line []byte) *RefusalError {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !token(method) || len(target) == 0 || hasControl(target) || bytes.IndexByte(target, '\t') >= 0 {
		return bad("the first line is not a method, an address and a version with one space between them")
	}
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.old = true
	default:
		return &RefusalError{http.StatusHTTPVersionNotSupported, "the version is neither HTTP/1.1 nor HTTP/1.0"}
	}
	h.target, h.connect = string(target), string(method) == http.MethodConnect
	if h.target == "*" && string(method) != http.MethodOptions {
		return bad("the address * is for OPTIONS only")
	}
	return nil
}

// field splits a header line (RFC 9112, 5). A line that begins with a space would continue the
// previous one, which is no longer allowed.
func field(line []byte) (name, value []byte, refusal *RefusalError) {
	if line[0] == ' ' || line[0] == '\t' {
		return nil, nil, bad("a header goes over more than one line")
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !token(name) {
		return nil, nil, bad("a line of the headers is not a name followed directly by a colon")
	}
	if hasControl(value) {
		return nil, nil, bad("the header %s has a control character", name)
	}
	return name, bytes.Trim(value, " \t"), nil
}

// note stores the headers that matter here. The comparison ignores all others without a copy.
func (h *head) note(name, value []byte) {
	switch len(name) {
	case len("Host"):
		if bytes.EqualFold(name, []byte("Host")) {
			h.hosts = append(h.hosts, string(value))
		}
	case len("Content-Length"):
		if bytes.EqualFold(name, []byte("Content-Length")) {
			h.lengths = append(h.lengths, string(value))
		}
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			h.codings = append(h.codings, string(value))
		}
	}
}

// host refuses requests whose host is ambiguous (RFC 9112, 3.2).
func (h *head) host() *RefusalError {
	if len(h.hosts) > 1 {
		return bad("there are %d Host headers; send one", len(h.hosts))
	}
	if len(h.hosts) == 0 && !h.old {
		return bad("there is no Host header")
	}
	authority := h.target
	switch {
	case h.connect:
	case strings.HasPrefix(h.target, "/"), h.target == "*":
		return nil
	default:
		scheme, rest, ok := strings.Cut(h.target, "://")
		if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return bad("the address is neither a path nor one of http or https")
		}
		authority = rest
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			authority = rest[:end]
		}
	}
	if len(h.hosts) == 1 && !strings.EqualFold(authority, h.hosts[0]) {
		return bad("the address is for the host %q, the Host header for %q", authority, h.hosts[0])
	}
	return nil
}

// length sets the length of the body (RFC 9112, 6.3). The RFC allows, but does not require, to
// accept several equal lengths; no client sends them. Leading zeros are refused too: some
// implementations read them as octal, and no client sends them.
func (h *head) length() (int64, *RefusalError) {
	switch {
	case len(h.codings) > 0 && h.old:
		return 0, bad("HTTP/1.0 has no Transfer-Encoding")
	case len(h.codings) > 0 && len(h.lengths) > 0:
		return 0, bad("there are both Content-Length and Transfer-Encoding; send one of them")
	case len(h.codings) > 1:
		return 0, bad("there are %d Transfer-Encoding headers; send one", len(h.codings))
	case len(h.codings) == 1:
		return coding(h.codings[0])
	case len(h.lengths) > 1:
		return 0, bad("there are %d Content-Length headers; send one", len(h.lengths))
	case len(h.lengths) == 0:
		return 0, nil
	}
	n, ok := decimal(h.lengths[0])
	if !ok {
		return 0, bad("Content-Length is %q, which is not a number of bytes", h.lengths[0])
	}
	return n, nil
}

// coding accepts only chunked. A body with further codings has a known end, but the server cannot
// decode it.
func coding(value string) (int64, *RefusalError) {
	first, last, list := strings.Cut(value, ",")
	switch {
	case strings.EqualFold(value, "chunked"):
		return chunked, nil
	case list && strings.EqualFold(strings.Trim(last, " \t"), "chunked") && !strings.EqualFold(strings.Trim(first, " \t"), "chunked"):
		return 0, &RefusalError{
			http.StatusNotImplemented, fmt.Sprintf("Transfer-Encoding is %q; only chunked is known", value),
		}
	}
	return 0, bad("Transfer-Encoding is %q; it can only be chunked", value)
}

// decimal parses a number in the form of Content-Length (RFC 9110, 8.6).
func decimal(text string) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = 10*n + int64(text[i]-'0')
	}
	return n, true
}

// token reports whether a text is a token (RFC 9110, 5.6.2).
func token(text []byte) bool {
	for _, b := range text {
		if !tokenBytes[b] {
			return false
		}
	}
	return len(text) > 0
}

var tokenBytes = func() (is [256]bool) {
	for _, b := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		is[b] = true
	}
	return is
}()

// hasControl reports whether there are control characters other than the tab. Tokens are long, so
// it checks eight bytes at a time.
func hasControl(text []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(text) >= 8 {
		eight := binary.LittleEndian.Uint64(text)
		del := eight ^ ones*0x7f
		if ((eight-ones*' ')&^eight|(del-ones)&^del)&highs != 0 && controlIn(text[:8]) {
			return true
		}
		text = text[8:]
	}
	return controlIn(text)
}

func controlIn(text []byte) bool {
	for _, b := range text {
		if b < ' ' && b != '\t' || b == 0x7f {
			return true
		}
	}
	return false
}
