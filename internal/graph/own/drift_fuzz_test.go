package own

import (
	"testing"

	"github.com/google/uuid"

	"licensor/internal/graph/odata"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// FuzzDriftFilter converts any $filter of drift: it is refused, or it is a condition, which only
// rows of its kinds satisfy.
func FuzzDriftFilter(f *testing.F) {
	for _, text := range []string{
		"kind eq 'covered'", "not (kind in ('stuck','inactive')) or skuId ne 6fd2c87f-b296-42f0-b197-1e91e994b900",
		"group eq null and department eq 'Sales' and error eq 'Other'", "startswith(usageLocation,'D')", "kind eq null",
		"not (kind ne 'unassigned' and not (kind eq 'stuck' or usageLocation eq null))", "kind/any(x:x eq 'a')",
	} {
		f.Add(text)
	}
	img := tenant.NewImage()
	draft := img.Licensing.Draft(1, img.At)
	catalog := &licensing.Catalog{Products: []licensing.Product{{SKUID: uuid.UUID{1}, SKUPartNumber: "A"}}}
	if err := draft.SetCatalog(catalog); err != nil {
		f.Fatal(err)
	}
	if err := draft.SetUnits(uuid.UUID{1}, licensing.Units{Enabled: 1}, true); err != nil {
		f.Fatal(err)
	}
	img.Licensing, _ = draft.Finish()
	caller := &identity.Caller{Permissions: identity.Permissions{"User.Read.All"}}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := odata.ParseFilter(text)
		if err != nil {
			return
		}
		r := &wire.Request{Environment: new(wire.Environment), Image: img, Caller: caller}
		c, err := driftConditionOf(r, filter)
		if err != nil {
			return
		}
		for kind := range driftKinds {
			row := DriftRow{Kind: kind, User: NoUser}
			if c.holds(&row) && !c.kinds.has(kind) {
				t.Errorf("a row of kind %s satisfies %s", kind, text)
			}
		}
	})
}
