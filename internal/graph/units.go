package graph

import (
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
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/tenant"
)

// unit is an administrative unit in an image.
type unit struct {
	*directory.AdministrativeUnit
	ordinal uint32
	image   *tenant.Image
}

func unitAt(img *tenant.Image, ordinal uint32) unit { return unit{img.Units.At(ordinal), ordinal, img} }

// unitFields are the properties of administrativeUnit.
var unitFields = wire.NewFieldSet("microsoft.graph.administrativeUnit", wire.PropertyFields(
	directory.UnitProperties(), func(u *unit) *directory.AdministrativeUnit { return u.AdministrativeUnit },
	func(*unit) *column.Row { return nil }, // they are all in memory
)).In(edm.UnitsRoot[1:])

var unitList = wire.Listing[directory.AdministrativeUnit, unit]{
	Kind: query.Units, Set: edm.UnitSet, Fields: unitFields, Expansions: unitExpansions,
	Documents: inMemory(unitOf), Document: inMemoryNow(unitOf),
	Object: func(_ *wire.Request, _ *directory.AdministrativeUnit, ordinal uint32, img *tenant.Image) unit {
		return unitAt(img, ordinal)
	},
}

func unitOf(img *tenant.Image, ordinal uint32) *directory.AdministrativeUnit {
	return img.Units.At(ordinal)
}

// membersOfUnit is the relation to the users and groups in an administrative unit, but not to the
// members of these groups.
var membersOfUnit relation = func(r *wire.Request) (sets, error) {
	ordinal, err := r.Unit()
	if err != nil {
		return sets{}, err
	}
	return inUnit(r.Image, ordinal), nil
}

func inUnit(img *tenant.Image, unit uint32) sets {
	return sets{users: img.UnitMembers.Users(unit), groups: img.UnitMembers.Groups(unit)}
}

// unitsOf returns the relation to the administrative units that an object is in itself, but not to
// those of its groups.
func unitsOf(r *wire.Request, id uuid.UUID) *roaring.Bitmap {
	return roaring.BitmapOf(r.Image.UnitsOf(id)...)
}

// unitContext returns the set that the path names.
func unitContext(r *wire.Request) string {
	if strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(edm.UnitsRoot)) {
		return edm.UnitsRoot[1:]
	}
	return edm.UnitSet
}

// listUnits answers GET /directory/administrativeUnits.
func listUnits(r *wire.Request) error {
	l := unitList
	l.Set = unitContext(r)
	return l.Send(r)
}

// getUnit answers GET /directory/administrativeUnits/{unit}.
func getUnit(r *wire.Request) error {
	return unitList.Get(r, unitContext(r), (*wire.Request).Unit)
}

// createUnit answers POST /directory/administrativeUnits.
func createUnit(r *wire.Request) error {
	body, err := r.Members()
	if err != nil {
		return err
	}
	body, members, err := r.TakeBinding(body, "members")
	if err != nil {
		return err
	}
	patch, err := directory.ParseUnitPatch(body)
	if err != nil {
		return err
	}
	done, err := r.Do(tenant.CreateUnit{Patch: patch, Members: members})
	if err != nil {
		return r.BadReferences(err, wire.ReferencesTo("members", members))
	}
	r.W.Header().Set("Location", r.Root+edm.UnitsRoot+"/"+done.ID.String())
	fields := unitFields.Annotated(r, unitFields.Shown(r).Defaults)
	created := unitAt(done.Image, done.Ordinal)
	return wire.SendEntity(r, unitFields, http.StatusCreated, unitContext(r), fields, &created)
}

// updateUnit answers PATCH /directory/administrativeUnits/{unit}.
func updateUnit(r *wire.Request) error {
	ordinal, err := r.Unit()
	if err != nil {
		return err
	}
	body, err := r.Members()
	if err != nil {
		return err
	}
	patch, err := directory.ParseUnitPatch(body)
	if err != nil {
		return err
	}
	return r.Change(tenant.UpdateUnit{Unit: ordinal, Patch: patch})
}

// deleteUnit answers DELETE /directory/administrativeUnits/{unit}. It becomes a deleted item.
func deleteUnit(r *wire.Request) error {
	ordinal, err := r.Unit()
	if err != nil {
		return err
	}
	return r.Change(tenant.DeleteUnit{Unit: ordinal})
}

// addUnitMember answers POST /directory/administrativeUnits/{unit}/members/$ref.
func addUnitMember(r *wire.Request) error {
	ordinal, err := r.Unit()
	if err != nil {
		return err
	}
	id, err := r.Reference()
	if err != nil {
		return err
	}
	return r.Change(tenant.AddUnitMember{Unit: ordinal, Member: id}, wire.Reference{Property: "members", ID: id})
}

// removeUnitMember answers DELETE /directory/administrativeUnits/{unit}/members/{member}/$ref.
func removeUnitMember(r *wire.Request) error {
	ordinal, err := r.Unit()
	if err != nil {
		return err
	}
	id, ok := guid.Parse(r.Keys[1])
	if !ok {
		return problem.NotFound(r.Keys[1])
	}
	return r.Change(tenant.RemoveUnitMember{Unit: ordinal, Member: id})
}

// createUnitMember answers POST /directory/administrativeUnits/{unit}/members, which creates a
// group in the unit.
func createUnitMember(r *wire.Request) error {
	ordinal, err := r.Unit()
	if err != nil {
		return err
	}
	body, err := r.Members()
	if err != nil {
		return err
	}
	if !isOfType(body, groupType) {
		return problem.Refuse(`The body must be a group, with "@odata.type": "#%s": other objects cannot be `+
			`created in an administrative unit, but added to it.`, groupType)
	}
	fields := groupFields.Annotated(r, groupFields.Shown(r).Defaults)
	if r.Metadata == "minimal" { // it is not in the URL
		fields = append(groupFields.Annotations(r)[:1:1], fields...)
	}
	return createGroupAs(r, body, tenant.CreateGroup{Unit: &ordinal}, "directoryObjects", fields)
}

// isOfType reports whether a body has a type, with or without # before its name.
func isOfType(body []directory.Member, typeName string) bool {
	for _, m := range body {
		if m.Is("@odata.type") {
			return strings.EqualFold(strings.TrimPrefix(wire.PlainText(m.Value), "#"), typeName)
		}
	}
	return false
}

func currentUnit(r *wire.Request) (string, func(*tenant.Image) uint32, error) {
	ordinal, err := r.Unit()
	if err != nil {
		return "", nil, err
	}
	return unitFields.Etag(new(unitAt(r.Image, ordinal))), func(img *tenant.Image) uint32 {
		u := img.Units.At(ordinal)
		if u == nil {
			return 0
		}
		return crc32.ChecksumIEEE(u.Document())
	}, nil
}
