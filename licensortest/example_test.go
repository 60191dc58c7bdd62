package licensortest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"licensor/licensortest"
)

// giveLicense is the code under test. It gives a group a license, and waits as Retry-After says.
func giveLicense(ctx context.Context, client *http.Client, graph, group, sku string) error {
	body := fmt.Sprintf(`{"addLicenses":[{"skuId":%q}],"removeLicenses":[]}`, sku)
	for {
		response, err := post(ctx, client, graph+"/groups/"+group+"/assignLicense", body)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode < 400 {
			return nil
		}
		seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
		if response.StatusCode != http.StatusTooManyRequests || err != nil {
			return fmt.Errorf("give group %s a license: %s", group, response.Status)
		}
		time.Sleep(time.Duration(seconds) * time.Second)
	}
}

// A test of a program that assigns a license to a group.
func ExampleNew() {
	var t *testing.T // the parameter of the test function
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 25)
	ann := srv.User("ann")
	sales := srv.Group("Sales", ann)

	client := srv.Client("LicenseAssignment.ReadWrite.All")
	if err := giveLicense(t.Context(), client, srv.URL+"/v1.0", sales, sku); err != nil {
		t.Fatal(err)
	}
	if got := license(t, srv, ann); got != "Active" {
		t.Errorf("ann's license is %s", got)
	}
}

func TestAScriptGivesAGroupALicense(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 25)
	ann := srv.User("ann")
	sales := srv.Group("Sales", ann)

	client := srv.Client("LicenseAssignment.ReadWrite.All")
	if err := giveLicense(t.Context(), client, srv.URL+"/v1.0", sales, sku); err != nil {
		t.Fatal(err)
	}
	if got := license(t, srv, ann); got != "Active" {
		t.Errorf("ann's license is %s", got)
	}
	if err := giveLicense(t.Context(), srv.Client("Group.Read.All"), srv.URL+"/v1.0", sales, sku); err == nil {
		t.Error("the script does not notice that it may not give licenses")
	}
}

func TestASeatRunsOut(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 1)
	ann, bob := srv.User("ann"), srv.User("bob")
	sales := srv.Group("Sales", ann, bob)
	if err := giveLicense(t.Context(), srv.Client(), srv.URL+"/v1.0", sales, sku); err != nil {
		t.Fatal(err)
	}
	if got := license(t, srv, bob); got != "CountViolation" {
		t.Errorf("bob's license is %s", got)
	}

	srv.Subscribe("ENTERPRISEPACK", 1) // one more
	response, err := post(t.Context(), srv.Client(), srv.URL+"/v1.0/users/"+bob+"/reprocessLicenseAssignment", "")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := license(t, srv, bob); got != "Active" {
		t.Errorf("bob's license is %s after he was processed again", got)
	}
}

func TestAScriptWaitsWhenItIsThrottled(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 25)
	ann := srv.User("ann")
	sales := srv.Group("Sales", ann)
	srv.Faults.Add(licensortest.Fault{
		Method: "POST", Path: "/groups/*/assignLicense", Status: 429, RetryAfter: time.Second, Times: 1,
	})

	if err := giveLicense(t.Context(), srv.Client(), srv.URL+"/v1.0", sales, sku); err != nil {
		t.Fatal(err)
	}
	if n := srv.Faults.List()[0].Applied; n != 1 {
		t.Errorf("it was throttled %d times", n)
	}
	if got := license(t, srv, ann); got != "Active" {
		t.Errorf("ann's license is %s", got)
	}
}

func TestALicenseFailsAfterThe202(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 1)
	ann, bob := srv.User("ann"), srv.User("bob")
	sales := srv.Group("Sales", ann, bob)
	srv.AsyncGroups(time.Minute)

	if err := giveLicense(t.Context(), srv.Client(), srv.URL+"/v1.0", sales, sku); err != nil {
		t.Fatal(err)
	}
	if got := license(t, srv, ann); got != "none" {
		t.Errorf("right after the answer, ann's license is %s", got)
	}
	srv.Clock.Advance(time.Minute) // or wait for it
	if got := license(t, srv, ann) + ", " + license(t, srv, bob); got != "Active, CountViolation" {
		t.Errorf("a minute later, the licenses are %s", got)
	}
}

func TestAForgedTokenIsRefused(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	small := strings.Split(srv.Token(licensortest.Token{Permissions: []string{"Organization.Read.All"}}), ".")
	large := strings.Split(srv.Token(licensortest.Token{Permissions: []string{"Directory.ReadWrite.All"}}), ".")

	for name, token := range map[string]string{
		"other claims":      small[0] + "." + large[1] + "." + small[2], // with the signature of the small one
		"no signature":      large[0] + "." + large[1] + ".",
		"another service":   srv.Token(licensortest.Token{Audience: "https://management.azure.com"}),
		"one of yesterday":  srv.Token(licensortest.Token{Expired: true}),
		"no token whatever": "token",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/v1.0/users", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, response.Status)
		}
	}
}

func post(ctx context.Context, client *http.Client, address, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return client.Do(request)
}

// license returns the state of the first of a user's licenseAssignmentStates, its error, or none.
func license(t *testing.T, srv *licensortest.Server, user string) string {
	t.Helper()
	response, err := srv.Client().Get(srv.URL + "/v1.0/users/" + user + "?$select=licenseAssignmentStates")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		LicenseAssignmentStates []struct{ State, Error string }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.LicenseAssignmentStates) == 0 {
		return "none"
	}
	first := answer.LicenseAssignmentStates[0]
	if first.State == "Error" {
		return first.Error
	}
	return first.State
}
