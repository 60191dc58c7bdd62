package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"licensor/internal/catalog"
)

func TestOperationsOfDevelopmentAreNotThereWithoutIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server = newServer(t, New(w.config()))
	token, n := w.appToken(allPermissions...), 0
	for i := range everyOperation {
		if op := &everyOperation[i]; op.IsDevelopment() {
			n++
			w.do(op.Method, op.Path, token, "{}").want(t, 404)
		}
	}
	if n == 0 {
		t.Error("the table has none")
	}
	w.do("GET", "/licensor/v1/settings", token, "").want(t, 200)
}

func TestTheSameSeedMakesTheSameOfTheSameRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.once = true
	token := w.appToken(allPermissions...)
	play := func(seed int) (failures string) {
		rule := fmt.Sprintf(`{"seed":%d,"rules":[{"path":"/domains","status":500,"probability":0.5}]}`, seed)
		w.do("PUT", "/licensor/v1/development/faults", token, rule).want(t, 200)
		for range 40 {
			failures += fmt.Sprint(w.do("GET", domains, token, "").status/100, " ")
		}
		return failures
	}
	first := play(1)
	if again := play(1); again != first {
		t.Errorf("%s\n%s", first, again)
	}
	if other := play(2); other == first {
		t.Error("another seed makes the same")
	}
	if n := strings.Count(first, "5"); n < 8 || n > 32 {
		t.Errorf("%d of 40 fail, about half should", n)
	}
}

func TestThereAreNotMoreThan100Faults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	const faults, one = "/licensor/v1/development/faults", `{"path":"/nowhere","status":503}`
	list := func(n int) string { return `{"rules":[` + strings.Repeat(one+",", n-1) + one + `]}` }
	w.do("PUT", faults, token, list(99)).want(t, 200)
	w.do("POST", faults, token, one).want(t, 200)
	for _, answer := range []answer{w.do("POST", faults, token, one), w.do("PUT", faults, token, list(101))} {
		if answer.status != 400 || !strings.Contains(answer.body, "There are 101 rules; at most 100 are possible.") {
			t.Errorf("%d %s", answer.status, answer.body)
		}
	}
	if got := w.do("GET", faults, token, ""); strings.Count(got.body, "/nowhere") != 100 {
		t.Error(got.body)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	w.do("PUT", "/licensor/v1/development/faults", token,
		`{"rules":[{"path":"/**","latency":"PT0.1S"},{"path":"/domains","latency":"PT0.1S","times":1},{"path":"/domains","status":503,"times":1,"retryAfter":7}]}`).want(t, 200)
	for _, test := range []struct {
		status  int
		atLeast time.Duration
	}{{503, 200 * time.Millisecond}, {200, 100 * time.Millisecond}} {
		began := time.Now()
		w.do("GET", domains, token, "").want(t, test.status)
		if took := time.Since(began); took < test.atLeast {
			t.Errorf("it took %s, want %s or more", took, test.atLeast)
		}
	}
	// Requests about faults meet none.
	got := w.do("GET", "/licensor/v1/development/faults", token, "")
	// The second of the two is asked again in other letters.
	if !strings.Contains(got.body, `"path":"/**","latency":"PT0.1S","applied":3}`) {
		t.Errorf("the faults are %s", got.body)
	}
}

func TestWhatWaitsAndCannotBeAnyMoreIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group, sku := idOf('b', "red"), skuNamed("ENTERPRISEPACK")
	w.imports(
		fmt.Sprintf(`{"subscription":{"skuId":"%s","totalLicenses":3}}`, sku),
		fmt.Sprintf(`{"group":{"id":"%s","displayName":"red","mailEnabled":true,"mailNickname":"red","securityEnabled":true,"groupTypes":["Unified"]}}`, group),
	)
	token := w.appToken(allPermissions...)
	w.do("PUT", "/licensor/v1/development/groupProcessing", token, `{"delay":"PT10S"}`).want(t, 200)
	assign := fmt.Sprintf(`{"addLicenses":[{"skuId":"%s"}],"removeLicenses":[]}`, sku)
	w.do("POST", "/v1.0/groups/"+group+"/assignLicense", token, assign).want(t, 202)
	w.do("DELETE", "/v1.0/groups/"+group, token, "").want(t, 400)
	w.do("PATCH", "/v1.0/groups/"+group, token, `{"securityEnabled":false}`).want(t, 204)
	w.clock.Add(10)
	w.do("GET", "/v1.0/groups", token, "").want(t, 200)
	if log := w.logged(); strings.Count(log, "is no longer possible") != 1 {
		t.Errorf("the log is %q", log)
	}
}

// TestAShorterDelayDoesNotChangeTheOrder holds back two changes, the second with a shorter delay
// than the first.
func TestAShorterDelayDoesNotChangeTheOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group, sku := idOf('b', "red"), skuNamed("ENTERPRISEPACK")
	w.imports(
		fmt.Sprintf(`{"subscription":{"skuId":"%s","totalLicenses":3}}`, sku),
		fmt.Sprintf(`{"group":{"id":"%s","displayName":"red","mailEnabled":false,"mailNickname":"red","securityEnabled":true}}`, group),
	)
	token := w.appToken(allPermissions...)
	for _, step := range []struct{ delay, body string }{
		{"PT1M", fmt.Sprintf(`{"addLicenses":[{"skuId":"%s"}],"removeLicenses":[]}`, sku)},
		{"PT1S", fmt.Sprintf(`{"addLicenses":[],"removeLicenses":["%s"]}`, sku)},
	} {
		w.do("PUT", "/licensor/v1/development/groupProcessing", token, `{"delay":"`+step.delay+`"}`).want(t, 200)
		w.do("POST", "/v1.0/groups/"+group+"/assignLicense", token, step.body).want(t, 202)
	}
	w.clock.Add(30)
	if got := w.do("GET", "/v1.0/groups/"+group+"?$select=licenseProcessingState", token, ""); strings.Contains(got.body, processingComplete) {
		t.Errorf("after 30 s: %s", got.body)
	}
	w.clock.Add(30)
	got := w.do("GET", "/v1.0/groups/"+group+"?$select=assignedLicenses,licenseProcessingState", token, "")
	if !strings.Contains(got.body, `"assignedLicenses":[]`) || !strings.Contains(got.body, processingComplete) {
		t.Errorf("after a minute: %s", got.body)
	}
}

func skuNamed(name string) string {
	for _, p := range catalog.BuiltIn().Products {
		if p.SKUPartNumber == name {
			return p.SKUID.String()
		}
	}
	return ""
}
