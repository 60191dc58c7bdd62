package server

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"licensor/internal/store/sqlite"
)

// What is damaged in the file while the server runs is 503 by every door, not 500 or 404, and shows
// at /readyz and in the log, once.
func TestDamageIsTold(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]string{
		"a row that has changed": "UPDATE object SET document = replace(document, 'Old', 'Odd') WHERE document LIKE '%Old%'",
		"a row that is missing":  "DELETE FROM object WHERE document LIKE '%Old%'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			data := filepath.Join(t.TempDir(), "licensor.db")
			s, err := Open(t.Context(), Options{
				Data: data, Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s)
			t.Cleanup(func() {
				server.Close()
				if err := s.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
			group, token := damaged(t, s, data, harm)
			ask := func(method, path, body string) (int, string) {
				r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				response, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				if err != nil {
					t.Fatal(err)
				}
				return response.StatusCode, string(text)
			}
			for _, asked := range [][3]string{
				{http.MethodGet, "/beta/groups", ""},
				{http.MethodGet, "/beta/groups/" + group, ""},
				{http.MethodGet, "/v1.0/groups/delta", ""},
				{http.MethodPatch, "/v1.0/groups/" + group, `{"description":"x"}`},
				{http.MethodDelete, "/v1.0/groups/" + group, ""},
			} {
				status, text := ask(asked[0], asked[1], asked[2])
				if status != http.StatusServiceUnavailable || !strings.Contains(text, "damaged") {
					t.Errorf("%s %s: answered %d %s", asked[0], asked[1], status, text)
				}
			}
			status, text := ask(http.MethodGet, "/readyz", "")
			if status != http.StatusServiceUnavailable || !strings.Contains(text, "the database is damaged") {
				t.Errorf("/readyz answers %d %s", status, text)
			}
			if lines := strings.Count(log.String(), "level=ERROR"); lines != 1 {
				t.Errorf("there are %d errors in the log:\n%s", lines, log.String())
			}
		})
	}
}

// damaged makes a group and harms its row. It returns the group's id, and a token.
func damaged(t *testing.T, s *Server, data, harm string) (group, token string) {
	t.Helper()
	first := found(t, s)
	token = tokenOf(t, s, first)
	group = addGroup(t, first).String()
	db, err := sql.Open("sqlite", data)
	if err != nil {
		t.Fatal(err)
	}
	result, err := db.Exec(harm)
	if err == nil {
		var rows int64
		if rows, err = result.RowsAffected(); rows != 1 {
			t.Errorf("%d rows were harmed", rows)
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return group, token
}

// An administrator who accepts the loss of data is told how much it is.
func TestWhatIsLostIsLogged(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	options := Options{
		Data:        filepath.Join(t.TempDir(), "licensor.db"),
		Development: true, Quick: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	change := func(do func(*Server)) {
		s, err := Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change(func(s *Server) { found(t, s) })
	older, err := os.ReadFile(options.Data)
	if err != nil {
		t.Fatal(err)
	}
	change(func(s *Server) { addGroup(t, firstTenant(t, s)) })
	if err := os.WriteFile(options.Data, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), options); !errors.Is(err, sqlite.ErrLost) {
		t.Fatalf("it answers %v, want ErrLost", err)
	}
	options.AllowDataLoss = true
	change(func(*Server) {})
	text := log.String()
	if !strings.Contains(text, "acknowledged changes are missing") || !strings.Contains(text, " acknowledged=") || !strings.Contains(text, " present=") {
		t.Errorf("the log has %q", text)
	}
}
