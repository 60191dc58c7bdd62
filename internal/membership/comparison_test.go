package membership_test

import (
	"testing"

	"licensor/internal/membership"
)

// TestD40OperatorsAndTypes tries each operator with each type.
func TestD40OperatorsAndTypes(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"eq": "null", "ne": "null", "in": `["x"]`, "notIn": `["x"]`, "startsWith": `"x"`, "notStartsWith": `"x"`, "endsWith": `"x"`,
		"notEndsWith": `"x"`, "contains": `"x"`, "notContains": `"x"`, "match": `"x"`, "notMatch": `"x"`,
		"le": "system.now", "ge": "system.now",
	}
	texts := []string{
		"eq", "ne", "in", "notIn", "startsWith", "notStartsWith", "endsWith", "notEndsWith", "contains", "notContains",
		"match", "notMatch",
	}
	for property, suits := range map[string][]string{
		"department": texts, "proxyAddresses": texts, "accountEnabled": {"eq", "ne"}, "employeeHireDate": {"eq", "ne", "le", "ge"},
		"assignedPlans": nil, "memberOf": nil,
	} {
		allowed := map[string]bool{}
		for _, o := range suits {
			allowed[o] = true
		}
		for o, value := range values {
			rule := "user." + property + " -" + o + " " + value
			_, err := membership.Parse(rule)
			r, _ := err.(*membership.RefusalError)
			if allowed[o] != (err == nil) || err != nil && r.Kind != membership.KindWrongOperator {
				t.Errorf("%s: %v", rule, err)
			}
		}
	}
}

func TestD41LetterCaseIsIgnored(t *testing.T) {
	t.Parallel()
	people := []*person{one("oz", "department", "ÖZ"), one("strasse", "department", "Straße"), one("kelvin", "department", "\u212a")}
	are(t, people, map[string]string{
		`user.department -eq "öz"`:         "oz",
		`user.department -startsWith "ö"`:  "oz",
		`user.department -in ["oZ","Öz"]`:  "oz",
		`user.department -match "^öz"`:     "oz",
		`user.department -match "^ö.$"`:    "oz",
		`user.department -eq "STRASSE"`:    "",
		`user.department -match "strasse"`: "",
		`user.department -eq "k"`:          "",
		`user.department -ne "k"`:          "oz strasse kelvin",
	})
}

func TestD42ComparisonsAreTrueOrFalse(t *testing.T) {
	t.Parallel()
	for positive, negative := range map[string]string{
		`-eq "Sales"`: `-ne "Sales"`, `-in ["Sales"]`: `-notIn ["Sales"]`, `-startsWith "S"`: `-notStartsWith "S"`, `-endsWith "S"`: `-notEndsWith "S"`,
		`-contains "a"`: `-notContains "a"`, `-match "a"`: `-notMatch "a"`, `-match "a$"`: `-notMatch "a$"`, `-eq null`: `-ne null`,
		`-eq ""`: `-ne ""`, `-startsWith ""`: `-notStartsWith ""`, `-contains ""`: `-notContains ""`,
	} {
		for _, property := range []string{"user.department", "user.otherMails", "user.telephoneNumber", "user.objectId"} {
			is, not := members(t, property+" "+positive, six()...), members(t, property+" "+negative, six()...)
			if len(is)+len(not)+min(len(is), len(not), 1) != len("ann bob cem dia eve fay") {
				t.Errorf("%s %s: %q, %s: %q", property, positive, is, negative, not)
			}
		}
	}
	are(t, six(), map[string]string{
		`user.department -startsWith ""`: "ann bob dia eve", `user.department -eq ""`: "", `user.department -ne "x"`: "ann bob cem dia eve fay",
		`user.department -notContains "s"`: "bob cem fay", `user.department -in ["x", null]`: "cem fay",
		`user.accountEnabled -ne null`: "ann bob cem dia eve fay",
	})
}

