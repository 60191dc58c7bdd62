package licensing

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/google/uuid"
)

// sum returns a hash of the content: two catalogs with the same one are equal. It is computed each
// time a tenant is loaded, so it must be fast.
func (c *Catalog) sum() [sha256.Size]byte {
	b := make([]byte, 0, 256*(len(c.Products)+len(c.ServicePlans)))
	b = appendLength(b, len(c.Products))
	for i := range c.Products {
		p := &c.Products[i]
		b = append(b, p.SKUID[:]...)
		b = appendTexts(b, p.SKUPartNumber, p.DisplayName, string(p.AppliesTo))
		b = appendIDs(b, p.ServicePlanIDs)
	}
	b = appendLength(b, len(c.ServicePlans))
	for i := range c.ServicePlans {
		p := &c.ServicePlans[i]
		b = append(b, p.ID[:]...)
		b = appendTexts(b, p.Name, p.DisplayName, p.Service, string(p.AppliesTo))
		b = appendIDs(b, p.Excludes)
		b = appendLength(b, len(p.RequiresAnyOf))
		for _, set := range p.RequiresAnyOf {
			b = appendIDs(b, set)
		}
		b = appendLength(b, len(p.ProhibitedIn))
		for _, country := range p.ProhibitedIn {
			b = binary.BigEndian.AppendUint16(b, uint16(country))
		}
	}
	return sha256.Sum256(b)
}

func appendLength(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = append(appendLength(b, len(text)), text...)
	}
	return b
}

func appendIDs(b []byte, ids []uuid.UUID) []byte {
	b = appendLength(b, len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}
