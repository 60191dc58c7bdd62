package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newKeyPair writes a certificate for the loopback address, which is its own authority, and its
// key.
func newKeyPair(t *testing.T, dir string, number int64) *Security {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "licensor test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := &Security{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	writePEM(t, s.CertFile, "CERTIFICATE", cert)
	writePEM(t, s.KeyFile, "PRIVATE KEY", der)
	return s
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serial(t *testing.T, pair *tls.Certificate) int64 {
	t.Helper()
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert.SerialNumber.Int64()
}

func TestACertificateIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newKeyPair(t, dir, 1)
	config, err := s.config(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	now := func() int64 {
		pair, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return serial(t, pair)
	}
	if now() != 1 {
		t.Fatal("not the certificate in the file")
	}
	newKeyPair(t, dir, 2)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(s.CertFile, later, later); err != nil {
		t.Fatal(err)
	}
	if now() != 2 {
		t.Error("the new certificate does not serve")
	}
	if err := os.WriteFile(s.CertFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if now() != 2 {
		t.Error("the last good certificate does not serve on")
	}
}

func TestACertificateThatCannotBeUsedIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := newKeyPair(t, t.TempDir(), 1)
	s.KeyFile = s.CertFile
	if _, err := s.config(slog.Default()); err == nil || !strings.Contains(err.Error(), s.CertFile) {
		t.Errorf("answered %v", err)
	}
}
