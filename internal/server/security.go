package server

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Security holds the flags of the command line for TLS: none, a certificate in files, or a
// certificate of a local authority that is created once and kept in a folder.
type Security struct {
	Kind              string   // SelfSigned, or empty
	Folder            string   // of the local authority
	Names             []string // names in its certificate, in addition to those that the server is reached by
	CertFile, KeyFile string   // PEM; read again when they change

	files keyPair
	local *localCA // set by prepare, if the server issues its own certificate
}

// SelfSigned asks for a certificate of the local authority.
const SelfSigned = "self-signed"

// given reports whether connections use TLS.
func (s *Security) given() bool { return s.Kind != "" || s.CertFile != "" }

// prepare checks the flags. Folder returns the folder of the local authority unless --tls-dir is
// set; names are the names of the server in addition to those of --tls-name.
func (s *Security) prepare(folder func() (string, error), names []string) error {
	switch {
	case s.Kind == "" && (s.Folder != "" || len(s.Names) > 0):
		return Misuse(errors.New("--tls-dir and --tls-name are for --tls self-signed"))
	case s.Kind == "":
		return nil
	case s.Kind != SelfSigned:
		return Misuse(fmt.Errorf("--tls is %q; it must be self-signed. "+
			"For a certificate of your own, use --tls-cert and --tls-key", s.Kind))
	}
	for _, name := range s.Names {
		if !certifiable(name) {
			return Misuse(fmt.Errorf("--tls-name is %q; give the name of a host, without scheme and port, "+
				"or an IP address",
				name))
		}
	}
	if s.Folder == "" {
		var err error
		if s.Folder, err = folder(); err != nil {
			return fmt.Errorf("find a place for the local authority: %w; name one with --tls-dir", err)
		}
	}
	var err error
	if s.Folder, err = filepath.Abs(s.Folder); err != nil { // so that the printed path is valid in any folder
		return err
	}
	s.local = &localCA{dir: s.Folder, names: certified(names, s.Names), now: time.Now, random: rand.Reader}
	return s.local.open()
}

// certified returns the names in a certificate of the local authority: this machine's, those it is
// reached by, and those of --tls-name.
func certified(reached, asked []string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	var all []string
	for _, name := range slices.Concat(names, reached, asked) {
		if name = strings.ToLower(name); certifiable(name) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

var hostName = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func certifiable(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return !ip.IsUnspecified()
	}
	return len(name) <= 253 && hostName.MatchString(name)
}

// config returns the TLS configuration of the server; nil without a certificate. An unusable
// certificate is an error immediately, not at the first connection.
func (s *Security) config(log *slog.Logger) (*tls.Config, error) {
	var current func() (*tls.Certificate, error)
	switch {
	case s.local != nil:
		current = s.local.current
	case s.CertFile != "":
		s.files.cert, s.files.key, s.files.log = s.CertFile, s.KeyFile, log
		current = s.files.current
	default:
		return nil, nil
	}
	if _, err := current(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current() },
	}, nil
}

// Authority returns the file with the local authority's certificate, which clients have to trust;
// empty if there is none.
func (s *Security) Authority() string {
	if s.local == nil {
		return ""
	}
	return s.local.certificateFile()
}

// AuthorityKey returns the file with the local authority's key.
func (s *Security) AuthorityKey() string { return s.local.keyFile() }

// CertifiedNames returns the names that the certificate of the local authority is for.
func (s *Security) CertifiedNames() []string { return s.local.names }

// Trust returns the certificates that a client of this server has to trust, in addition to the
// system's.
func (s *Security) Trust() (*x509.CertPool, error) {
	return Trusting(cmp.Or(s.Authority(), s.CertFile))
}

// Trusting returns the certificates that the system trusts and those in a file, or nil, which means
// the system's, without a file.
func Trusting(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate to trust: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s has no certificate (PEM) to trust", path)
	}
	return pool, nil
}
