package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// remedied are tenants in which Ann has an error.
var remedied = map[string]string{
	"no seats": `
-- there are --
SETUP
seats ENTERPRISEPACK 1
users bob ann
group red: bob ann

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202
`,
	"no active seats": `
-- there are --
SETUP
users ann
group red: ann

-- suspended --
POST /licensor/v1/subscriptions
{"skuId":"<sku:ENTERPRISEPACK>","totalLicenses":9,"status":"Suspended"}
=> 201

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202
`,
	"others wait longer": `
-- there are --
SETUP
seats ENTERPRISEPACK 0
users bob cid ann
group red: bob cid ann

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202

-- free seats are given at once --
PATCH /licensor/v1/settings
{"autoReprocess":true}
=> 204
`,
	"seats by now": `
-- there are --
SETUP
seats ENTERPRISEPACK 0
users ann
group red: ann

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202

-- bought --
POST /licensor/v1/subscriptions
{"skuId":"<sku:ENTERPRISEPACK>","totalLicenses":1}
=> 201
`,
	"a conflict with a direct license": `
-- there are --
SETUP
seats ENTERPRISEPACK 5
seats STANDARDPACK 5
users ann
group red: ann

-- direct --
POST /v1.0/users/<ann>/assignLicense
{"addLicenses":[{"skuId":"<sku:STANDARDPACK>"}],"removeLicenses":[]}
=> 200

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202
`,
	"a conflict between groups": `
-- there are --
SETUP
seats ENTERPRISEPACK 5
seats STANDARDPACK 5
users ann
group red: ann
group blue: ann

-- the first --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202

-- the second --
POST /v1.0/groups/<blue>/assignLicense
{"addLicenses":[{"skuId":"<sku:STANDARDPACK>"}],"removeLicenses":[]}
=> 202
`,
	"a plan is missing": needy + needs,
	"a plan is disabled directly": needy + `
-- direct --
POST /v1.0/users/<ann>/assignLicense
{"addLicenses":[{"skuId":"d0000000-0000-4000-8000-000000000002","disabledPlans":["e0000000-0000-4000-8000-000000000002"]}],"removeLicenses":[]}
=> 200
` + needs,
	"needed by a direct license": `
-- there are --
SETUP
seats ENTERPRISEPACK 5
seats MCOEV 5
users ann
group red: ann

-- the group gives E3 --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202

-- the add-on directly --
POST /v1.0/users/<ann>/assignLicense
{"addLicenses":[{"skuId":"<sku:MCOEV>"}],"removeLicenses":[]}
=> 200

-- leaving the group --
DELETE /v1.0/groups/<red>/members/<ann>/$ref
=> 204
`,
	"a prohibited location": needy + `
-- licensed --
POST /v1.0/groups/<blue>/assignLicense
{"addLicenses":[{"skuId":"d0000000-0000-4000-8000-000000000003"}],"removeLicenses":[]}
=> 202
`,
	"an address of another": `
-- there are --
SETUP
seats ENTERPRISEPACK 5
users ann bob
group red: ann

-- the same address --
PATCH /v1.0/users/<ann>
{"proxyAddresses":["SMTP:same@contoso.example"]}
=> 204

-- twice --
PATCH /v1.0/users/<bob>
{"proxyAddresses":["smtp:same@contoso.example"]}
=> 204

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"}],"removeLicenses":[]}
=> 202
`,
	"together with another": `
-- there are --
SETUP
seats ENTERPRISEPACK 5
seats VISIOCLIENT 0
users ann
group red: ann

-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"<sku:ENTERPRISEPACK>"},{"skuId":"<sku:VISIOCLIENT>"}],"removeLicenses":[]}
=> 202
`,
}

