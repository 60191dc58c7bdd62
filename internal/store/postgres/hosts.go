package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// hosts are the hosts of a database. The one to use can be written and has the highest timeline:
// each promotion of a standby begins a new timeline, so an old primary that still runs has a lower
// one.
type hosts struct {
	all    []host
	config *pgx.ConnConfig
	chosen atomic.Int32 // -1 if the hosts must be asked

	choosing sync.Mutex
	last     int // that was chosen
}

// host is one host, with the ways to connect to it.
type host struct {
	name string
	ways []*pgconn.FallbackConfig
}

func newHosts(config *pgx.ConnConfig) *hosts {
	h := &hosts{all: hostsOf(config), config: config.Copy(), last: -1}
	h.forget()
	return h
}

// hostsOf groups the ways to connect by host. A host has two if encryption is optional.
func hostsOf(config *pgx.ConnConfig) []host {
	first := &pgconn.FallbackConfig{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}
	var all []host
	for _, way := range append([]*pgconn.FallbackConfig{first}, config.Fallbacks...) {
		name := net.JoinHostPort(way.Host, strconv.Itoa(int(way.Port)))
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, host{name: name})
		}
		last := &all[len(all)-1]
		last.ways = append(last.ways, way)
	}
	return all
}

// use makes config connect to this host only.
func (h host) use(config *pgx.ConnConfig) {
	config.Host, config.Port, config.TLSConfig = h.ways[0].Host, h.ways[0].Port, h.ways[0].TLSConfig
	config.Fallbacks = h.ways[1:]
	if config.TLSConfig != nil {
		config.TLSConfig = config.TLSConfig.Clone()
	}
}

// forget makes the hosts be asked before the next connection.
func (h *hosts) forget() { h.chosen.Store(-1) }

// choose makes config connect to the host to use. It asks all of them if that is not known. It
// reports whether it is another host than before.
func (h *hosts) choose(ctx context.Context, config *pgx.ConnConfig) (moved bool, err error) {
	if len(h.all) == 1 {
		return false, nil
	}
	h.choosing.Lock()
	defer h.choosing.Unlock()
	chosen := int(h.chosen.Load())
	if chosen < 0 {
		if chosen, err = best(h.askAll(ctx)); err != nil {
			return false, err
		}
		h.chosen.Store(int32(chosen))
	}
	moved = h.last >= 0 && h.last != chosen
	h.last = chosen
	h.all[chosen].use(config)
	return moved, nil
}

// state is what a host tells about itself.
type state struct {
	host     string
	standby  bool
	readOnly bool
	timeline uint64
	err      error // the host cannot be asked
}

// askAll asks all hosts at once.
func (h *hosts) askAll(ctx context.Context) []state {
	states := make([]state, len(h.all))
	var all sync.WaitGroup
	for i, host := range h.all {
		all.Go(func() { states[i] = h.ask(ctx, host) })
	}
	all.Wait()
	return states
}

// askState works for any role. The name of the current WAL segment begins with the timeline, which
// the control file has only some time after a promotion; a standby writes none.
const askState = `SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
	CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END`

func (h *hosts) ask(ctx context.Context, of host) state {
	ctx, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	found := state{host: of.name}
	config := h.config.Copy()
	of.use(config)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		found.err = err
		return found
	}
	defer conn.Close(ctx)
	var timeline string
	found.err = conn.QueryRow(ctx, askState, pgx.QueryExecModeExec).Scan(&found.standby, &found.readOnly, &timeline)
	if found.err == nil && timeline != "" {
		found.timeline, found.err = strconv.ParseUint(timeline, 16, 32)
	}
	return found
}

// best returns the index of the host to use.
func best(states []state) (int, error) {
	chosen := -1
	var why []string
	for i, s := range states {
		switch {
		case s.err != nil:
			why = append(why, reason(s.host, s.err))
		case s.standby:
			why = append(why, s.host+" is a standby")
		case s.readOnly:
			why = append(why, s.host+" can only be read (default_transaction_read_only)")
		case chosen < 0 || s.timeline > states[chosen].timeline:
			chosen = i
		}
	}
	if chosen < 0 {
		return 0, fmt.Errorf("none of the hosts can be written: %s", strings.Join(why, "; "))
	}
	return chosen, nil
}

// reason says briefly why a host cannot be used.
func reason(host string, err error) string {
	var dns *net.DNSError
	var server *pgconn.PgError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &server):
		return fmt.Sprintf("%s refuses: %s (%s)", host, server.Message, server.Code)
	case errors.As(err, &dns):
		return fmt.Sprintf("%s is not known: %s", host, dns.Err)
	case errors.As(err, &certificate):
		return fmt.Sprintf("%s has a certificate that is not accepted: %s", host, certificate.Err)
	case errors.As(err, &op):
		return fmt.Sprintf("%s cannot be reached: %s", host, op.Err)
	case strings.Contains(err.Error(), "server refused TLS connection"): // pgx has no type for it
		return host + " does not encrypt connections: set ssl = on in its configuration, or, if the network is " +
			"trusted, sslmode=disable in the URL"
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return host + " does not answer"
	}
	return fmt.Sprintf("%s: %s", host, err)
}
