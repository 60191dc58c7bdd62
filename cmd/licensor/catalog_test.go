package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"licensor/internal/catalog"
	"licensor/internal/licensing"
)

const (
	published = "Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names\n"
	newRow    = "Time Machine,TIME_MACHINE,d0000000-0000-4000-8000-000000000001,TIME_TRAVEL,d0000000-0000-4000-8000-000000000002,Time travel\n"
	badRow    = "Broken,BROKEN,no id,X,Y,Z\n"
)

func catalogOf(t *testing.T, data string) licensing.Catalog {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), "catalog", "list", "--json", "--data", data)
	if code != exitDone {
		t.Fatal(stderr)
	}
	var c licensing.Catalog
	if err := json.Unmarshal([]byte(stdout), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func importCatalog(t *testing.T, code int, args ...string) catalogSummary {
	t.Helper()
	got, stdout, stderr := call(t, rootCommand(), append([]string{"catalog", "import", "--json"}, args...)...)
	var s catalogSummary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || got != code {
		t.Fatalf("exit code %d, want %d, %v: %s%s", got, code, err, stdout, stderr)
	}
	return s
}

func TestCatalogImportAddsToWhatIsThere(t *testing.T) {
	t.Parallel()
	data, file := newDatabase(t), newFile(t, "list.csv", published+newRow+badRow)
	before := catalogOf(t, data)
	dry := importCatalog(t, exitPartial, "--dry-run", "--data", data, file)
	if dry.Written || len(catalogOf(t, data).Products) != len(before.Products) {
		t.Errorf("a dry run wrote: %+v", dry)
	}
	got := importCatalog(t, exitPartial, "--data", data, file)
	want := catalog.Changes{Added: 1, Unchanged: len(before.Products)}
	if !got.Written || got.Products != want || got.Rows != 2 ||
		got.Skipped != 1 || len(got.Problems) != 1 || got.Problems[0].Line != 3 {
		t.Errorf("%+v", got)
	}
	after := catalogOf(t, data)
	last := after.Products[len(after.Products)-1]
	if last.SKUPartNumber != "TIME_MACHINE" || len(last.ServicePlanIDs) != 1 ||
		len(after.ServicePlans) != len(before.ServicePlans)+1 {
		t.Errorf("%+v", last)
	}
	if again := importCatalog(t, exitPartial, "--data", data, file); again.Written || again.Products.Any() {
		t.Errorf("the same file again changes something: %+v", again)
	}
}

func TestCatalogImportKeepsRules(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	before := catalogOf(t, data)
	at := slices.IndexFunc(before.ServicePlans, func(p licensing.ServicePlan) bool { return len(p.Excludes) > 0 })
	plan := before.ServicePlans[at]
	plan.ProhibitedIn = []licensing.Country{'K'<<8 | 'P'}
	before.ServicePlans[at] = plan
	body, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	with(t, data, func(c *connection) {
		if err := c.do(t.Context(), "PUT", "/licensor/v1/catalog", "application/json", body, nil); err != nil {
			t.Fatal(err)
		}
	})
	row := strings.Replace(newRow, "TIME_TRAVEL,d0000000-0000-4000-8000-000000000002,Time travel", plan.Name+","+plan.ID.String()+",Better name", 1)
	if got := importCatalog(t, exitDone, "--data", data, newFile(t, "list.csv", published+row)); got.ServicePlans.Changed != 1 {
		t.Errorf("%+v", got)
	}
	now := catalogOf(t, data).ServicePlans[at]
	if now.DisplayName != "Better name" || !slices.Equal(now.Excludes, plan.Excludes) || len(now.ProhibitedIn) != 1 {
		t.Errorf("%+v", now)
	}
}

func TestCatalogImportReplaces(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	before := catalogOf(t, data)
	got := importCatalog(t, exitDone, "--replace", "--data", data, newFile(t, "list.csv", published+newRow))
	if got.Products != (catalog.Changes{Added: 1, Removed: len(before.Products)}) {
		t.Errorf("%+v", got)
	}
	if c := catalogOf(t, data); len(c.Products) != 1 || len(c.ServicePlans) != 1 {
		t.Errorf("%d products", len(c.Products))
	}
}

func TestCatalogImportTellsWhatIsOdd(t *testing.T) {
	t.Parallel()
	file := newFile(t, "list.csv", published+newRow+badRow)
	code, stdout, stderr := call(t, rootCommand(), "catalog", "import", "--dry-run", "--data", newDatabase(t), file)
	if code != exitPartial || !strings.Contains(stderr, file+`:3: row skipped: GUID "no id" is not a GUID`) || !strings.Contains(stderr, "1 rows were skipped") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if !strings.Contains(stdout, "2 rows read") || !strings.Contains(stdout, "Nothing was written.") {
		t.Error(stdout)
	}
	code, _, stderr = call(t, rootCommand(), "catalog", "import", newFile(t, "other.csv", "a,b\n"))
	if code != exitFailed || !strings.Contains(stderr, "other.csv") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestTheRealListIsTaken(t *testing.T) {
	t.Parallel()
	spec := os.Getenv("LICENSOR_SPEC")
	if spec == "" {
		t.Skip("LICENSOR_SPEC does not say where the published list is")
	}
	_, args := newServer(t, nil)
	file := filepath.Join(spec, "catalog", "product-names-and-service-plans.csv")
	got := importCatalog(t, exitDone, append(args, "--replace", file)...)
	if got.Products.Added+got.Products.Changed+got.Products.Unchanged < 600 || len(got.RulesLeftOut) > 0 {
		t.Errorf("%+v, %v", got.Products, got.RulesLeftOut)
	}
	code, stdout, _ := call(t, rootCommand(), append([]string{"catalog", "list"}, args...)...)
	if n := strings.Count(stdout, "\n") - 1; code != exitDone || n < 600 {
		t.Errorf("exit code %d, %d products", code, n)
	}
}
