package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/framing"
	"licensor/internal/gate"
)

// serving is how a server is reached.
type serving struct {
	listen         string
	publicURL      string
	insecureHTTP   bool
	maxConnections int
	maxOfAddress   int
	proxies        proxies
	secure         security
	bounds         bounds
}

// bounds are those of a connection, so that nobody can hold one, or the server, for ever.
type bounds struct {
	header   time.Duration // for a handshake, and for the header of a request
	request  time.Duration // for a request with its body, and for its answer
	idle     time.Duration // between requests
	shutdown time.Duration // for what is under way when the server is told to stop
}

var usualBounds = bounds{header: 10 * time.Second, request: requestTime, idle: 2 * time.Minute, shutdown: 20 * time.Second}

const (
	requestTime = 2 * time.Minute
	maxHeader   = 64 << 10
	newcomer    = 250 * time.Millisecond // for which one waits when every connection has a request
)

// Of HTTP/2, what is read ahead for requests that nobody reads yet, for a connection and for each of them, and how many of them one carries.
const (
	readAhead  = 64 << 10
	maxStreams = 100
)

func (s *serving) register(cmd *cobra.Command, listen string) {
	s.bounds = usualBounds
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", listen, "address and port to listen on; port 0 picks a free one")
	f.StringVar(&s.publicURL, "public-url", "", "scheme and host that clients use, when a proxy stands in between")
	f.BoolVar(&s.insecureHTTP, "insecure-http", false, "serve plain HTTP where others can reach it: only behind a proxy that ends TLS")
	f.IntVar(&s.maxConnections, "max-connections", 10_000, "how many connections are served at once; for more, those that have been idle longest are closed")
	f.IntVar(&s.maxOfAddress, "max-connections-per-address", 1_000, "how many of them may come from one address (of IPv6, from one /64), at most half; "+
		"a --trusted-proxy has no such bound")
	s.proxies.register(cmd)
	s.secure.register(cmd)
	cmd.MarkFlagsMutuallyExclusive("insecure-http", "tls")
	cmd.MarkFlagsMutuallyExclusive("insecure-http", "tls-cert")
}

// prepare looks at what was asked for, before anything is made. Folder is that of security.prepare.
func (s *serving) prepare(folder func() (string, error)) error {
	if s.maxConnections < 1 {
		return usage(fmt.Errorf("--max-connections is %d; it must be 1 or more", s.maxConnections))
	}
	if s.maxOfAddress < 1 {
		return usage(fmt.Errorf("--max-connections-per-address is %d; it must be 1 or more", s.maxOfAddress))
	}
	if err := s.proxies.parse(); err != nil {
		return err
	}
	var names []string
	if host, _, err := net.SplitHostPort(s.listen); err == nil {
		names = append(names, host)
	}
	if u, err := url.Parse(s.publicURL); err == nil {
		names = append(names, u.Hostname())
	}
	return s.secure.prepare(folder, names)
}

// open listens. Plain HTTP is refused where it can be reached from elsewhere: tokens and passwords would be seen on the way.
func (s *serving) open(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", s.listen, err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !s.secure.given() && !s.insecureHTTP && !(ok && at.IP.IsLoopback()) {
		refusal := usage(fmt.Errorf("%s can be reached from elsewhere, and plain HTTP would show every password and token on the way: "+
			"add --tls self-signed, or --tls-cert and --tls-key. Only behind a proxy that ends TLS, add --insecure-http", listener.Addr()))
		return nil, errors.Join(refusal, listener.Close())
	}
	return listener, nil
}

// root is scheme and host by which this machine reaches the listener.
func (s *serving) root(at net.Addr) string {
	scheme, host := "http", at.String()
	if s.secure.given() {
		scheme = "https"
	}
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return scheme + "://" + host
}

// gate bounds the connections.
func (s *serving) gate() *gate.Gate {
	return gate.New(gate.Limits{
		All: s.room(), Address: s.maxOfAddress, Wait: newcomer, Trusted: s.proxies.trusts, Log: slog.Default(),
	})
}

// server answers what comes in by the gate.
func (s *serving) server(handler http.Handler, in *gate.Gate) *http.Server {
	return &http.Server{
		Handler:           framing.Handler(in.Handler(s.proxies.before(handler)), tellRefused),
		ConnState:         in.Note,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return framing.Context(in.Context(ctx, c), c) },
		ReadHeaderTimeout: s.bounds.header, ReadTimeout: s.bounds.request, WriteTimeout: s.bounds.request, IdleTimeout: s.bounds.idle,
		MaxHeaderBytes: maxHeader,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: readAhead, MaxReceiveBufferPerStream: readAhead},
		ErrorLog:       slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}

func tellRefused(r *http.Request, why *framing.Refusal) {
	slog.Info("a request was refused for its form", "address", r.RemoteAddr, "reason", why.Reason)
}

// tidyTime is how often what was deleted long ago is removed for good, and ticketTime how often what has expired is: strangers can have codes
// for devices stored, and those that have expired make room for the next.
const (
	tidyTime   = time.Hour
	ticketTime = time.Minute
)

// listenAndServe answers requests until the context ends, then lets those under way finish. Listening is told the root address.
func (s *service) listenAndServe(ctx context.Context, at *serving, listening func(root string)) error {
	config, err := at.secure.config()
	if err != nil {
		return err
	}
	listener, err := at.open(ctx)
	if err != nil {
		return err
	}
	in := at.gate()
	s.metrics.watch(in)
	server := at.server(s.handler, in)
	defer s.tidying(ctx)()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(in.Listen(listener, at.prepared(config))) }()
	listening(at.root(listener.Addr()))
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	slog.Info("stopping: no new requests, those under way are finished")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), at.bounds.shutdown)
	defer cancel()
	err = server.Shutdown(stop)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}

// tidying tidies up in the background; what it answers ends that.
func (s *service) tidying(ctx context.Context) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { s.tenants.Tidy(ctx, tidyTime) })
	tasks.Go(func() { s.ready.watch(ctx) })
	tasks.Go(func() {
		again(ctx, ticketTime, "what has expired could not be removed; it is tried again", func() error {
			_, err := s.store.DropTickets(ctx, s.now())
			return err
		})
	})
	if s.rotate > 0 {
		tasks.Go(func() {
			again(ctx, tidyTime, "the signing key could not be replaced; it is tried again", func() error { return s.authority.RotateAfter(ctx, s.rotate) })
		})
	}
	return func() {
		stop()
		tasks.Wait()
	}
}

// again does something now, and every so often until the context ends. What goes wrong is logged.
func again(ctx context.Context, every time.Duration, failed string, do func() error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			slog.Error(failed, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
