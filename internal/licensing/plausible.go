package licensing

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
)

// Stored data is validated when effects are applied or a snapshot is restored: an ordinal that does
// not exist in the image would otherwise cause errors much later.

// plausible returns an error for an entry that refers to something that the image does not have.
func (img *Image) plausible(source Source, s SKU, wished, inForce Variant, e Violation) error {
	if int(s) >= img.skus.Len() {
		return fmt.Errorf("an entry of SKU number %d of %d", s, img.skus.Len())
	}
	if !img.isOf(wished, s) || !img.isOf(inForce, s) {
		return fmt.Errorf("an entry with variants %d and %d, which are not of SKU number %d", wished, inForce, s)
	}
	if g, ok := source.Group(); ok && int(g) >= img.groups.Len() {
		return fmt.Errorf("an entry from group number %d of %d", g, img.groups.Len())
	}
	if e >= violationCount {
		return fmt.Errorf("an entry with error number %d of %d", e, violationCount)
	}
	return nil
}

func (img *Image) isOf(v Variant, s SKU) bool {
	return v == None || int(v) < len(img.rules.variants) && img.rules.variants[v].sku == s
}

// licenses reads the licenses of a group.
func (img *Image) licenses(grants []GroupGrants) ([]license, error) {
	var list []license
	for _, l := range grants {
		if l.Variant == None || int(l.SKU) >= img.skus.Len() || !img.isOf(l.Variant, l.SKU) {
			return nil, fmt.Errorf("a group with variant %d of SKU number %d, which does not exist", l.Variant, l.SKU)
		}
		list = append(list, license{l.SKU, l.Variant})
	}
	return list, nil
}

// unpacked reads a set of users, who must all exist in the image. With an error the set is empty.
func (img *Image) unpacked(data []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	if len(data) == 0 {
		return b, nil
	}
	err := b.UnmarshalBinary(data)
	if err == nil {
		err = b.Validate()
	}
	if err == nil && !b.IsEmpty() && int(b.Maximum()) >= img.users {
		err = fmt.Errorf("user number %d, but there are only %d users", b.Maximum(), img.users)
	}
	if err != nil {
		return roaring.New(), fmt.Errorf("a set of users: %w", err)
	}
	return b, nil
}
