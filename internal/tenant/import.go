package tenant

import (
	"cmp"
	"errors"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/membership"
)

// Import imports a batch of rows from another directory's export in one commit. A row with an error
// is reported and changes nothing; the others are imported. With an ID, rows up to the last line
// that was imported with the same ID are skipped, so an interrupted import can be sent again. This
// is remembered for a week, for the latest 1,000 imports.
type Import struct {
	ID   string
	Rows []ImportRow
	// NoRoles is the reason why the caller must not add members and owners to role-assignable
	// groups; nil if it may.
	NoRoles error
	// Exact imports an export: licenses are not evaluated but as the States say, users and groups may
	// be deleted, and properties without a value get none.
	Exact bool
	// Existing counts rows whose object or relation was there before the import, instead of refusing
	// them.
	Existing bool
}

// ImportRow is a line of an import. One of its fields is set.
type ImportRow struct {
	Line         int64
	User         *ImportUser
	Group        *ImportGroup
	Membership   *Membership
	Subscription *CreateSubscription
	Owner        *OwnerRow
	Manager      *ManagerRow
	License      *LicenseRow
	State        *StateRow
	Settings     *UpdateSettings
	Price        *Price
}

// Membership adds a user or group, by id or userPrincipalName, to a group, by id.
type Membership struct {
	Group  string
	Member string
}

// ImportGroup adds a group of another directory.
type ImportGroup struct {
	ID    uuid.UUID // uuid.Nil: a new one
	Patch directory.GroupPatch
}

// RowProblem is a row that was not imported.
type RowProblem struct {
	Line    int64
	Problem error
}

func (Import) name() string { return "import" }

func (cmd Import) run(c *change) error {
	if len(cmd.ID) > MaxImportID {
		return invalid("id", "The id of an import must have at most %d characters; it has %d.", MaxImportID, len(cmd.ID))
	}
	before := c.next.imported(cmd.ID, c.at)
	last := before
	c.noted.nothing = true
	im := importing{change: c, noRoles: cmd.NoRoles, exact: cmd.Exact, roles: map[uint32]bool{}}
	c.imports, c.exact = true, cmd.Exact
	if cmd.Exact {
		c.lic.Exact()
	}
	for _, row := range cmd.Rows {
		if cmd.ID != "" && row.Line <= last {
			c.done.Skipped++
			continue
		}
		if err := im.row(row); err != nil {
			if !ofTheRow(err) && !errors.Is(err, cmd.NoRoles) {
				return err
			}
			if cmd.Existing && im.existed(&row) {
				c.done.Existing++
			} else {
				c.done.Rows = append(c.done.Rows, RowProblem{row.Line, err})
			}
		}
		last = row.Line
	}
	im.join()
	if cmd.ID != "" && last > before {
		c.record(&ImportMark{cmd.ID, last})
	}
	return nil
}

// ofTheRow reports whether an error is in the row, rather than in the store.
func ofTheRow(err error) bool {
	var problem *CommandError
	var bad *directory.InvalidError
	var rule *membership.RefusalError
	return errors.As(err, &bad) || errors.As(err, &rule) || isRefusal(err) ||
		errors.As(err, &problem) && problem.Kind != ProblemUnavailable
}

// importing collects memberships, so that a group's new members are added at once.
type importing struct {
	*change
	noRoles error
	exact   bool
	joins   map[uint32]*roaring.Bitmap
	order   []uint32
	roles   map[uint32]bool // checked groups: whether they are role-assignable
	scratch directory.User
}

func (im *importing) row(row ImportRow) error {
	switch {
	case row.User != nil:
		return row.User.add(im.change, &im.scratch, im.exact)
	case row.Group != nil:
		return row.Group.add(im.change, im.exact)
	case row.Membership != nil:
		return im.member(row.Line, *row.Membership)
	case row.Subscription != nil:
		return row.Subscription.run(im.change)
	case row.Owner != nil:
		return im.owner(*row.Owner)
	case row.Manager != nil:
		return im.manager(*row.Manager)
	case row.License != nil:
		return im.license(*row.License)
	case row.State != nil:
		return im.state(*row.State)
	case row.Settings != nil:
		return row.Settings.run(im.change)
	case row.Price != nil:
		return im.addPrice(*row.Price)
	}
	return invalid(row.Line, "Line %d says nothing.", row.Line)
}

func (im *importing) member(line int64, m Membership) error {
	id, err := parseID(m.Group)
	if err != nil {
		return err
	}
	group, err := im.group(id)
	if err != nil {
		return err
	}
	user, err := im.find(m.Member)
	if !im.exact && im.following.followed(group) != nil {
		if err != nil { // only users follow from a rule
			return cmp.Or(im.byHandOther(group, m.Member), err)
		}
		im.expected = append(im.expected, expectedMember{line, user, group})
		return nil
	}
	if err != nil {
		if member, err := parseID(m.Member); err == nil {
			return im.nest(group, member)
		}
		return err
	}
	if im.exact && im.dir.IsMember(user, group) && im.next.Rules.of(group) != nil {
		return nil // the rule was evaluated after an earlier part of the import
	}
	joins := im.joins[group]
	if joins == nil {
		joins = roaring.New()
		if im.joins == nil {
			im.joins = map[uint32]*roaring.Bitmap{}
		}
		im.joins[group] = joins
		im.order = append(im.order, group)
	}
	if im.dir.IsMember(user, group) || !joins.CheckedAdd(user) {
		return alreadyThere(im.dir.UserID(user), "members")
	}
	return nil
}

// canHaveRoles is roleAssignable, but reads the documents of new groups only once per group.
func (im *importing) canHaveRoles(group uint32) bool {
	can, known := im.roles[group]
	if !known {
		can = im.roleAssignable(group)
		im.roles[group] = can
	}
	return can
}

// find returns a live user, including users of the same import.
func (im *importing) find(key string) (uint32, error) {
	if id, err := parseID(key); err == nil {
		return im.user(id)
	}
	if user, ok := im.dir.UserByName(key); ok {
		return user, nil
	}
	return 0, notFound(key)
}

func (im *importing) join() {
	for _, group := range im.order {
		im.change.join(group, im.joins[group])
	}
	im.joins, im.order = nil, nil
}

func (cmd ImportGroup) add(c *change, exact bool) error {
	id := cmd.ID
	if id == uuid.Nil {
		id = c.freshID()
	}
	made := directory.NewGroup
	if exact {
		made = directory.ExactGroup
	}
	g, err := made(cmd.Patch, id, c.at)
	if err != nil {
		return err
	}
	if g.Dynamic() && notServed(g.MembershipRule) {
		g.MembershipRuleProcessingState = directory.RulePaused
	}
	if !exact {
		g.GiveAddress(c.next.Organization.DefaultDomain())
	}
	_, err = c.addGroup(g)
	return err
}
