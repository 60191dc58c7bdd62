package own

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// rowReaders read the kinds of lines.
var rowReaders = map[string]func(row *tenant.ImportRow, inner []directory.Member) error{
	"user":  userReader(directory.ParseUserImport),
	"group": groupReader(directory.ParseGroupImport),
	"member": func(row *tenant.ImportRow, inner []directory.Member) error {
		m := new(tenant.Membership)
		row.Membership = m
		return wire.Read("member", inner, map[string]any{"group": &m.Group, "member": &m.Member}, "group", "member")
	},
	"owner": func(row *tenant.ImportRow, inner []directory.Member) error {
		o := new(tenant.OwnerRow)
		row.Owner = o
		return wire.Read("owner", inner, map[string]any{"group": &o.Group, "owner": &o.Owner}, "group", "owner")
	},
	"manager": func(row *tenant.ImportRow, inner []directory.Member) error {
		m := new(tenant.ManagerRow)
		row.Manager = m
		return wire.Read("manager", inner, map[string]any{"user": &m.User, "manager": &m.Manager}, "user", "manager")
	},
	"license": func(row *tenant.ImportRow, inner []directory.Member) error {
		l := new(tenant.LicenseRow)
		row.License = l
		return wire.Read("license", inner,
			map[string]any{"group": &l.Group, "skuId": &l.SKUID, "disabledPlans": &l.DisabledPlans}, "group", "skuId")
	},
	"state": func(row *tenant.ImportRow, inner []directory.Member) error {
		s := new(tenant.StateRow)
		row.State = s
		return wire.Read("state", inner, map[string]any{
			"user": &s.User, "skuId": &s.SKUID, "assignedByGroup": (*wire.ID)(&s.ByGroup), "disabledPlans": &s.DisabledPlans,
			"state": &s.State, "error": &s.Error,
		}, "user", "skuId", "state", "error")
	},
	"settings": func(row *tenant.ImportRow, inner []directory.Member) (err error) {
		row.Settings = new(tenant.UpdateSettings)
		*row.Settings, err = readSettings(inner)
		return err
	},
	"price": func(row *tenant.ImportRow, inner []directory.Member) error {
		row.Price = new(tenant.Price)
		return readPrice(inner, row.Price)
	},
	"subscription": func(row *tenant.ImportRow, inner []directory.Member) (err error) {
		row.Subscription = new(tenant.CreateSubscription)
		*row.Subscription, err = licenses.ReadImportedSubscription(inner)
		return err
	},
}

// exactReaders read those of an export that differ.
var exactReaders = map[string]func(row *tenant.ImportRow, inner []directory.Member) error{
	"user":  userReader(directory.ParseUserExport),
	"group": groupReader(directory.ParseGroupExport),
}

func userReader(
	parse func([]directory.Member) (directory.UserPatch, error),
) func(row *tenant.ImportRow, inner []directory.Member) error {
	return func(row *tenant.ImportRow, inner []directory.Member) (err error) {
		row.User = new(tenant.ImportUser)
		if row.User.ID, err = readID(inner); err == nil {
			row.User.Seen, inner, err = takeActivity(inner)
		}
		if err == nil {
			row.User.Patch, err = parse(inner)
			directory.ForgetTexts(row.User.Patch)
		}
		return err
	}
}

func groupReader(
	parse func([]directory.Member) (directory.GroupPatch, error),
) func(row *tenant.ImportRow, inner []directory.Member) error {
	return func(row *tenant.ImportRow, inner []directory.Member) (err error) {
		row.Group = new(tenant.ImportGroup)
		if row.Group.ID, err = readID(inner); err == nil {
			row.Group.Patch, err = parse(inner)
			directory.CopyTexts(row.Group.Patch)
		}
		return err
	}
}

// rowKinds are the names of rowReaders.
var rowKinds = slices.Sorted(maps.Keys(rowReaders))

// rowReader parses lines, one after the other.
type rowReader struct {
	outer, inner directory.Splitter
	exact        bool // they are those of an export
}

// read parses a line.
func (r *rowReader) read(text []byte) (tenant.ImportRow, error) {
	if m, ok := plainMembership(text); ok {
		return tenant.ImportRow{Membership: m}, nil
	}
	return r.readAny(text)
}

func (r *rowReader) readAny(text []byte) (row tenant.ImportRow, err error) {
	if !utf8.Valid(text) { // decoding would replace what is wrong
		return row, problem.Refuse("It is not UTF-8.")
	}
	outer, err := r.outer.Members(text)
	if err != nil {
		return row, err
	}
	if len(outer) != 1 {
		return row, problem.Refuse("A line is an object with one property: %s.", strings.Join(rowKinds, ", "))
	}
	inner, err := r.inner.MembersOf(outer[0])
	if isMistyped(err) {
		err = &wire.ValueError{Property: outer[0].Name, Value: outer[0].Value, Want: "an object", Err: err}
	}
	if err == nil {
		err = wire.Keepable(outer[0].Name, inner)
	}
	if err != nil {
		return row, err
	}
	wire.Spell(outer, rowKinds)
	read, ok := rowReaders[outer[0].Name]
	if !ok {
		return row, &directory.InvalidError{
			Kind: directory.InvalidUnknown, Resource: "line", Property: outer[0].Name,
			Want: "one of " + strings.Join(rowKinds, ", "),
		}
	}
	if exact, ok := exactReaders[outer[0].Name]; ok && r.exact {
		read = exact
	}
	err = read(&row, inner)
	return row, err
}

// readID returns the id of an object, uuid.Nil if it has none.
func readID(members []directory.Member) (uuid.UUID, error) {
	at := slices.IndexFunc(members, func(m directory.Member) bool { return m.Is("id") })
	if at < 0 {
		return uuid.Nil, nil
	}
	id, err := wire.ReadID("id", members[at].Value)
	if err != nil {
		err = &wire.ValueError{Property: "id", Value: members[at].Value, Want: wire.WantID, Err: err}
	}
	return id, err
}
