package licensing

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/vector"
)

// Image is the licensing state of a tenant at one commit. It never changes.
type Image struct {
	rules    *ruleset
	settings Settings
	country  Country             // of the organization (L34)
	skus     vector.Vector[*sku] // by SKU
	groups   vector.Vector[*group]
	blocks   vector.Vector[*block] // a chunk of it is a part of a snapshot
	users    int                   // ordinals given out so far
	deleted  userSet
	purged   userSet
	inError  userSet // users with at least one entry in error
}

// Settings are the tenant's choices where the rules leave one.
type Settings struct {
	AutoReprocess    bool    `json:"autoReprocess"`    // L61
	GroupBundles     Bundles `json:"groupBundles"`     // L33
	ReprocessFailure Failure `json:"reprocessFailure"` // L71
}

// Bundles says whether all products of a group are given together or each on its own (L33).
type Bundles string

// Failure says how reprocessing one user answers when something cannot be given (L71).
type Failure string

// The values of the settings; the first of each is the default.
const (
	Together    Bundles = "together"
	Independent Bundles = "independent"

	FailureState Failure = "state"
	FailureError Failure = "error"
)

// sku is what a tenant has and uses of a SKU.
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

// free is how many more users can be given the SKU (L4); negative when it is over-used.
func (s *sku) free() int { return s.units.Enabled + s.units.Warning - s.consumed }

// group is what licensing must know of a group.
type group struct {
	owner    *vector.Owner
	id       uuid.UUID
	licenses []license // by SKU
	members  userSet   // users directly in it, deleted ones included
	errors   userSet   // users with an entry in error from it
	purged   bool
}

// license is a SKU as a group or a request gives it.
type license struct {
	sku     SKU
	variant Variant
}

// New is a tenant with nothing in it but a catalog, which must be valid.
func New(catalog *Catalog) *Image {
	return &Image{
		rules:    newRuleset(catalog, nil, nil),
		settings: Settings{GroupBundles: Together, ReprocessFailure: FailureState},
		deleted:  userSet{bitmap: nobody},
		purged:   userSet{bitmap: nobody},
		inError:  userSet{bitmap: nobody},
	}
}

// Catalog is the tenant's catalog; not to be changed.
func (img *Image) Catalog() *Catalog { return img.rules.catalog }

// Settings are the tenant's settings.
func (img *Image) Settings() Settings { return img.settings }

// Country is the organization's.
func (img *Image) Country() Country { return img.country }

// Users is how many user ordinals have been given out: they are 0 to Users()-1.
func (img *Image) Users() int { return img.users }

// Groups is how many group ordinals have been given out.
func (img *Image) Groups() int { return img.groups.Len() }

// Entries are a user's, direct ones first, then by group, then by SKU; not to be changed.
func (img *Image) Entries(user uint32) []Entry {
	return img.block(user).entries.at(int(user % blockSize))
}

func (img *Image) block(user uint32) *block { return img.blocks.At(int(user / blockSize)) }

func (img *Image) fact(user uint32) fact { return img.block(user).facts[user%blockSize] }

func (img *Image) lost(user uint32) []lost { return img.block(user).lost.at(int(user % blockSize)) }

func (img *Image) sku(s SKU) *sku { return img.skus.At(int(s)) }

func (img *Image) group(group uint32) *group { return img.groups.At(int(group)) }

// Location is the user's usageLocation.
func (img *Image) Location(user uint32) Country { return img.fact(user).location }

// Deleted says whether the user is soft-deleted.
func (img *Image) Deleted(user uint32) bool { return img.fact(user).flags&deleted != 0 }

// Purged says whether the user was purged.
func (img *Image) Purged(user uint32) bool { return img.fact(user).flags&purged != 0 }

// Duplicate says whether an address of the user is another's too (L43).
func (img *Image) Duplicate(user uint32) bool { return img.fact(user).flags&duplicate != 0 }

// DeletedUsers are the soft-deleted users; not to be changed.
func (img *Image) DeletedUsers() *roaring.Bitmap { return img.deleted.bitmap }

// GroupMembers are the users directly in a group, soft-deleted ones included; not to be changed.
func (img *Image) GroupMembers(group uint32) *roaring.Bitmap { return img.group(group).members.bitmap }

// GroupErrors are the users with at least one entry in error from the group (L14); not to be
// changed.
func (img *Image) GroupErrors(group uint32) *roaring.Bitmap { return img.group(group).errors.bitmap }

// GroupLicensed says whether the group has a license.
func (img *Image) GroupLicensed(group uint32) bool { return len(img.group(group).licenses) > 0 }

// InError are all users with at least one entry in error; not to be changed.
func (img *Image) InError() *roaring.Bitmap { return img.inError.bitmap }

// Holders are the users who hold the SKU; not to be changed. Nil when nobody ever did.
func (img *Image) Holders(skuID uuid.UUID) *roaring.Bitmap {
	for _, s := range img.skus.All() {
		if s.id == skuID {
			return s.holders.bitmap
		}
	}
	return nil
}

// GroupPurged says whether the group was purged.
func (img *Image) GroupPurged(group uint32) bool { return img.group(group).purged }
