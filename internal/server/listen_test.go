package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"licensor/internal/server/wiretest"
)

// startServing serves a handler within bounds until the test ends, and answers the address.
func startServing(t *testing.T, at *Listening, handler http.Handler) string {
	t.Helper()
	return startServingWith(t, Options{Memory: true, Development: true, Quick: true}, at, handler)
}

func startServingWith(t *testing.T, options Options, at *Listening, handler http.Handler) string {
	t.Helper()
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if handler != nil {
		s.handler = handler
	}
	return startListening(t, s, at)
}

// startListening serves an open server until the test ends, and answers the address.
func startListening(t *testing.T, s *Server, at *Listening) string {
	t.Helper()
	at.Address = "127.0.0.1:0"
	ctx, stop := context.WithCancel(t.Context())
	root, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.ListenAndServe(ctx, at, func(address string) { root <- address }) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, s.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	_, address, _ := strings.Cut(<-root, "://")
	return address
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// quick are bounds that a test can wait for. What must not happen within them takes a minute.
func quick(change func(*bounds)) *Listening {
	b := bounds{header: time.Minute, request: time.Minute, idle: time.Minute, shutdown: time.Minute}
	change(&b)
	return &Listening{MaxConnections: 100, MaxPerAddress: 50, bounds: b}
}

const aMoment = 200 * time.Millisecond

// closes waits until the server has closed the connection.
func closes(t *testing.T, conn net.Conn) {
	t.Helper()
	begin := time.Now()
	if err := conn.SetReadDeadline(begin.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	} else if waited := time.Since(begin); waited < aMoment/2 {
		t.Errorf("the connection was closed after %v", waited)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(w, r.Body); err != nil {
		http.Error(w, "the body did not come", http.StatusBadRequest)
	}
}

func TestNobodyHoldsAConnectionForEver(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		at    *Listening
		begin string
	}{
		{"who sends nothing", quick(func(b *bounds) { b.header = aMoment }), ""},
		{"who sends half a header", quick(func(b *bounds) { b.header = aMoment }), "GET / HTTP/1.1\r\nHost: localhost\r\nX-A"},
		{"who sends half a body", quick(func(b *bounds) { b.request = aMoment }), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf"},
		{"who asks once and stays", quick(func(b *bounds) { b.idle = aMoment }), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, startServing(t, test.at, http.HandlerFunc(echo)))
			if _, err := io.WriteString(conn, test.begin); err != nil {
				t.Fatal(err)
			}
			closes(t, conn)
		})
	}
}

func TestWhoDoesNotFinishTheHandshakeIsClosed(t *testing.T) {
	t.Parallel()
	at := quick(func(b *bounds) { b.header = aMoment })
	files := newKeyPair(t, t.TempDir(), 1).CertFile
	at.Security.CertFile, at.Security.KeyFile = files, strings.Replace(files, "cert.pem", "key.pem", 1)
	closes(t, dial(t, startServing(t, at, http.HandlerFunc(echo))))
}

// What trickles in, a byte from time to time, does not gain time.
func TestAHeaderThatTricklesIsCutOff(t *testing.T) {
	t.Parallel()
	conn := dial(t, startServing(t, quick(func(b *bounds) { b.header = aMoment }), http.HandlerFunc(echo)))
	begin := time.Now()
	for i := 0; time.Since(begin) < 20*time.Second; i++ {
		if _, err := fmt.Fprint(conn, string("GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 1000))[min(i, 900)]); err != nil {
			return // closed
		}
		time.Sleep(aMoment / 10)
	}
	t.Error("the connection stays open")
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	conn := dial(t, startServing(t, quick(func(*bounds) {}), http.HandlerFunc(echo)))
	go func() {
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("a", 2*maxHeader)+"\r\n\r\n") // cut off when it is refused
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %v, %v", response, err)
	}
}

