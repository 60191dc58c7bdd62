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

// Listening is how a server is reached, as the flags of the command line say it.
type Listening struct {
	Address      string
	PublicURL    string // for the certificate of the local authority
	InsecureHTTP bool
	// How many connections are served at once, and how many of them from one address (of IPv6, from
	// one /64), at most half.
	MaxConnections, MaxPerAddress int
	Security                      Security

	bounds bounds // usualBounds when zero
}

// bounds are those of a connection, so that nobody can hold one, or the server, for ever.
type bounds struct {
	header   time.Duration // for a handshake, and for the header of a request
	request  time.Duration // for a request with its body, and for its answer
	idle     time.Duration // between requests
	shutdown time.Duration // for what is under way when the server is told to stop
}

var usualBounds = bounds{
	header: 10 * time.Second, request: RequestTime, idle: 2 * time.Minute, shutdown: 20 * time.Second,
}

const (
	// RequestTime is how long a request may take with its body and its answer.
	RequestTime = 2 * time.Minute

	maxHeader = 64 << 10
	newcomer  = 250 * time.Millisecond // for which one waits when every connection has a request
)

// Of HTTP/2, what is read ahead for requests that nobody reads yet, for a connection and for each
// of them, and how many of them one carries.
const (
	readAhead  = 64 << 10
	maxStreams = 100
)

// Prepare looks at what was asked for, before anything is made. Folder returns where the local
// authority is kept unless the flags say it.
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

// open listens. Plain HTTP is refused where it can be reached from elsewhere: tokens and passwords
// would be seen on the way.
func (l *Listening) open(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !l.Security.given() && !l.InsecureHTTP && !(ok && at.IP.IsLoopback()) {
		refusal := Misuse(fmt.Errorf("%s can be reached from elsewhere, and plain HTTP would show every password and token on the way: "+
			"add --tls self-signed, or --tls-cert and --tls-key. Only behind a proxy that ends TLS, add --insecure-http", listener.Addr()))
		return nil, errors.Join(refusal, listener.Close())
	}
	return listener, nil
}

// root is scheme and host by which this machine reaches the listener.
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

// gate bounds the connections.
func (s *Server) gate(at *Listening) *gate.Gate {
	return gate.New(gate.Limits{
		All: at.room(s.settings.Log), Address: at.MaxPerAddress,
		Wait: newcomer, Trusted: s.settings.proxies.trusts, Log: s.settings.Log,
	})
}

// server answers what comes in by the gate.
func (l *Listening) server(handler http.Handler, in *gate.Gate, log *slog.Logger) *http.Server {
	tellRefused := func(r *http.Request, why *framing.RefusalError) {
		log.Info("a request was refused for its form", "address", r.RemoteAddr, "reason", why.Reason)
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

// ListenAndServe answers requests until the context ends, then lets those under way finish.
// Listening is told the root address.
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
	s.settings.Log.Info("stopping: no new requests, those under way are finished")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), at.bounds.shutdown)
	defer cancel()
	err = server.Shutdown(stop)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}
