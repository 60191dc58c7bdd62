// Package query turns $filter, $search and $orderby into conditions and orders over the columns of
// an image (docs/spec/protocol.md P30 to P37). A Kind describes the conditions that a type of
// object supports: on its properties, by the table of the directory, on collections derived from
// licensing and memberships, and on the number of relations.
//
//	wanted, err := query.Users.Wanted(query.Scope{Image: image, Now: now}, options)
//	order, err := query.Users.Order(scope, options)
//
// Unsupported conditions are a *problem.ResponseError with their position, in the words of the real
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

// Kind describes how a type of object can be queried.
type Kind struct {
	Resource string // User
	Type     directory.Type
	In       func(*tenant.Image) directory.Collection
	About    func(path string) (*directory.Asked, bool) // how a property can be queried
	all      func() iter.Seq[*directory.Asked]
	licensed fold.Names[collection] // collections that are computed from the image, not from columns
	numbers  fold.Names[number]
	// AlsoKnown are the other kinds of objects in the same list: properties that only they have are
	// null here.
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

// Users describes how users can be queried.
var Users = &Kind{
	Resource: "User", Type: directory.TypeUser,
	In:    func(img *tenant.Image) directory.Collection { return img.Directory.UserCollection() },
	About: directory.AboutUser, all: directory.AllAboutUsers,
	licensed: userCollections, numbers: userNumbers,
}

// Groups describes how groups can be queried.
var Groups = &Kind{
	Resource: "Group", Type: directory.TypeGroup,
	In:    func(img *tenant.Image) directory.Collection { return img.Directory.GroupCollection() },
	About: directory.AboutGroup, all: directory.AllAboutGroups,
	licensed: groupCollections, numbers: groupNumbers,
}

// Applications describes how applications can be queried.
var Applications = &Kind{
	Resource: "Application", Type: directory.TypeApplication,
	In:    func(img *tenant.Image) directory.Collection { return img.Applications },
	About: byDisplayName(directory.AboutApplication), all: directory.AllAboutApplications,
	numbers: applicationNumbers,
}

// Principals describes how service principals can be queried.
var Principals = &Kind{
	Resource: "ServicePrincipal", Type: directory.TypeServicePrincipal,
	In:    func(img *tenant.Image) directory.Collection { return img.Principals },
	About: directory.AboutPrincipal, all: directory.AllAboutPrincipals,
	licensed: principalCollections, numbers: principalNumbers,
}

// Units describes how administrative units can be queried.
var Units = &Kind{
	Resource: "AdministrativeUnit", Type: directory.TypeAdministrativeUnit,
	In:    func(img *tenant.Image) directory.Collection { return img.Units },
	About: directory.AboutUnit, all: directory.AllAboutUnits,
}

// byDisplayName treats appDisplayName of an application as its displayName. For a service principal
// it is a different name, and cannot be queried.
func byDisplayName(about func(string) (*directory.Asked, bool)) func(string) (*directory.Asked, bool) {
	return func(path string) (*directory.Asked, bool) {
		if strings.EqualFold(path, "appDisplayName") {
			path = "displayName"
		}
		return about(path)
	}
}

// Deleted describes how the deleted objects of a type can be queried.
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
	of.Order = directory.LevelAdvanced
	of.Filterable = directory.Filterable{Equal: directory.LevelBasic, Range: directory.LevelBasic}
	return &of
}
