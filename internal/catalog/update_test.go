package catalog_test

import (
	"testing"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/licensing"
)

func TestMergeKeepsTheOrder(t *testing.T) {
	t.Parallel()
	added := uuid.MustParse("a0000000-0000-4000-8000-000000000001")
	old := catalog.BuiltIn()
	p := old.Products[1]
	p.DisplayName, p.AppliesTo = "New name", ""
	merged := catalog.Merge(old, &licensing.Catalog{Products: []licensing.Product{{SKUID: added}, p}})
	last := len(old.Products)
	if len(merged.Products) != last+1 || merged.Products[1].DisplayName != "New name" ||
		merged.Products[1].AppliesTo != old.Products[1].AppliesTo ||
		merged.Products[last].SKUID != added || merged.Products[0].SKUID != old.Products[0].SKUID {
		t.Errorf("%+v", merged.Products[1])
	}
}
