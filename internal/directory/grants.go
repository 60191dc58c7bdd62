package directory

import (
	"iter"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
)

// Grants are the delegated permissions of a tenant's applications: at most one Grant for each
// client and user. They are safe for concurrent reading. The cost of finding and changing a grant
// hardly depends on their number.
type Grants struct {
	byClient btree.Map[string, Grant] // by client and user
	byUser   btree.Set[string]        // user and client

	copying sync.Mutex // see Index
}

// Copy returns grants that may be changed until they are published.
func (g *Grants) Copy() *Grants {
	g.copying.Lock()
	defer g.copying.Unlock()
	return &Grants{byClient: *g.byClient.Copy(), byUser: *g.byUser.Copy()}
}

// Set adds a grant, in place of the one of the same client and user, if there is one.
func (g *Grants) Set(grant Grant) {
	g.byClient.Set(pair(grant.Client, grant.User), grant)
	g.byUser.Insert(pair(grant.User, grant.Client))
}

// Remove removes the grant of a client for a user.
func (g *Grants) Remove(client, user uuid.UUID) {
	g.byClient.Delete(pair(client, user))
	g.byUser.Delete(pair(user, client))
}

// Len returns the number of grants.
func (g *Grants) Len() int { return g.byClient.Len() }

// Get returns the grant of a client for a user, or with the zero id for all users.
func (g *Grants) Get(client, user uuid.UUID) (Grant, bool) { return g.byClient.Get(pair(client, user)) }

// All returns all grants, ordered by client.
func (g *Grants) All() iter.Seq[Grant] { return g.from("") }

// OfClient returns the grants of a client.
func (g *Grants) OfClient(client uuid.UUID) iter.Seq[Grant] { return g.from(string(client[:])) }

// OfUser returns the grants for a single user.
func (g *Grants) OfUser(user uuid.UUID) iter.Seq[Grant] {
	return func(yield func(Grant) bool) {
		g.byUser.Ascend(string(user[:]), func(key string) bool {
			client, of := strings.CutPrefix(key, string(user[:]))
			if !of {
				return false
			}
			grant, _ := g.byClient.Get(client + string(user[:]))
			return yield(grant)
		})
	}
}

// from returns the grants whose keys begin with a prefix.
func (g *Grants) from(prefix string) iter.Seq[Grant] {
	return func(yield func(Grant) bool) {
		g.byClient.Ascend(prefix, func(key string, grant Grant) bool {
			return strings.HasPrefix(key, prefix) && yield(grant)
		})
	}
}

func pair(one, other uuid.UUID) string { return string(one[:]) + string(other[:]) }
