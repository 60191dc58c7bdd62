package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"licensor/internal/fold"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage // valid JSON without surrounding white space
}

// Is reports whether the member has a name, in any letter case (docs/spec/protocol.md P1).
func (m Member) Is(name string) bool { return fold.Equal(m.Name, name) }

// Members splits a JSON object into its members, in order. It returns an *InvalidError of kind
// InvalidType for invalid JSON, for anything that is not an object, and for a duplicate name, in
// any letter case. The values are parts of body.
func Members(body []byte) ([]Member, error) { return unique(split(nil, body)) }

// Members is Members of the member's value.
func (m Member) Members() ([]Member, error) { return unique(splitValid(nil, m.Value)) }

// Splitter splits many JSON objects, whose members are valid until it splits the next one.
type Splitter struct{ members []Member }

// Members is Members of a text.
func (s *Splitter) Members(body []byte) ([]Member, error) { return s.keep(split(s.members, body)) }

// MembersOf is Members of the value of a member, which must be of a text that was split.
func (s *Splitter) MembersOf(m Member) ([]Member, error) {
	return s.keep(splitValid(s.members, m.Value))
}

func (s *Splitter) keep(members []Member, ok bool) ([]Member, error) {
	s.members = members[:0]
	return unique(members, ok)
}

// Text returns the value of a member that is a text, and false for other values.
func (m Member) Text() (string, bool) { return readString(m.Value) }

// IsObject reports whether a text is a valid JSON object without white space around it.
func IsObject(text []byte) bool {
	return len(text) > 0 && text[0] == '{' && text[len(text)-1] == '}' && valid(text)
}

// unique returns members unless there are none, or some have the same name.
func unique(members []Member, ok bool) ([]Member, error) {
	if !ok {
		return nil, &InvalidError{Kind: InvalidType, Want: "one JSON object"}
	}
	if at := duplicate(members); at >= 0 {
		return nil, &InvalidError{
			Kind: InvalidType, Property: members[at].Name, Want: "each property once, in any letter case",
		}
	}
	return members, nil
}

// fewMembers is the number of members up to which comparing them pairwise is faster than using a
// map.
const fewMembers = 24

// duplicate returns the place of the first member with the name of an earlier one, or -1.
func duplicate(members []Member) int {
	if len(members) <= fewMembers {
		var marks [fewMembers]uint32
		for i, m := range members {
			marks[i] = markOf(m.Name)
			for j, other := range members[:i] {
				if (marks[i] == marks[j] || marks[i] == 0 || marks[j] == 0) && other.Is(m.Name) {
					return i
				}
			}
		}
		return -1
	}
	seen := make(map[string]bool, len(members))
	for i, m := range members {
		name := fold.Text(m.Name)
		if seen[name] {
			return i
		}
		seen[name] = true
	}
	return -1
}

// markOf returns a number that is the same for names that are equal in any letter case, so that few
// must be compared; 0 for names that are not ASCII.
func markOf(name string) uint32 {
	mark := uint32(1)
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return 0
		}
		mark = (mark ^ uint32(name[i]|0x20)) * 0x01000193
	}
	return mark
}

// Unmarshal is json.Unmarshal for documents that were stored: an unknown property is an error,
// since the next write would lose it.
func Unmarshal(document []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("there is more after the document")
	}
	return nil
}

// split splits an object into its members without checking for duplicate names, which stored
// documents do not have. It uses the memory of a list.
func split(into []Member, body []byte) ([]Member, bool) {
	if !valid(body) {
		return into, false
	}
	return splitValid(into, body)
}

// Space is reserved for a member in so many bytes, and for so many members at most.
const (
	memberSize = 28
	mostSpace  = 64
)

// splitValid is split for valid JSON, such as documents that were written here. It returns false if
// the object has no end, or is not all.
func splitValid(into []Member, body []byte) ([]Member, bool) {
	members := slices.Grow(into[:0], min(1+len(body)/memberSize, mostSpace))
	ok := EachStored(body, func(name, value []byte) {
		members = append(members, Member{readName(name), value})
	})
	return members, ok
}

// EachStored calls member with the name, in quotation marks, and the value of each member of a
// document that was stored. It returns false, possibly after some members, if the document is not a
// JSON object, but does not look everywhere for valid JSON, since stores detect damage by
// checksums.
func EachStored(document []byte, member func(name, value []byte)) bool {
	rest := bytes.TrimLeft(document, jsonSpace)
	if len(rest) == 0 || rest[0] != '{' {
		return false
	}
	for rest = next(rest[1:]); len(rest) > 0 && rest[0] != '}'; rest = next(rest) {
		end := valueEnd(rest)
		name := rest[:end]
		rest = next(rest[end:])
		end = valueEnd(rest)
		member(name, rest[:end:end])
		rest = rest[end:]
	}
	return len(rest) > 0 && len(next(rest[1:])) == 0
}

// propertyNames are the names of properties, by themselves. They are complete before main begins.
var propertyNames = map[string]string{}

// readName reads the name of a member, without allocation for that of a property.
func readName(raw []byte) string {
	if len(raw) > 2 {
		if name, ok := propertyNames[string(raw[1:len(raw)-1])]; ok {
			return name
		}
	}
	name, _ := readString(raw)
	return name
}

// elements splits a valid JSON array into its elements.
func elements(array []byte) ([]json.RawMessage, bool) {
	if array[0] != '[' {
		return nil, false
	}
	var all []json.RawMessage
	for rest := next(array[1:]); rest[0] != ']'; rest = next(rest) {
		end := valueEnd(rest)
		all = append(all, json.RawMessage(rest[:end:end]))
		rest = rest[end:]
	}
	return all, true
}

const jsonSpace = " \t\r\n"

// next skips to the next name, value or end of valid JSON. bytes.TrimLeft takes longer to prepare
// than to skip the one or two characters.
func next(text []byte) []byte {
	for i, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return text[i:]
		}
	}
	return nil
}

// valueEnd returns the length of the value at the start of valid JSON.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth == 0 {
				return i + scalarEnd(text[i:])
			}
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func scalarEnd(text []byte) int {
	for i, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
			return i
		}
	}
	return len(text)
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// readString reads a JSON string; it returns false for other JSON.
func readString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

func readBool(raw []byte) (value, ok bool) {
	value = string(raw) == "true"
	return value, value || string(raw) == "false"
}

// readTime reads a time of RFC 3339 as whole seconds of UTC, the precision of all stored times
// (docs/spec/protocol.md P23).
func readTime(raw []byte) (time.Time, bool) {
	text, ok := readString(raw)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, false
	}
	t = t.UTC().Truncate(time.Second)
	return t, t.Year() >= 1 && t.Year() <= 9999
}
