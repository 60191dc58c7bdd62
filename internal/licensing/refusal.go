package licensing

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// RefusalError is the reason that an assignment cannot be made; nothing has changed. Its text is
// the real service's if that is known (L22).
type RefusalError struct {
	Kind    RefusalKind
	SKUID   uuid.UUID
	Plans   []uuid.UUID
	Country Country
	Reason  *Reason // the facts of a check that failed
	names   []string
}

// RefusalKind is the kind of a refusal.
type RefusalKind uint8

// The refusals.
const (
	RefusalNoUsageLocation RefusalKind = iota + 1
	RefusalNoSeats
	RefusalNotSubscribed
	RefusalCompanyProduct
	RefusalConflict
	RefusalDependency
	RefusalProhibited
	RefusalDuplicateAddress
	RefusalNotHeld
	RefusalInherited
	RefusalPlanNotInSKU
	RefusalRepeated
	RefusalUserDeleted
	RefusalUnknownProduct
	RefusalGroupLicensed
	RefusalGroupNotHolding
	RefusalGroupConflict
	RefusalGroupDependency
)

func (r *RefusalError) Error() string {
	switch r.Kind {
	case RefusalNoUsageLocation:
		return "License assignment cannot be done for user with invalid usage location."
	case RefusalNoSeats:
		return fmt.Sprintf("Subscription with SKU %s does not have any available licenses.", r.SKUID)
	case RefusalNotSubscribed:
		return fmt.Sprintf("License %s does not correspond to a valid company License.", r.SKUID)
	case RefusalCompanyProduct:
		return fmt.Sprintf("License %s cannot be assigned to a user.", r.SKUID)
	case RefusalConflict:
		return "License assignment failed because service plans " + joined(r.Plans) + " are mutually exclusive"
	case RefusalDependency:
		return fmt.Sprintf("License assignment failed because service plan %s depends on the service plan(s) %s",
			r.Plans[0], joined(r.Plans[1:]))
	case RefusalProhibited:
		return fmt.Sprintf("License assignment failed because service plan %s is not available in the usage "+
			"location %s.", joined(r.Plans), r.Country)
	case RefusalDuplicateAddress:
		return fmt.Sprintf("License assignment failed because another user also has a proxy address of the user, "+
			"which service plan %s does not allow.", joined(r.Plans))
	case RefusalNotHeld:
		return "User does not have a corresponding license."
	case RefusalInherited:
		return "User license is inherited from a group membership and it cannot be removed directly from the user."
	}
	return r.ownText()
}

// ownText has the texts for refusals whose text in the real service is unknown.
func (r *RefusalError) ownText() string {
	switch r.Kind {
	case RefusalPlanNotInSKU:
		return fmt.Sprintf("Disabled plan %s is not a service plan of license %s.", joined(r.Plans), r.SKUID)
	case RefusalRepeated:
		return fmt.Sprintf("License %s is named more than once in addLicenses and removeLicenses; name it once.",
			r.SKUID)
	case RefusalUserDeleted:
		return "Licenses of a deleted user cannot be changed. Restore the user first."
	case RefusalUnknownProduct:
		return fmt.Sprintf("The catalog has no product with skuId %s. Add it with PUT /licensor/v1/catalog first.",
			r.SKUID)
	case RefusalGroupLicensed:
		return "A group with active licenses assigned cannot be deleted."
	case RefusalGroupNotHolding:
		return fmt.Sprintf("Group does not have a corresponding license: %s.", r.SKUID)
	case RefusalGroupConflict:
		return "License operation failed. Service plans " + strings.Join(r.names,
			", ") + " of the group's licenses are mutually exclusive."
	case RefusalGroupDependency:
		return "License operation failed. Make sure that the group has necessary services before adding or " +
			"removing a dependent service. Service plan " +
			"" + r.names[0] + " depends on " + strings.Join(r.names[1:], " or ") + "."
	}
	return fmt.Sprintf("License %s cannot be assigned.", r.SKUID)
}

func joined(ids []uuid.UUID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, ", ")
}

// names returns the plans by name and id, for people.
func (r *ruleset) names(plans []uuid.UUID) []string {
	texts := make([]string, len(plans))
	for i, id := range plans {
		texts[i] = id.String()
		if at, ok := r.plans[id]; ok {
			texts[i] = r.plan(at).Name + " (" + id.String() + ")"
		}
	}
	return texts
}

// refusal converts the first error of a refused bundle into a refusal.
func (e *evaluation) refusal(b span) *RefusalError {
	for i := b.lo; i < b.hi; i++ {
		if verdict := e.entries[i].Error; verdict != NoViolation && verdict != OtherViolation {
			why := e.explain(i, b)
			return why.refusal(e.sku(e.entries[i].SKU).id)
		}
	}
	return &RefusalError{}
}

// Refusal returns the refusal of a direct request for this reason: the text of L22 for reprocessing
// that responds with an error (L71).
func (r *Reason) Refusal() *RefusalError { return r.refusal(r.SKUID) }

func (r *Reason) refusal(id uuid.UUID) *RefusalError {
	f := &RefusalError{SKUID: id, Reason: r, Plans: []uuid.UUID{r.Plan}}
	switch r.Error {
	case CountViolation:
		f.Kind = RefusalNoSeats
	case MutuallyExclusiveViolation:
		f.Kind, f.Plans = RefusalConflict, []uuid.UUID{r.Plan, r.OtherPlan}
	case DependencyViolation:
		f.Kind = RefusalDependency
		if f.Plans = append([]uuid.UUID{r.Plan}, r.Requires...); r.Needed {
			f.Plans = []uuid.UUID{r.OtherPlan, r.Plan}
		}
	case ProhibitedInUsageLocationViolation:
		f.Kind, f.Country = RefusalProhibited, r.Location
	case UniquenessViolation:
		f.Kind = RefusalDuplicateAddress
	}
	return f
}
