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
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// Kind is what can be asked of a type of object.
type Kind struct {
	Resource string // User
	Stored   store.Kind
	About    func(path string) (*directory.Asked, bool) // of a property
	all      func() iter.Seq[*directory.Asked]
	licensed fold.Names[collection] // collections that come from the image, not from columns
	numbers  fold.Names[number]
	// ByID finds the ordinal of an object, which may be deleted.
	ByID func(img *tenant.Image, id string) (ordinal uint32, ok bool)
	// AlsoKnown are those of other kinds of objects in the same list: what only they have is null
	// here.
	AlsoKnown []*Kind
}

// Users is what can be asked of users.
var Users = &Kind{
	Resource: "User", Stored: store.KindUser, About: directory.AboutUser, all: directory.AllAboutUsers,
	licensed: userCollections, numbers: userNumbers,
	ByID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Directory.UserByID(id)
		return ordinal, ok && found
	},
}

// Groups is what can be asked of groups.
var Groups = &Kind{
	Resource: "Group", Stored: store.KindGroup, About: directory.AboutGroup, all: directory.AllAboutGroups,
	licensed: groupCollections, numbers: groupNumbers, ByID: groupByID,
}

func groupByID(img *tenant.Image, text string) (uint32, bool) {
	id, ok := guid.Parse(text)
	ordinal, found := img.Directory.GroupByID(id)
	return ordinal, ok && found
}

// Applications is what can be asked of applications.
var Applications = &Kind{
	Resource: "Application", Stored: store.KindApplication, About: byDisplayName(directory.AboutApplication), all: directory.AllAboutApplications,
	numbers: applicationNumbers,
	ByID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Applications.EverByID(id)
		return ordinal, ok && found
	},
}

// Principals is what can be asked of service principals.
var Principals = &Kind{
	Resource: "ServicePrincipal", Stored: store.KindServicePrincipal, About: directory.AboutPrincipal, all: directory.AllAboutPrincipals,
	licensed: principalCollections, numbers: principalNumbers,
	ByID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Principals.EverByID(id)
		return ordinal, ok && found
	},
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

// Units is what can be asked of administrative units.
var Units = &Kind{
	Resource: "AdministrativeUnit", Stored: store.KindAdministrativeUnit, About: directory.AboutUnit, all: directory.AllAboutUnits,
	ByID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Units.EverByID(id)
		return ordinal, ok && found
	},
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
