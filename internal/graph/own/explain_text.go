package own

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// sentence describes the facts of a reason in words.
func (x *explainer) sentence(r licensing.Reason) string {
	sku, plan := x.sku(r.SKUID), x.plan(r.Plan)
	if len(r.Remedies) > 0 && r.Remedies[0].Kind == licensing.RemedyReprocess {
		return fmt.Sprintf("Nothing prevents %s any longer.", sku)
	}
	switch r.Error {
	case licensing.NoViolation:
		return fmt.Sprintf("%s is %s, %s.", sku, r.State, x.source(r.Direct, r.Group))
	case licensing.CountViolation:
		return fmt.Sprintf("No seat of %s is free: %d of %d are taken.",
			sku, r.Seats.Consumed, r.Seats.Units.Enabled+r.Seats.Units.Warning)
	case licensing.MutuallyExclusiveViolation:
		return fmt.Sprintf("%s of %s conflicts with %s of %s, assigned %s.", plan,
			sku, x.plan(r.OtherPlan), x.sku(r.Other), x.source(r.OtherDirect, r.OtherGroup))
	case licensing.DependencyViolation:
		if r.Needed {
			return fmt.Sprintf("%s cannot be taken away: its %s is needed by %s of %s.",
				sku, plan, x.plan(r.OtherPlan), x.sku(r.Other))
		}
		return fmt.Sprintf("%s of %s needs %s, and the user does not have it.", plan, sku, x.plans(r.Requires, " or "))
	case licensing.ProhibitedInUsageLocationViolation:
		whose := "the user's location"
		if r.LocationOfOrganization {
			whose = "the organization's country, which counts because the user has no usageLocation"
		}
		return fmt.Sprintf("%s of %s is not available in %s, %s.", plan, sku, r.Location, whose)
	case licensing.UniquenessViolation:
		address := "an address"
		if len(x.sharing) > 0 {
			address = x.sharing[0].address
		}
		return fmt.Sprintf("%s of %s needs addresses that no other user has, but another user also has %s.",
			plan, sku, address)
	}
	return fmt.Sprintf("Nothing is wrong with %s itself, but it is assigned together with %s, which failed.",
		sku, x.sku(r.Other))
}

// whom are the users of a remedy, in words.
type whom struct{ user, users, assignment string }

var (
	oneUser   = whom{"the user", "the user's", "direct assignment of "}
	manyUsers = whom{"the users", "the users'", "direct assignments of "}
)

// remedy describes in words how to resolve an error.
func (x *explainer) remedy(m licensing.Remedy, of whom) string {
	switch m.Kind {
	case licensing.RemedyFreeSeats:
		return fmt.Sprintf("Free or buy %d more of %s, then reprocess %s.", m.Seats, x.sku(m.SKUID), of.user)
	case licensing.RemedyDisablePlan:
		return fmt.Sprintf("Disable %s in the %s.", x.plans(m.Plans, " and "), x.assignment(m, of))
	case licensing.RemedyAddPlan:
		return fmt.Sprintf("Give %s a license with %s, then reprocess %s.", of.user, x.plans(m.Plans, " or "), of.user)
	case licensing.RemedyRemoveLicense:
		return fmt.Sprintf("Remove the %s.", x.assignment(m, of))
	case licensing.RemedyChangeLocation:
		return fmt.Sprintf("Set %s usageLocation to where the plan is available, then reprocess %s.", of.users, of.user)
	case licensing.RemedyChangeAddress:
		return fmt.Sprintf("Change the proxy address or mail of one of the two users, then reprocess %s.", of.user)
	case licensing.RemedyClearOther:
		return fmt.Sprintf("Clear the error of %s.", x.sku(m.SKUID))
	}
	return fmt.Sprintf("Reprocess %s.", of.user)
}

// assignment describes the assignment that a remedy changes.
func (x *explainer) assignment(m licensing.Remedy, of whom) string {
	if m.Direct {
		return of.assignment + x.sku(m.SKUID)
	}
	return fmt.Sprintf("assignment of %s to %s", x.sku(m.SKUID), x.groupName(m.Group))
}

func (x *explainer) source(direct bool, group uint32) string {
	if direct {
		return "directly"
	}
	return "from " + x.groupName(group)
}

func (x *explainer) groupName(group uint32) string {
	id := x.image.Directory.GroupID(group)
	if name := x.group(group); name != "" {
		return fmt.Sprintf("group %s (%s)", name, id)
	}
	return "group " + id.String()
}

func (x *explainer) sku(id uuid.UUID) string {
	if name := x.partNumber(id); name != "" {
		return name
	}
	return id.String()
}

func (x *explainer) plan(id uuid.UUID) string {
	if p, ok := x.image.Licensing.Plan(id); ok {
		return p.Name
	}
	return id.String()
}

func (x *explainer) plans(ids []uuid.UUID, joined string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = x.plan(id)
	}
	return strings.Join(names, joined)
}
