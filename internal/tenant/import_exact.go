package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// OwnerRow makes a user an owner of a group.
type OwnerRow struct{ Group, Owner uuid.UUID }

// ManagerRow sets a user's manager.
type ManagerRow struct{ User, Manager uuid.UUID }

// LicenseRow assigns a license to a group.
type LicenseRow struct {
	Group         uuid.UUID
	SKUID         uuid.UUID
	DisabledPlans []uuid.UUID
}

// StateRow is the state of a user's license, as an export has it.
type StateRow struct {
	User          uuid.UUID
	SKUID         uuid.UUID
	ByGroup       uuid.UUID // uuid.Nil: it is direct
	DisabledPlans []uuid.UUID
	State         string // a value of licenseAssignmentState.state
	Error         string // a value of licenseAssignmentState.error
}

// user returns a user that a row refers to. Only an exact import has deleted ones.
func (im *importing) user(id uuid.UUID) (uint32, error) {
	user, ok := im.dir.UserByID(id)
	if !ok || im.dir.UserDeleted(user) && !im.exact {
		return 0, notFound(id.String())
	}
	return user, nil
}

// group is user for a group, whose members and owners the caller may add.
func (im *importing) group(id uuid.UUID) (uint32, error) {
	group, ok := im.dir.GroupByID(id)
	if !ok || im.dir.GroupDeleted(group) && !im.exact {
		return 0, noSuch(id)
	}
	if im.noRoles != nil && im.canHaveRoles(group) {
		return 0, im.noRoles
	}
	return group, nil
}

// nest adds a group or a service principal to a group.
func (im *importing) nest(group uint32, id uuid.UUID) error {
	member, isGroup := im.dir.GroupByID(id)
	if !im.exact || !isGroup || member == group || im.canHaveRoles(group) {
		return im.addOther(group, id)
	}
	if !im.record(Nesting{Group: group, Member: member}) {
		return alreadyThere(id, "members")
	}
	return nil
}

func (im *importing) owner(row OwnerRow) error {
	group, err := im.group(row.Group)
	if err != nil {
		return err
	}
	owner, err := im.user(row.Owner)
	if err != nil {
		return err
	}
	if err := few(row.Group, "owners", maxOwners, len(im.dir.Owners(group))); err != nil {
		return err
	}
	if !im.record(Ownership{Group: group, Member: owner}) {
		return alreadyThere(row.Owner, "owners")
	}
	return nil
}

func (im *importing) manager(row ManagerRow) error {
	user, err := im.user(row.User)
	if err != nil {
		return err
	}
	manager, err := im.user(row.Manager)
	if err != nil {
		return err
	}
	if user == manager {
		return invalid(row.User, "User %s cannot be the manager of itself.", row.User)
	}
	now := ManagerNow{User: user, Manager: manager}
	if before, ok := im.dir.Manager(user); ok {
		now.Before = before + 1
	}
	im.record(now)
	return nil
}

func (im *importing) license(row LicenseRow) error {
	group, ok := im.dir.GroupByID(row.Group)
	if !ok {
		return noSuch(row.Group)
	}
	im.join() // members that came before get it with the others
	assign := licensing.Assign{SKUID: row.SKUID, DisabledPlans: row.DisabledPlans}
	cmd := AssignGroup{Group: group, Add: []licensing.Assign{assign}}
	if !im.exact {
		return cmd.run(im.change)
	}
	if err := cmd.few(im.change, row.Group); err != nil {
		return err
	}
	return im.lic.SetExactLicense(group, assign)
}

func (im *importing) state(row StateRow) error {
	if !im.exact {
		return invalid(row.User, "States of licenses are imported with exact=true only. "+
			"Leave them out to have the licenses evaluated again.")
	}
	user, err := im.user(row.User)
	if err != nil {
		return err
	}
	s := licensing.ExactState{Source: licensing.Direct, SKUID: row.SKUID, DisabledPlans: row.DisabledPlans}
	if row.ByGroup != uuid.Nil {
		group, ok := im.dir.GroupByID(row.ByGroup)
		if !ok {
			return noSuch(row.ByGroup)
		}
		s.Source = licensing.FromGroup(group)
	}
	switch row.State {
	case licensing.StateActive, licensing.StateActiveWithError, licensing.StateDisabled:
		s.InForce = true
	case licensing.StateError:
	default:
		return invalid(row.State, "state is '%s': it must be %s, %s, %s or %s.", row.State, licensing.StateActive,
			licensing.StateActiveWithError, licensing.StateDisabled, licensing.StateError)
	}
	var ok bool
	if s.Error, ok = licensing.ParseViolation(row.Error); !ok {
		return invalid(row.Error, "error is '%s', which is not an error of a license.", row.Error)
	}
	im.join() // the license of a group needs the membership
	return im.lic.SetExact(user, s)
}
