package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// licenses adds the entries of licenses that groups got or lost, and of those of users (U22).
func (b *builder) licenses() error {
	if b.f.Licensing == nil {
		return nil
	}
	pieces, err := b.heldChanges()
	if err != nil {
		return err
	}
	var assigned []licensing.GroupEffect
	for _, g := range b.f.Licensing.Groups {
		if g.Licenses != nil && !g.Purged && b.operation == "assignGroupLicense" {
			assigned = append(assigned, g)
		}
	}
	for _, g := range assigned {
		p := b.groupLicenses(g)
		b.add("Set group license", groups, opUpdate, b.group(g.Group, updated([]Property{p})...))
		b.addHead(b.licensing("Start applying group based license to users", groups), []Target{b.group(g.Group, p)})
	}
	if len(pieces) > 0 {
		for _, group := range b.record.Groups {
			b.add("Trigger group license recalculation", groups, opUpdate, b.group(group))
		}
	}
	b.pairs(pieces)
	for _, g := range assigned {
		result, failed, err := b.result(g.Group)
		if err != nil {
			return err
		}
		finish := b.licensing("Finish applying group based license to users", groups)
		b.addHead(finish, []Target{b.group(g.Group, result)})
		b.parts[len(b.parts)-1].failed = failed
	}
	return nil
}

// changesOf returns the changes of what users hold. Commits without a record do not say what was
// held before, only that something has changed directly or from a group.
func (b *builder) changesOf(list []licensing.Change) ([]licensing.HeldChange, error) {
	if b.recorded {
		return licensing.HeldChanges(list, b.record.Held)
	}
	direct := licensing.HeldChange{After: []licensing.Outcome{{Source: licensing.Direct}}, Users: roaring.New()}
	others := licensing.HeldChange{After: []licensing.Outcome{{Source: licensing.FromGroup(0)}}, Users: roaring.New()}
	for _, change := range list {
		users := roaring.New()
		if err := users.UnmarshalBinary(change.Users); err != nil {
			return nil, err
		}
		switch {
		case change.Error != licensing.NoViolation:
		case change.Source == licensing.Direct:
			direct.Users.Or(users)
		default:
			others.Users.Or(users)
		}
	}
	others.Users.AndNot(direct.Users)
	return []licensing.HeldChange{direct, others}, nil
}

// licensing returns the head of an entry of group-based licensing.
func (b *builder) licensing(activity, category string) Head {
	h := b.head(activity, category, opUpdate)
	h.By = licensingActor
	return h
}

// heldChanges returns the changes of what users hold, without those of users that the commit
// deletes.
func (b *builder) heldChanges() ([]licensing.HeldChange, error) {
	changes, err := b.changesOf(b.f.Licensing.Changes)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		changes[i].Users.AndNot(b.lost)
	}
	return slices.DeleteFunc(changes, func(c licensing.HeldChange) bool { return c.Users.IsEmpty() }), nil
}

// pairs adds the two entries of each user whose licenses have changed, in the order of users. The
// caller has made changes of direct licenses, and all that a reprocessing changes; group-based
// licensing has made the others.
func (b *builder) pairs(pieces []licensing.HeldChange) {
	reprocessed := b.operation == "reprocessLicenseAssignment"
	for _, byCaller := range []bool{true, false} {
		all := roaring.New()
		var some []licensing.HeldChange
		for _, p := range pieces {
			if byCaller == (reprocessed || !slices.Equal(directOf(p.Before), directOf(p.After))) {
				all.Or(p.Users)
				some = append(some, p)
			}
		}
		if all.IsEmpty() {
			continue
		}
		by := licensingActor
		if byCaller {
			by = b.caller
		}
		head := Head{Category: users, Operation: opUpdate, Service: serviceDirectory, By: by}
		update, change := head, head
		update.Activity, change.Activity = "Update user", "Change user license"
		lists := make([][]Property, len(some))
		b.parts = append(b.parts, part{
			heads: []Head{update, change}, users: all, count: int(all.GetCardinality()), details: b.details(),
			of: func(user uint32, head int) []Target {
				if head == 1 {
					return []Target{b.user(user)}
				}
				at := slices.IndexFunc(some, func(p licensing.HeldChange) bool { return p.Users.Contains(user) })
				if lists[at] == nil {
					lists[at] = b.assigned(some[at])
				}
				return []Target{b.user(user, lists[at]...)}
			},
		})
	}
}