// needy has a product whose plan needs one of another product by now, and one that Germany
// prohibits. Ann is in the group that has the former.
const needy = `
-- there are --
SETUP
users ann
group red:
group blue: ann

-- products --
PUT /licensor/v1/catalog
{"products":[
{"skuId":"d0000000-0000-4000-8000-000000000001","skuPartNumber":"R","servicePlanIds":["e0000000-0000-4000-8000-000000000001"]},
{"skuId":"d0000000-0000-4000-8000-000000000002","skuPartNumber":"S","servicePlanIds":["e0000000-0000-4000-8000-000000000002","e0000000-0000-4000-8000-000000000003"]},
{"skuId":"d0000000-0000-4000-8000-000000000003","skuPartNumber":"T","servicePlanIds":["e0000000-0000-4000-8000-000000000003","e0000000-0000-4000-8000-000000000004"]}],
"servicePlans":[
{"servicePlanId":"e0000000-0000-4000-8000-000000000001","servicePlanName":"R1"},
{"servicePlanId":"e0000000-0000-4000-8000-000000000002","servicePlanName":"S1"},
{"servicePlanId":"e0000000-0000-4000-8000-000000000003","servicePlanName":"S2"},
{"servicePlanId":"e0000000-0000-4000-8000-000000000004","servicePlanName":"T1","prohibitedIn":["DE"]}]}
=> 204

-- seats --
POST /licensor/v1/subscriptions
{"skuId":"d0000000-0000-4000-8000-000000000001","totalLicenses":5}
=> 201

-- more seats --
POST /licensor/v1/subscriptions
{"skuId":"d0000000-0000-4000-8000-000000000002","totalLicenses":5}
=> 201

-- yet more --
POST /licensor/v1/subscriptions
{"skuId":"d0000000-0000-4000-8000-000000000003","totalLicenses":5}
=> 201
`

// needs is what makes a plan of needy need another, and Ann a member.
const needs = `
-- licensed --
POST /v1.0/groups/<red>/assignLicense
{"addLicenses":[{"skuId":"d0000000-0000-4000-8000-000000000001"}],"removeLicenses":[]}
=> 202

-- a plan needs another --
PUT /licensor/v1/catalog
{"products":[
{"skuId":"d0000000-0000-4000-8000-000000000001","skuPartNumber":"R","servicePlanIds":["e0000000-0000-4000-8000-000000000001"]},
{"skuId":"d0000000-0000-4000-8000-000000000002","skuPartNumber":"S","servicePlanIds":["e0000000-0000-4000-8000-000000000002","e0000000-0000-4000-8000-000000000003"]},
{"skuId":"d0000000-0000-4000-8000-000000000003","skuPartNumber":"T","servicePlanIds":["e0000000-0000-4000-8000-000000000003","e0000000-0000-4000-8000-000000000004"]}],
"servicePlans":[
{"servicePlanId":"e0000000-0000-4000-8000-000000000001","servicePlanName":"R1","requiresAnyOf":[["e0000000-0000-4000-8000-000000000002"]]},
{"servicePlanId":"e0000000-0000-4000-8000-000000000002","servicePlanName":"S1"},
{"servicePlanId":"e0000000-0000-4000-8000-000000000003","servicePlanName":"S2"},
{"servicePlanId":"e0000000-0000-4000-8000-000000000004","servicePlanName":"T1","prohibitedIn":["DE"]}]}
=> 204

-- joined --
POST /v1.0/groups/<red>/members/$ref
{"@odata.id":"https://localhost/v1.0/users/<ann>"}
=> 204
`

type shownReason struct {
	SKUID           string
	AssignedByGroup string
	Error           string
	Remedies        []shownRemedy
}

type shownRemedy struct {
	Kind, Text string
	ChangeSet  *changeSet
}

type changeSet struct {
	Requests []struct {
		ID, Method, URL string
		Body            json.RawMessage
	}
}

// remedies returns the errors of Ann with their remedies, or those of the summary.
func (s *scenario) remedies(inSum bool) (list []shownReason) {
	if inSum {
		var summary shownReason
		got := s.world.do("GET", "/licensor/v1/licenseErrors/summary", s.token(""), "")
		s.world.must(json.Unmarshal([]byte(got.body), &summary))
		return []shownReason{summary}
	}
	var explained struct{ Reasons []shownReason }
	got := s.world.do("GET", "/licensor/v1/users/"+s.known["ann"]+"/explain", s.token(""), "")
	s.world.must(json.Unmarshal([]byte(got.body), &explained))
	if log := s.world.logged(); log != "" {
		s.t.Fatal(log)
	}
	return slices.DeleteFunc(explained.Reasons, func(r shownReason) bool { return r.Error == "None" })
}

