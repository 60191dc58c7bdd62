package verify

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// names compares the claimed names with those of the image. A name that is only claimed may belong
// to a commit that does not exist yet.
func (e *examination) names(img *tenant.Image) error {
	claims, err := e.view.Claims()
	if err != nil {
		return err
	}
	want, shared := img.ClaimedNames()
	missing := slices.DeleteFunc(slices.Clone(want), func(name string) bool {
		return slices.ContainsFunc(claims, func(c store.Claim) bool { return c.Name == name })
	})
	others, err := e.store.Claimed(e.ctx, missing)
	if err != nil {
		return err
	}
	for _, name := range missing {
		at := slices.IndexFunc(others, func(c store.Claim) bool { return c.Name == name })
		switch {
		case at < 0:
			e.damaged("claim", name, "the tenant has the name and has not claimed it", settleNames)
		case !shared(name):
			e.damaged("claim", name, fmt.Sprintf("the tenant has the name, and tenant %s has claimed it", others[at].Tenant),
				"remove it from one of the tenants")
		}
	}
	for _, c := range claims {
		if _, has := slices.BinarySearch(want, c.Name); !has && c.At.IsZero() {
			e.damaged("claim", c.Name, "the tenant has claimed the name and does not have it", settleNames)
		}
	}
	return nil
}

// licenses derives what follows from the licenses of users, and counts those whose licenses would
// change.
func (e *examination) licenses(img *tenant.Image) {
	dir := img.Directory
	img.Licensing.Inconsistencies(func(i licensing.Inconsistency) {
		key := i.SKU
		if i.SKU == "" || i.What == licensing.ShouldGive {
			key = "all"
			if id := dir.GroupID(i.Group); id != uuid.Nil {
				key = id.String()
			}
		}
		what := i.What
		if n := i.Users.GetCardinality(); n > 0 {
			first := dir.UserID(i.Users.Minimum())
			what = fmt.Sprintf("%s: %d users too many or missing, the first is %s", what, n, first)
		}
		e.damaged("licenses", key, what, restore)
	})
	draft := img.Licensing.Draft(img.Seq+1, img.At)
	draft.Reprocess(img.Licensing.Everybody())
	next, _ := draft.Finish()
	if next == img.Licensing {
		return
	}
	for user := range dir.Users() {
		if !slices.Equal(img.Licensing.Entries(user), next.Entries(user)) {
			e.result.Stale++
		}
	}
}
