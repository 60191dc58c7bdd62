package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"licensor/internal/engine"
)

// A server with memory for a few tenants serves many, keeps the one that is pinned, and tells in
// its metrics what it loads.
func TestManyTenantsInMemoryForAFew(t *testing.T) {
	t.Parallel()
	const tenants = 12
	data := t.TempDir() + "/licensor.db"
	s, err := Open(t.Context(), Options{Data: data, Quick: true, Development: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tenants {
		domain := fmt.Sprintf("t%d.example", i)
		if _, err := s.Found(t.Context(), Founding{Name: "T", Domain: domain, Country: "DE", Admin: "admin"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), Options{Data: data, TenantMemory: 300 << 10, Pin: []string{"t3.example"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for i := range tenants {
			client, err := s.Operate(t.Context(), fmt.Sprintf("t%d.example", i), 1)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Get(LocalRoot + "/v1.0/users?$select=userPrincipalName")
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			if err := errors.Join(err, response.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusOK || !strings.Contains(string(text), fmt.Sprintf("admin@t%d.example", i)) {
				t.Errorf("tenant %d answers %d %s", i, response.StatusCode, text)
			}
		}
	}
	pinned := func(one *engine.Tenant) bool { return one.Image().Organization.DefaultDomain() == "t3.example" }
	if !slices.ContainsFunc(s.tenants.Loaded(), pinned) {
		t.Error("the pinned tenant is not loaded")
	}
	stats := s.tenants.LoadStats()
	if stats.Drops == 0 || stats.Loaded > 3 || stats.Bytes > 300<<10 {
		t.Errorf("of %d tenants, with memory for three: %+v", tenants, stats)
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		fmt.Sprintf("licensor_tenants_loaded %d\n", stats.Loaded), fmt.Sprintf("licensor_tenant_loads_total %d\n", stats.Loads),
		"licensor_tenant_drops_total ", "licensor_tenant_load_seconds_total ", "licensor_tenants_loaded_bytes ",
	} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("the metrics do not have %q", want)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = Open(t.Context(), Options{Data: data, TenantMemory: 1000, Pin: []string{"t3.example"}})
	wrong, ok := errors.AsType[*OptionError](err)
	if !ok || wrong.Option != "Pin" || !strings.Contains(wrong.Problem, "raise the memory") ||
		strings.Contains(err.Error(), "administrator") {
		t.Errorf("a tenant that is too large is pinned: %v", err)
	}
}
