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

// Listen returns a listener for the admitted connections of another one. Prepare converts each to
// the connection that the server gets, for example by a handshake, and fails if it must be closed.
// It is called concurrently and must return in limited time.
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

// bounded is a listener with a gate.
type bounded struct {
	net.Listener
	gate    *Gate
	prepare func(*Conn) (net.Conn, error)
	ready   chan net.Conn
	closed  chan struct{}
	work    sync.WaitGroup

	mu     sync.Mutex
	over   bool
	coming map[net.Conn]struct{} // those that the server has not accepted yet
}

// Accept returns the next prepared connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case c := <-b.ready:
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the listener, and connections that the server has not accepted yet.
func (b *bounded) Close() error {
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		return nil
	}
	b.over = true
	close(b.closed)
	for c := range b.coming {
		_ = c.Close() // bring notices that
	}
	b.mu.Unlock()
	err := b.Listener.Close()
	b.work.Wait()
	return err
}

// accept accepts connections until the listener is closed.
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
		default: // probably too many open files
			pause = min(max(5*time.Millisecond, 2*pause), time.Second)
			b.gate.limits.Log.Error("a connection could not be accepted; it is tried again",
				"error", err, slog.Duration("after", pause))
			b.gate.relieve()
			select {
			case <-b.closed:
				return
			case <-time.After(pause):
			}
		}
	}
}

// bring admits a connection, prepares it and passes it to the server.
func (b *bounded) bring(conn net.Conn) {
	if !b.begin(conn) {
		_ = conn.Close() // the server has stopped
		return
	}
	defer b.end(conn)
	c := b.gate.enter(conn)
	if c == nil {
		return
	}
	prepared, err := b.prepare(c)
	if err != nil {
		_ = c.Close() // prepare has logged the reason
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

// relieve closes idle connections when the process has no more file descriptors.
func (g *Gate) relieve() {
	g.mu.Lock()
	gone := g.giveWay(g.batch(), nil, idleAt(slices.Collect(maps.Values(g.places))...))
	g.mu.Unlock()
	closeAll(gone)
}
