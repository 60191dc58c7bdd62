package directory

import (
	"iter"
	"sync"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
)

// Relation is what one object is to another. Numbers are stored; never renumber.
type Relation uint8

// The relations, each read from From to To of a Link.
const (
	OwnedBy     Relation = iota + 1 // an application, service principal or group, and its owner
	HasMember                       // a group, and a member
	CreatedBy                       // what was created, and who did it
	SponsoredBy                     // a user, and a sponsor
	relationsEnd
)

// Link is a relation between two objects, by their object ids.
type Link struct {
	Relation Relation  `cbor:"1,keyasint"`
	From     uuid.UUID `cbor:"2,keyasint"`
	To       uuid.UUID `cbor:"3,keyasint"`
}

// Links are the relations between objects of any kinds, but for those among users and groups that licensing rests upon, which the
// Index keeps by ordinals: the users and groups in a group, the users that own one, and managers. Any number of goroutines may read
// them. Finding and changing one costs about the same however many there are. A link stays while one of its ends is soft-deleted.
type Links struct {
	forth btree.Set[string] // relation, From and To
	back  btree.Set[string] // relation, To and From

	copying sync.Mutex // see Index
}

// Copy returns links that can be changed, until they are published.
func (l *Links) Copy() *Links {
	l.copying.Lock()
	defer l.copying.Unlock()
	return &Links{forth: *l.forth.Copy(), back: *l.back.Copy()}
}

// Set adds a link, or removes it.
func (l *Links) Set(link Link, is bool) {
	forth, back := linkKey(link.Relation, link.From, link.To), linkKey(link.Relation, link.To, link.From)
	if is {
		l.forth.Insert(forth)
		l.back.Insert(back)
	} else {
		l.forth.Delete(forth)
		l.back.Delete(back)
	}
}

// Has reports whether there is a link.
func (l *Links) Has(link Link) bool {
	return l.forth.Contains(linkKey(link.Relation, link.From, link.To))
}

// Len returns how many links there are.
func (l *Links) Len() int { return l.forth.Len() }

// From returns the objects that a relation leads to from one, such as the owners of a group.
func (l *Links) From(r Relation, from uuid.UUID) iter.Seq[uuid.UUID] { return ends(&l.forth, r, from) }

// To returns the objects from which a relation leads to one, such as the groups that a service principal owns.
func (l *Links) To(r Relation, to uuid.UUID) iter.Seq[uuid.UUID] { return ends(&l.back, r, to) }

// Of returns all links that an object is an end of.
func (l *Links) Of(id uuid.UUID) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		for r := OwnedBy; r < relationsEnd; r++ {
			for to := range l.From(r, id) {
				if !yield(Link{r, id, to}) {
					return
				}
			}
			for from := range l.To(r, id) {
				if from != id && !yield(Link{r, from, id}) {
					return
				}
			}
		}
	}
}

// All returns all links, in an order that is always the same.
func (l *Links) All() iter.Seq[Link] {
	return func(yield func(Link) bool) {
		l.forth.Scan(func(key string) bool {
			return yield(Link{Relation(key[0]), uuid.UUID([]byte(key[1:17])), uuid.UUID([]byte(key[17:]))})
		})
	}
}

// ends returns the ids behind a relation and an id.
func ends(set *btree.Set[string], r Relation, id uuid.UUID) iter.Seq[uuid.UUID] {
	return func(yield func(uuid.UUID) bool) {
		first := linkKey(r, id, uuid.Nil)
		set.Ascend(first, func(key string) bool {
			return key[:17] == first[:17] && yield(uuid.UUID([]byte(key[17:])))
		})
	}
}

func linkKey(r Relation, one, other uuid.UUID) string {
	var key [33]byte
	key[0] = byte(r)
	copy(key[1:], one[:])
	copy(key[17:], other[:])
	return string(key[:])
}
