package engine_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// TestAPreviewKeepsNothing previews changes one after another, and checks that nothing remains of
// them.
func TestAPreviewKeepsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	defer h.close()
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
	group := h.must(newGroup(t, "red")).Ordinal
	before := h.Image()
	give := tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: e3}}}
	wrong := tenant.AssignGroup{Group: group, Add: []licensing.Assign{{SKUID: uuid.New()}}}
	take := tenant.AssignGroup{Group: group, Remove: []uuid.UUID{e3}}

	for _, test := range []struct {
		what   string
		cmd    tenant.Command
		before []tenant.Command
		fails  bool
		want   int // licenses of the group
	}{
		{"a change", give, nil, false, 1},
		{"one that cannot be", wrong, nil, true, 0},
		{"taking what is not there", take, nil, true, 0},
		{"taking what would be there by then", take, []tenant.Command{give}, false, 0},
		{"after one that cannot be", give, []tenant.Command{wrong}, false, 1},
	} {
		done, err := h.Preview(context.Background(), test.cmd, test.before...)
		if (err != nil) != test.fails {
			t.Errorf("%s: %v", test.what, err)
		}
		if err == nil && len(done.Image.Licensing.GroupLicenses(group)) != test.want {
			t.Errorf("%s: the group has %v", test.what, done.Image.Licensing.GroupLicenses(group))
		}
	}
	if h.Image() != before || len(before.Licensing.GroupLicenses(group)) != 0 {
		t.Error("something is left")
	}
}
