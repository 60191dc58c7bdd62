package graph

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/store"
)

// unansweredStore is a store whose claims cannot be read, once it is set.
type unansweredStore struct {
	store.Store
	set bool
}

func (u *unansweredStore) Claimed(ctx context.Context, names []string) ([]store.Claim, error) {
	if u.set {
		return nil, store.ErrUnavailable
	}
	return u.Store.Claimed(ctx, names)
}

// A token of another issuer is not refused when the database does not say who trusts that issuer:
// its caller may retry.
func TestADatabaseThatDoesNotSayWhoTrustsAnIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := &unansweredStore{Store: w.store}
	tenants, err := engine.Open(t.Context(), u, engine.Options{Now: w.now, NewID: numbered(), Log: newLog(w)})
	w.must(err)
	defer func() { w.must(tenants.Close(context.WithoutCancel(t.Context()))) }()
	config := w.config()
	config.Authority, err = identity.New(t.Context(), identity.Config{
		Keys: sharedKeys{}, Now: w.now, Random: counting{}, Client: new(http.Client), Log: newLog(w),
		Tenants: people.Directory{Tenants: tenants}, Issuers: people.Directory{Tenants: tenants},
	})
	w.must(err)
	w.server = newServer(t, New(config))
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	token := strings.Join([]string{
		part(`{"alg":"RS256","typ":"JWT","kid":"1"}`), part(`{"iss":"https://dex.example","aud":"api","sub":"1"}`), part("x"),
	}, ".")
	if got := w.send("GET", "/v1.0/users", token, ""); got.status != http.StatusUnauthorized {
		t.Errorf("of an issuer that is not trusted: %d %s", got.status, got.body)
	}
	u.set = true
	w.clock.Add(3600) // what is remembered of claims
	if got := w.send("GET", "/v1.0/users", token, ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("when that is not known: %d %s", got.status, got.body)
	}
}
