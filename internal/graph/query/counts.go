package query

import (
	"iter"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// number is a relation whose only supported condition is the number of its objects: owners/$count
// eq 0.
type number struct {
	name string
	// atLeast returns the objects from which the relation leads to n or more; possibly including
	// deleted ones.
	atLeast func(s Scope, n int) *roaring.Bitmap
}

// The relations whose number filters can test (P31).
var (
	userNumbers = numbers(map[string]func(Scope, int) *roaring.Bitmap{
		"ownedObjects": owners(func(img *tenant.Image, id uuid.UUID) (uint32, bool) { return img.Directory.UserByID(id) }),
		"ownedDevices": noneOfThem,
	})
	groupNumbers = numbers(map[string]func(Scope, int) *roaring.Bitmap{
		"owners": ownedBy(allGroups),
	})
	applicationNumbers = numbers(map[string]func(Scope, int) *roaring.Bitmap{
		"owners":                       ownedBy(allApplications),
		"extensionProperties":          noneOfThem,
		"federatedIdentityCredentials": withCredentials,
	})
	principalNumbers = numbers(map[string]func(Scope, int) *roaring.Bitmap{
		"owners": ownedBy(allPrincipals),
		"ownedObjects": owners(func(img *tenant.Image, id uuid.UUID) (uint32, bool) {
			return img.Principals.ByID(id)
		}),
		"federatedIdentityCredentials": noneOfThem,
	})
)

func numbers(all map[string]func(Scope, int) *roaring.Bitmap) fold.Names[number] {
	names := fold.Names[number]{}
	for name, atLeast := range all {
		names.Add(name, number{name, atLeast})
	}
	return names
}

func noneOfThem(Scope, int) *roaring.Bitmap { return roaring.New() }

func allGroups(img *tenant.Image) iter.Seq2[uint32, uuid.UUID] {
	return func(yield func(uint32, uuid.UUID) bool) {
		for group := range img.Directory.Groups() {
			if !img.Directory.GroupPurged(group) && !yield(group, img.Directory.GroupID(group)) {
				return
			}
		}
	}
}

func allApplications(img *tenant.Image) iter.Seq2[uint32, uuid.UUID] {
	return func(yield func(uint32, uuid.UUID) bool) {
		for ordinal, a := range img.Applications.All() {
			if !yield(ordinal, a.ID) {
				return
			}
		}
	}
}

func allPrincipals(img *tenant.Image) iter.Seq2[uint32, uuid.UUID] {
	return func(yield func(uint32, uuid.UUID) bool) {
		for ordinal, p := range img.Principals.All() {
			if !yield(ordinal, p.ID) {
				return
			}
		}
	}
}

// ownedBy finds the objects with some number of owners who are not deleted.
func ownedBy(all func(*tenant.Image) iter.Seq2[uint32, uuid.UUID]) func(Scope, int) *roaring.Bitmap {
	return func(s Scope, n int) *roaring.Bitmap {
		found := roaring.New()
		for ordinal, id := range all(s.Image) {
			if s.countOwners(id) >= n {
				found.Add(ordinal)
			}
		}
		return found
	}
}

func (s Scope) countOwners(id uuid.UUID) (n int) {
	for owner := range s.Image.Links.From(directory.RelationOwnedBy, id) {
		if _, live := s.Image.Kind(owner); live {
			n++
		}
	}
	if group, ok := s.Image.Directory.GroupByID(id); ok {
		for _, user := range s.Image.Directory.Owners(group) {
			if !s.Image.Directory.UserDeleted(user) {
				n++
			}
		}
	}
	return n
}

// owners finds the users, or the service principals, that own some number of objects that are not
// deleted.
func owners(find func(*tenant.Image, uuid.UUID) (uint32, bool)) func(Scope, int) *roaring.Bitmap {
	return func(s Scope, n int) *roaring.Bitmap {
		found := roaring.New()
		for owner, owned := range s.ownedObjects() {
			if ordinal, ok := find(s.Image, owner); ok && owned >= n {
				found.Add(ordinal)
			}
		}
		return found
	}
}

// ownedObjects returns the number of objects of each owner.
func (s Scope) ownedObjects() map[uuid.UUID]int {
	owned, index := map[uuid.UUID]int{}, s.Image.Directory
	for group := range index.Groups() {
		if !index.GroupPurged(group) && !index.GroupDeleted(group) {
			for _, user := range index.Owners(group) {
				owned[index.UserID(user)]++
			}
		}
	}
	for l := range s.Image.Links.All() {
		if _, live := s.Image.Kind(l.From); live && l.Relation == directory.RelationOwnedBy {
			owned[l.To]++
		}
	}
	return owned
}

// withCredentials finds the applications with some number of federated credentials.
func withCredentials(s Scope, n int) *roaring.Bitmap {
	found := roaring.New()
	for ordinal, a := range s.Image.Applications.All() {
		if len(a.Federated) >= n {
			found.Add(ordinal)
		}
	}
	return found
}

// numberOf returns a relation whose number can be tested. One that only other kinds of objects have
// is empty.
func (f *Kind) numberOf(name string) (number, bool) {
	if of, ok := f.numbers.Find(name); ok {
		return of, true
	}
	for _, other := range f.AlsoKnown {
		if of, ok := other.numbers.Find(name); ok {
			return number{of.name, noneOfThem}, true
		}
	}
	return number{}, false
}

// counted converts a comparison with the number of a collection's elements: assignedLicenses/$count
// eq 0 (P31).
func (c *converter) counted(n *odata.Compare, path *odata.Path) (*columns.Condition, error) {
	name := strings.Join(path.Names, "/")
	if of, ok := c.collectionOf(name); ok {
		return c.compareNumber(n, of.name, 0, func(int) *columns.Condition { return c.answeredBy(of, anyElement, nil) })
	}
	if of, ok := c.numberOf(name); ok {
		return c.compareNumber(n, of.name, 1, func(least int) *columns.Condition {
			c.licensing = true // it is evaluated on the image
			return columns.Set(of.atLeast(c.Scope, least))
		})
	}
	if about, ok := c.knows(name); ok && about.Counted {
		return c.compareNumber(n, about.Path, 0, func(int) *columns.Condition { return present(about) })
	}
	_, err := c.property(path)
	return nil, err
}

// present is true for objects with any element in a collection of texts.
func present(about *directory.Asked) *columns.Condition {
	if about.Column < 0 {
		return columns.None()
	}
	return columns.Any(about.Column, &column.Element{Join: column.JoinIs, Test: &column.Test{Op: column.OpPresent}})
}

// compareNumber returns the condition that an object has at least a number of elements, which is at
// most most.
func (c *converter) compareNumber(
	n *odata.Compare, name string, most int, atLeast func(int) *columns.Condition,
) (*columns.Condition, error) {
	if err := c.mustBeAdvanced(n, name, name+"/$count"); err != nil {
		return nil, err
	}
	literal, _ := n.Right.(*odata.Literal)
	number := int64(-1)
	if literal != nil {
		number, _ = literal.Value.(int64)
	}
	switch {
	case literal == nil || number < 0 || number > int64(most):
	case n.Op == odata.OpGt && number == 0, n.Op == odata.OpNe && number == 0:
		return atLeast(1), nil
	case n.Op == odata.OpEq && number == 0:
		return columns.Not(atLeast(1)), nil
	case n.Op == odata.OpEq:
		return columns.And(atLeast(1), columns.Not(atLeast(2))), nil
	case n.Op == odata.OpNe:
		return columns.Or(columns.Not(atLeast(1)), atLeast(2)), nil
	}
	remedy := "Supported are " + name + "/$count eq 0 and " + name + "/$count ne 0."
	if most == 1 {
		remedy = "Supported are eq and ne, with 0 or 1."
	}
	return nil, c.unsupported(n, name, n.Op.String()+" "+nodeText(n.Right), remedy)
}
