package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const e1 = "18181a46-0d4e-45cd-891e-60aabd171b4e"

// buy gives the tenant seats of a product.
func buy(t *testing.T, c *connection, sku string, seats string) {
	t.Helper()
	body := `{"skuId":"` + sku + `","totalLicenses":` + seats + `}`
	if err := c.do(t.Context(), "POST", "/licensor/v1/subscriptions", "application/json", []byte(body), nil); err != nil {
		t.Fatal(err)
	}
}

func TestAProductIsSwapped(t *testing.T) {
	t.Parallel()
	c, args := crowded(t, 3)
	swap := func(code int, more ...string) string {
		t.Helper()
		all := append([]string{"swap", "--from", "ENTERPRISEPACK", "--to", e1}, append(more, args...)...)
		got, stdout, stderr := call(t, rootCommand(), all...)
		if got != code {
			t.Fatalf("swap %v: exit code %d, want %d: %s%s", more, got, code, stdout, stderr)
		}
		return stdout + stderr
	}
	want := func(said string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(said, text) {
				t.Errorf("%q is not in %s", text, said)
			}
		}
	}
	want(swap(exitDamaged, "--yes"), "subscription", "The tenant has no subscription of STANDARDPACK.", "nothing was changed, because of 1 obstacles")
	buy(t, c, e1, "2")
	want(swap(exitDamaged, "--group", "Sales"), "STANDARDPACK is short of seats by 1: 3 users need one, and 2 are unassigned.", "user1@contoso.example")
	var answer struct{ Obstacles []struct{ Kind string } }
	text, _, _ := strings.Cut(swap(exitDamaged, "--json"), "licensor: ")
	err := json.NewDecoder(strings.NewReader(text)).Decode(&answer)
	if err != nil || len(answer.Obstacles) != 1 || answer.Obstacles[0].Kind != "seats" {
		t.Errorf("%v, %v", answer, err)
	}
	buy(t, c, e1, "2")
	want(swap(exitUsage), "1 requests.", "STANDARDPACK", "add --yes")
	want(swap(exitDamaged, "--user", "user1@contoso.example"), "The user does not have ENTERPRISEPACK directly.  user1@contoso.example")
	want(swap(exitFailed, "--filter", ""), "filter is empty")
	want(swap(exitDone, "--yes", "--disable", "TEAMS1"), "Users: 3 gain, 1 lose, 0 fail,", "\nDone: commit ")
	want(swap(exitFailed), "There is nothing to swap")
	if code, _, stderr := call(t, rootCommand(), append([]string{"swap", "--from", "X"}, args...)...); code != exitUsage {
		t.Errorf("without --to: exit code %d, %s", code, stderr)
	}
}

func TestDriftIsListedAndCleanedUp(t *testing.T) {
	t.Parallel()
	c, args := crowded(t, 3)
	drift := func(code int, more ...string) string {
		t.Helper()
		got, stdout, stderr := call(t, rootCommand(), append(append([]string{"drift"}, more...), args...)...)
		if got != code {
			t.Fatalf("drift %v: exit code %d, want %d: %s%s", more, got, code, stdout, stderr)
		}
		return stdout
	}
	said := drift(exitDamaged)
	for _, want := range []string{
		"noLocation             1      0", "inactive         unknown", "noLocation  user1@contoso.example  ENTERPRISEPACK  Sales",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
	if said := drift(exitDone, "--kind", "covered", "--clean-up"); !strings.Contains(said, "There is nothing that can be cleaned up.") {
		t.Error(said)
	}
	disable := []byte(`{"accountEnabled":false,"usageLocation":"DE"}`)
	if err := c.do(t.Context(), "PATCH", "/v1.0/users/user2@contoso.example", "application/json", disable, nil); err != nil {
		t.Fatal(err)
	}
	buy(t, c, e1, "1")
	assign := []byte(`{"addLicenses":[{"skuId":"` + e1 + `"}],"removeLicenses":[]}`)
	if err := c.do(t.Context(), "POST", "/v1.0/users/user2@contoso.example/assignLicense", "application/json", assign, nil); err != nil {
		t.Fatal(err)
	}
	csv := drift(exitDamaged, "--csv", "--kind", "disabledAccount,covered", "--filter", "group eq null")
	if want := "kind,userPrincipalName,product,from,seats,costPerMonth,why\ndisabledAccount,user2@contoso.example,STANDARDPACK,direct,1,,\n"; csv != want {
		t.Errorf("%s, want %s", csv, want)
	}
	var list struct {
		Kinds []struct{ Kind string }
		Value []struct{ Kind string }
	}
	err := json.Unmarshal([]byte(drift(exitDamaged, "--json", "--days", "1")), &list)
	if err != nil || len(list.Kinds) != 8 || len(list.Value) == 0 {
		t.Errorf("%v, %v", list, err)
	}
	if said := drift(exitDone, "--clean-up", "--yes"); !strings.Contains(said, "Users: 0 gain, 1 lose,") || !strings.Contains(said, "\nDone: commit ") {
		t.Error(said)
	}
	if said := drift(exitDone, "--kind", "disabledAccount"); !strings.Contains(said, "disabledAccount      0      0") {
		t.Error(said)
	}
}