func directOf(held []licensing.Outcome) []licensing.Outcome {
	return slices.DeleteFunc(slices.Clone(held), func(o licensing.Outcome) bool { return o.Source != licensing.Direct })
}

// assigned returns the modified properties of a change of licenses.
func (b *builder) assigned(c licensing.HeldChange) []Property {
	p := Property{Name: "AssignedLicense"}
	if b.recorded {
		p.Old, p.New = b.licenseTexts(b.held(c.Before)), b.licenseTexts(b.held(c.After))
	}
	return []Property{p, {"Included Updated Properties", "", single("AssignedLicense, AssignedPlan")}}
}

// held returns what several sources give together: each SKU once, without the plans that none of
// them enables.
func (b *builder) held(list []licensing.Outcome) (all []licensing.Assign) {
	for _, o := range list {
		a := b.world.Image.Licensing.VariantOf(o.InForce)
		at := slices.IndexFunc(all, func(other licensing.Assign) bool { return other.SKUID == a.SKUID })
		if at < 0 {
			all = append(all, a)
			continue
		}
		all[at].DisabledPlans = slices.DeleteFunc(slices.Clone(all[at].DisabledPlans), func(plan uuid.UUID) bool {
			return !slices.Contains(a.DisabledPlans, plan)
		})
	}
	return all
}

// groupLicenses returns the licenses of a group before and after the commit.
func (b *builder) groupLicenses(g licensing.GroupEffect) Property {
	of := func(list *[]licensing.GroupGrants) (all []licensing.Assign) {
		if list == nil {
			return nil
		}
		for _, l := range *list {
			all = append(all, b.world.Image.Licensing.VariantOf(l.Variant))
		}
		return all
	}
	p := Property{Name: "AssignedLicense", New: b.licenseTexts(of(g.Licenses))}
	for _, before := range b.record.Licenses {
		if before.Group == g.Group {
			p.Old = b.licenseTexts(of(before.Licenses))
		}
	}
	return p
}

// licenseTexts returns licenses as a list of texts (U26).
func (b *builder) licenseTexts(list []licensing.Assign) string {
	img := b.world.Image
	texts := make([]string, len(list))
	for i, a := range list {
		name := a.SKUID.String()
		if product, ok := img.Licensing.Product(a.SKUID); ok {
			name = product.SKUPartNumber
		}
		disabled := make([]string, len(a.DisabledPlans))
		for j, id := range a.DisabledPlans {
			disabled[j] = id.String()
			if plan, ok := img.Licensing.Plan(id); ok {
				disabled[j] = plan.Name
			}
		}
		texts[i] = fmt.Sprintf("[SkuName=%s, AccountId=%s, SkuId=%s, DisabledPlans=[%s]]",
			name, img.Organization.ID, a.SKUID, strings.Join(disabled, ", "))
	}
	return listed(texts...)
}

// result returns how many users of a group got its licenses (U27).
func (b *builder) result(group uint32) (p Property, failed []Failure, err error) {
	good, bad := roaring.New(), roaring.New()
	for _, change := range b.f.Licensing.Changes {
		if of, ok := change.Source.Group(); !ok || of != group {
			continue
		}
		users := roaring.New()
		if err := users.UnmarshalBinary(change.Users); err != nil {
			return p, nil, err
		}
		if change.Error == licensing.NoViolation {
			good.Or(users)
			continue
		}
		bad.Or(users)
		failed = append(failed, Failure{
			change.Error, b.world.Image.Licensing.SKUOf(change.SKU), int(users.GetCardinality()), group, users,
		})
	}
	good.AndNot(bad)
	return Property{"Result", "[]", listed(fmt.Sprintf(
		"Users successfully assigned licenses: %d, Users for whom license assignment failed: %d.",
		good.GetCardinality(), bad.GetCardinality()))}, failed, nil
}
