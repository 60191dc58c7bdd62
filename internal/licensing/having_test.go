package licensing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// TestWhoHasWhatIsWhatEachUserShows compares the sets with a look at each user.
func TestWhoHasWhatIsWhatEachUserShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		last := played.log[len(played.log)-1]
		for _, img := range []*licensing.Image{last.after, played.log[len(played.log)/2].after} {
			now := last.at.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "days")) * 24 * time.Hour)
			kind, n := rapid.IntRange(0, 3).Draw(t, "kind"), rapid.IntRange(0, 6).Draw(t, "asked")
			ofState := func(s licensing.State) bool {
				return [...]bool{
					s.Error == licensing.Violation(n), s.State == licensing.StateActive,
					s.SKUID[15]%2 == byte(n)%2, !s.Direct && s.Group == uint32(n),
				}[kind]
			}
			capability := [...]string{licensing.Enabled, licensing.Suspended, licensing.Deleted, licensing.Warning}[n%4]
			ofPlan := func(p *licensing.ServicePlan, c string) bool {
				return [...]bool{
					c == capability, p.ID[15]%3 == byte(n)%3,
					p.ID[15]%2 == byte(n)%2 && c != capability, p.Service != "",
				}[kind]
			}
			states, plans := img.HavingState(ofState), img.HavingPlan(ofPlan, now)
			for user := range uint32(img.Users()) {
				hasState, hasPlan := false, false
				for s := range img.States(user) {
					hasState = hasState || ofState(s)
				}
				for p := range img.Plans(user, now) {
					hasPlan = hasPlan || ofPlan(p.Plan, p.Capability)
				}
				if states.Contains(user) != hasState || plans.Contains(user) != hasPlan {
					t.Fatalf("user %d: state %t, plan %t; the sets say %t, %t", user, hasState, hasPlan, states.Contains(user), plans.Contains(user))
				}
			}
		}
	})
}
