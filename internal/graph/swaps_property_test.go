package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestL83L84ASwapLosesNoPlan swaps products of random tenants. Either something prevents it, which
// is said, and nothing changes; or it is one commit, after which all users have the plans of both
// products that they had before. In another tenant, each request is sent alone, and none of them
// takes such a plan away.
func TestL83L84ASwapLosesNoPlan(t *testing.T) {
	t.Parallel()
	results := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		together, alone := newSwapTrial(t, rt), newSwapTrial(t, rt)
		for range rapid.IntRange(2, 9).Draw(rt, "earlier changes") {
			one := together.change()
			together.alone(one)
			alone.alone(one)
		}
		results[together.swap(alone)]++
	})
	for _, kind := range []string{"swapped", "prevented", "nothing to swap"} {
		if results[kind] == 0 && !testing.Short() {
			t.Errorf("no swap was %s: %v", kind, results)
		}
	}
}

// swapTrial is a trial with products of which some conflict.
type swapTrial struct{ *trial }

var swapProducts = []string{"STANDARDPACK", "ENTERPRISEPACK", "SPE_E3", "SHAREPOINTSTANDARD", "MCOEV", "DESKLESSPACK"}

// swapPlans are plans that some of these disable.
var swapPlans = []string{"TEAMS1", "SHAREPOINTSTANDARD", "SHAREPOINTENTERPRISE", "FLOW_O365_P1", "SWAY", "MCOSTANDARD"}

func newSwapTrial(t *testing.T, rt *rapid.T) *swapTrial {
	w := &swapTrial{newTrial(t, rt)}
	for _, name := range swapProducts {
		w.imports(`{"subscription":{"skuId":"` + w.sku(name) + `","totalLicenses":4}}`)
	}
	return w
}

func (w *swapTrial) sku(name string) string { return catalogNames()["sku:"+name] }

func (w *swapTrial) plansOf(product string) (plans []string) {
	for _, p := range w.tenant.Image().Licensing.Catalog().Products {
		if p.SKUPartNumber == product {
			for _, id := range p.ServicePlanIDs {
				plans = append(plans, id.String())
			}
		}
	}
	return plans
}

// change makes up a change of licenses, members or settings.
func (w *swapTrial) change() trialRequest {
	r := trialRequest{ID: "0", Method: "POST"}
	switch kind := rapid.SampledFrom([]string{"user", "user", "group", "group", "join", "join", "seats", "settings"}).Draw(w.rt, "kind"); kind {
	case "join":
		r.URL = "/groups/" + w.group() + "/members/$ref"
		r.Body = map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + w.user()}
	case "seats":
		r.URL, r.Body = "/licensor/v1/subscriptions", map[string]any{"skuId": w.sku("ENTERPRISEPACK"), "totalLicenses": 2}
	case "settings":
		r.Method, r.URL = "PATCH", "/licensor/v1/settings"
		r.Body = map[string]any{"autoReprocess": rapid.Bool().Draw(w.rt, "auto")}
	default:
		product := rapid.SampledFrom(slices.Concat(swapProducts[:2], swapProducts[:2], swapProducts)).Draw(w.rt, "product")
		disabled := []string{}
		for _, name := range swapPlans {
			plan := catalogNames()["plan:"+name]
			if slices.Contains(w.plansOf(product), plan) && rapid.IntRange(0, 3).Draw(w.rt, "disabled") == 0 {
				disabled = append(disabled, plan)
			}
		}
		r.URL = "/groups/" + w.group() + "/assignLicense"
		if kind == "user" {
			r.URL = "/users/" + w.user() + "/assignLicense"
		}
		r.Body = map[string]any{
			"addLicenses": []any{map[string]any{"skuId": w.sku(product), "disabledPlans": disabled}}, "removeLicenses": []any{},
		}
	}
	return r
}

