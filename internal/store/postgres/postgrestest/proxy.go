package postgrestest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Fault is what a Proxy does with messages of clients.
type Fault uint8

// The faults. All but FaultSwallow affect one message, and break the connection.
const (
	FaultNone    Fault = iota
	FaultBefore        // the connection breaks, and the server receives nothing
	FaultHalf          // the server receives half of the message
	FaultDuring        // the server receives it, and the connection breaks at once
	FaultAfter         // the connection breaks when the server has responded, and the client receives nothing
	FaultSwallow       // nothing more is delivered in either direction, and neither side is told
)

// Proxy is a connection to a server that can be made unreliable.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	fault Fault
	text  []byte // of the message that the fault affects
	conns []net.Conn
	ended bool
}

// NewProxy returns a proxy for the server of a URL, and the URL that leads through it.
func NewProxy(tb testing.TB, of string) (*Proxy, string) {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: l, target: u.Host}
	var lines sync.WaitGroup
	lines.Go(func() { p.accept(&lines) })
	tb.Cleanup(func() {
		_ = l.Close() // this ends accept
		p.cutAll()
		lines.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// Set makes the proxy apply a fault to the next message, or FaultSwallow to all.
func (p *Proxy) Set(fault Fault) { p.SetAt("", fault) }

// SetAt is Set for the next message that contains a text, and with FaultSwallow those after it.
func (p *Proxy) SetAt(text string, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.text = fault, []byte(text)
}

// take returns the fault for a message of a client.
func (p *Proxy) take(message []byte) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !bytes.Contains(message, p.text) {
		return FaultNone
	}
	p.text = nil
	fault := p.fault
	if fault != FaultSwallow {
		p.fault = FaultNone
	}
	return fault
}

func (p *Proxy) swallows() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault == FaultSwallow && len(p.text) == 0
}

func (p *Proxy) accept(lines *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // as if there were no server
			continue
		}
		if !p.keep(client, server) {
			return
		}
		l := &connection{proxy: p, client: client, server: server}
		lines.Go(l.fromClient)
		lines.Go(l.fromServer)
	}
}

// keep notes connections to close in the end.
func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	if p.ended {
		closeAll(conns)
	}
	return !p.ended
}

func (p *Proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	closeAll(p.conns)
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close() // it may be closed already
	}
}

// connection is a client's connection, with the one to the server that belongs to it.
type connection struct {
	proxy          *Proxy
	client, server net.Conn
	mu             sync.Mutex
	answerLost     bool // the server's next response is lost
}

func (c *connection) cut() { closeAll([]net.Conn{c.client, c.server}) }

func (c *connection) loseAnswer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answerLost = true
}

func (c *connection) isAnswerLost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answerLost
}

func (c *connection) fromClient() {
	defer c.cut()
	buffer := make([]byte, 1<<20)
	for {
		n, err := c.client.Read(buffer)
		if err != nil {
			return
		}
		message := buffer[:n]
		fault := c.proxy.take(message)
		switch fault {
		case FaultBefore:
			return
		case FaultHalf:
			message = message[:n/2]
		case FaultDuring, FaultAfter: // the server may respond before the connection is closed
			c.loseAnswer()
		case FaultSwallow:
			continue
		}
		if _, err := c.server.Write(message); err != nil || fault == FaultHalf || fault == FaultDuring {
			return
		}
	}
}

func (c *connection) fromServer() {
	defer c.cut()
	buffer := make([]byte, 1<<16)
	for {
		n, err := c.server.Read(buffer)
		switch {
		case err != nil, c.isAnswerLost():
			return
		case c.proxy.swallows():
			continue
		}
		if _, err := c.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
