package audit

import (
	"fmt"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/tenant"
)

// build adds all parts of the commit.
func (b *builder) build() error {
	b.caller, b.lost = b.initiator(), roaring.New()
	switch b.operation {
	case "createTenant":
		b.add("Create company", company, opAdd, b.tenant())
		return nil
	case "import":
		return b.imported()
	case "migrateApplications", "recheck": // the upkeep of the database changes nothing that is visible (U24)
		return nil
	}
	b.purged()
	b.company()
	b.users()
	if err := b.groups(); err != nil {
		return err
	}
	b.documents(ofApplications, b.f.Applications)
	b.documents(ofPrincipals, b.f.Principals)
	b.links(false)
	b.grants()
	b.roles()
	b.units()
	return b.licenses()
}

// company adds the entries of the organization, its subscriptions, catalog and settings.
func (b *builder) company() {
	if b.f.Organization != nil {
		b.add("Set Company Information", company, opUpdate, b.tenant(b.recordedOf(tenant.ChangeableOrganization)...))
	}
	for _, now := range b.f.Subscriptions {
		p := Property{Name: "Subscription"}
		for i := range b.record.Changed {
			if w := &b.record.Changed[i]; w.Of == tenant.ChangeableSubscription && w.ID == now.Subscription.ID {
				p.Old, p.New = subscriptionTexts(w, &now)
			}
		}
		if now.Removed {
			b.add("Delete subscription", company, opDelete, b.tenant(p))
		} else {
			b.add("Update company", company, opUpdate, b.tenant(p))
		}
	}
	if b.f.Licensing != nil && b.f.Licensing.Catalog != nil {
		b.own("Set catalog", b.recordedOf(tenant.ChangeableCatalog))
	}
	if b.operation == "updateSettings" {
		b.own("Update settings", b.recordedOf(tenant.ChangeableSettings))
	}
	if len(b.f.Prices) > 0 {
		b.own("Update prices", b.recordedOf(tenant.ChangeablePrices))
	}
	if b.f.SignIn != nil {
		b.own("Update sign-in settings", b.recordedOf(tenant.ChangeableSignIn))
	}
}

// recordedOf returns the properties of documents of which a commit has one.
func (b *builder) recordedOf(of tenant.Changeable) (list []Property) {
	for _, w := range b.record.Changed {
		if w.Of == of {
			list = append(list, properties(w.Properties)...)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return updated(list)
}

// subscriptionTexts returns a subscription before and after a change: the properties that changed,
// with the SKU.
func subscriptionTexts(w *tenant.Was, now *tenant.SubscriptionNow) (old, next string) {
	text := func(value func(tenant.Difference) []byte) string {
		s := "[SkuId=" + now.Subscription.SKUID.String()
		for _, d := range w.Properties {
			if d.Name != "skuId" && d.Name != "commerceSubscriptionId" && len(value(d)) > 0 {
				s += ", " + formerName(d.Name) + "=" + unquoted(value(d))
			}
		}
		return listed(s + "]")
	}
	old, next = "[]", "[]"
	if !w.New {
		old = text(func(d tenant.Difference) []byte { return d.Old })
	}
	if !w.Removed {
		next = text(func(d tenant.Difference) []byte { return d.New })
	}
	return old, next
}

func unquoted(raw []byte) string {
	if text, err := strconv.Unquote(string(raw)); err == nil {
		return text
	}
	return string(raw)
}

// own adds an entry that only we have.
func (b *builder) own(activity string, list []Property) {
	b.addHead(Head{
		Activity: activity, Category: company, Operation: opUpdate, Service: serviceOwn, By: b.caller,
	}, []Target{b.tenant(list...)}, Detail{"operation", b.operation})
}

// imported adds the one entry of an import, which has counts.
func (b *builder) imported() error {
	counts := map[string]int{
		"Users": len(b.f.NewUsers), "Subscriptions": len(b.f.Subscriptions), "Owners": len(b.f.Owners),
		"Managers": len(b.f.Managers), "NestedGroups": len(b.f.Nested),
	}
	for _, g := range b.groupEffects() {
		if g.New != nil {
			counts["Groups"]++
		}
		if g.Licenses != nil {
			counts["GroupLicenses"]++
		}
		if len(g.Joined) > 0 {
			joined := roaring.New()
			if err := joined.UnmarshalBinary(g.Joined); err != nil {
				return err
			}
			counts["Members"] += int(joined.GetCardinality())
		}
	}
	var list []Property
	for _, name := range []string{"Groups", "GroupLicenses", "Managers", "Members", "NestedGroups", "Owners", "Subscriptions", "Users"} {
		if counts[name] > 0 {
			list = append(list, Property{Name: name, New: fmt.Sprintf("[%d]", counts[name])})
		}
	}
	b.own("Import", list)
	return nil
}
