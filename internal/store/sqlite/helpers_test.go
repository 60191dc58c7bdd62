package sqlite

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

var firstTenant = uuid.MustParse("00000000-0000-4000-8000-000000000001")

// open opens a store for a test, which closes it at the end.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openWithTenant opens a store that has firstTenant.
func openWithTenant(t testing.TB, path string) *Store {
	t.Helper()
	s := open(t, path)
	if err := s.CreateTenant(context.Background(), firstTenant); err != nil {
		t.Fatal(err)
	}
	return s
}

func commitWith(seq uint64, effects string) store.Commit {
	return store.Commit{
		Seq: seq, At: time.UnixMilli(int64(seq)).UTC(), Actor: "system",
		Operation: "Test", Format: 1, Effects: []byte(effects),
	}
}

// userRow returns a typical user, about 600 bytes.
func userRow(ordinal uint32, name string) store.Object {
	id := uuid.NewSHA1(firstTenant, []byte(name))
	document := fmt.Sprintf(`{"id":"%s","accountEnabled":true,"businessPhones":["+1 425 555 0109"],"createdDateTime":"2024-03-01T08:00:00Z",`+
		`"department":"Department %d","displayName":"User %s","employeeId":"%d","givenName":"User","jobTitle":"Engineer",`+
		`"mail":"%s@contoso.example","mailNickname":"%s","mobilePhone":null,"officeLocation":"18/2111","preferredLanguage":"en-US",`+
		`"surname":"%s","usageLocation":"DE","userPrincipalName":"%s@contoso.example","userType":"Member"}`,
		id, ordinal%100, name, ordinal, name, name, name, name)
	return store.Object{Kind: store.KindUser, Ordinal: ordinal, ID: id, Document: []byte(document)}
}

func users() store.Query { return store.Query{Kind: store.KindUser, After: -1} }

func commits(t testing.TB, s *Store) []store.Commit {
	t.Helper()
	var all []store.Commit
	err := s.Commits(context.Background(), firstTenant, 0, func(c store.Commit) error {
		all = append(all, c)
		return nil
	})
	if err != nil {
		t.Fatalf("commits: %v", err)
	}
	return all
}

// wantError checks that an error says all that an administrator needs.
func wantError(t testing.TB, err error, saying ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", saying)
	}
	for _, part := range saying {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, and does not say %q", err, part)
		}
	}
}
