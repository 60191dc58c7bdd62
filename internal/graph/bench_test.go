package graph

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
)

// BenchmarkReprocess is POST /users/{id}/reprocessLicenseAssignment of a user with E5 from a group,
// but for the network: routing, the token's claims, evaluation, and the whole user as JSON.
func BenchmarkReprocess(b *testing.B) {
	w, ann := withAnn(b)
	token := w.appToken(allPermissions...)
	for _, step := range []struct{ path, body string }{
		{"/licensor/v1/subscriptions", `{"skuId":"06ebc4ee-1bb5-47dd-8120-11324bc54e06","totalLicenses":5}`},
		{"/licensor/v1/import", `{"group":{"id":"` + nobodysID + `","displayName":"Red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}}` + "\n" + `{"member":{"group":"` + nobodysID + `","member":"` + ann + `"}}`},
		{"/v1.0/groups/" + nobodysID + "/assignLicense", `{"addLicenses":[{"skuId":"06ebc4ee-1bb5-47dd-8120-11324bc54e06"}],"removeLicenses":[]}`},
	} {
		kind := wire.JSONType
		if step.path == "/licensor/v1/import" {
			kind = own.LinesType
		}
		if got := w.do("POST", step.path, token, step.body, "Content-Type: "+kind); got.status >= 300 {
			b.Fatal(got.status, got.body)
		}
	}
	api := New(w.config())
	for _, c := range []struct{ name, method, path string }{
		{"reprocess", "POST", "/v1.0/users/" + ann + "/reprocessLicenseAssignment"},
		{"read", "GET", "/v1.0/users/" + ann},
		{"states", "GET", "/v1.0/users/" + ann + "?$select=licenseAssignmentStates"},
		{"unknown path", "GET", "/v1.0/teapots"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			request := httptest.NewRequest(c.method, c.path, http.NoBody)
			request.Header.Set("Authorization", "Bearer "+token)
			for b.Loop() {
				api.ServeHTTP(nowhere{}, request)
			}
		})
	}
}

// BenchmarkFirstPage is the first page of 100 of all users, in several orders, and of those under a
// condition of licensing: it takes the time of the page, not of the list. LICENSOR_BENCH_LARGE adds
// a list of half a million.
func BenchmarkFirstPage(b *testing.B) {
	for _, n := range []int{1000, 30_000, 500_000} {
		if n > 30_000 && os.Getenv("LICENSOR_BENCH_LARGE") == "" {
			continue
		}
		w, token := withMany(b, n)
		api := New(w.config())
		for _, c := range []struct{ name, query string }{
			{"all", ""},
			{"by name", "?$orderby=displayName"},
			{"by creation", "?$orderby=createdDateTime%20desc&$count=true"},
			{"search", "?$search=%22displayName:smith77%22"},
			{"licensed", "?$filter=assignedLicenses/any(x:x/skuId%20eq%20" + e3 + ")"},
			{"licensed or French, by name", "?$filter=assignedLicenses/any(x:x/skuId%20eq%20" + e3 + ")%20or%20usageLocation%20eq%20'FR'&$orderby=displayName&$count=true"},
		} {
			b.Run(fmt.Sprintf("%s/of=%d", c.name, n), func(b *testing.B) {
				request := httptest.NewRequest("GET", "/v1.0/users"+c.query, http.NoBody)
				request.Header.Set("Authorization", "Bearer "+token)
				request.Header.Set("ConsistencyLevel", "eventual")
				for b.Loop() {
					recorder := httptest.NewRecorder()
					if api.ServeHTTP(recorder, request); recorder.Code != http.StatusOK {
						b.Fatal(recorder.Body)
					}
				}
			})
		}
	}
}

// nowhere takes an answer without keeping it.
type nowhere struct{}

func (nowhere) Header() http.Header         { return make(http.Header, 16) }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// BenchmarkCosts divides the costs of many users, a third of which hold a product.
func BenchmarkCosts(b *testing.B) {
	for _, n := range []int{30_000, 1_000_000} {
		if n > 30_000 && os.Getenv("LICENSOR_BENCH_LARGE") == "" {
			continue
		}
		w, token := withMany(b, n)
		w.do("PUT", "/licensor/v1/prices", token, `{"prices":[{"skuId":"`+e3+`","amount":21.9,"currency":"EUR","period":"month","validFrom":"2020-01-01"}]}`)
		api := New(w.config())
		for _, by := range []string{"department", "usageLocation", "group"} {
			b.Run(fmt.Sprintf("%s/of=%d", by, n), func(b *testing.B) {
				request := httptest.NewRequest("GET", "/licensor/v1/costs?by="+by, http.NoBody)
				request.Header.Set("Authorization", "Bearer "+token)
				for b.Loop() {
					api.ServeHTTP(nowhere{}, request)
				}
			})
		}
	}
}
