package graph

import (
	"context"
	"hash/crc32"
	"net/http"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/guid"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// unit is an administrative unit, as it is in an image.
type unit struct {
	*directory.AdministrativeUnit
	ordinal uint32
	image   *tenant.Image
}

func unitAt(img *tenant.Image, ordinal uint32) unit { return unit{img.Units.At(ordinal), ordinal, img} }

// unitFields are the properties of administrativeUnit.
var unitFields = newFieldSet("microsoft.graph.administrativeUnit", propertyFields(
	directory.UnitProperties(), func(u *unit) *directory.AdministrativeUnit { return u.AdministrativeUnit },
	func(*unit) *column.Row { return nil }, // they are all in memory
)).in(edm.UnitsRoot[1:])

var unitList = listing[directory.AdministrativeUnit, unit]{
	Kind: query.Units, set: edm.UnitSet, fields: unitFields, expansions: unitExpansions,
	documents: func(_ handle, _ context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.AdministrativeUnit, error) {
		list := make([]*directory.AdministrativeUnit, len(ordinals))
		for i, ordinal := range ordinals {
			list[i] = img.Units.At(ordinal)
		}
		return list, nil
	},
	document: func(_ handle, _ context.Context, img *tenant.Image, _ uint32) (*directory.AdministrativeUnit, *tenant.Image, error) {
		return nil, img, &tenant.Problem{Kind: tenant.NotFound} // what documents left out does not come back
	},
	object: func(_ *request, _ *directory.AdministrativeUnit, ordinal uint32, img *tenant.Image) unit {
		return unitAt(img, ordinal)
	},
}

// membersOfUnit are the users and groups in an administrative unit. The members of a group in it
// are not.
var membersOfUnit relation = func(r *request) (sets, error) {
	ordinal, err := r.unit()
	if err != nil {
		return sets{}, err
	}
	return sets{users: r.image.UnitMembers.Users(ordinal), groups: r.image.UnitMembers.Groups(ordinal)}, nil
}

// unitsOf are the administrative units that an object is in itself. It is not in those that its
// groups are in.
func unitsOf(r *request, id uuid.UUID) *roaring.Bitmap {
	return roaring.BitmapOf(r.image.UnitsOf(id)...)
}

// unitContext is the set that the path names.
func unitContext(r *request) string {
	if strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(edm.UnitsRoot)) {
		return edm.UnitsRoot[1:]
	}
	return edm.UnitSet
}

// listUnits answers GET /directory/administrativeUnits.
func listUnits(r *request) error {
	l := unitList
	l.set = unitContext(r)
	return l.send(r, columns.Live)
}

// countUnits answers GET /directory/administrativeUnits/$count.
func countUnits(r *request) error { return unitList.sendCount(r, columns.Live) }

// getUnit answers GET /directory/administrativeUnits/{unit}.
func getUnit(r *request) error {
	if err := r.allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := unitFields.selected(r)
	if err != nil {
		return err
	}
	if fields, err = expanded(r, unitFields, unitExpansions, fields); err != nil {
		return err
	}
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	return sendEntity(r, unitFields, http.StatusOK, unitContext(r), fields, new(unitAt(r.image, ordinal)))
}

// createUnit answers POST /directory/administrativeUnits.
func createUnit(r *request) error {
	body, err := r.members()
	if err != nil {
		return err
	}
	body, members, err := r.takeBinding(body, "members")
	if err != nil {
		return err
	}
	patch, err := directory.ParseUnitPatch(body)
	if err != nil {
		return err
	}
	done, err := r.do(tenant.CreateUnit{Patch: patch, Members: members})
	if err != nil {
		return r.badReferences(err, referencesTo("members", members))
	}
	r.w.Header().Set("Location", r.root+edm.UnitsRoot+"/"+done.ID.String())
	fields := unitFields.annotated(r, unitFields.shown(r).defaults)
	return sendEntity(r, unitFields, http.StatusCreated, unitContext(r), fields, new(unitAt(done.Image, done.Ordinal)))
}

// updateUnit answers PATCH /directory/administrativeUnits/{unit}.
func updateUnit(r *request) error {
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	body, err := r.members()
	if err != nil {
		return err
	}
	patch, err := directory.ParseUnitPatch(body)
	if err != nil {
		return err
	}
	return r.change(tenant.UpdateUnit{Unit: ordinal, Patch: patch})
}

// deleteUnit answers DELETE /directory/administrativeUnits/{unit}. It is among the deleted items
// from then on.
func deleteUnit(r *request) error {
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	return r.change(tenant.DeleteUnit{Unit: ordinal})
}

// addUnitMember answers POST /directory/administrativeUnits/{unit}/members/$ref.
func addUnitMember(r *request) error {
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	id, err := r.reference()
	if err != nil {
		return err
	}
	return r.change(tenant.AddUnitMember{Unit: ordinal, Member: id}, reference{"members", id})
}

// removeUnitMember answers DELETE /directory/administrativeUnits/{unit}/members/{member}/$ref.
func removeUnitMember(r *request) error {
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	id, ok := guid.Parse(r.keys[1])
	if !ok {
		return problem.NotFound(r.keys[1])
	}
	return r.change(tenant.RemoveUnitMember{Unit: ordinal, Member: id})
}

// createUnitMember answers POST /directory/administrativeUnits/{unit}/members, which creates a
// group that is in the unit.
func createUnitMember(r *request) error {
	ordinal, err := r.unit()
	if err != nil {
		return err
	}
	body, err := r.members()
	if err != nil {
		return err
	}
	if !isOfType(body, groupType) {
		return problem.Refuse(`The body must be a group, with "@odata.type": "#%s": other objects cannot be created in an administrative unit, but added to it.`, groupType)
	}
	fields := groupFields.annotated(r, groupFields.shown(r).defaults)
	if r.metadata == "minimal" { // the address does not say it
		fields = append(groupFields.annotations(r)[:1:1], fields...)
	}
	return createGroupAs(r, body, tenant.CreateGroup{Unit: &ordinal}, "directoryObjects", fields)
}

// isOfType reports whether a body says that it is of a type, with or without # before its name.
func isOfType(body []directory.Member, typeName string) bool {
	for _, m := range body {
		if m.Is("@odata.type") {
			return strings.EqualFold(strings.TrimPrefix(plainText(m.Value), "#"), typeName)
		}
	}
	return false
}

func currentUnit(r *request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.unit()
	if err != nil {
		return "", nil, err
	}
	return unitFields.etag(new(unitAt(r.image, ordinal))), func(img *tenant.Image) uint32 {
		u := img.Units.At(ordinal)
		if u == nil {
			return 0
		}
		return crc32.ChecksumIEEE(u.Document())
	}, nil
}
