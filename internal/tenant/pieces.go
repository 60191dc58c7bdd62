package tenant

import (
	"licensor/internal/directory"
	"licensor/internal/directory/column"
)

// Piece is a list of parts of a snapshot, each with 65,536 objects, or 256 documents.
type Piece struct {
	Name    string // stored
	Parts   func(img *Image) int
	Changed func(was, is *Image, part int) bool // whether a part may have changed
	Write   func(img *Image, part int) []byte
	Columns bool // it has values of objects in columns
}

// Pieces are all pieces of a snapshot.
var Pieces = []Piece{
	{
		Name:    "licensing",
		Parts:   func(img *Image) int { return img.Licensing.Parts() },
		Changed: func(was, is *Image, part int) bool { return is.Licensing.PartChanged(was.Licensing, part) },
		Write:   func(img *Image, part int) []byte { return img.Licensing.AppendPart(nil, part) },
	},
	{ // which parts have changed is known when they are encoded
		Name:    "licensingSets",
		Parts:   func(img *Image) int { return img.Licensing.Parts() },
		Changed: func(was, is *Image, part int) bool { return is.Licensing != was.Licensing },
		Write:   func(img *Image, part int) []byte { return img.Licensing.AppendSets(nil, part) },
	},
	{
		Name:    "directory",
		Parts:   func(img *Image) int { return img.Directory.Parts() },
		Changed: func(was, is *Image, part int) bool { return is.Directory.PartChanged(was.Directory, part) },
		Write:   func(img *Image, part int) []byte { return img.Directory.AppendPart(nil, part) },
	},
	columnPiece("userColumns", func(img *Image) *column.Table { return img.Directory.UserColumns() }),
	columnPiece("groupColumns", func(img *Image) *column.Table { return img.Directory.GroupColumns() }),
	objectsPiece("applications", func(img *Image) *directory.Objects[directory.Application] { return img.Applications }),
	columnPiece("applicationColumns", func(img *Image) *column.Table { return img.Applications.Columns() }),
	objectsPiece("servicePrincipals", func(img *Image) *directory.Objects[directory.ServicePrincipal] { return img.Principals }),
	columnPiece("servicePrincipalColumns", func(img *Image) *column.Table { return img.Principals.Columns() }),
	objectsPiece("administrativeUnits", func(img *Image) *directory.Objects[directory.AdministrativeUnit] { return img.Units }),
	columnPiece("administrativeUnitColumns", func(img *Image) *column.Table { return img.Units.Columns() }),
	{
		Name:    "administrativeUnitMembers",
		Parts:   func(img *Image) int { return img.UnitMembers.Parts() },
		Changed: func(was, is *Image, part int) bool { return is.UnitMembers.PartChanged(was.UnitMembers, part) },
		Write:   func(img *Image, part int) []byte { return img.UnitMembers.AppendPart(nil, part) },
	},
	{
		Name:    trailPiece,
		Parts:   func(img *Image) int { return img.Trail.Parts() },
		Changed: func(was, is *Image, part int) bool { return is.Trail.PartChanged(&was.Trail, part) },
		Write:   func(img *Image, part int) []byte { return img.Trail.AppendPart(nil, part) },
	},
}

// trailPiece is the piece with the trail, whose parts have 4,096 commits each.
const trailPiece = "trail"

func columnPiece(name string, of func(img *Image) *column.Table) Piece {
	return Piece{
		Name:    name,
		Parts:   func(img *Image) int { return of(img).Parts() },
		Changed: func(was, is *Image, part int) bool { return of(is).PartChanged(of(was), part) },
		Write:   func(img *Image, part int) []byte { return of(img).AppendPart(nil, part) },
		Columns: true,
	}
}

func objectsPiece[T any](name string, of func(img *Image) *directory.Objects[T]) Piece {
	return Piece{
		Name:    name,
		Parts:   func(img *Image) int { return of(img).Parts() },
		Changed: func(was, is *Image, part int) bool { return of(is) != of(was) && of(is).PartChanged(of(was), part) },
		Write:   func(img *Image, part int) []byte { return of(img).AppendPart(nil, part) },
	}
}
