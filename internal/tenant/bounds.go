package tenant

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
)

// bound is the maximum number of something in a tenant. Data of earlier versions may exceed it;
// then nothing can be added.
type bound struct {
	what  string
	most  int
	count func(*Image) int
}

// bounds are far above what organizations have. They prevent a caller that may add objects from
// filling memory and disk. The properties of one object have bounds of their own
// (directory/rule.go, graph/wire/shapes.go), and so have trusted issuers
// (directory/signin_check.go).
var bounds = []bound{
	{
		"users, permanently deleted ones included", 10_000_000,
		func(img *Image) int { return int(img.Directory.Users()) },
	},
	{
		"groups, permanently deleted ones included", 1_000_000,
		func(img *Image) int { return int(img.Directory.Groups()) },
	},
	{"applications", 100_000, func(img *Image) int { return countOf(img.Applications, 100_000) }},
	{"service principals", 100_000, func(img *Image) int { return countOf(img.Principals, 100_000) }},
	{"administrative units", 10_000, func(img *Image) int { return countOf(img.Units, 10_000) }},
	{"subscriptions", 10_000, func(img *Image) int { return len(img.Subscriptions) }},
	{"delegated permission grants", 1_000_000, func(img *Image) int { return img.Grants.Len() }},
	{
		"owners, sponsors, app role assignments and members that are not users, together", 1_000_000,
		func(img *Image) int { return img.Links.Len() },
	},
	{"memberships of users in groups", 200_000_000, func(img *Image) int { return img.Memberships }},
	{"groups that are members of groups", 10_000_000, func(img *Image) int { return img.Nested }},
	{"members of administrative units", 100_000_000, func(img *Image) int { return img.UnitMembers.Len() }},
	{
		"users, groups and service principals with directory roles", 10_000,
		func(img *Image) int { return len(img.Roles) },
	},
}

// The maximum numbers for one object. Those of owners and sponsors are Graph's own.
const (
	maxOwners        = 100
	maxSponsors      = 5
	maxGroupLicenses = 1000
	maxEntries       = 10_000 // licenses of a user, directly and from groups
)

// fewLinks are the bounds of the links that AddLink makes.
var fewLinks = map[directory.Relation]struct {
	what string
	most int
}{
	directory.RelationOwnedBy: {"owners", maxOwners}, directory.RelationSponsoredBy: {"sponsors", maxSponsors},
}

// few returns an error if an object already has the maximum number.
func few(id uuid.UUID, what string, most, has int) error {
	if has < most {
		return nil
	}
	return invalid(id, "An object can have at most %d %s. Remove some of those of %s first.", most, what, id)
}

// linksFrom counts the objects that a relation leads to, including the changes of the command.
func (c *change) linksFrom(r directory.Relation, id uuid.UUID) (n int) {
	for range c.next.Links.From(r, id) {
		n++
	}
	return n
}

// countOf counts the objects that are not purged. It does not count them one by one if they are
// certainly few.
func countOf[T any](objects *directory.Objects[T], most int) int {
	if ever := int(objects.Len()); ever <= most {
		return ever
	}
	n := 0
	for range objects.All() {
		n++
	}
	for range objects.Deleted() {
		n++
	}
	return n
}

// maxDocument is the maximum size of an object in bytes: all its lists and texts together, each of
// which is bounded, too.
const maxDocument = 2 << 20

// bounded refuses a change that makes an object too large, or adds too many. Deleted items may be
// larger.
func (c *change) bounded(next *Image) error {
	for i := range c.rows {
		o := &c.rows[i]
		if len(o.Document) > maxDocument && o.Deleted.IsZero() {
			return invalid(o.ID, "The properties of an object take at most %d bytes together, and those of %s "+
				"would take %d. Remove what is no longer needed.", maxDocument, o.ID, len(o.Document))
		}
	}
	return next.within(c.base, bounds)
}

// within refuses an image that exceeds a bound, unless the base image has as many.
func (img *Image) within(base *Image, bounds []bound) error {
	for _, b := range bounds {
		if n := b.count(img); n > b.most && n > b.count(base) {
			return invalid(b.what,
				"A tenant can have at most %d %s. Remove some that are no longer needed.", b.most, b.what)
		}
	}
	return nil
}

// CountMemberships counts the memberships of an image that was read from a snapshot, before others
// can read it. Commands update the counts.
func (img *Image) CountMemberships() {
	img.Memberships, img.Nested = 0, 0
	for group := range img.Directory.Groups() {
		if img.Directory.GroupPurged(group) {
			continue
		}
		if members := img.Licensing.GroupMembers(group); members != nil {
			img.Memberships += int(members.GetCardinality())
		}
		img.Nested += len(img.Directory.GroupMembersOf(group))
	}
}
