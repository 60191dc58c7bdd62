package fold

// Names finds values by their names in any letter case, without allocation. Keys are folded names
// in ASCII.
type Names[V any] map[string]V

// NamesOf returns Names for values with names in any spelling.
func NamesOf[V any](all map[string]V) Names[V] {
	names := make(Names[V], len(all))
	for name, v := range all {
		names[Text(name)] = v
	}
	return names
}

// longestName is the maximum length of a name, in bytes.
const longestName = 64

// Find returns the value with a name.
func (n Names[V]) Find(name string) (v V, ok bool) {
	if v, ok = n[name]; ok {
		return v, true
	}
	var folded [longestName]byte
	if len(name) > len(folded) {
		return v, false
	}
	for i := range len(name) {
		folded[i] = small(name[i])
	}
	v, ok = n[string(folded[:len(name)])]
	return v, ok
}

// Add gives a value a name.
func (n Names[V]) Add(name string, v V) { n[Text(name)] = v }

// Among returns the one of some names that equals a text in any letter case, in the spelling of
// names.
func Among(names []string, text string) (name string, ok bool) {
	for _, name := range names {
		if Equal(name, text) {
			return name, true
		}
	}
	return text, false
}
