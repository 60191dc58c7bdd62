package catalog

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

func TestBuiltInHasTheProductsMetMostOften(t *testing.T) {
	t.Parallel()
	c := BuiltIn()
	if len(c.Products) != 43 {
		t.Errorf("%d products, want 43", len(c.Products))
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestBuiltInIsFreshEachTime(t *testing.T) {
	t.Parallel()
	BuiltIn().Products[0].ServicePlanIDs[0] = uuid.Nil
	if BuiltIn().Products[0].ServicePlanIDs[0] == uuid.Nil {
		t.Error("what one caller writes another one reads")
	}
}

func TestBuiltInIsWhatTheSpecificationSays(t *testing.T) {
	t.Parallel()
	bySKU := map[string]licensing.Product{}
	for _, p := range BuiltIn().Products {
		bySKU[p.SKUID.String()] = p
	}
	for _, row := range specified(t, "products.csv") {
		p := bySKU[row[0]]
		if p.SKUPartNumber != row[1] || p.DisplayName != row[2] || strconv.Itoa(len(p.ServicePlanIDs)) != row[3] {
			t.Errorf("%s %q has %d plans; the specification says %v", p.SKUPartNumber, p.DisplayName, len(p.ServicePlanIDs), row)
		}
		delete(bySKU, row[0])
	}
	for _, p := range bySKU {
		t.Errorf("the specification has no product %s", p.SKUPartNumber)
	}
}

func TestBuiltInHasTheRulesOfTheSpecification(t *testing.T) {
	t.Parallel()
	var excludes, requires int
	for _, p := range BuiltIn().ServicePlans {
		excludes += len(p.Excludes)
		requires += len(p.RequiresAnyOf)
	}
	for _, row := range specified(t, "exclusive.csv") {
		if excludes--; !slices.Contains(planNamed(t, row[1]).Excludes, uuid.MustParse(row[2])) {
			t.Errorf("%s does not exclude %s", row[1], row[3])
		}
	}
	for _, row := range specified(t, "dependencies.csv") {
		requires--
		if sets := planNamed(t, row[1]).RequiresAnyOf; len(sets) != 1 || joined(sets[0]) != row[2] {
			t.Errorf("%s requires %v; the specification says %s", row[1], sets, row[2])
		}
	}
	if excludes != 0 || requires != 0 {
		t.Errorf("%d conflicts and %d dependencies too many", excludes, requires)
	}
}

func specified(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join(specification(t), "spec", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func joined(ids []uuid.UUID) string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return strings.Join(texts, ";")
}

func planNamed(t *testing.T, name string) licensing.ServicePlan {
	t.Helper()
	plans := BuiltIn().ServicePlans
	at := slices.IndexFunc(plans, func(p licensing.ServicePlan) bool { return p.Name == name })
	if at < 0 {
		t.Fatalf("there is no plan %s", name)
	}
	return plans[at]
}

func TestBuiltInTextIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"plan\t" + planA + "\tA\n\nwhat\tx\n", `line 3: "what" with 1 parts is not a fact`},
		{"plan\tx\tA\n", "line 1: invalid UUID"},
		{"product\t" + skuA + "\tA\tA\t0\n", `line 1: product A: there is no plan "0"`},
		{"plan\t" + planA + "\tA\nexcludes\tA\tB\n", `line 2: there is no plan "B"`},
		{"plan\t" + planA + "\tA\nplan\t" + planA + "\tB\n", "duplicate servicePlanId"},
	}
	for _, test := range tests {
		if _, err := parseBuiltIn(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v; want %s", test.text, err, test.want)
		}
	}
}

func BenchmarkBuiltIn(b *testing.B) {
	for b.Loop() {
		BuiltIn()
	}
}
