package main

import (
	"testing"

	"licensor/directory"
	"licensor/tenant"
)

func TestTenantsSayWhomTheyTrust(t *testing.T) {
	t.Parallel()
	look(t, newDatabase(t), func(s *service, first *tenant.Tenant) {
		people := people{s.tenants}
		if got := people.TrustedIssuers("https://dex.example"); len(got) != 0 {
			t.Errorf("at first %v are trusted", got)
		}
		trust := func(audience string) directory.TrustedIssuer {
			return directory.TrustedIssuer{Issuer: "https://dex.example", Audiences: []string{audience}, PermissionsClaim: "groups"}
		}
		other := trust("one")
		other.Issuer = "https://keycloak.example"
		_, err := first.Do(t.Context(), author, tenant.UpdateSignIn{SignIn: directory.SignIn{TrustedIssuers: []directory.TrustedIssuer{trust("one"), other, trust("two")}}})
		if err != nil {
			t.Fatal(err)
		}
		got := people.TrustedIssuers("https://dex.example")
		if len(got) != 2 || got[0].Tenant != first.ID() || got[0].Audiences[0] != "one" || got[1].Audiences[0] != "two" {
			t.Errorf("trusted are %v", got)
		}
		if got := people.TrustedIssuers("https://dex.example/"); len(got) != 0 {
			t.Errorf("one with a slash more is %v", got)
		}
		got[0].Issuer = "https://evil.example"
		if again := people.TrustedIssuers("https://evil.example"); len(again) != 0 {
			t.Error("an answer that is changed changes the tenant")
		}
	})
}
