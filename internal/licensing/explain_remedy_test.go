package licensing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/licensing"
	"licensor/internal/licensing/model"
)

// hiding are the causes that hide another error, which shows when the first one is mended.
var hiding = map[string]bool{"UniquenessViolation": true, "MutuallyExclusiveViolation with what cannot go yet": true, "something else by now": true}

// Whatever a remedy says, once it is done and the user reprocessed, the error no longer exists.
// Nothing but an error of another kind, which the first one hid, may show then.
func TestExplainARemedyClearsTheError(t *testing.T) {
	t.Parallel()
	for name, c := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := caused(t, c.setUp)
			for _, r := range s.image.Explain(0, false) {
				for _, m := range r.Remedies {
					f := s.fork()
					f.do(func(d *licensing.Draft) error { return remedy(d, f.image, 0, r, m) })
					f.reprocess("ann")
					for _, left := range f.image.Explain(0, false) {
						if !hiding[name] || left.SKUID == r.SKUID && left.Error == r.Error {
							t.Errorf("%s\nleaves, after %+v,\n%s", f.words(r), m, f.words(left))
						}
					}
				}
			}
		})
	}
}

// remedy does what a remedy of a user's reason says.
func remedy(d *licensing.Draft, img *licensing.Image, user uint32, r licensing.Reason, m licensing.Remedy) error {
	switch m.Kind {
	case licensing.RemedyFreeSeats:
		return buy(d, img, m.SKUID, m.Seats)
	case licensing.RemedyDisablePlan:
		return reassign(d, img, user, m, m.Plans, nil)
	case licensing.RemedyRemoveLicense:
		return reassign(d, img, user, m, nil, []uuid.UUID{m.SKUID})
	case licensing.RemedyAddPlan:
		return addPlan(d, img, user, m.Plans)
	case licensing.RemedyChangeLocation:
		d.SetLocation(user, country("XX"))
	case licensing.RemedyChangeAddress:
		d.SetDuplicate(user, false)
	case licensing.RemedyClearOther:
		for _, other := range img.Explain(user, false) {
			if other.SKUID == m.SKUID && other.Direct == m.Direct && other.Group == m.Group {
				return remedy(d, img, user, other, other.Remedies[0])
			}
		}
		return fmt.Errorf("nothing is wrong with the other one")
	case licensing.RemedyReprocess:
	default:
		return fmt.Errorf("an unknown remedy %s", m.Kind)
	}
	return nil
}

func buy(d *licensing.Draft, img *licensing.Image, sku uuid.UUID, seats int) error {
	for _, info := range img.SKUs() {
		if info.SKUID == sku {
			info.Units.Enabled += seats
			return d.SetUnits(sku, info.Units, true)
		}
	}
	return d.SetUnits(sku, licensing.Units{Enabled: seats}, true)
}

// reassign disables further plans of a license at its source, or removes it there.
func reassign(
	d *licensing.Draft, img *licensing.Image, user uint32, at licensing.Remedy, disable, remove []uuid.UUID,
) error {
	var add []licensing.Assign
	for st := range img.States(user) {
		if remove == nil && st.SKUID == at.SKUID && st.Direct && at.Direct {
			add = []licensing.Assign{{SKUID: at.SKUID, DisabledPlans: slices.Concat(st.DisabledPlans, disable)}}
		}
	}
	if at.Direct {
		return d.AssignUser(user, add, remove)
	}
	for _, l := range img.GroupLicenses(at.Group) {
		if remove == nil && l.SKUID == at.SKUID {
			l.DisabledPlans = slices.Concat(l.DisabledPlans, disable)
			add = append(add, l)
		}
	}
	return d.AssignGroup(at.Group, add, remove)
}

// addPlan gives the user a product with one of the plans and as little else as possible.
func addPlan(d *licensing.Draft, img *licensing.Image, user uint32, plans []uuid.UUID) error {
	for _, p := range img.Catalog().Products {
		if len(p.ServicePlanIDs) != 1 || !slices.Contains(plans, p.ServicePlanIDs[0]) {
			continue
		}
		if err := buy(d, img, p.SKUID, 100); err != nil {
			return err
		}
		return d.AssignUser(user, []licensing.Assign{{SKUID: p.SKUID}}, nil)
	}
	return errRefused
}

// In any state a tenant is: when a remedy is done and the user reprocessed, what the reason
// named is no longer in the way.
func TestExplainRemediesOfAnyHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		played, _ := play(t, func(*tenant, *model.Model) {})
		d := played.image.Draft(1000, time.Unix(5000, 0))
		d.Reprocess(played.image.Everybody())
		img, _ := d.Finish()
		for it := img.InError().Iterator(); it.HasNext(); {
			user := it.Next()
			for _, r := range img.Explain(user, false) {
				for _, m := range r.Remedies {
					if m.Kind != licensing.RemedyClearOther { // the other one may have more than one thing wrong
						tryRemedy(t, img, user, r, m)
					}
				}
			}
		}
	})
}

func tryRemedy(t *rapid.T, img *licensing.Image, user uint32, r licensing.Reason, m licensing.Remedy) {
	d := img.Draft(1001, time.Unix(5001, 0))
	if err := remedy(d, img, user, r, m); err != nil {
		return // it would break something else, such as what a group's products need (L31)
	}
	d.Reprocess(roaring.BitmapOf(user))
	settings := img.Settings()
	settings.AutoReprocess = false // or others who wait would be served in the same commit
	if err := d.SetSettings(settings); err != nil {
		t.Fatal(err)
	}
	next, _ := d.Finish()
	for _, left := range next.Explain(user, false) {
		there := left.Direct == m.Direct && left.Group == m.Group
		if there && m.Kind != licensing.RemedyFreeSeats && m.SKUID != uuid.Nil &&
			(left.Entry.Source != r.Entry.Source || left.SKUID == m.SKUID && m.SKUID != r.SKUID) {
			return // what should be changed at the other source cannot be: something is wrong there, too
		}
	}
	for _, left := range next.Explain(user, false) {
		same := left.Entry.Source == r.Entry.Source && left.SKUID == r.SKUID && left.Error == r.Error
		if same && left.Plan == r.Plan && left.OtherPlan == r.OtherPlan &&
			left.Other == r.Other && left.OtherGroup == r.OtherGroup &&
			left.OtherDirect == r.OtherDirect && slices.Equal(left.Requires, r.Requires) && left.Needed == r.Needed {
			t.Fatalf("user %d: %+v\nis still so after %+v: %+v", user, r, m, left)
		}
	}
}
