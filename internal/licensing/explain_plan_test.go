package licensing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// In any state of a tenant, a user has a plan if assignedPlans has it, and the cause says so.
func TestPlanSourcesAgreeWithAssignedPlans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		img := played.image
		for user := range uint32(img.Users()) {
			has := map[string]string{}
			for p := range img.Plans(user, time.Unix(1<<31, 0)) {
				if p.Capability != licensing.Deleted {
					has[p.Plan.ID.String()] = p.Capability
				}
			}
			for i := range img.Catalog().ServicePlans {
				plan := &img.Catalog().ServicePlans[i]
				sources, cause := img.PlanSources(user, plan.ID)
				capability, is := has[plan.ID.String()]
				if is != (cause <= licensing.PlanSuspended) {
					t.Fatalf("user %d and %s: %s by %+v, but it is assigned: %t", user, plan.Name, cause, sources, is)
				}
				dead := capability == licensing.Suspended || capability == licensing.LockedOut
				if dead != (cause == licensing.PlanSuspended) {
					t.Fatalf("user %d and %s: %s by %+v, but it is %s", user, plan.Name, cause, sources, capability)
				}
			}
		}
	})
}
