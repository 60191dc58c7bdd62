package gate

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// aMoment is as long as newcomers wait. What must not happen is watched for as long.
const aMoment = 300 * time.Millisecond

// network is a server behind a gate that clients reach from any address. GET / is answered at once,
// any other path when the test says so.
type network struct {
	t     *testing.T
	gate  *Gate
	come  chan net.Conn
	ended chan struct{}
	began chan string
	end   chan struct{}
}

// claimed is a connection that comes from where the test says.
type claimed struct {
	net.Conn
	from net.Addr
}

func (c claimed) RemoteAddr() net.Addr { return c.from }

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.come:
		return c, nil
	case <-n.ended:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	close(n.ended)
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

func serve(t *testing.T, limits Limits) *network {
	t.Helper()
	limits.Wait, limits.Log = aMoment, slog.New(slog.DiscardHandler)
	if limits.Trusted == nil {
		limits.Trusted = func(netip.Addr) bool { return false }
	}
	n := &network{
		t: t, gate: New(limits), come: make(chan net.Conn), ended: make(chan struct{}),
		began: make(chan string, 100), end: make(chan struct{}),
	}
	server := &http.Server{
		ConnState: n.gate.Note, ConnContext: n.gate.Context,
		Handler: n.gate.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				n.began <- r.URL.Path
				<-n.end
			}
		})),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(n.gate.Listen(n, func(c *Conn) (net.Conn, error) { return c, nil })) }()
	t.Cleanup(func() {
		n.finish()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-served
		// Those that end by themselves may not have left yet.
		for begun := time.Now(); n.left() != ""; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("at the end there are %s", n.left())
			}
		}
	})
	return n
}

// left is what the gate remembers.
func (n *network) left() string {
	open, _ := n.gate.Count()
	n.gate.mu.Lock()
	defer n.gate.mu.Unlock()
	if open == (Open{}) && len(n.gate.places) == 0 && len(n.gate.ranges) == 0 {
		return ""
	}
	return fmt.Sprintf("%+v, %d addresses, %d ranges", open, len(n.gate.places), len(n.gate.ranges))
}

// finish lets all requests be answered.
func (n *network) finish() {
	select {
	case <-n.end:
	default:
		close(n.end)
	}
}

// from connects from an address.
func (n *network) from(address string) net.Conn {
	n.t.Helper()
	client, server := net.Pipe()
	n.t.Cleanup(func() { _ = client.Close() })
	n.come <- claimed{server, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 1))}
	return client
}

// idle is a connection that is kept after a request.
func (n *network) idle(address string) net.Conn {
	n.t.Helper()
	c := n.from(address)
	if !n.answers(c, "/") {
		n.t.Fatalf("a connection from %s is not served", address)
	}
	time.Sleep(5 * time.Millisecond) // so that it becomes idle before the next one
	return c
}

// active is a connection with a request that is not answered.
func (n *network) active(address string) net.Conn {
	n.t.Helper()
	c := n.from(address)
	n.ask(c, "/wait")
	select {
	case <-n.began:
	case <-time.After(10 * time.Second):
		n.t.Fatalf("a request from %s is not begun", address)
	}
	time.Sleep(5 * time.Millisecond)
	return c
}

func (n *network) ask(c net.Conn, path string) {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path) // when it is closed, reading fails
}

// answers asks and reports whether the answer comes.
func (n *network) answers(c net.Conn, path string) bool {
	n.ask(c, path)
	_, err := http.ReadResponse(bufio.NewReader(c), nil)
	return err == nil
}

// open reports whether the server leaves a connection open.
func (n *network) open(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !strings.Contains(err.Error(), "closed") && err != io.EOF
}

func (n *network) expect(what string, c net.Conn, open bool) {
	n.t.Helper()
	if n.open(c) != open {
		n.t.Errorf("%s: open is %v", what, !open)
	}
}

func TestAtItsBoundTheLongestIdleOfAnAddressGivesWay(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 100, Address: 3})
	busy, first, second := n.active("192.0.2.1"), n.idle("192.0.2.1"), n.idle("192.0.2.1")
	other := n.idle("192.0.2.2")
	third := n.idle("192.0.2.1")
	n.expect("the longest idle", first, false)
	for name, c := range map[string]net.Conn{"the one with a request": busy, "the next": second, "the newcomer": third, "another address": other} {
		n.expect(name, c, true)
	}
}

func TestAnAddressOfIPv6IsItsNetwork(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 100, Address: 2})
	first := n.idle("2001:db8:1:1::1")
	n.idle("2001:db8:1:1::2")
	elsewhere := n.idle("2001:db8:1:2::1")
	mapped := n.idle("::ffff:192.0.2.1")
	n.idle("2001:db8:1:1:ffff::3")
	n.expect("the first of the network", first, false)
	n.expect("that of another network", elsewhere, true)
	n.idle("192.0.2.1")
	n.idle("192.0.2.1")
	n.expect("one of IPv4 that was written as IPv6", mapped, false)
}

