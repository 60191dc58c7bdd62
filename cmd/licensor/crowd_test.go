package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"licensor/internal/server/wiretest"
)

// dialFrom connects from an address of this machine. To a server such addresses are different
// clients.
func dialFrom(t *testing.T, from, address string) (net.Conn, error) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	return dialer.DialContext(t.Context(), "tcp", address)
}

// needsAddresses skips where the machine has one loopback address only.
func needsAddresses(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("this machine cannot be reached at several addresses: %v", err)
	}
	_ = l.Close()
}

// holding is a way to hold a connection.
type holding struct {
	name string
	hold func(net.Conn) error // what is done when the connection is there
	// The protocol that the handshake ends with; "none" when it is not made, empty without TLS.
	tls string

	requests bool // the server has requests to answer, so that nothing is idle
	deaf     bool // the client does not read
}

func sends(text string) func(net.Conn) error {
	return func(c net.Conn) error {
		_, err := io.WriteString(c, text)
		return err
	}
}

const refusedBody = "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{}"

const longBody = "POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\ngrant_type="

const expectedBody = "POST /v1.0/users HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"

// oneStream begins one request on a connection of HTTP/2, and does not end it.
func oneStream(c net.Conn) error {
	_, err := io.WriteString(c, wiretest.Preface+wiretest.Frame(wiretest.Headers, wiretest.EndOfHeaders, 1, openForm))
	return err
}

// manyStreams begins as many requests on one connection of HTTP/2 as it takes, and ends none.
func manyStreams(c net.Conn) error {
	all := wiretest.Preface
	for stream := range uint32(100) {
		all += wiretest.Frame(wiretest.Headers, wiretest.EndOfHeaders, 2*stream+1, openForm)
	}
	_, err := io.WriteString(c, all)
	return err
}

// openForm is the headers of a form to the token endpoint, in a block that does not depend on those
// before (RFC 7541, 6.2.2).
var openForm = func() string {
	var b []byte
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/common/oauth2/v2.0/token"}, {"content-type", "application/x-www-form-urlencoded"},
	} {
		b = append(append(append(b, 0, byte(len(h[0]))), h[0]...), byte(len(h[1])))
		b = append(b, h[1]...)
	}
	return string(b)
}()

