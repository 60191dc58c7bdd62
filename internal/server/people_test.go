package server

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/tenant"
)

func TestTenantsSayWhomTheyTrust(t *testing.T) {
	t.Parallel()
	inFounded(t, func(s *Server, first *engine.Tenant) {
		trusting := func(issuer string) []identity.Trusted {
			audiences := []string{"zero", "one", "two"}
			trusts, _, err := people.Directory{Tenants: s.tenants}.TrustedIssuers(t.Context(), issuer, audiences)
			if err != nil {
				t.Fatal(err)
			}
			return trusts
		}
		if got := trusting("https://dex.example"); len(got) != 0 {
			t.Errorf("at first %v are trusted", got)
		}
		trust := func(audience string) directory.TrustedIssuer {
			return directory.TrustedIssuer{Issuer: "https://dex.example", Audiences: []string{audience}, PermissionsClaim: "groups"}
		}
		other := trust("one")
		other.Issuer = "https://keycloak.example"
		_, err := first.Do(t.Context(), Author, tenant.UpdateSignIn{
			SignIn: directory.SignIn{TrustedIssuers: []directory.TrustedIssuer{trust("one"), other, trust("two")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := trusting("https://dex.example")
		if len(got) != 2 || got[0].Tenant != first.ID() || got[0].Audiences[0] != "one" || got[1].Audiences[0] != "two" {
			t.Errorf("trusted are %v", got)
		}
		if got := trusting("https://dex.example/"); len(got) != 0 {
			t.Errorf("one with a slash more is %v", got)
		}
		got[0].Issuer = "https://evil.example"
		if again := trusting("https://evil.example"); len(again) != 0 {
			t.Error("an answer that is changed changes the tenant")
		}
	})
}

func TestARegistrationSaysWhatItAsksFor(t *testing.T) {
	t.Parallel()
	inFounded(t, func(s *Server, first *engine.Tenant) {
		set := func(id byte, properties map[string]json.RawMessage) uuid.UUID {
			app := directory.Client{
				Application: directory.Application{
					ID: uuid.UUID{2, id}, AppID: uuid.UUID{3, id}, DisplayName: "App", Properties: properties,
				},
				Principal: directory.ServicePrincipal{ID: uuid.UUID{1, id}},
			}
			if _, err := first.Do(t.Context(), Author, tenant.SetClient{Client: app}); err != nil {
				t.Fatal(err)
			}
			return app.AppID
		}
		asking := set(1, map[string]json.RawMessage{"requiredResourceAccess": json.RawMessage(`[
			{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[
				{"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Scope"},
				{"id":"df021288-bdef-4463-88db-98f22de89214","type":"Role"},
				{"id":"99999999-9999-4999-8999-999999999999","type":"Scope"}]},
			{"resourceAppId":"99999999-9999-4999-8999-999999999999","resourceAccess":[{"id":"a154be20-db9c-4678-8ab7-66f6cc099a59","type":"Scope"}]}]`)})
		app, err := (people.Directory{Tenants: s.tenants}).Application(t.Context(), first.ID(), asking)
		if err != nil || app.Requested == nil || !slices.Equal(app.Requested(), []string{"User.Read"}) {
			t.Errorf("of an application that asks for User.Read, and for what is none of our scopes: %+v", app)
		}
		app, err = (people.Directory{Tenants: s.tenants}).Application(t.Context(), first.ID(), set(2, nil))
		if err != nil || app.Requested != nil {
			t.Errorf("of an application that asks for nothing: %+v", app)
		}
	})
}
