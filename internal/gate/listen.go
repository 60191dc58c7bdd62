package gate

import (
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// Listen returns a listener for the connections of another one that are let in. Prepare makes of
// each what the server shall have, such as by a handshake, and fails when it must be closed.
// Connections are prepared beside one another, so it must end in time.
func (g *Gate) Listen(l net.Listener, prepare func(*Conn) (net.Conn, error)) net.Listener {
	b := &bounded{
		Listener: l,
		gate:     g,
		prepare:  prepare,
		ready:    make(chan net.Conn),
		closed:   make(chan struct{}),
		coming:   map[net.Conn]struct{}{},
	}
	b.work.Go(b.accept)
	return b
}

// bounded is a listener behind the gate.
type bounded struct {
	net.Listener
	gate    *Gate
	prepare func(*Conn) (net.Conn, error)
	ready   chan net.Conn
	closed  chan struct{}
	work    sync.WaitGroup

	mu     sync.Mutex
	over   bool
	coming map[net.Conn]struct{} // those that are not the server's yet
}

// Accept returns the next connection that is prepared.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case c := <-b.ready:
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener, and closes connections that the server does not have yet.
func (b *bounded) Close() error {
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		return nil
	}
	b.over = true
	close(b.closed)
	for c := range b.coming {
		_ = c.Close() // whoever works on it sees that
	}
	b.mu.Unlock()
	err := b.Listener.Close()
	b.work.Wait()
	return err
}

// accept takes connections until the listener is closed.
func (b *bounded) accept() {
	pause := time.Duration(0)
	for {
		conn, err := b.Listener.Accept()
		switch {
		case err == nil:
			pause = 0
			b.work.Go(func() { b.bring(conn) })
		case errors.Is(err, net.ErrClosed):
			return
		default: // most likely there are too many open files
			pause = min(max(5*time.Millisecond, 2*pause), time.Second)
			b.gate.limits.Log.Error("a connection could not be accepted; it is tried again", "error", err, slog.Duration("after", pause))
			b.gate.relieve()
			select {
			case <-b.closed:
				return
			case <-time.After(pause):
			}
		}
	}
}

// bring lets a connection in, prepares it and hands it to the server.
func (b *bounded) bring(conn net.Conn) {
	if !b.begin(conn) {
		_ = conn.Close() // nobody serves it any more
		return
	}
	defer b.end(conn)
	c := b.gate.enter(conn)
	if c == nil {
		return
	}
	prepared, err := b.prepare(c)
	if err != nil {
		_ = c.Close() // prepare has told why
		return
	}
	select {
	case b.ready <- prepared:
	case <-b.closed:
		_ = c.Close()
	}
}

func (b *bounded) begin(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.coming[conn] = struct{}{}
	}
	return !b.over
}

func (b *bounded) end(conn net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.coming, conn)
}

// relieve has idle connections give way for the sake of the process, which lacks files for more.
func (g *Gate) relieve() {
	g.mu.Lock()
	gone := g.giveWay(g.batch(), nil, idleAt(slices.Collect(maps.Values(g.places))...))
	g.mu.Unlock()
	closeAll(gone)
}
