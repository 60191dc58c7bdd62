package licensing_test

import (
	"testing"

	"licensor/internal/licensing"
)

// The rules of docs/spec/licensing.md, section 1: products and seats.

func TestL1ASKUIsNumberedWhenTheTenantFirstHasIt(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, image: licensing.New(readCatalog(office))}
	equal(t, "SKUs of an empty tenant", len(s.image.SKUs()), 0)
	s.units("VISIO", licensing.Units{Enabled: 3, Suspended: 1})
	s.seats("E3", 2)
	equal(t, "SKUs", names(skuIDs(s.image)), []string{"VISIO", "E3"})
	info := s.sku("VISIO")
	equal(t, "product", info.Product.SKUPartNumber, "VISIO")
	equal(t, "units", info.Units, licensing.Units{Enabled: 3, Suspended: 1})

	err := s.try(func(d *licensing.Draft) error { return d.SetUnits(product("NONE"), licensing.Units{Enabled: 1}, true) })
	s.refused(err, "The catalog has no product with skuId "+product("NONE").String()+". Add it with PUT /licensor/v1/catalog first.")
}

func TestL1ASKUWithoutSubscriptionStaysWhileItIsHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "E3")
	s.do(func(d *licensing.Draft) error { return d.SetUnits(product("E3"), licensing.Units{}, false) })
	equal(t, "subscribed", s.sku("E3").Subscribed, false)
	s.shows("ann", "E3 direct: Active")
	s.assign("ann", "-E3")
	if at := skuIDs(s.image); len(at) != 9 {
		t.Fatalf("E3 is still among %v", names(at))
	}
}

func TestL2CapabilityStatusIsTheBestOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	for want, units := range map[string]licensing.Units{
		"Enabled":   {Enabled: 1, Warning: 1, Suspended: 1, LockedOut: 1},
		"Warning":   {Warning: 1, Suspended: 1, LockedOut: 1},
		"Suspended": {Suspended: 1, LockedOut: 1},
		"LockedOut": {LockedOut: 1},
		"Deleted":   {},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.units("E3", units)
			equal(t, "capabilityStatus", s.sku("E3").Capability, want)
		})
	}
}

func TestL2EnabledAndWarningUnitsCanBeAssigned(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid")
	s.units("E3", licensing.Units{Enabled: 1, Warning: 1, Suspended: 5, LockedOut: 5})
	s.group("all", "ann", "bob", "cid")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Active")
	s.shows("bob", "E3 from all: Active")
	s.shows("cid", "E3 from all: Error/CountViolation")
}

func TestL3AUserTakesOneSeatHoweverManySourcesGiveIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.seats("E3", 1)
	s.assign("ann", "E3 without CHAT")
	s.group("one", "ann")
	s.group("two", "ann")
	s.license("one", "E3")
	s.license("two", "E3 without SITES2")
	s.shows("ann", "E3 direct: Active without CHAT", "E3 from one: Active", "E3 from two: Active without SITES2")
	s.consumed("E3", 1)
	s.assign("ann", "-E3")
	s.leave("one", "ann")
	s.consumed("E3", 1)
	s.leave("two", "ann")
	s.consumed("E3", 0)
}

func TestL3AnEntryInErrorTakesNoSeat(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.locate("ann", "KP")
	s.group("all", "ann")
	s.license("all", "E3")
	s.shows("ann", "E3 from all: Error/ProhibitedInUsageLocationViolation")
	s.consumed("E3", 0)
}

func TestL4UnitsBelowConsumptionTakeNothingAway(t *testing.T) { // scenario 15
	t.Parallel()
	s := newStage(t, "ann", "bob", "cid")
	s.group("all", "ann", "bob")
	s.license("all", "E3")
	s.seats("E3", 1)
	s.shows("ann", "E3 from all: Active")
	s.shows("bob", "E3 from all: Active")
	s.consumed("E3", 2)
	s.join("all", "cid")
	s.shows("cid", "E3 from all: Error/CountViolation")
	s.refused(s.tryAssign("cid", "E3"), "Subscription with SKU "+product("E3").String()+" does not have any available licenses.")
	s.reprocess("ann", "bob", "cid")
	s.shows("bob", "E3 from all: Active")
	s.leave("all", "ann") // now it fits, but still none is free
	s.reprocess("cid")
	s.shows("cid", "E3 from all: Error/CountViolation")
	s.leave("all", "bob")
	s.reprocess("cid")
	s.shows("cid", "E3 from all: Active")
}

func TestL4NoUnitsAtAllTakeNothingAway(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "PHONE")
	s.seats("PHONE", 0)
	s.shows("ann", "PHONE direct: Active")
	equal(t, "plans", s.plansOf("ann"), []string{"CALLS"})
}

func TestL5AProductOfTheCompanyIsNotAssignedToUsers(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	want := "License " + product("ROOM").String() + " cannot be assigned to a user."
	s.refused(s.tryAssign("ann", "ROOM"), want)
	s.refused(s.tryLicense("all", "ROOM"), want)
}

func TestL6SuspendedUnitsShowAsDisabledAndComeBackAsTheyWere(t *testing.T) { // scenario 16
	t.Parallel()
	for want, units := range map[string]licensing.Units{"Suspended": {Suspended: 2, LockedOut: 1}, "LockedOut": {LockedOut: 2}} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "ann", "bob")
			s.seats("PHONE", 1)
			s.group("all", "ann", "bob")
			s.license("all", "PHONE")
			before := s.image.AppendPart(nil, 0)
			s.units("PHONE", units)
			s.shows("ann", "PHONE from all: Disabled")
			s.shows("bob", "PHONE from all: Error/CountViolation")
			s.holds("ann", "PHONE")
			equal(t, "plans", s.plansOf("ann"), []string{"CALLS " + want})
			s.seats("PHONE", 1)
			s.shows("ann", "PHONE from all: Active")
			equal(t, "users", s.image.AppendPart(nil, 0), before)
		})
	}
}

func TestL6AWarningIsNotDisabled(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.assign("ann", "PHONE")
	s.units("PHONE", licensing.Units{Warning: 1, Suspended: 1})
	s.shows("ann", "PHONE direct: Active")
	equal(t, "plans", s.plansOf("ann"), []string{"CALLS Warning"})
}
