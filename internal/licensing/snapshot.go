package licensing

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing/vector"
)

// PartUsers is the number of users in a part of a snapshot, which is a chunk of blocks: 65,536. It
// is stored; never change it.
const PartUsers = vector.ChunkLen * blockSize

// Head is an image without its data of single users. Field numbers are stored; never renumber. The
// sets of users are those of formats up to 7; newer formats have them in parts.
type Head struct {
	Catalog  *Catalog     `cbor:"1,keyasint"`
	Settings Settings     `cbor:"2,keyasint"`
	Country  Country      `cbor:"3,keyasint,omitempty"`
	SKUs     []HeadSKU    `cbor:"4,keyasint,omitempty"`
	Variants []NewVariant `cbor:"5,keyasint,omitempty"`
	Groups   []HeadGroup  `cbor:"6,keyasint,omitempty"`
	Users    int          `cbor:"7,keyasint,omitempty"`
	Deleted  []byte       `cbor:"8,keyasint,omitempty"`
	Purged   []byte       `cbor:"9,keyasint,omitempty"`
}

// HeadSKU is a SKU in a Head.
type HeadSKU struct {
	ID         uuid.UUID `cbor:"1,keyasint"`
	Subscribed bool      `cbor:"2,keyasint,omitempty"`
	Units      Units     `cbor:"3,keyasint"`
	Holders    []byte    `cbor:"4,keyasint,omitempty"`
	Waiting    []byte    `cbor:"5,keyasint,omitempty"`
}

// HeadGroup is a group in a Head.
type HeadGroup struct {
	ID       uuid.UUID     `cbor:"1,keyasint"`
	Licenses []GroupGrants `cbor:"2,keyasint,omitempty"`
	Members  []byte        `cbor:"3,keyasint,omitempty"`
	Errors   []byte        `cbor:"4,keyasint,omitempty"`
	Purged   bool          `cbor:"5,keyasint,omitempty"`
}

// Head returns the data of a snapshot outside its parts.
func (img *Image) Head() *Head {
	h := &Head{
		Catalog: img.rules.catalog, Settings: img.settings, Country: img.country, Users: img.users,
	}
	for _, k := range img.skus.All() {
		h.SKUs = append(h.SKUs, HeadSKU{ID: k.id, Subscribed: k.subscribed, Units: k.units})
	}
	for _, v := range img.rules.variants[1:] {
		h.Variants = append(h.Variants, NewVariant{v.sku, v.disabled})
	}
	for _, g := range img.groups.All() {
		h.Groups = append(h.Groups, HeadGroup{ID: g.id, Licenses: *grants(g.licenses), Purged: g.purged})
	}
	return h
}

// Parts returns the number of parts of a snapshot of the image.
func (img *Image) Parts() int { return img.blocks.Chunks() }

// PartChanged reports whether a part may differ from that of an older image of the tenant. It takes
// one comparison.
func (img *Image) PartChanged(older *Image, part int) bool {
	return !img.blocks.SameChunk(&older.blocks, part)
}

const partVersion = 1

// AppendPart appends a part of the image: the users from part*PartUsers on.
func (img *Image) AppendPart(dst []byte, part int) []byte {
	blocks := img.blocks.Chunk(part)
	dst = append(dst, partVersion)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(blocks)))
	for _, b := range blocks {
		dst = b.append(dst)
	}
	return dst
}

const (
	entryBytes = 4*5 + 2 + 1 + 8
	lostBytes  = 8
)

func (b *block) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(b.facts)))
	for i, f := range b.facts {
		dst = append(le.AppendUint16(dst, uint16(f.location)), byte(f.flags))
		dst = le.AppendUint32(dst, b.entries.ends[i])
		dst = le.AppendUint32(dst, b.lost.ends[i])
	}
	for i := range b.entries.items {
		e := &b.entries.items[i]
		dst = le.AppendUint32(dst, uint32(e.Source))
		dst = le.AppendUint32(dst, uint32(e.Wished))
		dst = le.AppendUint32(dst, uint32(e.InForce))
		dst = le.AppendUint32(dst, e.Updated)
		dst = le.AppendUint32(dst, e.Assigned)
		dst = append(le.AppendUint16(dst, uint16(e.SKU)), byte(e.Error))
		dst = le.AppendUint64(dst, e.Since)
	}
	for _, l := range b.lost.items {
		dst = le.AppendUint32(le.AppendUint32(dst, uint32(l.variant)), l.at)
	}
	return dst
}

// Restore returns the image of a snapshot, from its head, its parts (AppendPart) and the parts of
// its sets (AppendSets), which snapshots of formats up to 7 do not have.
func Restore(h *Head, parts, sets [][]byte) (*Image, error) {
	if h.Catalog == nil {
		return nil, errors.New("the snapshot has no catalog")
	}
	of, err := validBook(h.Catalog)
	if err != nil {
		return nil, fmt.Errorf("the snapshot: %w", err)
	}
	img := newImage(of)
	img.settings, img.country, img.users = h.Settings, h.Country, h.Users
	ids, known := make([]uuid.UUID, len(h.SKUs)), make([]variant, 1, 1+len(h.Variants))
	for i, k := range h.SKUs {
		ids[i] = k.ID
	}
	for _, v := range h.Variants {
		if int(v.SKU) >= len(ids) {
			return nil,
				fmt.Errorf("the snapshot has a variant of SKU number %d of %d", v.SKU, len(ids))
		}
		known = append(known, variant{sku: v.SKU, disabled: v.Disabled})
	}
	img.rules = newRuleset(of, ids, known)
	users, err := img.restoreSets(h, sets)
	if err != nil {
		return nil, err
	}
	if err := img.take(h, users); err != nil {
		return nil, err
	}
	owner := new(vector.Owner)
	for i, data := range parts {
		if err := img.restorePart(owner, data); err != nil {
			return nil, fmt.Errorf("part %d of the snapshot: %w", i, err)
		}
	}
	if err := img.complete(); err != nil {
		return nil, err
	}
	return img, nil
}

