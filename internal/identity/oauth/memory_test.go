package oauth

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"licensor/internal/memory/memorytest"
)

// largestForms are forms as long as they may be: of many names, and of one long value that
// something is made of.
func largestForms() map[string]string {
	var many strings.Builder
	for i := 0; many.Len() < maxForm-20; i++ {
		fmt.Fprintf(&many, "n%d=&", i)
	}
	forms := map[string]string{"many names": many.String()}
	long := strings.Repeat("x", maxForm-500)
	client := "client_id=" + robot.String() + "&"
	for name, form := range map[string]string{
		"a secret": client + "grant_type=client_credentials&scope=x/.default&client_secret=" + long,
		"scopes":   client + "client_secret=" + goodSecret + "&grant_type=client_credentials&scope=" + strings.Repeat("a+", len(long)/2),
		"an assertion": client + "grant_type=client_credentials&scope=x/.default&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=" +
			strings.Repeat("e", len(long)/3) + strings.Repeat("."+strings.Repeat("e", len(long)/3), 2),
		"a token to act for":  client + "client_secret=" + goodSecret + "&grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&requested_token_use=on_behalf_of&scope=x&assertion=" + long,
		"a refresh token":     client + "client_secret=" + goodSecret + "&grant_type=refresh_token&refresh_token=" + long,
		"a code":              client + "client_secret=" + goodSecret + "&grant_type=authorization_code&redirect_uri=" + portalRedirect + "&code=" + long,
		"a password":          client + "client_secret=" + goodSecret + "&grant_type=password&scope=x&username=" + annName + "&password=" + long,
		"a code for a device": client + "grant_type=device_code&device_code=" + long,
	} {
		forms[name] = form
	}
	return forms
}

var routed = regexp.MustCompile(`"(/(?:\{tenant\}|common|organizations|oidc|getuserrealm|subscriptions|tenants|metadata)[^" ]*)"`)

// routedPaths are those that the server's source serves, so that none is forgotten.
func routedPaths(t *testing.T) (paths []string) {
	t.Helper()
	for _, file := range []string{"server.go", "discovery.go", "pages.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(source), "\n") {
			if strings.Contains(line, "HandleFunc(") || strings.Contains(line, "range []string{") {
				for _, match := range routed.FindAllStringSubmatch(line, -1) {
					paths = append(paths, match[1])
				}
			}
		}
	}
	if paths = append(paths, devicePath, stylesPath); len(paths) < 22 {
		t.Fatalf("the server's paths are found no more: %q", paths)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// TestNoEndpointTakesMuchMemory sends every address the longest forms that it takes, 8 at once, and
// addresses as long as a header can be, and looks at how much memory the process takes next to what
// it has at rest.
func TestNoEndpointTakesMuchMemory(t *testing.T) {
	memorytest.Need(t)
	w := newWorld(t)
	forms := largestForms()
	meter := memorytest.New(t)
	send := func(method, path, query, body string) {
		r := w.request(t, path+query, body)
		r.Method = method
		response, err := w.https.Client().Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode >= 500 {
			t.Errorf("%s %s is answered %d", method, path, response.StatusCode)
		}
	}
	for _, path := range routedPaths(t) {
		path = strings.NewReplacer("{tenant}", contosoDomain, "{upn}", annName).Replace(path)
		measure := func(name string, do func()) {
			peak := meter.Peak(true, func() {
				var wait sync.WaitGroup
				for range 8 {
					wait.Go(do)
				}
				wait.Wait()
			})
			t.Logf("%3d MB: 8 × %s with %s", peak>>20, path, name)
			if peak > 8<<20+memorytest.Slack {
				t.Errorf("8 × %s with %s take %d MB", path, name, peak>>20)
			}
		}
		measure("a long address", func() { send(http.MethodGet, path, "?state="+strings.Repeat("x", 60_000), "") })
		for name, form := range forms {
			measure(name, func() { send(http.MethodPost, path, "", form) })
		}
	}
}