// One connection of HTTP/2 carries many requests; each of them has its time.
func TestABodyThatDoesNotComeIsCutOffOverHTTP2(t *testing.T) {
	t.Parallel()
	at := quick(func(b *bounds) { b.request = aMoment })
	files := newKeyPair(t, t.TempDir(), 1)
	at.Security.CertFile, at.Security.KeyFile = files.CertFile, files.KeyFile
	address := startServing(t, at, http.HandlerFunc(echo))
	trust, err := at.Security.Trust()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	body, never := io.Pipe()
	defer never.Close()
	begin := time.Now()
	response, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Post("https://"+address, "text/plain", body)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if waited := time.Since(begin); waited > 15*time.Second || waited < aMoment/2 {
		t.Errorf("the request was given up after %v: %v", waited, err)
	}
}

func TestOfMoreConnectionsThanAllowedTheLongestIdleIsClosed(t *testing.T) {
	t.Parallel()
	at := quick(func(*bounds) {})
	at.MaxConnections, at.MaxPerAddress = 4, 10 // half of all is less
	address := startServing(t, at, nil)
	first, second := dial(t, address), dial(t, address)
	for _, conn := range []net.Conn{first, second} {
		if err := wiretest.Answered(conn); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // it is idle only after its answer
	}
	if err := wiretest.Answered(dial(t, address)); err != nil {
		t.Fatal(err)
	}
	if err := wiretest.Answered(first); err == nil {
		t.Error("the first is served on")
	}
	if err := wiretest.Answered(second); err != nil {
		t.Error(err)
	}
	counts := []string{
		`licensor_connections{state="active"} 1`,
		`licensor_connections{state="idle"} 1`,
		`licensor_connections_closed_total{state="idle"} 2`,
	}
	var text []byte
	isIn := func(want string) bool { return strings.Contains(string(text), want) }
	for range 500 { // the server counts a connection as idle only after its answer
		response, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if isIn(counts[0]) && isIn(counts[1]) && isIn(counts[2]) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("/metrics does not come to have %q:\n%s", counts, text)
}

// Requests of HTTP/2 count like connections, however few connections carry them.
func TestRequestsOverHTTP2AreBoundedByAddress(t *testing.T) {
	t.Parallel()
	at := quick(func(*bounds) {})
	files := newKeyPair(t, t.TempDir(), 1)
	at.Security.CertFile, at.Security.KeyFile = files.CertFile, files.KeyFile
	end := make(chan struct{})
	address := startServing(t, at, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/first" {
			<-end
		}
	}))
	trust, err := at.Security.Trust()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	first, err := client.Get("https://" + address + "/first") // so that all others take the connection that is there
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Body.Close()
	const more = 7
	statuses := make(chan int, at.MaxPerAddress+more)
	for range cap(statuses) {
		go func() {
			response, err := client.Get("https://" + address)
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	count := map[int]int{}
	for range more {
		count[<-statuses]++
	}
	close(end)
	for range at.MaxPerAddress {
		count[<-statuses]++
	}
	if count[http.StatusServiceUnavailable] != more || count[http.StatusOK] != at.MaxPerAddress {
		t.Errorf("answered %v", count)
	}
}

func TestServeWithALocalAuthority(t *testing.T) {
	t.Parallel()
	at := quick(func(*bounds) {})
	at.Security.Kind, at.Security.Folder = SelfSigned, t.TempDir()
	if err := at.Prepare(nil); err != nil {
		t.Fatal(err)
	}
	address := startServing(t, at, nil)
	trust, err := at.Security.Trust()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get("https://" + address + "/healthz")
	if err != nil || response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
		t.Fatalf("answered %v, %v", response, err)
	}
	_ = response.Body.Close()
}

func TestTheAddressOfAListener(t *testing.T) {
	t.Parallel()
	for _, at := range []*Listening{
		{Address: "127.0.0.1:0"},
		{Address: "localhost:0"},
		{Address: ":0", InsecureHTTP: true},
		{Address: ":0", Security: Security{Kind: SelfSigned}},
	} {
		at.MaxConnections = 1
		listener, err := at.open(t.Context())
		if err != nil {
			t.Errorf("%s: %v", at.Address, err)
			continue
		}
		root := at.root(listener.Addr())
		if strings.HasPrefix(root, "https://") != at.Security.given() || strings.Contains(root, "[::]") {
			t.Errorf("on %s the address is %s", at.Address, root)
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}
