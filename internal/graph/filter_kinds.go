package graph

import (
	"iter"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/guid"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// filters is what can be asked of a type of object.
type filters struct {
	resource string // User
	kind     store.Kind
	about    func(path string) (*directory.Asked, bool)
	all      func() iter.Seq[*directory.Asked]
	licensed fold.Names[collection] // collections that come from the image, not from columns
	numbers  fold.Names[number]
	byID     func(img *tenant.Image, id string) (ordinal uint32, ok bool)
	// alsoKnown are those of other kinds of objects in the same list: what only they have is null
	// here.
	alsoKnown []*filters
}

var userFilters = &filters{
	resource: "User", kind: store.KindUser, about: directory.AboutUser, all: directory.AllAboutUsers,
	licensed: userCollections, numbers: userNumbers,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Directory.UserByID(id)
		return ordinal, ok && found
	},
}

var groupFilters = &filters{
	resource: "Group", kind: store.KindGroup, about: directory.AboutGroup, all: directory.AllAboutGroups,
	licensed: groupCollections, numbers: groupNumbers, byID: groupByID,
}

func groupByID(img *tenant.Image, text string) (uint32, bool) {
	id, ok := guid.Parse(text)
	ordinal, found := img.Directory.GroupByID(id)
	return ordinal, ok && found
}

var applicationFilters = &filters{
	resource: "Application", kind: store.KindApplication, about: byDisplayName(directory.AboutApplication), all: directory.AllAboutApplications,
	numbers: applicationNumbers,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Applications.EverByID(id)
		return ordinal, ok && found
	},
}

var principalFilters = &filters{
	resource: "ServicePrincipal", kind: store.KindServicePrincipal, about: directory.AboutPrincipal, all: directory.AllAboutPrincipals,
	licensed: principalCollections, numbers: principalNumbers,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
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

var unitFilters = &filters{
	resource: "AdministrativeUnit", kind: store.KindAdministrativeUnit, about: directory.AboutUnit, all: directory.AllAboutUnits,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Units.EverByID(id)
		return ordinal, ok && found
	},
}

// ofDeleted is what can be asked of the deleted objects of a type.
func (f *filters) ofDeleted() *filters {
	of := *f
	of.about = func(path string) (*directory.Asked, bool) {
		about, ok := f.about(path)
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
