package directory

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// Difference is a property of two documents with its values, as JSON; nil: none.
type Difference struct {
	Name     string
	Old, New []byte
}

// Differences returns the properties in which two documents differ, in the order of their names.
// They must be valid JSON; the first may be nil. Properties that are kept in a member "properties"
// are like the others.
func Differences(a, b []byte) []Difference {
	lists := spareLists.Get().(*[2][]Member)
	defer spareLists.Put(lists)
	lists[0], lists[1] = flatMembers(lists[0], a), flatMembers(lists[1], b)
	was, now := lists[0], lists[1]
	var list []Difference
	for _, m := range now {
		at := slices.IndexFunc(was, func(w Member) bool { return w.Name == m.Name })
		switch {
		case at < 0:
			list = append(list, Difference{m.Name, nil, m.Value})
		case !bytes.Equal(was[at].Value, m.Value):
			list = append(list, Difference{m.Name, was[at].Value, m.Value})
		}
	}
	for _, w := range was {
		if !slices.ContainsFunc(now, func(m Member) bool { return m.Name == w.Name }) {
			list = append(list, Difference{w.Name, w.Value, nil})
		}
	}
	slices.SortFunc(list, func(a, b Difference) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// keptWithin is the member of a document with the properties that have no effect here.
const keptWithin = "properties"

// spareLists are lists of members whose memory can be used again.
var spareLists = sync.Pool{New: func() any { return new([2][]Member) }}

// flatMembers returns the members of a document in the memory of a list.
func flatMembers(list []Member, document []byte) []Member {
	members, _ := splitValid(list, document)
	at := slices.IndexFunc(members, func(m Member) bool { return m.Name == keptWithin })
	if at < 0 {
		return members
	}
	within, _ := splitValid(nil, members[at].Value)
	return append(slices.Delete(members, at, at+1), within...)
}