var holdings = []holding{
	{"opens and sends nothing", nil, "", false, false},
	{"sends half a head", sends("GET / HTTP/1.1\r\nHost: a\r\nX-A"), "", false, false},
	{"sends half a body", sends(longBody), "", false, false},
	{"sends a body after its answer", sends(refusedBody), "", false, false},
	{"sends no body that it announces", sends(expectedBody), "", false, false},
	{"asks and does not read", sends(strings.Repeat("GET /v1.0/$metadata HTTP/1.1\r\nHost: a\r\n\r\n", 50)), "", true, true},
	{"asks once and stays", wiretest.Answered, "", false, false},
	{"sends half a handshake", sends("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "none", false, false},
	{"makes a handshake and sends nothing", nil, "http/1.1", false, false},
	{"sends half a body over TLS", sends(longBody), "http/1.1", false, false},
	{"speaks HTTP/2 and sends nothing", sends(wiretest.Preface), "h2", false, false},
	{"begins one request over HTTP/2", oneStream, "h2", false, false},
	{"begins many requests over HTTP/2", manyStreams, "h2", false, false},
}

// One address holds all it can, in every way, and keeps on trying for more, while others come and
// are served within a second. The time that is allowed is longer, since the machine may have other
// work.
//
// It is not one of those that run next to each other, which would change what it measures.
func TestNewcomersAreServedWhileOneAddressHoldsAllItCan(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs the program")
	}
	needsAddresses(t)
	program := buildProgram(t)
	cert, key := newKeyPair(t)
	servers := map[bool]*killed{}
	for secure, flags := range map[bool][]string{false: nil, true: {"--tls-cert", cert, "--tls-key", key}} {
		data := filepath.Join(t.TempDir(), "licensor.db")
		k := &killed{t: t, program: program, data: data, where: []string{"--data", data}, client: anyServer()}
		k.init()
		k.start(append(flags, "--max-connections", "600", "--max-connections-per-address", "200")...)
		servers[secure] = k
	}
	for _, way := range holdings {
		t.Run(way.name, func(t *testing.T) { servedBesides(t, servers[way.tls != ""], way) })
	}
	for _, k := range servers {
		k.stop()
	}
}

func servedBesides(t *testing.T, k *killed, way holding) {
	h := newHolder(t, way, k.root)
	defer h.end()
	h.crowd()
	time.Sleep(200 * time.Millisecond) // what has begun is in progress
	others := timesOf(t, k, "127.0.0.3", 40)
	var same []time.Duration
	if h.enough.Store(true); !way.requests {
		time.Sleep(time.Second)
		same = timesOf(t, k, "127.0.0.2", 10) // idle ones give way
	}
	slowest := others[len(others)*99/100]
	t.Logf("from elsewhere: p50 %v, p99 %v; from the same address: longest %v", others[len(others)/2], slowest, slices.Max(append(same, 0)))
	if slowest > 5*time.Second {
		t.Errorf("a newcomer waited %v", slowest)
	}
}

// holder holds connections from one address.
type holder struct {
	t       *testing.T
	way     holding
	address string
	ctx     context.Context
	cancel  context.CancelFunc
	held    sync.WaitGroup
	enough  atomic.Bool // what is closed now is not opened again
}

func newHolder(t *testing.T, way holding, root string) *holder {
	h := &holder{t: t, way: way}
	_, h.address, _ = strings.Cut(root, "://")
	h.ctx, h.cancel = context.WithCancel(t.Context())
	return h
}

func (h *holder) end() {
	h.cancel()
	h.held.Wait()
}

// crowd holds more connections than are allowed, and opens another whenever one is closed.
func (h *holder) crowd() {
	var first sync.WaitGroup
	for range 250 {
		first.Add(1)
		h.held.Go(func() {
			told := sync.OnceFunc(first.Done)
			for h.ctx.Err() == nil && !h.enough.Load() {
				h.hold(told)
			}
		})
	}
	first.Wait()
}

// hold holds a connection until it is closed.
func (h *holder) hold(told func()) {
	conn, err := h.open()
	if err == nil {
		defer conn.Close()
		defer context.AfterFunc(h.ctx, func() { _ = conn.Close() })()
	}
	if err == nil && h.way.hold != nil {
		err = h.way.hold(conn)
	}
	told()
	if err == nil && h.way.deaf {
		<-h.ctx.Done()
	} else if err == nil {
		_, _ = io.Copy(io.Discard, conn) // until the server closes it
	}
	select {
	case <-h.ctx.Done():
	case <-time.After(20 * time.Millisecond): // so that the test leaves some of the machine to the server
	}
}

func (h *holder) open() (net.Conn, error) {
	conn, err := dialFrom(h.t, "127.0.0.2", h.address)
	if err != nil || h.way.tls == "" || h.way.tls == "none" {
		return conn, err
	}
	secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{h.way.tls}})
	if err = secured.HandshakeContext(h.ctx); err != nil {
		_ = conn.Close()
	}
	return secured, err
}

// anyServer is a client that trusts any certificate.
func anyServer() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
}

// timesOf asks for a list of users with a good token, each time on a connection of its own, and
// returns how long the answers took, in order. An answer 503 is asked for again for ten seconds.
func timesOf(t *testing.T, k *killed, from string, count int) (times []time.Duration) {
	t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return dialFrom(t, from, address) },
	}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	ask := func() (status int, err error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.root+"/v1.0/users?$top=5", nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Authorization", "Bearer "+k.token)
		response, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}
	for range count {
		begun := time.Now()
		status, err := ask()
		for status == http.StatusServiceUnavailable && time.Since(begun) < 10*time.Second { // on a busy machine
			time.Sleep(50 * time.Millisecond)
			status, err = ask()
		}
		if err != nil || status != http.StatusOK {
			t.Errorf("from %s: answered %d, %v", from, status, err)
			continue
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	if len(times) == 0 {
		t.FailNow()
	}
	return times
}
