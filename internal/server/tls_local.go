package server

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// localCA is a certificate authority of this machine: created once, kept in a folder, and trusted
// by clients that are configured to. It issues the server's certificate, which is kept in memory
// only: each start issues another one, for the names that are requested then.
//
// The authority has no name constraints, since --tls-name may request any name later. So anyone
// with its key can impersonate any server to the clients that trust it.
type localCA struct {
	dir    string
	names  []string
	now    func() time.Time
	random io.Reader

	certificate *x509.Certificate
	key         crypto.Signer

	mu     sync.Mutex
	issued *tls.Certificate
}

const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 90 * 24 * time.Hour
	renewBefore     = certificateLife / 3
	clockSkew       = time.Hour // for clients whose clocks are behind
)

func (a *localCA) certificateFile() string { return filepath.Join(a.dir, "ca.pem") }

// keyFile has the authority's key and also its certificate, so that the two always match.
func (a *localCA) keyFile() string { return filepath.Join(a.dir, "ca-key.pem") }

// open loads the authority, or creates it.
func (a *localCA) open() error {
	data, err := readPrivate(a.keyFile())
	if errors.Is(err, fs.ErrNotExist) {
		data, err = a.found()
	}
	if err != nil {
		return fmt.Errorf("the local authority in %s: %w", a.dir, err)
	}
	if err := a.parse(data); err != nil {
		return fmt.Errorf("the local authority in %s cannot be used: %w; remove %s to have a new one, which "+
			"clients must be told to trust again",
			a.dir, err, a.keyFile())
	}
	return a.publish()
}

// readPrivate reads a file that only its owner may read. Windows does not express that in the mode.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s can be read by others (mode %o): if no one has read it yet, chmod 600 it",
			path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// found creates the authority. If several processes do so at the same time, the first one succeeds,
// and the others load its result.
func (a *localCA) found() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.random)
	if err != nil {
		return nil, err
	}
	now := a.now()
	host, _ := os.Hostname() // a name without it works as well
	template := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"Licensor"},
			CommonName:   "Licensor local authority " + host + " " + now.UTC().Format(time.DateOnly),
		},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife), KeyUsage: x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	certificate, err := a.sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return nil, err
	}
	data := append(pemOf("PRIVATE KEY", text), pemOf("CERTIFICATE", certificate)...)
	if err := writeNew(a.keyFile(), data, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readPrivate(a.keyFile())
}

func (a *localCA) parse(data []byte) error {
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return errors.New("its certificate is not that of an authority")
	}
	if !a.now().Before(pair.Leaf.NotAfter) {
		return fmt.Errorf("its certificate ended at %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	a.certificate, a.key = pair.Leaf, key
	return nil
}

// publish writes the authority's certificate for clients that have to trust it, unless it exists.
func (a *localCA) publish() error {
	data := pemOf("CERTIFICATE", a.certificate.Raw)
	if there, err := os.ReadFile(a.certificateFile()); err == nil && bytes.Equal(there, data) {
		return nil
	}
	if err := ReplaceFile(a.certificateFile(), data, 0o644); err != nil {
		return fmt.Errorf("write the local authority's certificate: %w", err)
	}
	return nil
}

// current returns the server's certificate, a new one when a third of its lifetime is left.
func (a *localCA) current() (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.issued != nil && now.Before(a.issued.Leaf.NotAfter.Add(-renewBefore)) {
		return a.issued, nil
	}
	issued, err := a.issue(now)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	a.issued = issued
	return issued, nil
}

func (a *localCA) issue(now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), a.random)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Licensor"}, CommonName: a.names[0]},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range a.names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := a.sign(template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// sign gives the certificate an unpredictable serial number, and signs it.
func (a *localCA) sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) ([]byte, error) {
	serial, err := rand.Int(a.random, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	return x509.CreateCertificate(a.random, template, parent, public, key)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
