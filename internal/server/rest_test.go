package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A client that sends all of its body before it reads, and slowly, has the answer all the same.
func TestAnswersBeforeTheBodyIsThere(t *testing.T) {
	address := startServing(t, quick(func(*bounds) {}), nil)
	for name, c := range map[string]struct {
		path, headers, version string
		chunked                bool
		pause                  time.Duration // between the pieces
		status                 int
	}{
		"without a token":               {path: "/v1.0/users", status: http.StatusUnauthorized},
		"without a token, in chunks":    {path: "/v1.0/users", status: http.StatusUnauthorized, chunked: true},
		"to the authority, much":        {path: "/common/oauth2/v2.0/token", headers: "Content-Type: application/x-www-form-urlencoded\r\n", status: http.StatusRequestEntityTooLarge},
		"to a place that does not read": {path: "/metrics", status: http.StatusNotFound},
		"the last one":                  {path: "/v1.0/users", headers: "Connection: close\r\n", status: http.StatusUnauthorized},
		"the last one, in chunks":       {path: "/v1.0/users", headers: "Connection: close\r\n", status: http.StatusUnauthorized, chunked: true},
		"the last one, slowly":          {path: "/v1.0/users", headers: "Connection: close\r\n", status: http.StatusUnauthorized, pause: 600 * time.Millisecond},
		"of an old client":              {path: "/v1.0/users", version: "HTTP/1.0", status: http.StatusUnauthorized},
		"of an old client that stays":   {path: "/v1.0/users", version: "HTTP/1.0", headers: "Connection: keep-alive\r\n", status: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const pieces, size = 20, 1 << 20
			conn := dial(t, address)
			length := fmt.Sprintf("Content-Length: %d", pieces*size)
			if c.chunked {
				length = "Transfer-Encoding: chunked"
			}
			version := cmp.Or(c.version, "HTTP/1.1")
			_, err := fmt.Fprintf(conn, "POST %s %s\r\nHost: a\r\n%s%s\r\n\r\n", c.path, version, c.headers, length)
			for i := 0; i < pieces && err == nil; i++ {
				if i == 1 {
					time.Sleep(lingers) // the answer has been there for long
				}
				time.Sleep(c.pause)
				piece := bytes.Repeat([]byte{'x'}, size)
				if c.chunked {
					piece = fmt.Appendf(nil, "%x\r\n%s\r\n", size, piece)
				}
				_, err = conn.Write(piece)
			}
			if err == nil && c.chunked {
				_, err = io.WriteString(conn, "0\r\n\r\n")
			}
			if err != nil {
				t.Fatalf("the body could not be sent: %v", err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("there is no answer: %v", err)
			}
			defer answer.Body.Close()
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != c.status {
				t.Errorf("the answer is %d, want %d (%v)", answer.StatusCode, c.status, err)
			}
		})
	}
}

// An answer that does not need the body does not wait for it, either.
func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	address := startServing(t, quick(func(*bounds) {}), nil)
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		path, kind string
		length     int
		status     int
	}{
		{"/v1.0/users", form, 20_000_000, http.StatusUnauthorized},
		{"/common/oauth2/v2.0/token", form, 20_000_000, http.StatusRequestEntityTooLarge},
		{"/common/oauth2/v2.0/token", "text/plain", 100, http.StatusUnsupportedMediaType},
		{"/unknown.example/oauth2/v2.0/token", form, 100, http.StatusBadRequest},
		{"/common/v2.0/.well-known/openid-configuration", form, 100, http.StatusMethodNotAllowed},
		{"/metrics", form, 20_000_000, http.StatusNotFound},
		{"/common/login", form, 20_000_000, http.StatusNotFound},
		{"/nothing/x", form, 100, http.StatusNotFound},
		{"/", form, 100, http.StatusNotFound},
	} {
		t.Run(fmt.Sprint(c.path, " ", c.length), func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nContent-Type: %s\r\n\r\n{}", c.path, c.length, c.kind)
			if err := errors.Join(err, conn.SetReadDeadline(time.Now().Add(10*time.Second))); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("there is no answer: %v", err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.status {
				t.Errorf("the answer is %d, want %d", answer.StatusCode, c.status)
			}
		})
	}
}

