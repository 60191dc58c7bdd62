package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"licensor/internal/framing"
	"licensor/internal/gate"
)

// Listening holds the flags of the command line for listening.
type Listening struct {
	Address      string
	PublicURL    string // for the certificate of the local authority
	InsecureHTTP bool
	// The maximum number of connections, and of connections from one address (for IPv6, from one
	// /64), at most half.
	MaxConnections, MaxPerAddress int
	Security                      Security

	bounds bounds // usualBounds when zero
}

// bounds are the limits of a connection, so that no client can hold a connection or the server
// forever.
type bounds struct {
	header   time.Duration // for a handshake, and for the header of a request
	request  time.Duration // for a request with its body, and for its response
	idle     time.Duration // between requests
	shutdown time.Duration // for requests in progress when the server is stopped
}

var usualBounds = bounds{
	header: 10 * time.Second, request: RequestTime, idle: 2 * time.Minute, shutdown: 20 * time.Second,
}

const (
	// RequestTime is the maximum time of a request with its body and its response.
	RequestTime = 2 * time.Minute

	maxHeader = 64 << 10
	newcomer  = 250 * time.Millisecond // how long a connection waits if every connection has a request
)

// HTTP/2 limits: how much is buffered of bodies that are not read yet, per connection and per
// request, and how many requests a connection carries.
const (
	readAhead  = 64 << 10
	maxStreams = 100
)

// Prepare checks the flags, before anything is created. Folder returns the folder of the local
// authority unless the flags set it.
func (l *Listening) Prepare(folder func() (string, error)) error {
	if l.bounds == (bounds{}) {
		l.bounds = usualBounds
	}
	if l.MaxConnections < 1 {
		return Misuse(fmt.Errorf("--max-connections is %d; it must be 1 or more", l.MaxConnections))
	}
	if l.MaxPerAddress < 1 {
		return Misuse(fmt.Errorf("--max-connections-per-address is %d; it must be 1 or more", l.MaxPerAddress))
	}
	var names []string
	if host, _, err := net.SplitHostPort(l.Address); err == nil {
		names = append(names, host)
	}
	if u, err := url.Parse(l.PublicURL); err == nil {
		names = append(names, u.Hostname())
	}
	return l.Security.prepare(folder, names)
}

// open listens. It refuses plain HTTP on addresses that other machines can reach: tokens and
// passwords would be visible on the network.
func (l *Listening) open(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !l.Security.given() && !l.InsecureHTTP && !(ok && at.IP.IsLoopback()) {
		refusal := Misuse(fmt.Errorf("%s can be reached from elsewhere, and plain HTTP would show every password "+
			"and token on the way: "+
			"add --tls self-signed, or --tls-cert and --tls-key. Only behind a proxy that terminates TLS, add "+
			"--insecure-http", listener.Addr()))
		return nil, errors.Join(refusal, listener.Close())
	}
	return listener, nil
}

// root returns the scheme and host by which this machine reaches the listener.
func (l *Listening) root(at net.Addr) string {
	scheme, host := "http", at.String()
	if l.Security.given() {
		scheme = "https"
	}
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return scheme + "://" + host
}

// gate returns the gate that limits the connections.
func (s *Server) gate(at *Listening) *gate.Gate {
	return gate.New(gate.Limits{
		All: at.room(s.settings.Log), Address: at.MaxPerAddress,
		Wait: newcomer, Trusted: s.settings.proxies.trusts, Log: s.settings.Log,
	})
}

// server returns the server for connections that the gate admits.
func (l *Listening) server(handler http.Handler, in *gate.Gate, log *slog.Logger) *http.Server {
	tellRefused := func(r *http.Request, why *framing.RefusalError) {
		log.Info("a malformed request was refused", "address", r.RemoteAddr, "reason", why.Reason)
	}
	return &http.Server{
		Handler:   framing.Handler(in.Handler(handler), tellRefused),
		ConnState: in.Note,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return framing.Context(in.Context(ctx, c), c)
		},
		ReadHeaderTimeout: l.bounds.header, ReadTimeout: l.bounds.request,
		WriteTimeout: l.bounds.request, IdleTimeout: l.bounds.idle,
		MaxHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: readAhead,
			MaxReceiveBufferPerStream:     readAhead,
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// ListenAndServe answers requests until the context ends, then waits for those in progress. It
// calls listening with the root address.
func (s *Server) ListenAndServe(ctx context.Context, at *Listening, listening func(root string)) error {
	config, err := at.Security.config(s.settings.Log)
	if err != nil {
		return err
	}
	listener, err := at.open(ctx)
	if err != nil {
		return err
	}
	in := s.gate(at)
	s.metrics.watch(in)
	server := at.server(s, in, s.settings.Log)
	defer s.Run(ctx)()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(in.Listen(listener, at.prepared(config, s.settings.Log))) }()
	listening(at.root(listener.Addr()))
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.settings.Log.Info("stopping: requests in progress are finished, new ones are refused")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), at.bounds.shutdown)
	defer cancel()
	err = server.Shutdown(stop)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}
