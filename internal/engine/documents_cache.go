package engine

import (
	"sync"

	"licensor/internal/tenant"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// The limits of the cache of decoded documents, for all tenants together. The documents that are
// requested repeatedly are few and small.
const (
	cachedDocuments = 1 << 15
	cachedBytes     = 32 << 20 // of the rows that they were decoded from
	largestCached   = 64 << 10
)

// documentCache keeps the most recently used documents.
type documentCache struct {
	mu   sync.Mutex
	kept *simplelru.LRU[documentKey, document]
	size int // bytes
}

type documentKey struct {
	tenant uuid.UUID
	tenant.ObjectKey
}

func newDocumentCache() (*documentCache, error) {
	c := new(documentCache)
	var err error
	c.kept, err = simplelru.NewLRU(cachedDocuments, func(_ documentKey, d document) { c.size -= d.size })
	return c, err
}

func (c *documentCache) get(key documentKey) (document, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Get(key)
}

// add adds a document, unless it is large, and removes the least recently used ones.
func (c *documentCache) add(key documentKey, d document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(key)
	if d.size > largestCached {
		return
	}
	c.kept.Add(key, d)
	for c.size += d.size; c.size > cachedBytes; {
		c.kept.RemoveOldest()
	}
}

func (c *documentCache) remove(key documentKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(key)
}

// purge removes all documents of a tenant.
func (c *documentCache) purge(of uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.kept.Keys() {
		if key.tenant == of {
			c.kept.Remove(key)
		}
	}
}
