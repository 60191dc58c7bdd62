package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func nextCommit(at store.Place) store.Commit {
	c := store.Commit{
		Seq: at.Seq + 1, At: time.UnixMilli(1_700_000_000_000 + int64(at.Seq)).UTC(),
		Actor: "user " + uuid.NewString(), Operation: "UpdateUser", Format: 7, Effects: make([]byte, 150),
	}
	c.Chain = c.Link(at.Chain)
	return c
}

// userRow returns a user with the usual properties.
func userRow(ordinal uint32, name string) store.Object {
	document := fmt.Sprintf(`{"id":"%s","userPrincipalName":"%s@contoso.com","displayName":"User %s","mail":"%s@contoso.com",`+
		`"accountEnabled":true,"createdDateTime":"2026-10-01T12:00:00Z","department":"Sales","jobTitle":"Engineer","givenName":"%s",`+
		`"surname":"Contoso","usageLocation":"DE","city":"Berlin","officeLocation":"A/1/%d"}`,
		uuid.NewString(), name, name, name, name, ordinal)
	return store.Object{Kind: store.KindUser, Ordinal: ordinal, ID: uuid.New(), Document: []byte(document), Seq: 1}
}

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
