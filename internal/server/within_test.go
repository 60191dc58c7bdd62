package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// A server without memory refuses what is not small, in Graph's form and in the authority's, says
// when to come again, and continues with what is small.
func TestAServerWithoutMemoryServesWhatIsSmall(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	// Less than it has in use.
	s, err := Open(t.Context(), Options{Data: data, Development: true, Quick: true, MemoryLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	first := found(t, s)
	id, secret, err := s.AddApplication(t.Context(), first, Registration{Name: "Test", Permissions: AllPermissions})
	if err != nil {
		t.Fatal(err)
	}
	app, _ := first.Image().Client(uuid.MustParse(id))
	token, err := s.authority.Issue(identity.Claims{
		Tenant: first.ID(), ObjectID: app.Principal.ID, AppID: app.AppID, Permissions: AllPermissions,
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, kind, body string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", kind)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(text)
	}
	group := addGroup(t, first)
	form := fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=https://graph.microsoft.com/.default", id, secret)
	tokens := "/" + first.ID().String() + "/oauth2/v2.0/token"
	for _, refused := range []struct{ path, kind, body, want string }{
		{"/v1.0/groups", "application/json", `{"displayName":"G"}`, `{"error":{"code":"ServiceUnavailable","message":"The server has little memory left`},
		{"/v1.0/$batch", "application/json", `{"requests":[{"id":"1","method":"GET","url":"/users"}]}`, `"code":"ServiceUnavailable"`},
		{"/licensor/v1/import", "application/x-ndjson", `{"user":{}}`, `"code":"ServiceUnavailable"`},
		{tokens, "application/x-www-form-urlencoded", form + "&state=" + strings.Repeat("x", smallForm), `"error":"temporarily_unavailable"`},
	} {
		got, text := ask("POST", refused.path, refused.kind, refused.body)
		if got.StatusCode != http.StatusServiceUnavailable ||
			got.Header.Get("Retry-After") == "" || !strings.Contains(text, refused.want) {
			t.Errorf("POST %s: %s %v %s", refused.path, got.Status, got.Header, text)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/v1.0/organization", "/v1.0/users?$top=5", "/" + first.ID().String() + "/v2.0/.well-known/openid-configuration"} {
		if got, text := ask("GET", path, "", ""); got.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %s %s", path, got.Status, text)
		}
	}
	if got, text := ask("POST", tokens, "application/x-www-form-urlencoded", form); got.StatusCode != http.StatusOK {
		t.Errorf("a token: %s %s", got.Status, text)
	}
	if got, text := ask("DELETE", "/v1.0/groups/"+group.String(), "", ""); got.StatusCode != http.StatusNoContent {
		t.Errorf("what takes something away: %s %s", got.Status, text)
	}
	_, metrics := ask("GET", "/metrics", "", "")
	for _, want := range []string{`licensor_memory_refused_total{cause="limit"} 4`, "licensor_memory_reserved_bytes 0", "licensor_memory_budget_bytes 262144", "licensor_memory_headroom_bytes -"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
}

// Those who send a form slowly have no memory that others need to sign in.
func TestSlowFormsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	// Strangers have 1 MB of it, which is 16 requests.
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true, MemoryLimit: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s.handler)
	var begun atomic.Int32
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateActive {
			begun.Add(1)
		}
	}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	path := "/" + found(t, s).ID().String() + "/oauth2/v2.0/token"
	const slow = 40
	for range slow {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 300\r\n\r\nclient_id=", path)
	}
	for begun.Load() < slow {
		time.Sleep(time.Millisecond)
	}
	for range slow {
		response, err := server.Client().Post(server.URL+path, "application/x-www-form-urlencoded", strings.NewReader("grant_type=x&client_id=x"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode >= http.StatusInternalServerError {
			t.Fatalf("beside %d slow forms a quick one is answered %s", slow, response.Status)
		}
	}
}

// Bodies that do not come hold memory only as long as no one else needs it: the authority's, and a
// tenant's.
func TestBodiesThatDoNotComeGiveTheirMemory(t *testing.T) {
	t.Parallel()
	const form = "grant_type=x&client_id=x&state="
	const batch = `{"requests":[{"id":"1","method":"GET","url":"/users"}]}`
	for name, c := range map[string]struct {
		path, kind, half, whole string
		count, status           int
	}{
		"forms": {
			"/common/oauth2/v2.0/token", "application/x-www-form-urlencoded", form, form + strings.Repeat("x", smallForm),
			200, http.StatusBadRequest,
		},
		"batches": {
			"/v1.0/$batch", "application/json", strings.Repeat(" ", 300<<10), batch + strings.Repeat(" ", 100<<10),
			100, http.StatusOK,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Its budget has 96 MB for the large requests of one tenant, and 72 MB for those of one caller.
			s, server := limited(t, 1<<30)
			head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nAuthorization: Bearer %s\r\n",
				c.path, c.kind, tokenOf(t, s, found(t, s)))
			for range c.count {
				send(t, server, fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(c.half), c.half))
			}
			for begun := time.Now(); s.memory.Stats().Used < 70<<20; time.Sleep(time.Millisecond) {
				if time.Since(begun) > 30*time.Second {
					t.Fatalf("%d bytes are held", s.memory.Stats().Used)
				}
			}
			time.Sleep(2 * time.Second) // longer than a body may take that others wait for
			conn := send(t, server, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(c.whole), c.whole))
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != c.status {
				t.Errorf("answered %s %s, %v", response.Status, text, err)
			}
		})
	}
}

// limited is a server with a limit for its memory.
func limited(t *testing.T, limit int64) (*Server, *httptest.Server) {
	t.Helper()
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true, MemoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, server
}

func send(t *testing.T, to *httptest.Server, text string) net.Conn {
	t.Helper()
	conn := dial(t, to.Listener.Addr().String())
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// tokenOf returns a token of an application with all permissions.
func tokenOf(t *testing.T, s *Server, of *engine.Tenant) string {
	t.Helper()
	id, _, err := s.AddApplication(t.Context(), of, Registration{Name: "Test", Permissions: AllPermissions})
	if err != nil {
		t.Fatal(err)
	}
	app, _ := of.Image().Client(uuid.MustParse(id))
	token, err := s.authority.Issue(identity.Claims{
		Tenant: of.ID(), ObjectID: app.Principal.ID, AppID: app.AppID, Permissions: AllPermissions,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// addGroup makes a group without the server, so that no memory is asked for it.
func addGroup(t *testing.T, to *engine.Tenant) uuid.UUID {
	t.Helper()
	members, err := directory.Members([]byte(`{"displayName":"Old","mailEnabled":false,"mailNickname":"old","securityEnabled":true}`))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := directory.ParseGroupPatch(members)
	if err != nil {
		t.Fatal(err)
	}
	done, err := to.Do(t.Context(), "user test", tenant.CreateGroup{Patch: patch})
	if err != nil {
		t.Fatal(err)
	}
	return done.ID
}
