package tenant

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// What is kept of decoded documents: those that are asked for again and again are few beside those
// there are, and small.
const (
	cachedDocuments = 8192
	cachedBytes     = 8 << 20 // of the rows that they were decoded from
	largestCached   = 64 << 10
)

// documentCache keeps the documents that were asked for last.
type documentCache struct {
	mu   sync.Mutex
	kept *simplelru.LRU[objectKey, document]
	size int // bytes
}

func newDocumentCache() (*documentCache, error) {
	c := new(documentCache)
	var err error
	c.kept, err = simplelru.NewLRU(cachedDocuments, func(_ objectKey, d document) { c.size -= d.size })
	return c, err
}

func (c *documentCache) get(key objectKey) (document, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Get(key)
}

// add keeps a document, unless it is large, in the place of those that nobody has asked for the
// longest.
func (c *documentCache) add(key objectKey, d document) {
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

func (c *documentCache) remove(key objectKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Remove(key)
}

func (c *documentCache) purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Purge()
}
