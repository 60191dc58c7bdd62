package engine_test

import (
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

func (s *simulation) user() uint32 { return s.random.Uint32N(s.Image().Directory.Users()) }

func (s *simulation) group() uint32 { return s.random.Uint32N(s.Image().Directory.Groups()) }

func (s *simulation) sku() uuid.UUID { return []uuid.UUID{e3, ems}[s.random.IntN(2)] }

func (s *simulation) name() string { return fmt.Sprint("user", s.random.IntN(12)) }

// member returns the id of a user, or sometimes of a group.
func (s *simulation) member() uuid.UUID {
	if s.random.IntN(6) == 0 {
		return s.Image().Directory.GroupID(s.group())
	}
	return s.Image().Directory.UserID(s.user())
}

// command returns a random command of any kind. Many are refused, as intended.
func (s *simulation) command() tenant.Command {
	dir := s.Image().Directory
	switch {
	case dir.Users() < 2:
		return newUser(s.tb, s.name())
	case dir.Groups() < 2:
		return newGroup(s.tb, "group")
	}
	sorts := []func() tenant.Command{
		s.userCommand, s.userCommand, s.groupCommand, s.groupCommand, s.licenseCommand, s.licenseCommand,
		s.licenseCommand, s.reprocessing, s.importing, s.ruleCommand, s.ruleCommand,
	}
	return sorts[s.random.IntN(len(sorts))]()
}

func (s *simulation) userCommand() tenant.Command {
	switch s.random.IntN(10) {
	case 0:
		return tenant.DeleteUser{User: s.user()}
	case 1:
		return tenant.RestoreUser{User: s.user()}
	case 2:
		return tenant.PurgeUser{User: s.user()}
	case 3:
		return tenant.UpdateUser{User: s.user(), Patch: userPatch(s.tb,
			`{"userPrincipalName":"%s@test.example","displayName":"%s"}`, s.name(), s.name())}
	case 4:
		location := []string{"null", `"DE"`, `"FR"`}[s.random.IntN(3)]
		return tenant.UpdateUser{User: s.user(), Patch: userPatch(s.tb, `{"usageLocation":%s}`, location)}
	case 5:
		department := departments[s.random.IntN(len(departments))]
		return tenant.UpdateUser{User: s.user(), Patch: userPatch(s.tb, `{"department":%s}`, department)}
	case 6:
		if s.random.IntN(3) == 0 {
			return tenant.RemoveManager{User: s.user()}
		}
		return tenant.SetManager{User: s.user(), Manager: s.Image().Directory.UserID(s.user())}
	}
	return newUser(s.tb, s.name())
}

func (s *simulation) groupCommand() tenant.Command {
	switch s.random.IntN(9) {
	case 0:
		return newGroup(s.tb, "group")
	case 1:
		return tenant.DeleteGroup{Group: s.group()}
	case 2:
		return tenant.RestoreGroup{Group: s.group()}
	case 3, 4:
		return tenant.RemoveMember{Group: s.group(), Member: s.member()}
	}
	return tenant.AddMembers{Group: s.group(), Members: []uuid.UUID{s.member()}}
}

func (s *simulation) licenseCommand() tenant.Command {
	switch s.random.IntN(8) {
	case 0:
		return tenant.AssignGroup{Group: s.group(), Remove: []uuid.UUID{s.sku()}}
	case 1:
		return tenant.AssignUser{User: s.user(), Remove: []uuid.UUID{s.sku()}}
	case 2, 3:
		return tenant.AssignUser{User: s.user(), Add: []licensing.Assign{{SKUID: s.sku()}}}
	case 4:
		return s.moreSeats()
	}
	return tenant.AssignGroup{Group: s.group(), Add: []licensing.Assign{{SKUID: s.sku()}}}
}

// moreSeats buys a seat. Seats are never removed: holders would keep theirs, and more seats could
// be consumed than there are (L4).
func (s *simulation) moreSeats() tenant.Command {
	all := s.Image().Subscriptions
	one := all[s.random.IntN(len(all))]
	total := min(one.TotalLicenses+1, 4)
	return tenant.UpdateSubscription{ID: one.ID, TotalLicenses: &total}
}

func (s *simulation) reprocessing() tenant.Command {
	switch s.random.IntN(5) {
	case 0:
		return tenant.Reprocess{Users: []uint32{s.user()}}
	case 1:
		return tenant.Reprocess{Groups: []uint32{s.group()}}
	case 2:
		return tenant.Reprocess{InError: true}
	case 3:
		on := s.random.IntN(2) == 0
		return tenant.UpdateSettings{AutoReprocess: &on}
	}
	return tenant.Reprocess{All: true}
}

// importing imports users and memberships, some of which exist already.
func (s *simulation) importing() tenant.Command {
	cmd := tenant.Import{ID: fmt.Sprint("import", s.random.IntN(3))}
	for line := range 1 + s.random.IntN(6) {
		row := tenant.ImportRow{Line: int64(line + 1)}
		if s.random.IntN(2) == 0 {
			row.User = &tenant.ImportUser{Patch: newUser(s.tb, s.name()).Patch}
		} else {
			group := s.Image().Directory.GroupID(s.group()).String()
			row.Membership = &tenant.Membership{Group: group, Member: s.name() + "@test.example"}
		}
		cmd.Rows = append(cmd.Rows, row)
	}
	return cmd
}
