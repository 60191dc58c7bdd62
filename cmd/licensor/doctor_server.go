package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"licensor/internal/excerpt"
	"licensor/internal/server"
)

// probeTime is how long a server may take for an answer to the doctor.
const probeTime = 10 * time.Second

// examineServer makes the checks of a server. Without a connection, it cannot be logged in there.
func (d *doctor) examineServer(ctx context.Context, login server.Login) (*connection, error) {
	if err := checkRoot(strings.TrimSuffix(login.Graph, "/")); err != nil {
		return nil, err
	}
	d.good("configuration", "the server %s", login.Graph)
	if strings.HasPrefix(login.Graph, "https:") {
		d.examineCertificate(ctx, login.Graph)
	} else if u, err := url.Parse(login.Graph); err == nil && !isLoopback(u.Hostname()) {
		d.find("certificate", "serve https (licensor serve --tls-cert), or a proxy that does",
			"passwords and tokens are sent in plain text")
	}
	if !d.examineReadiness(ctx, login) {
		return nil, nil
	}
	c, err := openRemote(ctx, login)
	switch code := exitCode(err); {
	case err == nil:
		d.good("login", "the application %s can log in", login.ClientID)
	case code == exitUsage && isOutcome(err):
		return nil, err
	default:
		d.find("login", "check the tenant, the client id and the secret; a new secret is made with addPassword of Graph",
			"the application %s cannot log in: %v", login.ClientID, err)
	}
	return c, nil
}

func isOutcome(err error) bool {
	_, ok := errors.AsType[*outcomeError](err)
	return ok
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Certificates that expire sooner are found.
const soon = 14 * 24 * time.Hour

// examineCertificate reads the certificate of a server, also one that is not trusted.
func (d *doctor) examineCertificate(ctx context.Context, root string) {
	u, err := url.Parse(root)
	if err != nil {
		return // another check says so
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "443")
	}
	dialer := &tls.Dialer{
		NetDialer: &net.Dialer{Timeout: probeTime},
		Config:    &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true}, // is only read, nothing is sent
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return // another check says so
	}
	defer conn.Close()
	if chain := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(chain) > 0 {
		d.examineExpiry("of the server", chain[0],
			"install a new one; the server reads the files again when they change")
	}
}

func (d *doctor) examineExpiry(whose string, certificate *x509.Certificate, remedy string) {
	switch left := certificate.NotAfter.Sub(d.now()); {
	case left < 0:
		d.find("certificate", remedy, "that %s expired at %s", whose, certificate.NotAfter.UTC().Format(time.RFC3339))
	case left < soon:
		d.find("certificate", remedy, "that %s expires in %d days", whose, int(left.Hours()/24))
	default:
		d.good("certificate", "that %s is valid until %s", whose, certificate.NotAfter.UTC().Format(time.DateOnly))
	}
}

// examineReadiness reports whether the server answers at all.
func (d *doctor) examineReadiness(ctx context.Context, login server.Login) bool {
	base, err := transportTo(login)
	if err != nil {
		d.find("certificate", "name a file with the certificate to trust (PEM)", "%v", err)
		return false
	}
	defer base.CloseIdleConnections()
	client := http.Client{Transport: base, Timeout: probeTime}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(login.Graph, "/")+"/readyz", http.NoBody)
	if err != nil {
		d.find("server", "correct --server", "%v", err)
		return false
	}
	began := d.now()
	response, err := client.Do(r)
	if err != nil {
		d.find("server", remedyOf(err), "it cannot be reached: %v", err)
		return false
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // the status says what matters
	if response.StatusCode == http.StatusOK {
		d.good("server", "it is ready, and answers in %s", d.now().Sub(began).Round(time.Millisecond))
	} else {
		d.find("server", "see its log", "it is not ready: %s: %s", response.Status,
			excerpt.Of(strings.TrimSpace(string(body)), 200))
	}
	d.examineClock(response.Header.Get("Date"))
	d.note("disk", "watch it on the machine of the server, or run `licensor doctor --data` there when it is stopped",
		"how much room the database of the server has is not known: the server does not say it")
	return true
}

// remedyOf says what helps against an error of a connection.
func remedyOf(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "trust the authority of its certificate: set SSL_CERT_FILE to its ca.pem, or use --info with a file " +
			"that names it"
	case errors.As(err, &name):
		return "use a name that the certificate has, or add this one to it (licensor serve --tls-name)"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "check the address, and whether a firewall is in between"
	}
	return "check the address, and whether the server is running (licensor serve)"
}

// examineClock compares the clock of a server with that of this machine. The header has seconds.
func (d *doctor) examineClock(date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		d.note("clock", "", "the server does not say what time it is")
		return
	}
	d.compareClocks("the server", at.Sub(d.now()), time.Second)
}

// compareClocks reports by how much another clock is ahead of that of this machine. The difference
// is known within a duration.
func (d *doctor) compareClocks(whose string, skew, within time.Duration) {
	if skew.Abs()-within > maxSkew {
		d.find("clock", "set both clocks, as with NTP: tokens and schedules depend on them",
			"that of %s differs by %s", whose, skew.Round(time.Second))
		return
	}
	d.good("clock", "that of %s agrees with this machine", whose)
}