// carryOut sends the requests of a change set.
func (s *scenario) carryOut(set *changeSet) {
	for i, request := range set.Requests {
		path := request.URL
		if !strings.HasPrefix(path, "/licensor/v1/") {
			path = "/v1.0" + path
		}
		got := s.world.do(request.Method, path, s.token(""), string(request.Body))
		if request.ID != fmt.Sprint(i+1) || got.status >= 300 {
			s.t.Fatalf("%s %s %s is answered %d %s", request.Method, request.URL, request.Body, got.status, got.body)
		}
	}
}

// wantCleared compares the errors of Ann with a reason that a remedy should have cleared; the
// remedies of a summary should have cleared all errors.
func (s *scenario) wantCleared(r *shownReason, m *shownRemedy) {
	for _, left := range s.remedies(false) {
		if r.SKUID == "" || left.SKUID == r.SKUID && left.AssignedByGroup == r.AssignedByGroup {
			s.t.Errorf("after %q there is still %+v", m.Text, left)
		}
	}
}

// TestTheChangeSetOfARemedyClearsTheError carries out each remedy in a tenant of its own.
func TestTheChangeSetOfARemedyClearsTheError(t *testing.T) {
	t.Parallel()
	with, without := map[string]bool{}, map[string]bool{}
	for name, text := range remedied {
		for _, inSum := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in sum: ", inSum), func(t *testing.T) {
				first := newScenario(t, newWorld(t), newWitnesses())
				first.play(text)
				reasons := first.remedies(inSum)
				if len(reasons) == 0 {
					t.Fatal("there is no error")
				}
				for r, reason := range reasons {
					for m, remedy := range reason.Remedies {
						if remedy.ChangeSet == nil {
							without[remedy.Kind] = true
							continue
						}
						with[remedy.Kind] = true
						s := newScenario(t, newWorld(t), newWitnesses())
						s.play(text)
						s.carryOut(s.remedies(inSum)[r].Remedies[m].ChangeSet)
						s.wantCleared(&reason, &remedy)
					}
				}
			})
		}
	}
	wantKinds(t, "with a change set", with, "addPlan", "clearOther", "disablePlan", "freeSeats", "removeLicense", "reprocess")
	if without["freeSeats"] || without["reprocess"] || !without["changeAddress"] || !without["changeLocation"] {
		t.Errorf("remedies without a change set: %v", without)
	}
}

func wantKinds(t *testing.T, what string, got map[string]bool, want ...string) {
	if kinds := slices.Sorted(maps.Keys(got)); !slices.Equal(kinds, want) {
		t.Errorf("remedies %s: %v, want %v", what, kinds, want)
	}
}

// TestC19ADifferenceExplainsAsExplainDoes compares the reasons why Ann failed to get something.
// Previews write the same rows.
func TestC19ADifferenceExplainsAsExplainDoes(t *testing.T) {
	t.Parallel()
	shared := false
	for name, text := range remedied {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t, newWorld(t), newWitnesses())
			s.play("\n-- another is the first --\nSETUP\nusers zoe\n\n-- later --\nWAIT 1h\n" + text)
			var got, want []map[string]any
			for _, row := range s.list("/licensor/v1/difference?from=2026-01-31T12:30:00Z", "value") {
				if row["id"] == s.known["ann"] && row["outcome"] == "fail" {
					for _, reason := range row["reasons"].([]any) {
						got = append(got, reason.(map[string]any))
					}
				}
			}
			for _, reason := range s.list("/licensor/v1/users/"+s.known["ann"]+"/explain", "reasons") {
				if reason["error"] != "None" {
					want = append(want, reason)
				}
				shared = shared || reason["sharedAddresses"] != nil
			}
			if len(want) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("the reasons of the difference are\n%v\nwant\n%v", got, want)
			}
		})
	}
	if !shared {
		t.Error("no address is shared")
	}
}

// list reads a list of objects of an answer.
func (s *scenario) list(path, name string) (objects []map[string]any) {
	var answer map[string]json.RawMessage
	got := s.world.do("GET", path, s.token(""), "")
	s.world.must(json.Unmarshal([]byte(got.body), &answer))
	s.world.must(json.Unmarshal(answer[name], &objects))
	return objects
}
