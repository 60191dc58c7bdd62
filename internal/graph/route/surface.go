package route

import (
	_ "embed"
	"strings"

	"licensor/internal/graph/edm"

	"github.com/google/uuid"
)

// surfaceText has every public path of Graph, v1.0 and beta, three segments deep, and some deeper
// ones. Each line is a path, a tab, and the names of what is directly below it, in lower case: {}
// is a key, (appid) a property that can be one, and a name with () is a function that takes
// parameters. Deeper places than those of the table are assumed to exist.
//
//go:embed surface.txt
var surfaceText string

// surfaceDepth is the depth to which the table is complete.
const surfaceDepth = 3

// addSurface adds the places of Graph to the tree, so that a name of Graph is never taken for a
// key, and unsupported ones are answered with 501 (docs/spec/protocol.md P29). Places under
// /users/{} are also under /me.
func (n *Place[Op]) addSurface(text string) {
	for line := range strings.Lines(text) {
		path, names, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		n.know(path, names)
		if rest, ok := strings.CutPrefix(path, "users/{}"); ok {
			n.know("me"+rest, names)
		}
	}
}

// know adds the names of Graph below a path.
func (n *Place[Op]) know(path, names string) {
	depth := 1
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" {
			n = n.known(segment)
			depth++
		}
	}
	for name := range strings.FieldsSeq(names) {
		place := n.known(name)
		place.Graph, place.deep = true, depth >= surfaceDepth
	}
}

// known returns the child for a segment in the form of the table.
func (n *Place[Op]) known(segment string) *Place[Op] {
	if alias, ok := strings.CutPrefix(segment, "("); ok {
		return n.alternate(strings.TrimSuffix(alias, ")"))
	}
	name, function := strings.CutSuffix(segment, "()")
	next := n.child(name)
	next.function = next.function || function
	return next
}

// odataWords are the segments of OData that are the same everywhere. No key is one.
var odataWords = words("$count", "$ref", "$value", "$links", "$query", "$each", "$filter", "$metadata", "$batch", "$entity", "$all")

// collectionOperations can be called on sets and lists of directory objects. No key is one.
var collectionOperations = words("delta", "getbyids", "validateproperties", "getavailableextensionproperties", "getuserownedobjects")

// isKey reports whether a segment can be a key: a word of OData, a call or the name of a type
// cannot.
func isKey(segment string) bool {
	word := strings.ToLower(segment)
	_, qualified := edm.WithoutNamespace(word)
	_, _, called := Parentheses(word)
	return segment != "" && !qualified && !called && !odataWords[word] && !collectionOperations[word]
}

// mayHave reports whether Graph may have a segment below a place without a supported operation.
// Beyond the depth of the table, every name that occurs in Graph counts.
func (t *Tree[Op]) mayHave(n *Place[Op], segment string) bool {
	if !n.Graph || segment == "" {
		return false
	}
	if n.deep && !n.served() {
		return true
	}
	name, arguments, _ := Parentheses(strings.ToLower(segment))
	plain, qualified := edm.WithoutNamespace(name)
	if qualified { // an existing type, or something that can be called
		return edm.IsTypeName(plain) || t.words[plain] || t.words[name]
	}
	return arguments == "" &&
		(odataWords[name] || collectionOperations[name] || t.words[plain] || uuid.Validate(segment) == nil)
}

// served reports whether there is an operation at the place or below it.
func (n *Place[Op]) served() bool {
	return len(n.Operations) > 0 || len(n.names) > 0 || len(n.alternates) > 0 || n.key != nil
}

// gather collects the names of everything below a place.
func (n *Place[Op]) gather(words map[string]bool) {
	for name, next := range n.names {
		words[name] = true
		next.gather(words)
	}
	for _, next := range n.alternates {
		next.gather(words)
	}
	if n.key != nil {
		n.key.gather(words)
	}
}

func words(list ...string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, word := range list {
		set[word] = true
	}
	return set
}

// addNavigation adds the paths of navigation properties to those of surface.txt.
func (n *Place[Op]) addNavigation() {
	for typeName, sets := range edm.PlacesOf {
		names := strings.ToLower(strings.Join(edm.Navigation[typeName], " "))
		for _, set := range sets {
			n.know(strings.ToLower(set)+"/{}", names)
		}
		if typeName == "user" {
			n.know("me", names)
		}
	}
}
