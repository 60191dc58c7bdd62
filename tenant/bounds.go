package tenant

import (
	"licensor/directory"
)

// bound is how many of something a tenant can have. What is over a bound already, from before there was one, stays, but nothing is added.
type bound struct {
	what  string
	most  int
	count func(*Image) int
}

// bounds are far above what organizations have. They keep a caller that may add things from filling memory and disk without end.
// Properties of one object have bounds of their own (directory/rule.go, graph/shapes.go), and so have trusted issuers (directory/signin_check.go).
var bounds = []bound{
	{"users, those that were deleted for good included", 10_000_000, func(img *Image) int { return int(img.Directory.Users()) }},
	{"groups, those that were deleted for good included", 1_000_000, func(img *Image) int { return int(img.Directory.Groups()) }},
	{"applications", 100_000, func(img *Image) int { return countOf(img.Applications, 100_000) }},
	{"service principals", 100_000, func(img *Image) int { return countOf(img.Principals, 100_000) }},
	{"administrative units", 10_000, func(img *Image) int { return countOf(img.Units, 10_000) }},
	{"subscriptions", 10_000, func(img *Image) int { return len(img.Subscriptions) }},
	{"delegated permission grants", 1_000_000, func(img *Image) int { return img.Grants.Len() }},
	{"owners, sponsors, app role assignments and members that are not users, together", 1_000_000, func(img *Image) int { return img.Links.Len() }},
	{"users, groups and service principals with directory roles", 10_000, func(img *Image) int { return len(img.Roles) }},
}

// countOf counts the objects that are not deleted for good. That they are few is found without going through them.
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

// maxDocument is how large an object can be, in bytes: its lists and texts together, which are bounded one by one.
const maxDocument = 2 << 20

// bounded refuses a change that makes an object too large, or adds one too many. What goes into the deleted items may be large.
func (c *change) bounded() error {
	for _, key := range c.order {
		o := c.objects[key]
		if len(o.Document) > maxDocument && o.Deleted.IsZero() {
			return invalid(o.ID, "The properties of an object take at most %d bytes together, and those of %s would take %d. Remove what is no longer needed.", maxDocument, o.ID, len(o.Document))
		}
	}
	return c.next.within(c.base)
}

// within refuses an image that has more of something than a tenant can have, and than it had before.
func (img *Image) within(base *Image) error {
	for _, b := range bounds {
		if n := b.count(img); n > b.most && n > b.count(base) {
			return invalid(b.what, "A tenant can have at most %d %s. Remove some that are no longer needed.", b.most, b.what)
		}
	}
	return nil
}