func TestD43CollectionsWithoutQuantifier(t *testing.T) {
	t.Parallel()
	are(t, six(), map[string]string{
		`user.otherMails -contains "c2@"`: "cem", `user.otherMails -eq "C2@fabrikam.example"`: "cem",
		`user.otherMails -contains "fabrikam"`: "cem", `user.otherMails -notContains "contoso"`: "ann bob dia fay",
		`user.otherMails -eq null`: "bob dia", `user.otherMails -ne null`: "ann cem eve fay",
		`user.otherMails -ne "c2@fabrikam.example"`: "ann bob dia eve fay", `user.otherMails -match "^c\d@"`: "cem",
		`user.otherMails -notMatch "@contoso"`: "ann bob dia fay",
	})
}

func TestD44AnyAndAll(t *testing.T) {
	t.Parallel()
	are(t, six(), map[string]string{
		`user.otherMails -any (_ -contains "contoso")`:                                                                     "cem eve",
		`user.otherMails -all (_ -contains "contoso")`:                                                                     "bob dia eve",
		`user.otherMails -any (_ -notContains "contoso")`:                                                                  "ann cem fay",
		`user.otherMails -all (_ -notContains "contoso")`:                                                                  "ann bob dia fay",
		`-not user.otherMails -any (_ -ne null)`:                                                                           "bob dia",
		`user.otherMails -any (_ -eq null)`:                                                                                "",
		`user.otherMails -all (_ -eq null)`:                                                                                "bob dia",
		`user.otherMails -any (_ -in [null, "c1@contoso.example"])`:                                                        "cem",
		`user.assignedPlans -all (assignedPlan.service -eq "exchange")`:                                                    "ann bob cem dia eve fay",
		`user.assignedPlans -any (assignedPlan.capabilityStatus -ne "Enabled" -and AssignedPlan.SERVICE -startsWith "ex")`: "bob",
		`user.assignedPlans -any assignedPlan.servicePlanId -match "^EFB"`:                                                 "ann bob",
	})
}

func TestD45Times(t *testing.T) {
	t.Parallel()
	are(t, six(), map[string]string{
		`user.employeeHireDate -le 2026-06-10T18:13:20Z`:        "ann",
		`user.employeeHireDate -le 2026-06-10T18:13:19Z`:        "",
		`user.employeeHireDate -ge 2026-06-10T18:13:20Z`:        "ann bob",
		`user.employeeHireDate -ge 2026-06-10T18:13:21Z`:        "bob",
		`user.employeeHireDate -eq "2026-06-10T20:13:20+02:00"`: "ann",
		`user.employeeHireDate -ne 2026-06-10T18:13:20Z`:        "bob cem dia eve fay",
		`user.employeeHireDate -eq null`:                        "cem dia eve fay",
		`user.employeeHireDate -ne null`:                        "ann bob",
		`-not user.employeeHireDate -le 2030-01-01T00:00:00Z`:   "cem dia eve fay",
		`user.employeeHireDate -ge 0001-01-01T00:00:00Z`:        "ann bob",
		`user.employeeHireDate -eq 0001-01-01T00:00:00Z`:        "",
		`user.employeeHireDate -le 9999-12-31T23:59:59Z`:        "ann bob",
	})
}

// TestD46AllPartsAreEvaluated: details have them, whatever the parts before them are.
func TestD46AllPartsAreEvaluated(t *testing.T) {
	t.Parallel()
	ann := six()[0]
	for rule, results := range map[string][]bool{
		`user.city -eq "Lagos" -or user.city -eq "Oslo" -or user.country -eq "NG"`:  {true, false, true},
		`user.city -eq "Oslo" -and user.city -eq "Lagos" -and user.country -eq "x"`: {false, true, false},
		`user.proxyAddresses -any (_ -contains "contoso")`:                          {true, true},
		`user.proxyAddresses -all (_ -contains "a.berg")`:                           {false, true},
	} {
		d, err := parse(t, rule).Evaluate(ann, now)
		if err != nil || len(d.Parts) != len(results) {
			t.Fatalf("%s: %v, %v", rule, d, err)
		}
		for i, want := range results {
			if d.Parts[i].Result != want {
				t.Errorf("%s: part %d is %t", rule, i, d.Parts[i].Result)
			}
		}
	}
}