// swap swaps two products here as one commit, and there request by request.
func (w *swapTrial) swap(there *swapTrial) string {
	from, to := rapid.SampledFrom(swapProducts[:2]).Draw(w.rt, "from"), rapid.SampledFrom(swapProducts).Draw(w.rt, "to")
	body := map[string]any{"from": from, "to": w.sku(to)}
	if rapid.IntRange(0, 3).Draw(w.rt, "only") == 0 {
		body["groups"] = []string{w.group()}
	}
	text, err := json.Marshal(body)
	w.must(err)
	var answer struct {
		Requests  []trialRequest
		Obstacles []struct{ Kind, Text string }
		Preview   *struct{ ID string }
	}
	before, seq := w.plans(), w.tenant.Image().Seq
	got := w.send("POST", "/licensor/v1/swaps", w.token, string(text))
	w.rt.Logf("%s: %d %s", text, got.status, got.body)
	if got.status != http.StatusOK {
		if got.status != http.StatusBadRequest || w.tenant.Image().Seq != seq {
			w.rt.Fatalf("%s: %d %s", text, got.status, got.body)
		}
		return "nothing to swap" // or both are the same product
	}
	w.must(json.Unmarshal([]byte(got.body), &answer))
	if answer.Preview == nil {
		if len(answer.Obstacles) == 0 || answer.Obstacles[0].Text == "" || w.tenant.Image().Seq != seq {
			w.rt.Fatalf("prevented without a reason: %s", got.body)
		}
		return "prevented"
	}
	got = w.send("POST", "/licensor/v1/previews/"+answer.Preview.ID+"/apply", w.token, "")
	if got.status != http.StatusOK || w.tenant.Image().Seq != seq+1 {
		w.rt.Fatalf("apply: %d %s, with %d commits", got.status, got.body, w.tenant.Image().Seq-seq)
	}
	shared := slices.DeleteFunc(w.plansOf(from), func(plan string) bool {
		return !slices.Contains(w.plansOf(to), plan)
	})
	w.keep(before, shared)
	for _, one := range answer.Requests {
		one.URL = strings.TrimPrefix(one.URL, "/v1.0")
		if status, _ := there.alone(one); status >= http.StatusBadRequest {
			w.rt.Fatalf("%s alone: %d", one.URL, status)
		}
		there.keep(before, shared)
	}
	if here, there := w.plans(), there.plans(); !maps.EqualFunc(here, there, slices.Equal[[]string]) {
		w.rt.Fatalf("together the users have %v, alone %v", here, there)
	}
	seen := map[string]bool{}
	for _, one := range answer.Requests {
		if seen[one.URL] {
			return "swapped in turns"
		}
		seen[one.URL] = true
	}
	return "swapped"
}

// keep fails if a user has lost one of some plans.
func (w *swapTrial) keep(before map[string][]string, plans []string) {
	after := w.plans()
	for user, had := range before {
		for _, plan := range had {
			if slices.Contains(plans, plan) && !slices.Contains(after[user], plan) {
				w.rt.Fatalf("%s has lost %s", user, plan)
			}
		}
	}
}

// plans returns the service plans of each user, read as any client does.
func (w *swapTrial) plans() map[string][]string {
	var list struct {
		Value []struct {
			UserPrincipalName string
			AssignedPlans     []struct{ ServicePlanID, CapabilityStatus string }
		}
	}
	got := w.send("GET", "/v1.0/users?$select="+url.QueryEscape("userPrincipalName,assignedPlans"), w.token, "")
	w.must(json.Unmarshal([]byte(got.body), &list))
	all := map[string][]string{}
	for _, u := range list.Value {
		for _, p := range u.AssignedPlans {
			if p.CapabilityStatus == "Enabled" {
				all[u.UserPrincipalName] = append(all[u.UserPrincipalName], fmt.Sprint(p.ServicePlanID))
			}
		}
		slices.Sort(all[u.UserPrincipalName])
	}
	return all
}
