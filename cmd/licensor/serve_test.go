package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"licensor/internal/server"
)

// The real program is killed, its log is lost, and the next start says so instead of running
// without what it has acknowledged.
func TestAServerWhoseLogIsGoneDoesNotStart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	k := newKilled(t)
	k.load(300 * time.Millisecond)
	if err := os.Remove(k.data + "-wal"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), k.program, "serve", "--data", k.data, "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "acknowledged changes are missing") || !strings.Contains(string(out), "--allow-data-loss") {
		t.Fatalf("it ends with %v and says %s", err, out)
	}
	k.start("--allow-data-loss")
	k.stop()
	k.start() // once is enough
	k.stop()
}

// The demo talks to itself over https, trusting just its own certificate.
func TestTheDemoOverHTTPS(t *testing.T) {
	t.Parallel()
	cert, key := newKeyPair(t)
	out := runDemo(t, nil, "--tls-cert", cert, "--tls-key", key)
	if !strings.Contains(out, "Serving Microsoft Graph at https://127.0.0.1:") {
		t.Errorf("printed\n%s", out)
	}
}

func TestFlagsOfTLSThatContradictEachOther(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--tls", "self-signed", "--tls-cert", "c", "--tls-key", "k"}, "none of the others can be"},
		{[]string{"--tls-cert", "c"}, "they must all be set"},
		{[]string{"--tls", "on"}, `--tls is "on"`},
		{[]string{"--tls-name", "graph.microsoft.com"}, "are for --tls self-signed"},
		{[]string{"--tls-dir", "here"}, "are for --tls self-signed"},
		{[]string{"--tls", "self-signed", "--tls-name", "https://graph.microsoft.com"}, "without scheme and port"},
		{[]string{"--tls", "self-signed", "--insecure-http"}, "none of the others can be"},
		{[]string{"--max-connections", "0"}, "must be 1 or more"},
	} {
		for _, command := range []string{"serve", "demo"} {
			code, _, stderr := call(t, rootCommand(), append([]string{command}, test.args...)...)
			if code != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("%s %q: exit code %d, %s", command, test.args, code, stderr)
			}
		}
	}
}

// Everything that needs to know of the authority does: the demo's own story, the lines it prints,
// its file, and commands that read that.
func TestTheDemoWithALocalAuthority(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's mine")
	meanwhile := func(info string, login server.Login) {
		if login.CA != filepath.Join(dir, "ca.pem") {
			t.Errorf("ca is %q", login.CA)
		}
		if code, _, stderr := call(t, rootCommand(), "catalog", "list", "--info", info); code != exitDone {
			t.Errorf("exit code %d, %s", code, stderr)
		}
		trust, err := server.Trusting(login.CA)
		if err != nil {
			t.Error(err)
			return
		}
		address := strings.TrimPrefix(login.Graph, "https://")
		for name, trusted := range map[string]bool{"login.microsoftonline.com": true, "localhost": true, "graph.microsoft.com": false} {
			conn, err := tls.DialWithDialer(new(net.Dialer), "tcp", address, &tls.Config{RootCAs: trust, ServerName: name})
			if (err == nil) != trusted {
				t.Errorf("as %s: %v", name, err)
			}
			if err == nil {
				_ = conn.Close()
			}
		}
		if conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "localhost"}); err == nil {
			_ = conn.Close()
			t.Error("who was not told trusts it too")
		}
	}
	out := runDemo(t, meanwhile, "--tls", "self-signed", "--tls-dir", dir, "--tls-name", "login.microsoftonline.com")
	quoted := strings.ReplaceAll(dir, "'", `'\''`)
	for _, want := range []string{
		"Serving Microsoft Graph at https://127.0.0.1:", "SSL_CERT_FILE='" + quoted + "/ca.pem'", "NODE_EXTRA_CA_CERTS=", "REQUESTS_CA_BUNDLE=",
		"certutil -user -addstore Root ", "security add-trusted-cert ", "update-ca-certificates",
		"token=$(curl -s --cacert '" + quoted + "/ca.pem' https://127.0.0.1:",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not print %q:\n%s", want, out[max(0, len(out)-4000):])
		}
	}
	if plain := strings.Count(out, "curl -s ") - strings.Count(out, "curl -s --cacert "); plain != 0 {
		t.Errorf("%d lines of curl do not trust the authority", plain)
	}
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, listen := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		for _, more := range [][]string{nil, {"--public-url", "https://licensor.contoso.example"}} {
			code, _, stderr := call(t, rootCommand(), append([]string{"serve", "--data", data, "--listen", listen}, more...)...)
			if strings.Contains(stderr, "address family not supported") {
				continue // this machine has no IPv6
			}
			for _, want := range []string{"can be reached from elsewhere", "--tls self-signed", "--tls-cert and --tls-key", "--insecure-http"} {
				if code != exitUsage || !strings.Contains(stderr, want) {
					t.Errorf("on %s %v: exit code %d, %s", listen, more, code, stderr)
				}
			}
		}
	}
}

func TestTrustedProxyMustBeAnAddress(t *testing.T) {
	t.Parallel()
	code, _, stderr := call(t, rootCommand(), "serve", "--data", newDatabase(t), "--trusted-proxy", "proxy.example")
	if code != exitUsage || !strings.Contains(stderr, `--trusted-proxy is "proxy.example", which is not an address`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// newKeyPair writes a certificate for the loopback address, which is its own authority, and its
// key.
func newKeyPair(t *testing.T) (cert, key string) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	pair := web.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert = newFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	return cert, newFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}