// A body that is given up while it comes is answered, and the client that has sent a part of it can
// read the answer.
func TestTheAnswerToABodyThatIsGivenUpArrives(t *testing.T) {
	t.Parallel()
	address := startServing(t, quick(func(*bounds) {}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.CopyN(io.Discard, r.Body, 10)
		err = errors.Join(err, http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))) // as package memory does
		if _, late := io.Copy(io.Discard, r.Body); err != nil || late == nil {
			t.Errorf("the body is read to its end: %v, %v", err, late)
		}
		http.Error(w, strings.Repeat("too slow ", 1000), http.StatusServiceUnavailable)
	}))
	for name, c := range map[string]struct{ header, size string }{
		"with a length": {"Content-Length: 200000", ""}, "in chunks": {"Transfer-Encoding: chunked", "30d40\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			head := "POST / HTTP/1.1\r\nHost: a\r\n" + c.header + "\r\n\r\n" + c.size
			for _, piece := range []string{head, strings.Repeat("x", 100_000)} {
				if _, err := io.WriteString(conn, piece); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(lingers) // the answer has been there for long
			answers := bufio.NewReader(conn)
			wantAnswer(t, answers, http.StatusServiceUnavailable)
			if _, err := answers.ReadByte(); err != io.EOF {
				t.Errorf("after the answer there is %v, want the end", err)
			}
		})
	}
}

// lingers is longer than net/http keeps a connection open for a body that no one reads.
const lingers = 700 * time.Millisecond

// asked is a request whose response does not need the body, with the body that it announces.
type asked struct {
	name, head string
	sent, rest string // of the body: before the response, and after it
	status     int
}

