package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// newLocal opens the local authority in a folder at a time that the test sets.
func newLocal(dir string, at *time.Time, names ...string) *localCA {
	return &localCA{
		dir: dir, names: append([]string{"localhost", "127.0.0.1"}, names...),
		now: func() time.Time { return *at }, random: rand.Reader,
	}
}

func opened(t *testing.T, a *localCA) *localCA {
	t.Helper()
	if err := a.open(); err != nil {
		t.Fatal(err)
	}
	return a
}

func issued(t *testing.T, a *localCA) *x509.Certificate {
	t.Helper()
	pair, err := a.current()
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func TestTheLocalAuthorityCanOnlyCertifyServers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := opened(t, newLocal(filepath.Join(t.TempDir(), "made", "too"), &now))
	c := a.certificate
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("the authority has CA %v, path length %d, usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
	}
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("its key is a %T", c.PublicKey)
	}
	if life := c.NotAfter.Sub(now).Hours() / 24; life < 3649 || life > 3651 {
		t.Errorf("it lasts %.0f days", life)
	}
	for _, file := range []struct {
		path string
		mode os.FileMode
	}{{a.keyFile(), 0o600}, {a.certificateFile(), 0o644}} {
		if info, err := os.Stat(file.path); err != nil || info.Mode().Perm() != file.mode {
			t.Errorf("%s: mode %v, %v", file.path, info.Mode(), err)
		}
	}
	if public, err := os.ReadFile(a.certificateFile()); err != nil || bytes.Contains(public, []byte("PRIVATE")) {
		t.Errorf("the file to be handed out has the key, or %v", err)
	}
	if leaf := issued(t, a); leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("the server's certificate has CA %v, usage %b", leaf.IsCA, leaf.KeyUsage)
	}
}

func TestTheLocalAuthorityIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	first := opened(t, newLocal(dir, &now))
	if err := os.Remove(first.certificateFile()); err != nil {
		t.Fatal(err)
	}
	second := opened(t, newLocal(dir, &now, "login.microsoftonline.com"))
	if !first.certificate.Equal(second.certificate) {
		t.Error("the second start made another authority")
	}
	trust, err := Trusting(first.certificateFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "login.microsoftonline.com"} {
		if _, err := issued(t, second).Verify(x509.VerifyOptions{Roots: trust, DNSName: name}); err != nil {
			t.Error(err)
		}
	}
	if _, err := issued(t, first).Verify(x509.VerifyOptions{Roots: trust, DNSName: "login.microsoftonline.com"}); err == nil {
		t.Error("a name that nobody asked for is certified")
	}
}

func TestOfSeveralAtOnceOneMakesTheLocalAuthority(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	all := make([]*localCA, 8)
	var starts sync.WaitGroup
	for i := range all {
		all[i] = newLocal(dir, &now)
		starts.Go(func() {
			if err := all[i].open(); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	for _, a := range all {
		if t.Failed() || !a.certificate.Equal(all[0].certificate) {
			t.Fatal("there are two authorities")
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("the folder has %v, %v", files, err)
	}
}

func TestTheServersCertificateIsRenewedWhenAThirdIsLeft(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := opened(t, newLocal(t.TempDir(), &now))
	first := issued(t, a)
	if life := first.NotAfter.Sub(now); life > certificateLife || life < certificateLife-time.Second {
		t.Errorf("it lasts %v", life)
	}
	now = now.Add(60*24*time.Hour - time.Minute)
	if !issued(t, a).Equal(first) {
		t.Error("renewed with more than a third left")
	}
	now = now.Add(2 * time.Minute)
	if issued(t, a).Equal(first) {
		t.Error("not renewed")
	}
}

func TestALocalAuthorityThatCannotBeUsedIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		spoil      func(t *testing.T, a *localCA, now *time.Time)
	}{
		{"others can read its key", "can be read by others", func(t *testing.T, a *localCA, _ *time.Time) {
			if err := os.Chmod(a.keyFile(), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{"its key is cut short", "remove", func(t *testing.T, a *localCA, _ *time.Time) {
			if err := os.Truncate(a.keyFile(), 100); err != nil {
				t.Fatal(err)
			}
		}},
		{"its time is over", "ended at", func(_ *testing.T, _ *localCA, now *time.Time) { *now = now.Add(authorityLife + time.Hour) }},
		{"it is no authority", "not that of an authority", func(t *testing.T, a *localCA, now *time.Time) {
			pair, err := a.current()
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
			if err != nil {
				t.Fatal(err)
			}
			data := append(pemOf("PRIVATE KEY", der), pemOf("CERTIFICATE", pair.Certificate[0])...)
			if err := os.WriteFile(a.keyFile(), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, now := t.TempDir(), time.Now()
			test.spoil(t, opened(t, newLocal(dir, &now)), &now)
			if err := newLocal(dir, &now).open(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("answered %v", err)
			}
		})
	}
}

func TestWhichNamesCanBeCertified(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"graph.microsoft.com": true, "localhost": true, "*.contoso.example": true, "build_agent": false, "my-host": true, "10.1.2.3": true, "fe80::1": true,
		"": false, "https://contoso.example": false, "contoso.example:443": false, "*": false, "a.*.b": false, "-a": false, "a b": false, "0.0.0.0": false, "::": false,
		"münchen.example": false, strings.Repeat("a", 64): false, strings.Repeat("a.", 130) + "b": false,
	} {
		if certifiable(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	all := certified([]string{"", "0.0.0.0", "licensor.contoso.example"}, []string{"Graph.Microsoft.com", "LOCALHOST"})
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "licensor.contoso.example", "graph.microsoft.com"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is not among %q", name, all)
		}
	}
	if slices.Contains(all, "0.0.0.0") || slices.Contains(all, "") || slices.Contains(all, "LOCALHOST") {
		t.Errorf("certified %q", all)
	}
}
