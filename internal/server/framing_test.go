package server

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"licensor/internal/server/wiretest"

	"golang.org/x/net/http2/hpack"
)

// seenPaths is a handler that reads a request as a whole and notes its path and whether it came
// over TLS.
type seenPaths struct {
	mu     sync.Mutex
	paths  []string
	secure bool
}

func (s *seenPaths) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.paths, s.secure = append(s.paths, r.URL.Path), r.TLS != nil
	s.mu.Unlock()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, "the body did not come", http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, r.URL.Path)
}

func (s *seenPaths) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.paths, " ")
}

// framed is a server, plain or over TLS, with the handler that notes what comes.
func framed(t *testing.T, secure bool) (seen *seenPaths, dialed func(*testing.T) net.Conn) {
	t.Helper()
	at, seen := quick(func(*bounds) {}), new(seenPaths)
	at.MaxConnections, at.MaxPerAddress = 1000, 500
	if secure {
		files := newKeyPair(t, t.TempDir(), 1)
		at.Security.CertFile, at.Security.KeyFile = files.CertFile, files.KeyFile
	}
	address := startServing(t, at, seen)
	return seen, func(t *testing.T) net.Conn {
		conn := dial(t, address)
		if secure {
			trust, err := at.Security.Trust()
			if err != nil {
				t.Fatal(err)
			}
			conn = tls.Client(conn, &tls.Config{RootCAs: trust, ServerName: "localhost", NextProtos: []string{"http/1.1"}})
		}
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
}

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

var ambiguous = []struct {
	name, raw string
	status    int
}{
	{"Content-Length and Transfer-Encoding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"Transfer-Encoding and Content-Length", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n", 400},
	{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n", 400},
	{"two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
	{"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n", 400},
	{"a length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n", 400},
	{"a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
	{"a length in base 16", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n", 400},
	{"a length that looks octal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", 400},
	{"a length beyond all numbers", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
	{"an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
	{"a length with a space in it", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0 0\r\n\r\n", 400},
	{"two codings in two headers", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
	{"chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
	{"an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
	{"identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400},
	{"an unknown coding below chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
	{"a coding in quotes", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
	{"a coding with a vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
	{"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n", 400},
	{"a header over two lines", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400},
	{"a first header that begins with a space", "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", 400},
	{"a space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 36\r\n\r\n", 400},
	{"a tab before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400},
	{"no colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length 36\r\n\r\n", 400},
	{"an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: 36\r\n\r\n", 400},
	{"LF alone after the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
	{"LF alone after a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
	{"LF alone at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
	{"LF alone everywhere", "GET / HTTP/1.1\nHost: a\n\n", 400},
	{"CR alone in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: 36\r\n\r\n", 400},
	{"CR alone after a header", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
	{"CR twice", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400},
	{"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n", 400},
	{"NUL in the address", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	{"two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400},
	{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
	{"an address with another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"an address with a user", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", 400},
	{"an address of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"an address that is a word", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"two spaces in the first line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"a tab in the first line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"a space in the address", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 505},
	{"HTTP/0.9", "GET /\r\n\r\n", 400},
	{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
	{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"more headers than allowed", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X:\r\n", 100) + "\r\n", 431},
}

// What comes behind such a head is not taken for a request, whatever it is.
func TestARequestWithTwoReadingsIsRefused(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		seen, dialed := framed(t, secure)
		for _, test := range ambiguous {
			t.Run(fmt.Sprintf("%s, TLS %v", test.name, secure), func(t *testing.T) {
				conn := dialed(t)
				if _, err := io.WriteString(conn, test.raw+smuggled); err != nil {
					t.Fatal(err)
				}
				refusedWith(t, conn, test.status)
				if seen.String() != "" {
					t.Errorf("requests were served: %s", seen)
				}
			})
		}
	}
}

// refusedWith reads the one answer that comes, and that the connection is closed after it.
func refusedWith(t *testing.T, conn net.Conn, status int) {
	t.Helper()
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if response.StatusCode != status || !response.Close || len(text) == 0 || err != nil {
		t.Errorf("answered %s, close %v, %q, %v; want %d", response.Status, response.Close, text, err, status)
	}
	if more, err := io.ReadAll(r); len(more) > 0 || err != nil {
		t.Errorf("then came %q, %v", more, err)
	}
}

func TestABodyWithTwoReadingsIsRefused(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"a size with a sign":              "+5\r\nhello\r\n0\r\n\r\n",
		"a negative size":                 "-5\r\nhello\r\n0\r\n\r\n",
		"a size with 0x":                  "0x5\r\nhello\r\n0\r\n\r\n",
		"a size with an underscore":       "1_0\r\nhellohellohelloo\r\n0\r\n\r\n",
		"a size with a space before":      " 5\r\nhello\r\n0\r\n\r\n",
		"a size with a space behind":      "5 \r\nhello\r\n0\r\n\r\n",
		"a size of too many digits":       "00000000000000005\r\nhello\r\n0\r\n\r\n",
		"no size":                         "\r\nhello\r\n0\r\n\r\n",
		"a size that ends with LF alone":  "5\nhello\r\n0\r\n\r\n",
		"a size with CR alone":            "5\r;a\r\nhello\r\n0\r\n\r\n",
		"an extension with LF alone":      "5;a\nhello\r\n0\r\n\r\n",
		"an extension with NUL":           "5;a\x00\r\nhello\r\n0\r\n\r\n",
		"an extension that is overlong":   "5;" + strings.Repeat("a", 300) + "\r\nhello\r\n0\r\n\r\n",
		"a chunk that is longer":          "5\r\nhello!\r\n0\r\n\r\n",
		"a chunk without an end":          "5\r\nhello0\r\n\r\n",
		"a chunk that ends with LF alone": "5\r\nhello\n0\r\n\r\n",
		"the last chunk with LF alone":    "0\n\r\n",
		"an end with LF alone":            "0\r\n\n",
		"a trailer over two lines":        "0\r\nX: a\r\n b\r\n\r\n",
		"a trailer with a length":         "0\r\nContent-Length: 36\r\n\r\n",
		"a trailer with a coding":         "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"trailers that are overlong":      "0\r\n" + strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 5) + "\r\n",
	}
	for _, secure := range []bool{false, true} {
		seen, dialed := framed(t, secure)
		for name, body := range bodies {
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				conn := dialed(t)
				if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+body+smuggled); err != nil {
					t.Fatal(err)
				}
				refusedWith(t, conn, http.StatusBadRequest)
				if strings.Contains(seen.String(), "smuggled") {
					t.Error("what came behind was served")
				}
			})
		}
	}
}

// What has one reading is served, however it is cut into pieces, and one request after the other.
func TestRequestsWithOneReadingAreServed(t *testing.T) {
	t.Parallel()
	requests := "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
		"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
		"\r\nPOST /3 HTTP/1.1\r\nhost:a\r\nTRANSFER-ENCODING:\tChunked \r\n\r\n" +
		"5\r\nhello\r\n00A;name=\"value\"\r\nhellohello\r\n0\r\nX-Sum: 1\r\n\r\n" +
		"GET http://A/4 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Name: M\u00fcller\r\n\r\n" +
		"PUT /5 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n" +
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + // net/http answers it by itself
		"POST /6 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("\n\x00 ", 10_000) + strings.Repeat("x", 10_000) +
		"GET /7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	for _, secure := range []bool{false, true} {
		for _, piece := range []int{1, 7, 100, 1 << 20} {
			t.Run(fmt.Sprintf("TLS %v, in pieces of %d", secure, piece), func(t *testing.T) {
				t.Parallel()
				seen, dialed := framed(t, secure)
				conn := dialed(t)
				go func() {
					for rest := requests; rest != ""; rest = rest[min(piece, len(rest)):] {
						if _, err := io.WriteString(conn, rest[:min(piece, len(rest))]); err != nil {
							return // reading fails, too
						}
					}
				}()
				answers, err := io.ReadAll(conn)
				if err != nil {
					t.Error(err)
				}
				if got := strings.Count(string(answers), " 200 OK"); got != 8 || seen.String() != "/1 /2 /3 /4 /5 /6 /7" {
					t.Errorf("served %s, %d answers:\n%s", seen, got, answers)
				}
				if seen.secure != secure {
					t.Errorf("a request over TLS %v is taken for one over TLS %v", secure, seen.secure)
				}
			})
		}
	}
}

// Good requests before an ambiguous one are answered, in order, while it is already there.
func TestWhatCameBeforeAnAmbiguousRequestIsAnswered(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		seen, dialed := framed(t, secure)
		conn := dialed(t)
		good := "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
		if _, err := io.WriteString(conn, good+ambiguous[0].raw+smuggled); err != nil {
			t.Fatal(err)
		}
		answers, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		var statuses []string
		for line := range strings.Lines(string(answers)) {
			if strings.HasPrefix(line, "HTTP/1.1") {
				statuses = append(statuses, line[9:12])
			}
		}
		if got := strings.Join(statuses, " "); got != "200 200 400" || seen.String() != "/first /second" {
			t.Errorf("TLS %v: answered %s, served %s", secure, got, seen)
		}
	}
}

// A head that begins on a connection that has been used has its time, too.
func TestASecondHeadThatTricklesIsCutOff(t *testing.T) {
	t.Parallel()
	conn := dial(t, startServing(t, quick(func(b *bounds) { b.header = aMoment }), http.HandlerFunc(echo)))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	closes(t, conn)
}

// The authority and Graph tell who sends an ambiguous body.
func TestAnAmbiguousBodyIsRefusedByWhoReadsIt(t *testing.T) {
	t.Parallel()
	address := startServing(t, quick(func(*bounds) {}), nil)
	conn := dial(t, address)
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	_, err := fmt.Fprintf(conn, "POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"%x\r\n%s0\r\n\r\n%s", len(form), form, smuggled)
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, conn, http.StatusBadRequest)
}

// Over HTTP/2 frames say where a request ends, and headers may not say something else.
func TestHeadersThatContradictFramesAreRefused(t *testing.T) {
	t.Parallel()
	at, seen := quick(func(*bounds) {}), new(seenPaths)
	files := newKeyPair(t, t.TempDir(), 1)
	at.Security.CertFile, at.Security.KeyFile = files.CertFile, files.KeyFile
	address := startServing(t, at, seen)
	for name, headers := range map[string][][2]string{
		"another host":       {{"host", "b"}},
		"two lengths":        {{"content-length", "0"}, {"content-length", "0"}},
		"a length with sign": {{"content-length", "+0"}},
		"a coding":           {{"transfer-encoding", "chunked"}},
		"a connection":       {{"connection", "keep-alive"}},
	} {
		t.Run(name, func(t *testing.T) {
			if status := statusOverHTTP2(t, address, headers); status == "200" || seen.String() != "" {
				t.Errorf("answered %s, served %s", status, seen)
			}
		})
	}
	if status := statusOverHTTP2(t, address, [][2]string{{"host", "A"}, {"content-length", "0"}}); status != "200" || !seen.secure {
		t.Errorf("a good request is answered %s, over TLS %v", status, seen.secure)
	}
}

// statusOverHTTP2 sends one request in raw frames, and returns its status; empty when its stream or
// connection is ended instead.
func statusOverHTTP2(t *testing.T, address string, headers [][2]string) (status string) {
	t.Helper()
	conn := tls.Client(dial(t, address), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	for _, h := range append([][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}}, headers...) {
		if err := encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := io.WriteString(conn, wiretest.Preface+
		wiretest.Frame(wiretest.Headers, wiretest.EndOfStream|wiretest.EndOfHeaders, 1, block.String()))
	if err != nil {
		t.Fatal(err)
	}
	for {
		kind, payload, err := readHTTP2(conn)
		if err != nil || kind == wiretest.Reset {
			return ""
		}
		if kind != wiretest.Headers {
			continue
		}
		fields, err := hpack.NewDecoder(4096, nil).DecodeFull(payload)
		if err != nil {
			t.Fatal(err)
		}
		return fields[0].Value
	}
}

func readHTTP2(r io.Reader) (kind byte, payload []byte, err error) {
	var header [9]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(header[:4])
	payload = make([]byte, length>>8)
	_, err = io.ReadFull(r, payload)
	return byte(length), payload, err
}
