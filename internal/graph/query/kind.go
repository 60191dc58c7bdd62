// Package query turns $filter, $search and $orderby into conditions and orders over the columns of
// an image (docs/spec/protocol.md P30 to P37). What can be asked of a type of object is a Kind:
// which of its properties, by the table of the directory, which collections that come from
// licensing and memberships, and which relations by their number.
//
//	wanted, err := query.Users.Wanted(query.Scope{Image: image, Now: now}, options)
//	order, err := query.Users.Order(scope, options)
//
// What cannot be asked is a *problem.Error that says where it stands, in the words of the real
// service.
package query

import (
	"iter"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// Kind is what can be asked of a type of object.
type Kind struct {
	Resource string // User
	Type     directory.Type
	In       func(*tenant.Image) directory.Collection
	About    func(path string) (*directory.Asked, bool) // of a property
	all      func() iter.Seq[*directory.Asked]
	licensed fold.Names[collection] // collections that come from the image, not from columns
	numbers  fold.Names[number]
	// AlsoKnown are those of other kinds of objects in the same list: what only they have is null
	// here.
	AlsoKnown []*Kind
}

// ByID finds the ordinal of an object, which may be deleted.
func (f *Kind) ByID(img *tenant.Image, text string) (ordinal uint32, ok bool) {
	return byID(f.In(img), text)
}

func byID(in directory.Collection, text string) (ordinal uint32, ok bool) {
	id, ok := guid.Parse(text)
	if !ok {
		return 0, false
	}
	return in.EverByID(id)
}

// Users is what can be asked of users.
var Users = &Kind{
	Resource: "User", Type: directory.TypeUser,
	In:    func(img *tenant.Image) directory.Collection { return img.Directory.UserCollection() },
	About: directory.AboutUser, all: directory.AllAboutUsers,
	licensed: userCollections, numbers: userNumbers,
}

// Groups is what can be asked of groups.
var Groups = &Kind{
	Resource: "Group", Type: directory.TypeGroup,
	In:    func(img *tenant.Image) directory.Collection { return img.Directory.GroupCollection() },
	About: directory.AboutGroup, all: directory.AllAboutGroups,
	licensed: groupCollections, numbers: groupNumbers,
}

// Applications is what can be asked of applications.
var Applications = &Kind{
	Resource: "Application", Type: directory.TypeApplication,
	In:    func(img *tenant.Image) directory.Collection { return img.Applications },
	About: byDisplayName(directory.AboutApplication), all: directory.AllAboutApplications,
	numbers: applicationNumbers,
}

// Principals is what can be asked of service principals.
var Principals = &Kind{
	Resource: "ServicePrincipal", Type: directory.TypeServicePrincipal,
	In:    func(img *tenant.Image) directory.Collection { return img.Principals },
	About: directory.AboutPrincipal, all: directory.AllAboutPrincipals,
	licensed: principalCollections, numbers: principalNumbers,
}

// Units is what can be asked of administrative units.
var Units = &Kind{
	Resource: "AdministrativeUnit", Type: directory.TypeAdministrativeUnit,
	In:    func(img *tenant.Image) directory.Collection { return img.Units },
	About: directory.AboutUnit, all: directory.AllAboutUnits,
}

// byDisplayName takes appDisplayName of an application for its displayName, as it always was. Of a
// service principal it is another name than its own, and cannot be asked for.
func byDisplayName(about func(string) (*directory.Asked, bool)) func(string) (*directory.Asked, bool) {
	return func(path string) (*directory.Asked, bool) {
		if strings.EqualFold(path, "appDisplayName") {
			path = "displayName"
		}
		return about(path)
	}
}

// Deleted is what can be asked of the deleted objects of a type.
func (f *Kind) Deleted() *Kind {
	of := *f
	of.About = func(path string) (*directory.Asked, bool) {
		about, ok := f.About(path)
		if ok && strings.EqualFold(path, deletedDateTime) {
			about = askedOfDeleted(about)
		}
		return about, ok
	}
	of.all = func() iter.Seq[*directory.Asked] {
		return func(yield func(*directory.Asked) bool) {
			for about := range f.all() {
				if about.Path == deletedDateTime {
					about = askedOfDeleted(about)
				}
				if !yield(about) {
					return
				}
			}
		}
	}
	return &of
}

const deletedDateTime = "deletedDateTime"

func askedOfDeleted(about *directory.Asked) *directory.Asked {
	of := *about
	of.Order, of.Filterable = directory.Advanced, directory.Filterable{Equal: directory.Basic, Range: directory.Basic}
	return &of
}
