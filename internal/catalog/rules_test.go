package catalog

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// only is a catalog of some of the built-in plans, without their rules.
func only(t *testing.T, names ...string) *licensing.Catalog {
	t.Helper()
	var c licensing.Catalog
	for _, name := range names {
		p := planNamed(t, name)
		p.Excludes, p.RequiresAnyOf = nil, nil
		c.ServicePlans = append(c.ServicePlans, p)
	}
	return &c
}

func TestWithKnownRulesAddsConflictsOfPlansThatAreThere(t *testing.T) {
	t.Parallel()
	plain := only(t, "SHAREPOINTENTERPRISE", "SHAREPOINTSTANDARD", "YAMMER_EDU")
	c, leftOut := WithKnownRules(plain)
	if got := c.ServicePlans[1].Excludes; len(got) != 1 || got[0] != c.ServicePlans[0].ID {
		t.Errorf("SHAREPOINTSTANDARD excludes %v", got)
	}
	if n := len(c.ServicePlans[2].Excludes) + len(leftOut); n > 0 {
		t.Errorf("a rule with a plan that is not there: %v, %v", c.ServicePlans[2].Excludes, leftOut)
	}
	if plain.ServicePlans[1].Excludes != nil {
		t.Error("the catalog that was given has changed")
	}
}

func TestWithKnownRulesDoesNotRepeatAConflictNamedByTheOtherPlan(t *testing.T) {
	t.Parallel()
	c := only(t, "SHAREPOINTENTERPRISE", "SHAREPOINTSTANDARD")
	c.ServicePlans[0].Excludes = []uuid.UUID{c.ServicePlans[1].ID}
	if c, _ := WithKnownRules(c); len(c.ServicePlans[1].Excludes) > 0 {
		t.Errorf("SHAREPOINTSTANDARD excludes %v", c.ServicePlans[1].Excludes)
	}
}

func TestWithKnownRulesAsksOnlyForPlansThatAreThere(t *testing.T) {
	t.Parallel()
	c, leftOut := WithKnownRules(only(t, "MCOEV", "TEAMS1", "THREAT_INTELLIGENCE"))
	want := [][]uuid.UUID{{c.ServicePlans[1].ID}}
	if got := c.ServicePlans[0].RequiresAnyOf; !reflect.DeepEqual(got, want) {
		t.Errorf("MCOEV requires %v, want %v", got, want)
	}
	said := []string{"service plan THREAT_INTELLIGENCE needs EXCHANGE_S_STANDARD or EXCHANGE_S_ENTERPRISE, " +
		"and the catalog has none of them: the rule was left out"}
	if !slices.Equal(leftOut, said) || c.ServicePlans[2].RequiresAnyOf != nil {
		t.Errorf("left out: %q, want %q", leftOut, said)
	}
}

func TestWithKnownRulesTwiceIsTheSameAsOnce(t *testing.T) {
	t.Parallel()
	once, leftOut := WithKnownRules(BuiltIn())
	if !reflect.DeepEqual(once, BuiltIn()) || leftOut != nil {
		t.Errorf("the built-in catalog has changed; left out: %q", leftOut)
	}
}

func TestThePublishedTableWithKnownRulesIsValid(t *testing.T) {
	t.Parallel()
	published, _ := readPublished(t)
	c, leftOut := WithKnownRules(published)
	if err := c.Validate(); err != nil || leftOut != nil {
		t.Errorf("%v; left out: %q", err, leftOut)
	}
}