// complete checks that the blocks have exactly the existing users: all are full except the last.
func (img *Image) complete() error {
	left := img.users
	for _, b := range img.blocks.All() {
		if len(b.facts) != min(left, blockSize) {
			return fmt.Errorf("the snapshot has a block of %d users where %d are left of %d",
				len(b.facts), left, img.users)
		}
		left -= len(b.facts)
	}
	if left != 0 {
		return fmt.Errorf("the snapshot has %d blocks for %d users", img.blocks.Len(), img.users)
	}
	return nil
}

// take sets the SKUs and groups of a head in an image, with their users.
func (img *Image) take(h *Head, users *sets) (err error) {
	set := func(b *roaring.Bitmap) userSet { return userSet{bitmap: settle(b)} }
	owner, inError := new(vector.Owner), roaring.New()
	img.deleted, img.purged = set(users.deleted), set(users.purged)
	for i, k := range h.SKUs {
		s := &sku{
			id: k.ID, subscribed: k.Subscribed, units: k.Units,
			holders: set(users.holders[i]), waiting: set(users.waiting[i]),
		}
		s.held = int(s.holders.bitmap.GetCardinality())
		s.consumed = s.held
		img.skus.Append(owner, s)
	}
	for i, g := range h.Groups {
		licenses, e := img.licenses(g.Licenses)
		k := &group{
			id: g.ID, licenses: licenses, purged: g.Purged,
			members: set(users.members[i]), errors: set(users.errors[i]),
		}
		err = errors.Join(err, e)
		img.groups.Append(owner, k)
		inError.Or(k.errors.bitmap)
	}
	img.inError.bitmap = settle(inError)
	return err
}

var errTruncated = errors.New("it ends too early")

func newerFormat(format, known byte) error {
	return fmt.Errorf("it is in format %d, and this version reads formats up to %d: "+
		"run the version that wrote it or a newer one", format, known)
}

func (img *Image) restorePart(owner *vector.Owner, data []byte) error {
	if len(data) < 5 {
		return errTruncated
	}
	if data[0] != partVersion {
		return newerFormat(data[0], partVersion)
	}
	n := binary.LittleEndian.Uint32(data[1:])
	data = data[5:]
	for range n {
		b, rest, err := decodeBlock(data)
		if err != nil {
			return err
		}
		if err := img.checkBlock(b); err != nil {
			return err
		}
		img.blocks.Append(owner, b)
		data = rest
	}
	return nil
}

func decodeBlock(data []byte) (*block, []byte, error) {
	le := binary.LittleEndian
	if len(data) < 4 {
		return nil, nil, errTruncated
	}
	n := int(le.Uint32(data))
	data = data[4:]
	if n == 0 || n > blockSize || len(data) < n*11 {
		return nil, nil, errTruncated
	}
	b := &block{facts: make([]fact, n)}
	b.entries.ends, b.lost.ends = make([]uint32, n), make([]uint32, n)
	for i := range n {
		b.facts[i] = fact{Country(le.Uint16(data)), flags(data[2])}
		b.entries.ends[i], b.lost.ends[i] = le.Uint32(data[3:]), le.Uint32(data[7:])
		if i > 0 && (b.entries.ends[i] < b.entries.ends[i-1] || b.lost.ends[i] < b.lost.ends[i-1]) {
			return nil, nil, errors.New("its users overlap")
		}
		data = data[11:]
	}
	entries, losses := int(b.entries.ends[n-1]), int(b.lost.ends[n-1])
	if len(data) < entries*entryBytes+losses*lostBytes {
		return nil, nil, errTruncated
	}
	b.entries.items, b.lost.items = make([]Entry, entries), make([]lost, losses)
	for i := range b.entries.items {
		b.entries.items[i] = decodeEntry(data[i*entryBytes:])
	}
	data = data[entries*entryBytes:]
	for i := range b.lost.items {
		b.lost.items[i] = lost{Variant(le.Uint32(data[i*lostBytes:])), le.Uint32(data[i*lostBytes+4:])}
	}
	return b, data[losses*lostBytes:], nil
}

func decodeEntry(data []byte) Entry {
	le := binary.LittleEndian
	_ = data[entryBytes-1]
	return Entry{
		Source: Source(le.Uint32(data)), Wished: Variant(le.Uint32(data[4:])), InForce: Variant(le.Uint32(data[8:])),
		Updated: le.Uint32(data[12:]), Assigned: le.Uint32(data[16:]),
		SKU: SKU(le.Uint16(data[20:])), Error: Violation(data[22]), Since: le.Uint64(data[23:]),
	}
}

// checkBlock checks that all ordinals in a block exist in the image.
func (img *Image) checkBlock(b *block) error {
	for i := range b.entries.items {
		e := &b.entries.items[i]
		if err := img.plausible(e.Source, e.SKU, e.Wished, e.InForce, e.Error); err != nil {
			return err
		}
	}
	for _, l := range b.lost.items {
		if int(l.variant) >= len(img.rules.variants) {
			return errors.New("a lost license names what the snapshot does not have")
		}
	}
	return nil
}
