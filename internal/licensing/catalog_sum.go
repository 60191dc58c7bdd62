package licensing

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/google/uuid"
)

// sum returns a hash of the content: two catalogs with the same one are equal. It is computed each
// time a tenant is loaded, so it must be fast.
func (c *Catalog) sum() [sha256.Size]byte {
	sum, b := sha256.New(), make([]byte, 0, 2*sumAtOnce)
	b = appendLength(b, len(c.Products))
	for i := range c.Products {
		p := &c.Products[i]
		b = append(b, p.SKUID[:]...)
		b = appendTexts(b, p.SKUPartNumber, p.DisplayName, string(p.AppliesTo))
		b = addLarge(sum, appendIDs(b, p.ServicePlanIDs))
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
		b = addLarge(sum, b)
	}
	sum.Write(b)
	return [sha256.Size]byte(sum.Sum(nil))
}

// sumAtOnce is how many bytes are added to a sum at once, at least.
const sumAtOnce = 4 << 10

// addLarge adds data to a sum once there is enough, and returns what is left.
func addLarge(sum hash.Hash, data []byte) []byte {
	if len(data) < sumAtOnce {
		return data
	}
	sum.Write(data)
	return data[:0]
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
