package licensing

import (
	"crypto/sha256"
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/google/uuid"
)

// book is a catalog, compiled. Plans that occur in a rule are numbered by bits, so that a variant's
// plans, what they exclude and what they require are sets that a check intersects. It is immutable,
// and all tenants with the same catalog share one.
type book struct {
	catalog    *Catalog
	products   map[uuid.UUID]*Product
	plans      map[uuid.UUID]int32 // index into catalog.ServicePlans
	bits       map[uuid.UUID]int   // plans that occur in a rule
	ruled      []uuid.UUID         // bit -> plan
	prohibited map[Country]planSet
}

// books are the books in use, by the content of their catalogs. A book is removed with the last
// tenant that uses it.
var books = struct {
	sync.Mutex
	of map[[sha256.Size]byte]weak.Pointer[book]
}{of: map[[sha256.Size]byte]weak.Pointer[book]{}}

// bookOf returns the book of a valid catalog.
func bookOf(catalog *Catalog) *book {
	key := catalog.sum()
	if b := bookWith(key); b != nil {
		return b
	}
	return addBook(key, catalog)
}

// validBook returns the book of a catalog, or a *CatalogError. A catalog that has a book is valid
// and need not be checked again, as when one tenant after another is loaded.
func validBook(catalog *Catalog) (*book, error) {
	key := catalog.sum()
	if b := bookWith(key); b != nil {
		return b, nil
	}
	if err := catalog.Validate(); err != nil {
		return nil, err
	}
	return addBook(key, catalog), nil
}

// bookWith returns the book of catalogs with a sum, nil if none is in use.
func bookWith(key [sha256.Size]byte) *book {
	books.Lock()
	defer books.Unlock()
	return books.of[key].Value()
}

func addBook(key [sha256.Size]byte, catalog *Catalog) *book {
	books.Lock()
	defer books.Unlock()
	if b := books.of[key].Value(); b != nil {
		return b
	}
	b := newBook(catalog)
	books.of[key] = weak.Make(b)
	runtime.AddCleanup(b, dropBook, key)
	return b
}

// dropBook removes a book that is no longer used, unless it is in use again.
func dropBook(key [sha256.Size]byte) {
	books.Lock()
	defer books.Unlock()
	if books.of[key].Value() == nil {
		delete(books.of, key)
	}
}

func newBook(catalog *Catalog) *book {
	b := &book{
		catalog:  catalog,
		products: make(map[uuid.UUID]*Product, len(catalog.Products)),
		plans:    make(map[uuid.UUID]int32, len(catalog.ServicePlans)),
		bits:     map[uuid.UUID]int{}, prohibited: map[Country]planSet{},
	}
	for i := range catalog.Products {
		b.products[catalog.Products[i].SKUID] = &catalog.Products[i]
	}
	for i := range catalog.ServicePlans {
		b.plans[catalog.ServicePlans[i].ID] = int32(i)
	}
	b.numberPlans()
	b.prohibit()
	return b
}

// numberPlans gives a bit to every plan that occurs in a rule.
func (b *book) numberPlans() {
	number := func(id uuid.UUID) {
		if _, ok := b.bits[id]; !ok {
			b.bits[id] = len(b.ruled)
			b.ruled = append(b.ruled, id)
		}
	}
	for i := range b.catalog.ServicePlans {
		p := &b.catalog.ServicePlans[i]
		if len(p.Excludes)+len(p.RequiresAnyOf)+len(p.ProhibitedIn) > 0 {
			number(p.ID)
		}
		for _, id := range p.Excludes {
			number(id)
		}
		for _, set := range p.RequiresAnyOf {
			for _, id := range set {
				number(id)
			}
		}
	}
}

func (b *book) prohibit() {
	for i := range b.catalog.ServicePlans {
		p := &b.catalog.ServicePlans[i]
		for _, country := range p.ProhibitedIn {
			if b.prohibited[country] == nil {
				b.prohibited[country] = b.newSet()
			}
			b.prohibited[country].add(b.bits[p.ID])
		}
	}
}

// setOf returns the set of those plans that occur in a rule.
func (b *book) setOf(plans []uuid.UUID) planSet {
	s := b.newSet()
	for _, id := range plans {
		s.add(b.bits[id])
	}
	return s
}

func (b *book) newSet() planSet { return make(planSet, (len(b.ruled)+63)/64) }

// excludedBy adds to a set the plans that cannot be with p: those that it excludes and those that
// exclude it (L41).
func (b *book) excludedBy(p *ServicePlan, into planSet) {
	for _, id := range p.Excludes {
		into.add(b.bits[id])
	}
	for i := range b.catalog.ServicePlans {
		q := &b.catalog.ServicePlans[i]
		if slices.Contains(q.Excludes, p.ID) {
			into.add(b.bits[q.ID])
		}
	}
}

// product returns the product of a skuId, nil if the catalog does not have it.
func (b *book) product(id uuid.UUID) *Product { return b.products[id] }

func (b *book) plan(at int32) *ServicePlan { return &b.catalog.ServicePlans[at] }