var early = []asked{
	{"in part", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n", "half", strings.Repeat("x", 96), http.StatusUnauthorized},
	{"with Expect", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", "", strings.Repeat("x", 100), http.StatusUnauthorized},
	{"with Expect, to a place that does not read", "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "", "abc", http.StatusOK},
	{"in chunks", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nab", "cde\r\n3\r\nfgh\r\n0\r\nX: y\r\n\r\n", http.StatusUnauthorized},
	{"between chunks", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nabcde\r\n4", "\r\nabcd\r\n0\r\n\r\n", http.StatusUnauthorized},
	{"before a chunk ends", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nabcde\r", "\n0\r\n\r\n", http.StatusUnauthorized},
	{"in trailers", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX: y\r\n", "\r\n", http.StatusUnauthorized},
	{"as a whole", "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", "body", "", http.StatusUnauthorized},
}

// ask sends a request without the rest of its body, and reads the whole response.
func (a asked) ask(t *testing.T, conn net.Conn, answers *bufio.Reader) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, a.head+a.sent); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, answers, a.status)
}

func wantAnswer(t *testing.T, answers *bufio.Reader, status int) {
	t.Helper()
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("there is no answer: %v", err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != status {
		t.Fatalf("the answer is %d, want %d (%v)", answer.StatusCode, status, err)
	}
}

// A response that does not need the body is complete before the body, and the next request on the
// connection is answered after it. A request that is hidden in the body is not.
func TestTheNextRequestComesAfterTheBody(t *testing.T) {
	t.Parallel()
	address := startServing(t, quick(func(*bounds) {}), nil)
	for _, a := range early {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			answers := bufio.NewReader(conn)
			for range 3 {
				a.ask(t, conn, answers)
				for i := range a.rest { // each its own packet, as a rule
					if _, err := io.WriteString(conn, a.rest[i:i+1]); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				wantAnswer(t, answers, http.StatusOK)
			}
		})
	}
}

// Connections whose body does not come, before or after the response, give way to others of their
// address.
func TestConnectionsThatWaitForABodyGiveWay(t *testing.T) {
	t.Parallel()
	for _, a := range early {
		if a.rest == "" {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			at := quick(func(*bounds) {})
			at.MaxConnections, at.MaxPerAddress = 20, 10
			address := startServing(t, at, nil)
			for range 2 * at.MaxPerAddress {
				conn := dial(t, address)
				a.ask(t, conn, bufio.NewReader(conn))
			}
		})
	}
}

// A client that goes away in the middle of a body is not a fault of the server.
func TestNothingFailsWhenABodyDoesNotCome(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	at := quick(func(*bounds) {})
	options := Options{Memory: true, Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(&log, nil))}
	address := startServingWith(t, options, at, nil)
	for _, a := range early {
		conn := dial(t, address)
		a.ask(t, conn, bufio.NewReader(conn))
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		conn = dial(t, address)
		answers := bufio.NewReader(conn)
		a.ask(t, conn, answers)
		if _, err := io.WriteString(conn, a.rest+"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, answers, http.StatusOK)
	}
	time.Sleep(aMoment) // for the server to see that the connections are closed
	if text := log.String(); strings.Contains(text, "panic") {
		t.Errorf("the log has %s", text)
	}
}

// Nothing that fails because the client has disconnected is a fault of the server.
func TestClientsThatDisconnectAreNoErrors(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	s, err := Open(t.Context(), Options{
		Data: filepath.Join(t.TempDir(), "licensor.db"), Development: true, Quick: true,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	first := found(t, s)
	token, group := tokenOf(t, s, first), addGroup(t, first).String()
	const form, ours = "application/x-www-form-urlencoded", "application/json"
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, c := range []struct{ method, path, kind, body string }{
		{"POST", "/contoso.example/oauth2/v2.0/token", form, "grant_type=client_credentials&client_id=x&client_secret=y"},
		{"POST", "/" + first.ID().String() + "/oauth2/v2.0/token", form, "grant_type=password&client_id=x&username=a@b.c&password=y&scope=openid"},
		{"POST", "/common/oauth2/v2.0/devicecode", form, "client_id=00000000-0000-4000-8000-000000000001&scope=openid"},
		{"GET", "/contoso.example/oauth2/v2.0/authorize?client_id=x", "", ""},
		{"POST", "/contoso.example/login", form, "action=x"},
		{"GET", "/oidc/userinfo", "", ""},
		{"GET", "/v1.0/groups", "", ""},
		{"GET", "/v1.0/groups/" + group, "", ""},
		{"GET", "/v1.0/groups/delta", "", ""},
		{"PATCH", "/v1.0/groups/" + group, ours, `{"description":"x"}`},
		{"PATCH", "/v1.0/organization/" + first.ID().String(), ours, `{"displayName":"x"}`},
		{"PATCH", "/licensor/v1/signIn", ours, `{"trustedIssuers":[{"issuer":"https://a.example","audiences":["b"]}]}`},
		{"POST", "/v1.0/applications", ours, `{"displayName":"x"}`},
		{"POST", "/v1.0/$batch", ours, `{"requests":[{"id":"1","method":"GET","url":"/groups"}]}`},
		{"POST", "/licensor/v1/import", "application/x-ndjson", `{"group":{"displayName":"G"}}`},
	} {
		r := httptest.NewRequestWithContext(gone, c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		r.Header.Set("Authorization", "Bearer "+token)
		func() {
			defer func() {
				if p := recover(); p != nil && p != http.ErrAbortHandler { // that is how a connection is closed
					t.Errorf("%s %s panics: %v", c.method, c.path, p)
				}
			}()
			s.ServeHTTP(httptest.NewRecorder(), r)
		}()
		if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
			t.Fatalf("after %s %s the log has\n%s", c.method, c.path, text)
		}
	}
	if !strings.Contains(log.String(), "the authority failed") {
		t.Error("no request to the authority has failed")
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A body that is too large to be dropped ends the connection, and nothing in it is a request.
func TestABodyThatIsTooLargeToDropEndsTheConnection(t *testing.T) {
	t.Parallel()
	seen := new(seenPaths)
	address := startServing(t, quick(func(*bounds) {}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/smuggled" {
			seen.ServeHTTP(w, r)
		}
	}))
	for name, length := range map[string]string{
		"by its length": "Content-Length: 100000000", "in chunks": "Transfer-Encoding: chunked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			answers := bufio.NewReader(conn)
			asked{head: "POST / HTTP/1.1\r\nHost: a\r\n" + length + "\r\n\r\n", sent: "6000000\r\n", status: http.StatusOK}.ask(t, conn, answers)
			piece := strings.Repeat(smuggled, 1<<20/len(smuggled))
			var err error
			for range 100 {
				if _, err = io.WriteString(conn, piece); err != nil {
					break
				}
			}
			if _, readErr := answers.ReadByte(); err == nil && readErr == nil || seen.String() != "" {
				t.Errorf("the connection goes on, with %q", seen)
			}
		})
	}
}

// What has come together with the head of a request whose body is too large to be dropped is not
// the next request, whether the response was sent at once or is sent at the end.
func TestWhatComesWithTheHeadOfALargeBodyIsNoRequest(t *testing.T) {
	t.Parallel()
	seen := new(seenPaths)
	address := startServing(t, quick(func(*bounds) {}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/smuggled":
			seen.ServeHTTP(w, r)
		case "/flushed":
			w.WriteHeader(http.StatusUnauthorized)
			_ = http.NewResponseController(w).Flush()
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	for name, body := range map[string]string{
		"by its length": "Content-Length: 100000000\r\n\r\n", "in chunks": "Transfer-Encoding: chunked\r\n\r\n5000000\r\n",
		"after Expect": "Expect: 100-continue\r\nContent-Length: 1000000000000\r\n\r\n",
	} {
		for _, path := range []string{"/", "/flushed"} {
			t.Run(name+" at "+path, func(t *testing.T) {
				t.Parallel()
				for range 10 {
					conn := dial(t, address)
					text := "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + body + strings.Repeat(smuggled, 20)
					if _, err := io.WriteString(conn, text); err != nil {
						t.Fatal(err)
					}
					answers := bufio.NewReader(conn)
					response, err := http.ReadResponse(answers, nil)
					if err != nil || response.StatusCode != http.StatusUnauthorized || !response.Close && name != "in chunks" {
						t.Fatalf("the answer is %+v, %v", response, err)
					}
					_, _ = io.Copy(io.Discard, response.Body)
					if rest, _ := io.ReadAll(answers); len(rest) > 0 || seen.String() != "" {
						t.Fatalf("after it comes %.200q, and %q was seen", rest, seen)
					}
				}
			})
		}
	}
}
