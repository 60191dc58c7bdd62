package storetest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store"
)

func sorted(claims []store.Claim) []store.Claim {
	slices.SortFunc(claims, func(a, b store.Claim) int { return cmp.Compare(a.Name, b.Name) })
	return claims
}

func wantClaims(t *testing.T, what string, got []store.Claim, err error, want ...store.Claim) {
	t.Helper()
	if err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(sorted(got), want) {
		t.Errorf("%s are %+v, %v; want %+v", what, got, err, want)
	}
}

func claims(t *testing.T, open Place) {
	s, a := begin(t, open)
	b := uuid.New()
	if err := s.CreateTenant(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	one, two := store.Claim{Name: "domain:ünö.example", Tenant: a, At: noon}, store.Claim{Name: `it's "two"`, Tenant: a, At: noon}
	others, err := s.Claim(t.Context(), a, []string{one.Name, two.Name}, noon)
	wantClaims(t, "claims of others", others, err)
	others, err = s.Claim(t.Context(), b, []string{"free", two.Name, one.Name}, noon)
	wantClaims(t, "claims of others", others, err, one, two)
	found, err := s.Claimed(t.Context(), []string{"free", one.Name, two.Name})
	wantClaims(t, "claims", found, err, one, two)

	others, err = s.Settle(t.Context(), a, []string{one.Name, "new"}, []string{two.Name})
	wantClaims(t, "claims of others", others, err)
	one.At = noon.AddDate(0, 0, 0)
	settled, added := store.Claim{Name: one.Name, Tenant: a}, store.Claim{Name: "new", Tenant: a}
	found, err = s.ClaimsOf(t.Context(), a)
	wantClaims(t, "claims of a tenant", found, err, settled, added)
	others, err = s.Claim(t.Context(), a, []string{one.Name}, noon)
	wantClaims(t, "claims of others", others, err)
	found, err = s.Claimed(t.Context(), []string{one.Name})
	wantClaims(t, "claims, after it was claimed again,", found, err, settled)

	others, err = s.Claim(t.Context(), b, []string{two.Name}, noon)
	wantClaims(t, "claims of others", others, err)
	others, err = s.Settle(t.Context(), b, []string{two.Name, one.Name}, []string{added.Name})
	wantClaims(t, "claims of others", others, err, settled)
	found, err = s.ClaimsOf(t.Context(), b)
	wantClaims(t, "claims of the other tenant", found, err, store.Claim{Name: two.Name, Tenant: b})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t)
	found, err = s.ClaimsOf(t.Context(), a)
	wantClaims(t, "claims after opening again", found, err, settled, added)
	found, err = s.Claimed(t.Context(), nil)
	wantClaims(t, "claims of no names", found, err)
}

func claimsHaveOneWinner(t *testing.T, open Place) {
	s, _ := begin(t, open)
	contestClaims(t, s)
}

func sharedClaims(t *testing.T, open Place) {
	a, b, _ := beginShared(t, open)
	contestClaims(t, a, b)
}

// contestClaims has 16 tenants claim each of ten names at once, each together with a name of its
// own.
func contestClaims(t *testing.T, stores ...store.Store) {
	t.Helper()
	for round := range 10 {
		name := fmt.Sprintf("contested %d", round)
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 16 {
			s, tenant := stores[i%len(stores)], uuid.New()
			own := "own " + tenant.String()
			all.Go(func() {
				others, err := s.Claim(t.Context(), tenant, []string{own, name}, noon)
				if err != nil {
					t.Errorf("claim: %v", err)
				}
				if err == nil && len(others) == 0 {
					won.Add(1)
				}
				found, err := s.Claimed(t.Context(), []string{own})
				if err != nil || len(found) > 0 != (len(others) == 0) {
					t.Errorf("of names that others have %v, the tenant has %v, %v", others, found, err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d tenants have claimed one name", won.Load())
		}
	}
}