func TestAtTheBoundInAllTheAddressWithMostGivesWay(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 6, Address: 3})
	light := n.idle("198.51.100.1")
	heavy := []net.Conn{n.idle("192.0.2.1"), n.idle("192.0.2.1"), n.idle("192.0.2.1")}
	n.idle("203.0.113.1")
	n.idle("203.0.113.1")
	n.idle("233.252.0.1")
	n.expect("the lightest, idle longest of all", light, true)
	n.expect("the heaviest, idle longest", heavy[0], false)
	n.expect("the heaviest, idle shorter", heavy[1], true)
}

// Many networks of one subscriber count as one against others.
func TestARangeOfNetworksIsNotManyClients(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 6, Address: 3})
	office := []net.Conn{n.idle("192.0.2.1"), n.idle("192.0.2.1")}
	var networks []net.Conn
	for i := range 6 {
		networks = append(networks, n.idle(fmt.Sprintf("2001:db8:1:%x::1", i)))
	}
	for _, c := range office {
		n.expect("another client", c, true)
	}
	n.expect("the first network", networks[0], false)
}

func TestTheExcessOfAnAddressCostsNoOther(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 6, Address: 3})
	others := []net.Conn{n.idle("192.0.2.1"), n.idle("198.51.100.1"), n.idle("203.0.113.1"), n.idle("233.252.0.1")}
	for range 2 {
		n.active("10.0.0.1")
	}
	if n.answers(n.from("10.0.0.1"), "/") {
		t.Error("the third of an address is served in another's place")
	}
	for _, c := range others {
		n.expect("one of another address", c, true)
	}
}

func TestANewcomerWaitsWhileNothingIsIdle(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 4, Address: 2})
	for range 2 {
		busy := n.active("192.0.2.1")
		go func() { _, _ = io.Copy(io.Discard, busy) }() // until it is closed
	}
	newcomer := n.from("192.0.2.1")
	time.AfterFunc(aMoment/10, n.finish)
	if !n.answers(newcomer, "/") {
		t.Error("it is not served when a request has been answered")
	}
}

func TestANewcomerForWhomThereIsNoRoomIsClosed(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 4, Address: 2})
	busy := []net.Conn{n.active("192.0.2.1"), n.active("192.0.2.1")}
	if n.answers(n.from("192.0.2.1"), "/") {
		t.Error("it is served")
	}
	for _, c := range busy {
		n.expect("one with a request", c, true)
	}
	if _, ended := n.gate.Count(); ended != (Ended{Refused: 1}) {
		t.Errorf("counted %+v", ended)
	}
}

// When all that are let in have requests that do not end, one of those that have most makes room.
func TestSeveralAddressesThatHoldAllDoNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	for name, newcomer := range map[string]string{"from elsewhere": "233.252.0.1", "from a range that has as many as another": "192.0.2.9"} {
		t.Run(name, func(t *testing.T) {
			n := serve(t, Limits{All: 5, Address: 2})
			oldest := n.active("192.0.2.1")
			rest := []net.Conn{n.active("198.51.100.1"), n.active("198.51.100.1"), n.active("192.0.2.1"), n.active("203.0.113.1")}
			rest = append(rest, n.active(newcomer))
			n.expect("the oldest request", oldest, false)
			for _, c := range rest {
				n.expect("a request that is not the oldest", c, true)
			}
			if _, ended := n.gate.Count(); ended != (Ended{Cut: 1}) {
				t.Errorf("counted %+v", ended)
			}
		})
	}
}

func TestATrustedProxyHasNoBoundOfItsOwn(t *testing.T) {
	t.Parallel()
	proxy := netip.MustParseAddr("127.0.0.1")
	n := serve(t, Limits{All: 8, Address: 2, Trusted: func(a netip.Addr) bool { return a == proxy }})
	var conns []net.Conn
	for range 6 {
		conns = append(conns, n.idle("127.0.0.1"))
	}
	first := n.idle("127.0.0.2")
	n.idle("127.0.0.2")
	n.idle("127.0.0.3")
	n.expect("the other address that has most", first, false)
	n.idle("127.0.0.1")
	for _, c := range conns {
		n.expect("one of the proxy", c, true)
	}
}

// A connection that opens and closes again and again has its turn so often, and then waits.
func TestAtItsBoundAnAddressReplacesSoManyASecond(t *testing.T) {
	t.Parallel()
	n := serve(t, Limits{All: 4, Address: 2})
	begun := time.Now()
	for range 4 * turnoverBurst {
		n.from("192.0.2.1")
	}
	time.Sleep(aMoment)
	_, ended := n.gate.Count()
	most := turnoverBurst + int64(time.Since(begun).Seconds()*turnoverRate) + 1
	if ended.GaveWay > most || ended.GaveWay < turnoverBurst || ended.Refused == 0 {
		t.Errorf("counted %+v, of which at most %d may have given way", ended, most)
	}
}
