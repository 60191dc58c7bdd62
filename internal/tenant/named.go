package tenant

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// nameColumns are the columns with the names of users and groups.
var nameColumns = struct{ user, principal, userType, group, groupTypes int }{
	columnOf(directory.AboutUser, "displayName"), columnOf(directory.AboutUser, "userPrincipalName"),
	columnOf(directory.AboutUser, "userType"),
	columnOf(directory.AboutGroup, "displayName"), columnOf(directory.AboutGroup, "groupTypes"),
}

func columnOf(about func(string) (*directory.Asked, bool), name string) int {
	asked, ok := about(name)
	if !ok {
		panic("there is no column " + name)
	}
	return asked.Column
}

// UserNamed returns the names of a user, which has none if it is purged.
func (img *Image) UserNamed(user uint32) Named {
	row := img.Directory.UserColumns().Row(user)
	return Named{
		Kind: store.KindUser, Ordinal: user, ID: img.Directory.UserID(user),
		Name:      row.Value(nameColumns.user).Text,
		Principal: row.Value(nameColumns.principal).Text,
		Type:      row.Value(nameColumns.userType).Text,
	}
}

// GroupNamed returns the name of a group, which has none if it is purged.
func (img *Image) GroupNamed(group uint32) Named {
	row := img.Directory.GroupColumns().Row(group)
	return Named{
		Kind: store.KindGroup, Ordinal: group, ID: img.Directory.GroupID(group),
		Name:    row.Value(nameColumns.group).Text,
		Unified: slices.Contains(row.Value(nameColumns.groupTypes).Texts, directory.Unified),
	}
}

// mentioned returns the users and groups that effects mention, given how many users there were
// before. It may omit users once there are more than most.
func (f *Effects) mentioned(before uint32, most uint64) (users, groups *roaring.Bitmap) {
	users, groups = roaring.New(), roaring.New()
	users.AddRange(uint64(before), uint64(before)+uint64(len(f.NewUsers)))
	for _, m := range f.Users {
		users.Add(m.Ordinal)
	}
	for _, m := range f.Groups {
		groups.Add(m.Ordinal)
	}
	for _, l := range f.Nested {
		groups.AddMany([]uint32{l.Group, l.Member})
	}
	for _, l := range f.Owners {
		groups.Add(l.Group)
		users.Add(l.Member)
	}
	for _, m := range f.Managers {
		if users.Add(m.User); m.Before > 0 {
			users.Add(m.Before - 1)
		}
		if !m.Removed {
			users.Add(m.Manager)
		}
	}
	if f.Licensing != nil {
		f.mentionedByLicensing(users, groups, most)
	}
	return users, groups
}

// mentionedIDs returns the ids of the objects that effects mention by id, at most so many.
func (f *Effects) mentionedIDs(most int) (ids []uuid.UUID) {
	add := func(id uuid.UUID) {
		if id != uuid.Nil && len(ids) < most && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, now := range slices.Concat(f.Applications, f.Principals, f.Units) {
		if now.ID != nil {
			add(*now.ID)
		}
	}
	for _, l := range f.Links {
		add(l.From)
		add(l.To)
	}
	for _, r := range f.Roles {
		add(r.Principal)
	}
	for _, g := range f.Grants {
		add(g.Grant.Client)
	}
	return ids
}

// namedByID returns the name of an object of any kind, which may be deleted; false if there is
// none.
func (img *Image) namedByID(id uuid.UUID) (Named, bool) {
	if user, ok := img.Directory.UserByID(id); ok {
		return img.UserNamed(user), true
	}
	if group, ok := img.Directory.GroupByID(id); ok {
		return img.GroupNamed(group), true
	}
	named := Named{ID: id}
	if at, ok := img.Principals.EverByID(id); ok {
		named.Kind, named.Ordinal, named.Name = store.KindServicePrincipal, at, img.Principals.At(at).DisplayName
	} else if at, ok := img.Applications.EverByID(id); ok {
		named.Kind, named.Ordinal, named.Name = store.KindApplication, at, img.Applications.At(at).DisplayName
	} else if at, ok := img.Units.EverByID(id); ok {
		named.Kind, named.Ordinal, named.Name = store.KindAdministrativeUnit, at, img.Units.At(at).DisplayName
	}
	return named, named.Kind != 0
}

func (f *Effects) mentionedByLicensing(users, groups *roaring.Bitmap, most uint64) {
	add := func(data []byte) {
		if len(data) > 0 && users.GetCardinality() <= most {
			_ = Unite(users, data) // the command has just made it
		}
	}
	for _, g := range f.Licensing.Groups {
		groups.Add(g.Group)
		add(g.Joined)
		add(g.Left)
	}
	for _, change := range f.Licensing.Changes {
		if source, ok := change.Source.Group(); ok {
			groups.Add(source)
		}
		add(change.Users)
	}
}

// DecodeRecord returns the Record of effects, which is empty for commits of earlier formats.
func (f *Effects) DecodeRecord() (*Record, error) {
	r := new(Record)
	if len(f.Record) > 0 {
		if err := decoding.Unmarshal(f.Record, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}
