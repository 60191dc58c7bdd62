package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// driftKinds are the kinds of drift (docs/spec/licensing.md L85).
var driftKinds = []string{
	"covered", "duplicate", "disabledAccount", "emptyGroup", "stuck", "noLocation", "inactive", "unassigned",
}

// drift measures the first page of drift with its sums, of all kinds and of each, in comparison
// with a script that reads all users with what the kinds need. Nine of ten users are inactive.
func (v *verbs) drift(ctx context.Context) error {
	if err := v.seen(ctx); err != nil {
		return err
	}
	var took series
	for range v.rounds {
		var found struct {
			Kinds []struct {
				Kind string
				Rows int
			}
		}
		one, err := v.call(ctx, http.MethodGet, "/licensor/v1/drift", "", &found)
		if err != nil {
			return err
		}
		for _, kind := range found.Kinds {
			if kind.Kind == "inactive" && kind.Rows < v.world.users/2 {
				return fmt.Errorf("drift has %d rows of inactive users", kind.Rows)
			}
		}
		took.add(one)
	}
	enabled, held := 0, 0
	script, err := v.script(ctx, "id,accountEnabled,usageLocation,assignedLicenses,licenseAssignmentStates",
		func(user map[string]any) {
			if user["accountEnabled"] == true {
				enabled++
			}
			states, _ := user["licenseAssignmentStates"].([]any)
			held += len(states)
		})
	if err != nil {
		return err
	}
	report("drift of all kinds, in sum", "%s, a script without sign-ins %s: %.0f times as fast", took.median(),
		script.Round(time.Millisecond), float64(script)/float64(took.median()))
	for _, kind := range driftKinds {
		if err := v.times(ctx, "drift, "+kind, "/licensor/v1/drift?$filter=kind+eq+'"+kind+"'"); err != nil {
			return err
		}
	}
	return nil
}

// seen stores when users have signed in: nine of ten of them long ago.
func (v *verbs) seen(ctx context.Context) error {
	var all []store.Activity
	for user := range v.world.users {
		at := v.now().AddDate(0, 0, -200)
		if user%10 == 0 {
			at = v.now().AddDate(0, 0, -1)
		}
		seen := store.Seen{At: at.UTC().Truncate(time.Millisecond), ID: uuid.New()}
		all = append(all, store.Activity{
			Tenant: v.tenant.ID(), User: uint32(user), Interactive: seen, NonInteractive: seen, Successful: seen,
		})
	}
	for part := range slices.Chunk(all, 1000) {
		if err := v.store.AddSignIns(ctx, nil, part); err != nil {
			return err
		}
	}
	return nil
}

// swap measures a swap of the product of a group of all users and back, with its preview, and its
// application, in comparison with a script that reads all users to find what would be in the way.
func (v *verbs) swap(ctx context.Context) error {
	from, to := v.world.products[len(v.world.products)-2], v.world.products[len(v.world.products)-1]
	var planned, applied series
	for range v.rounds {
		body := fmt.Sprintf(`{"from":%q,"to":%q}`, from.SKUID, to.SKUID)
		var p struct {
			Obstacles []struct{ Text string }
			Preview   *struct {
				ID    string
				Users struct{ Gain int }
			}
		}
		took, err := v.call(ctx, http.MethodPost, "/licensor/v1/swaps", body, &p)
		if err != nil {
			return err
		}
		if p.Preview == nil || p.Preview.Users.Gain != v.world.users {
			return fmt.Errorf("the swap of %s has the obstacles %+v", from.SKUPartNumber, p.Obstacles)
		}
		planned.add(took)
		took, err = v.call(ctx, http.MethodPost, "/licensor/v1/previews/"+p.Preview.ID+"/apply", "", nil)
		if err != nil {
			return err
		}
		applied.add(took)
		from, to = to, from
	}
	script, err := v.script(ctx, "id,assignedLicenses,licenseAssignmentStates", func(map[string]any) {})
	if err != nil {
		return err
	}
	report("swap the product of all users", "%s with its preview, a script %s: %.0f times as fast", planned.median(),
		script.Round(time.Millisecond), float64(script)/float64(planned.median()))
	report("apply it", "%s", applied.median())
	return nil
}
