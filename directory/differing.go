package directory

import (
	"bytes"
	"slices"
)

// Differing names the properties in which two documents differ, sorted.
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
