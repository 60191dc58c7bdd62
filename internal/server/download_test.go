package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2/clientcredentials"
)

// downloading is a server with an application that may back up, and the time of a request.
func downloading(t *testing.T, write func(context.Context, io.Writer) error) (*Server, *clientcredentials.Config) {
	t.Helper()
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	s.backups.Write = func(ctx context.Context, w io.Writer, _ []uuid.UUID, _ bool) error { return write(ctx, w) }
	login, err := s.Found(t.Context(), Founding{
		Name: "T", Domain: "t.example", Country: "DE", Admin: "admin", Application: "Backup",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, &clientcredentials.Config{
		ClientID: login.ClientID, ClientSecret: login.ClientSecret, Scopes: []string{"https://graph.microsoft.com/.default"},
		TokenURL: "/" + login.TenantID + "/oauth2/v2.0/token",
	}
}

// token gets a token.
func token(t testing.TB, client *http.Client, root string, c *clientcredentials.Config) string {
	t.Helper()
	response, err := client.PostForm(root+c.TokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "scope": c.Scopes,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	_, after, _ := strings.Cut(string(text), `"access_token":"`)
	value, _, ok := strings.Cut(after, `"`)
	if err != nil || !ok {
		t.Fatalf("no token: %s %v", text, err)
	}
	return value
}

// piece is as much as a caller must accept at a time.
var piece = make([]byte, 1<<20)

// A backup may take many times as long as another request, as long as its caller accepts data.
func TestABackupMayTakeLong(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const pieces = 10
			s, login := downloading(t, func(ctx context.Context, w io.Writer) error {
				for range pieces {
					select {
					case <-ctx.Done():
						return context.Cause(ctx)
					case <-time.After(aMoment / 2):
					}
					if _, err := w.Write(piece); err != nil {
						return err
					}
				}
				return nil
			})
			at := quick(func(b *bounds) { b.request = aMoment })
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // of the test
			client, scheme := &http.Client{Transport: transport}, "http"
			if version == "HTTP/2.0" {
				files := newKeyPair(t, t.TempDir(), 1).CertFile
				at.Security.CertFile = files
				at.Security.KeyFile = strings.Replace(files, "cert.pem", "key.pem", 1)
				transport.ForceAttemptHTTP2, scheme = true, "https"
			}
			t.Cleanup(transport.CloseIdleConnections)
			root := scheme + "://" + startListening(t, s, at)
			bearer := token(t, client, root, login)
			for range 2 { // the second over the same connection
				response := getBackup(t, client, root, bearer)
				n, err := io.Copy(io.Discard, response.Body)
				whole := response.StatusCode == http.StatusOK && n == pieces*int64(len(piece))
				if !whole || err != nil || response.Proto != version {
					t.Errorf("%s %s, %d bytes, %v", response.Proto, response.Status, n, err)
				}
			}
		})
	}
}

func getBackup(t *testing.T, client *http.Client, root, bearer string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, root+"/licensor/v1/backup", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// A caller that no longer accepts data is disconnected, and the next one gets its backup.
func TestACallerThatDoesNotReadItsBackupIsCutOff(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	s, login := downloading(t, func(_ context.Context, w io.Writer) error {
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				return err
			}
		}
	})
	s.backups.Silence = aMoment
	address := startListening(t, s, quick(func(*bounds) {}))
	bearer := token(t, http.DefaultClient, "http://"+address, login)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /licensor/v1/backup HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", bearer)
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the backup waits for its caller")
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
}
