package directory

import (
	"bytes"
	"slices"
)

// Differing returns the names of the properties in which two documents differ, sorted.
func Differing(a, b []byte) []string {
	was, _ := split(a)
	now, _ := split(b)
	var names []string
	for _, m := range now {
		at := slices.IndexFunc(was, func(w Member) bool { return w.Name == m.Name })
		if at < 0 || !bytes.Equal(was[at].Value, m.Value) {
			names = append(names, m.Name)
		}
	}
	for _, w := range was {
		if !slices.ContainsFunc(now, func(m Member) bool { return m.Name == w.Name }) {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	return names
}

// DifferingWithin is Differing for documents with some properties in a member "properties", which
// are named separately.
func DifferingWithin(a, b []byte) []string {
	names := Differing(a, b)
	at := slices.Index(names, keptWithin)
	if at < 0 {
		return names
	}
	return append(slices.Delete(names, at, at+1), Differing(memberOf(a, keptWithin), memberOf(b, keptWithin))...)
}

const keptWithin = "properties"

func memberOf(document []byte, name string) []byte {
	members, _ := split(document)
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}
