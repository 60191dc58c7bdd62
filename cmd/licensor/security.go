package main

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// security is how connections are made secure: not at all, by a certificate in files, or by one that we make (localCA).
type security struct {
	kind  string // selfSigned, or nothing
	dir   string // of the local authority
	names []string
	files keyPair
	local *localCA // once prepared, when the certificate is of our own making
}

const selfSigned = "self-signed"

func (s *security) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.kind, "tls", "", "serve https: self-signed makes a local certificate authority, once, and a certificate")
	f.StringVar(&s.dir, "tls-dir", "", "folder that the local authority is kept in, with --tls self-signed")
	f.StringArrayVar(&s.names, "tls-name", nil, "one more name that the certificate is for, such as graph.microsoft.com, with --tls self-signed; may be repeated")
	f.StringVar(&s.files.cert, "tls-cert", "", "serve https with this certificate (PEM); read again when the file changes")
	f.StringVar(&s.files.key, "tls-key", "", "the certificate's key (PEM)")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsMutuallyExclusive("tls", "tls-cert")
}

// given says whether connections are to be secure.
func (s *security) given() bool { return s.kind != "" || s.files.cert != "" }

// prepare looks at what was asked for. Folder returns where the local authority is kept unless --tls-dir says it; names are those the server
// is reached by besides those of --tls-name.
func (s *security) prepare(folder func() (string, error), names []string) error {
	switch {
	case s.kind == "" && (s.dir != "" || len(s.names) > 0):
		return usage(errors.New("--tls-dir and --tls-name are for --tls self-signed"))
	case s.kind == "":
		return nil
	case s.kind != selfSigned:
		return usage(fmt.Errorf("--tls is %q; it can be self-signed. For a certificate that you have there are --tls-cert and --tls-key", s.kind))
	}
	for _, name := range s.names {
		if !certifiable(name) {
			return usage(fmt.Errorf("--tls-name is %q; give the name of a host, without scheme and port, or an IP address", name))
		}
	}
	if s.dir == "" {
		var err error
		if s.dir, err = folder(); err != nil {
			return fmt.Errorf("find a place for the local authority: %w; name one with --tls-dir", err)
		}
	}
	var err error
	if s.dir, err = filepath.Abs(s.dir); err != nil { // so that what is printed works in any folder
		return err
	}
	s.local = &localCA{dir: s.dir, names: certified(names, s.names), now: time.Now, random: rand.Reader}
	return s.local.open()
}

// certified are the names that a certificate of our own is for: this machine's, those it is reached by, and those asked for.
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

// config is the server's; nil without a certificate. One that cannot be used is an error at once, not at the first connection.
func (s *security) config() (*tls.Config, error) {
	var current func() (*tls.Certificate, error)
	switch {
	case s.local != nil:
		current = s.local.current
	case s.files.cert != "":
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

// authority is the file with the local authority's certificate, which clients have to trust; empty when there is none.
func (s *security) authority() string {
	if s.local == nil {
		return ""
	}
	return s.local.certificateFile()
}

// trust is what a client of this very server has to trust, besides what the system does.
func (s *security) trust() (*x509.CertPool, error) {
	return trusting(cmp.Or(s.authority(), s.files.cert))
}

// trusting is the certificates that the system trusts and those in a file; nil, which means the system's, without a file.
func trusting(path string) (*x509.CertPool, error) {
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
