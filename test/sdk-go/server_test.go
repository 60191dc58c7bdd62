package sdk

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// server is the program, started, and who trusts its certificate.
var server struct {
	Graph, Authority, TenantID, ClientID, ClientSecret string

	trust *x509.CertPool
}

func TestMain(m *testing.M) {
	binary := os.Getenv("LICENSOR")
	if binary == "" {
		fmt.Println("LICENSOR does not name the program to test; `make test-sdk` builds it. Skipped.")
		return
	}
	code, err := serve(binary, m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// serve runs what must be run while the program serves its demo tenant.
func serve(binary string, run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "licensor-sdk-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	cert, key, info := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "info.json")
	if server.trust, err = writeCertificate(cert, key); err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--info", info)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		stop()
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		stop()
		<-ended
	}()
	for deadline := time.After(time.Minute); ; {
		if text, err := os.ReadFile(info); err == nil {
			if err := json.Unmarshal(text, &server); err != nil {
				return 0, err
			}
			return run(), nil
		}
		select {
		case err := <-ended:
			ended <- err
			return 0, fmt.Errorf("the program ended instead of serving: %v", err)
		case <-deadline:
			return 0, fmt.Errorf("the program did not start within a minute")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// writeCertificate makes a certificate for the loopback address and returns who trusts it.
func writeCertificate(cert, key string) (*x509.CertPool, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	made, err := selfSigned(private, "localhost")
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Raw}), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(made)
	return pool, nil
}

// selfSigned is a certificate for a day, of a server at the loopback address or of a client.
func selfSigned(private crypto.Signer, name string) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
