package licensing

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
)

// Image is the licensing state of a tenant at one commit. It is immutable.
type Image struct {
	rules    *ruleset
	settings Settings
	country  Country             // of the organization (L34)
	skus     vector.Vector[*sku] // by SKU
	groups   vector.Vector[*group]
	blocks   vector.Vector[*block] // each chunk is a part of a snapshot
	users    int                   // number of assigned ordinals
	deleted  userSet
	purged   userSet
	inError  userSet // users with at least one entry in error
}

// Settings are a tenant's choices where the rules allow alternatives.
type Settings struct {
	AutoReprocess    bool    `json:"autoReprocess"`    // L61
	GroupBundles     Bundles `json:"groupBundles"`     // L33
	ReprocessFailure Failure `json:"reprocessFailure"` // L71
}

// Bundles determines whether all products of a group are given together or separately (L33).
type Bundles string

// Failure determines the response of reprocessing one user when a license cannot be given (L71).
type Failure string

// The values of the settings; the first of each is the default.
const (
	BundlesTogether    Bundles = "together"
	BundlesIndependent Bundles = "independent"

	FailureState Failure = "state"
	FailureError Failure = "error"
)

// sku is the data of a SKU in a tenant.
type sku struct {
	owner      *vector.Owner
	id         uuid.UUID
	subscribed bool
	units      Units
	consumed   int     // users in holders; in a draft, also the one being evaluated
	holders    userSet // users with at least one entry of it in force (L3)
	held       int     // users in holders
	waiting    userSet // users with an entry of it in CountViolation
}

// Units are the seats of a SKU by the state of the subscriptions they come from: prepaidUnits (L2).
type Units struct {
	Enabled   int `json:"enabled"`
	Warning   int `json:"warning"`
	Suspended int `json:"suspended"`
	LockedOut int `json:"lockedOut"`
}

// free returns the number of available seats (L4), which is negative if the SKU is over-used.
func (s *sku) free() int { return s.units.Enabled + s.units.Warning - s.consumed }

// group is the data of a group that licensing needs.
type group struct {
	owner    *vector.Owner
	id       uuid.UUID
	licenses []license // by SKU
	members  userSet   // direct members, including deleted users
	errors   userSet   // users with an entry in error from it
	purged   bool
}

// license is a SKU as a group or a request gives it.
type license struct {
	sku     SKU
	variant Variant
}

// New returns a tenant with only a catalog, which must be valid.
func New(catalog *Catalog) *Image { return newImage(bookOf(catalog)) }

func newImage(of *book) *Image {
	return &Image{
		rules:    newRuleset(of, nil, nil),
		settings: Settings{GroupBundles: BundlesTogether, ReprocessFailure: FailureState},
		deleted:  userSet{bitmap: nobody},
		purged:   userSet{bitmap: nobody},
		inError:  userSet{bitmap: nobody},
	}
}

// Catalog returns the tenant's catalog, which must not be changed.
func (img *Image) Catalog() *Catalog { return img.rules.catalog }

// Settings returns the tenant's settings.
func (img *Image) Settings() Settings { return img.settings }

// Country returns the country of the organization.
func (img *Image) Country() Country { return img.country }

// Users returns the number of assigned user ordinals: they are 0 to Users()-1.
func (img *Image) Users() int { return img.users }

// Groups returns the number of assigned group ordinals.
func (img *Image) Groups() int { return img.groups.Len() }

// Entries returns the entries of a user, direct ones first, then by group, then by SKU. They must
// not be changed.
func (img *Image) Entries(user uint32) []Entry {
	return img.block(user).entries.at(int(user % blockSize))
}

func (img *Image) block(user uint32) *block { return img.blocks.At(int(user / blockSize)) }

func (img *Image) fact(user uint32) fact { return img.block(user).facts[user%blockSize] }

func (img *Image) lost(user uint32) []lost { return img.block(user).lost.at(int(user % blockSize)) }

func (img *Image) sku(s SKU) *sku { return img.skus.At(int(s)) }

func (img *Image) group(group uint32) *group { return img.groups.At(int(group)) }

// Location returns the user's usageLocation.
func (img *Image) Location(user uint32) Country { return img.fact(user).location }

// Deleted reports whether the user is soft-deleted.
func (img *Image) Deleted(user uint32) bool { return img.fact(user).flags&deleted != 0 }

// Purged reports whether the user was purged.
func (img *Image) Purged(user uint32) bool { return img.fact(user).flags&purged != 0 }

// Duplicate reports whether another user has an address of the user (L43).
func (img *Image) Duplicate(user uint32) bool { return img.fact(user).flags&duplicate != 0 }

// DeletedUsers returns the soft-deleted users, which must not be changed.
func (img *Image) DeletedUsers() *roaring.Bitmap { return img.deleted.bitmap }

// GroupMembers returns the direct members of a group, including soft-deleted ones. They must not be
// changed.
func (img *Image) GroupMembers(group uint32) *roaring.Bitmap { return img.group(group).members.bitmap }

// GroupErrors returns the users with at least one entry in error from the group (L14), which must
// not be changed.
func (img *Image) GroupErrors(group uint32) *roaring.Bitmap { return img.group(group).errors.bitmap }

// GroupLicensed reports whether the group has a license.
func (img *Image) GroupLicensed(group uint32) bool { return len(img.group(group).licenses) > 0 }

// InError returns all users with at least one entry in error, which must not be changed.
func (img *Image) InError() *roaring.Bitmap { return img.inError.bitmap }

// Holders returns the users who hold the SKU, nil if no user ever did. They must not be changed.
func (img *Image) Holders(skuID uuid.UUID) *roaring.Bitmap {
	for _, s := range img.skus.All() {
		if s.id == skuID {
			return s.holders.bitmap
		}
	}
	return nil
}

// GroupPurged reports whether the group was purged.
func (img *Image) GroupPurged(group uint32) bool { return img.group(group).purged }
