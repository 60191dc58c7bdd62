package directory

import (
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
)

// Relation is the kind of a relation between two objects. Numbers are stored; never renumber.
type Relation uint8

// The relations, each read from From to To of a Link.
const (
	RelationOwnedBy     Relation = iota + 1 // an application, service principal or group, and its owner
	RelationHasMember                       // a group, and a member
	RelationCreatedBy                       // an object, and its creator
	RelationSponsoredBy                     // a user, and a sponsor
	// A user, group or service principal, and the service principal whose app role it has.
	RelationHasRole
	relationsEnd
)

// Link is a relation between two objects, by their object ids.
type Link struct {
	Relation Relation  `cbor:"1,keyasint"`
	From     uuid.UUID `cbor:"2,keyasint"`
	To       uuid.UUID `cbor:"3,keyasint"`
	Role     uuid.UUID `json:",omitzero" cbor:"4,keyasint,omitzero"` // of RelationHasRole: the id of the app role, which may be zero
}

// Links are the relations between objects of any kinds, except those that the Index stores by
// ordinals because licensing uses them (users and groups in a group, users that own a group, and
// managers), and members of administrative units, see UnitMembers. They are safe for concurrent
// reading. The cost of finding and changing a link hardly depends on their number. A link is kept
// while one of its ends is soft-deleted.
type Links struct {
	forth btree.Set[string]        // relation, From, To and role
	back  btree.Set[string]        // relation, To, From and role
	since btree.Map[string, int64] // when links of RelationHasRole were made, in seconds, by their keys in forth

	copying sync.Mutex // see Index
}

// Copy returns links that may be changed until they are published.
func (l *Links) Copy() *Links {
	l.copying.Lock()
	defer l.copying.Unlock()
	return &Links{forth: *l.forth.Copy(), back: *l.back.Copy(), since: *l.since.Copy()}
}

// Set adds a link, or removes it.
func (l *Links) Set(link Link, is bool) {
	forth := linkKey(link.Relation, link.From, link.To, link.Role)
	back := linkKey(link.Relation, link.To, link.From, link.Role)
	if is {
		l.forth.Insert(forth)
		l.back.Insert(back)
	} else {
		l.forth.Delete(forth)
		l.back.Delete(back)
		l.since.Delete(forth)
	}
}

// SetSince records when a link was made. It is stored for RelationHasRole only, where Graph shows
// it.
func (l *Links) SetSince(link Link, at time.Time) {
	if link.Relation == RelationHasRole {
		l.since.Set(linkKey(link.Relation, link.From, link.To, link.Role), at.Unix())
	}
}

// Since returns when a link was made; the zero time if that is not known.
func (l *Links) Since(link Link) time.Time {
	if at, ok := l.since.Get(linkKey(link.Relation, link.From, link.To, link.Role)); ok {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// Has reports whether the link exists.
func (l *Links) Has(link Link) bool {
	return l.forth.Contains(linkKey(link.Relation, link.From, link.To, link.Role))
}

// Joins reports whether a relation leads from one object to another, with any role.
func (l *Links) Joins(r Relation, from, to uuid.UUID) (joined bool) {
	first := linkKey(r, from, to, uuid.Nil)
	l.forth.Ascend(first, func(key string) bool {
		joined = strings.HasPrefix(key, first[:1+2*len(from)])
		return false
	})
	return joined
}

// Len returns the number of links.
func (l *Links) Len() int { return l.forth.Len() }

// From returns the objects that a relation leads to from an object, such as the owners of a group.
func (l *Links) From(r Relation, from uuid.UUID) iter.Seq[uuid.UUID] {
	return func(yield func(uuid.UUID) bool) {
		for link := range l.LinksFrom(r, from) {
			if !yield(link.To) {
				return
			}
		}
	}
}

// To returns the objects from which a relation leads to an object, such as the groups that a
// service principal owns.
func (l *Links) To(r Relation, to uuid.UUID) iter.Seq[uuid.UUID] {
	return func(yield func(uuid.UUID) bool) {
		for link := range l.LinksTo(r, to) {
			if !yield(link.From) {
				return
			}
		}
	}
}

// LinksFrom returns the links of a relation from an object, ordered by their other ends and roles.
func (l *Links) LinksFrom(r Relation, from uuid.UUID) iter.Seq[Link] {
	return l.LinksFromBehind(Link{Relation: r, From: from})
}

// LinksFromBehind returns those of LinksFrom after a link, which need not exist.
func (l *Links) LinksFromBehind(last Link) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		ends(&l.forth, last.Relation, last.From, last.To, last.Role, func(to, role uuid.UUID) bool {
			return yield(Link{last.Relation, last.From, to, role})
		})
	}
}

// LinksTo returns the links of a relation to an object, ordered by their other ends and roles.
func (l *Links) LinksTo(r Relation, to uuid.UUID) iter.Seq[Link] {
	return l.LinksToBehind(Link{Relation: r, To: to})
}

// LinksToBehind returns those of LinksTo after a link, which need not exist.
func (l *Links) LinksToBehind(last Link) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		ends(&l.back, last.Relation, last.To, last.From, last.Role, func(from, role uuid.UUID) bool {
			return yield(Link{last.Relation, from, last.To, role})
		})
	}
}

// Of returns all links that an object is an end of.
func (l *Links) Of(id uuid.UUID) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		for r := RelationOwnedBy; r < relationsEnd; r++ {
			for link := range l.LinksFrom(r, id) {
				if !yield(link) {
					return
				}
			}
			for link := range l.LinksTo(r, id) {
				if link.From != id && !yield(link) {
					return
				}
			}
		}
	}
}

// OfKind returns all links of a relation.
func (l *Links) OfKind(r Relation) iter.Seq[Link] {
	return func(yield func(Link) bool) {
		l.forth.Ascend(string([]byte{byte(r)}), func(key string) bool {
			return Relation(key[0]) == r && yield(Link{r, idIn(key, 0), idIn(key, 1), idIn(key, 2)})
		})
	}
}

// All returns all links, in a fixed order.
func (l *Links) All() iter.Seq[Link] {
	return func(yield func(Link) bool) {
		l.forth.Scan(func(key string) bool {
			return yield(Link{Relation(key[0]), idIn(key, 0), idIn(key, 1), idIn(key, 2)})
		})
	}
}

// ends yields the entries of a relation and an id, after another end and a role. No object has the
// zero id, so zero is before all.
func ends(set *btree.Set[string], r Relation, id, other, role uuid.UUID, yield func(other, role uuid.UUID) bool) {
	last := linkKey(r, id, other, role)
	head := last[:1+len(id)]
	set.Ascend(last, func(key string) bool {
		return strings.HasPrefix(key, head) && (key == last || yield(idIn(key, 1), idIn(key, 2)))
	})
}

func linkKey(r Relation, ids ...uuid.UUID) string {
	key := append(make([]byte, 0, 1+3*len(uuid.Nil)), byte(r))
	for _, id := range ids {
		key = append(key, id[:]...)
	}
	return string(key)
}

// idIn returns one of the ids of a key, in their order.
func idIn(key string, n int) uuid.UUID {
	return uuid.UUID([]byte(key[1+n*len(uuid.Nil):][:len(uuid.Nil)]))
}
