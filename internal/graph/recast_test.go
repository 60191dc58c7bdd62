package graph

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// recast changes the letter case of all names in requests at random: of path segments, query
// options, properties, the words of the filter language, members of bodies and values of
// enumerations. Ids, texts and tokens stay as they are.
type recast struct {
	*rand.Rand
	routes *route.Place[wire.Operation]
}

func newRecast(seed uint64) *recast {
	return &recast{rand.New(rand.NewPCG(seed, seed)), newRoutes(furtherOperations).Root}
}

// letters gives each letter of a text one of its two cases.
func (c *recast) letters(text string) string {
	b := []byte(text)
	for i, letter := range b {
		if small := letter | 0x20; small >= 'a' && small <= 'z' && c.IntN(2) == 0 {
			b[i] = letter ^ 0x20
		}
	}
	return string(b)
}

// outside changes what is not within quotation marks.
func (c *recast) outside(text string) string {
	parts := strings.Split(text, "'")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = c.letters(parts[i])
	}
	return strings.Join(parts, "'")
}

// address changes a path with its query, which may have a scheme and host in front.
func (c *recast) address(text string) string {
	head := ""
	if at := strings.Index(text, "://"); at >= 0 {
		end := at + 3 + strings.IndexAny(text[at+3:]+"/", "/?")
		head, text = text[:end], text[end:]
	}
	path, query, asks := strings.Cut(text, "?")
	path = c.path(c.routes, path)
	if asks {
		path += "?" + c.query(query)
	}
	return head + path
}

// path changes the segments of a path that are names to the routes from a node on.
func (c *recast) path(n *route.Place[wire.Operation], path string) string {
	parts := strings.Split(path, "/")
	for i, escaped := range parts {
		plain, err := url.PathUnescape(escaped)
		if err != nil || plain == "" || n == nil {
			continue
		}
		next, key, ok := n.Step(plain)
		_, qualified := edm.WithoutNamespace(plain)
		switch name, inner, called := route.Parentheses(plain); {
		case !ok:
		case key == nil, qualified:
			parts[i] = c.letters(escaped)
		case called:
			alias, value, named := strings.Cut(inner, "=")
			if !named {
				alias, value = "", inner
			} else {
				alias = c.letters(alias) + "="
			}
			parts[i] = url.PathEscape(c.letters(name)+"(") + c.blank() + alias + c.blank() + url.PathEscape(value) + ")"
		}
		n = next
	}
	return strings.Join(parts, "/")
}

// version is the place of a root of Graph.
func (c *recast) version() *route.Place[wire.Operation] {
	place, _, _ := c.routes.Step("v1.0")
	return place
}

func (c *recast) blank() string {
	if c.IntN(4) == 0 {
		return "%20"
	}
	return ""
}

// query changes the query options of an address.
func (c *recast) query(text string) string {
	pairs := strings.Split(text, "&")
	for i, pair := range pairs {
		escaped, raw, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(escaped)
		value, broken := url.QueryUnescape(raw)
		if err != nil || broken != nil {
			continue
		}
		switch strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "$") {
		case "select", "orderby", "expand", "filter", "count":
			pairs[i] = c.letters(escaped) + c.blank() + "=" + c.blank() + url.QueryEscape(c.outside(value))
		case "search":
			pairs[i] = c.letters(escaped) + "=" + url.QueryEscape(c.search(value))
		case "top", "skip", "skiptoken", "deltatoken", "format":
			pairs[i] = c.letters(escaped) + "=" + raw
		}
	}
	return strings.Join(pairs, "&")
}

// search changes the names of properties in "property:text".
func (c *recast) search(text string) string {
	parts := strings.Split(text, `"`)
	for i := 1; i < len(parts); i += 2 {
		if name, rest, ok := strings.Cut(parts[i], ":"); ok {
			parts[i] = c.letters(name) + ":" + rest
		}
	}
	return strings.Join(parts, `"`)
}

// body changes the names of a body of JSON, or of several, one a line.
func (c *recast) body(text string) string {
	if json.Valid([]byte(text)) {
		return string(c.value("", json.RawMessage(text)))
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !json.Valid([]byte(line)) {
			return text
		}
		lines[i] = string(c.value("", json.RawMessage(line)))
	}
	return strings.Join(lines, "\n")
}

// What is within these is not the names of properties.
var notNames = []string{"permissions"}

// enumerations are the properties whose values are names, too.
var enumerations = []string{
	"ageGroup", "consentProvidedForMinor", "userType", "groupTypes", "visibility", "theme", "membershipRuleProcessingState", "passwordPolicies",
	"consentType", "signInAudience", "servicePrincipalType", "allowedMemberTypes", "usageLocation", "preferredSingleSignOnMode", "types", "method", "usage",
}

// value changes the names in a value, which is that of a member.
func (c *recast) value(member string, raw json.RawMessage) json.RawMessage {
	switch raw[0] {
	case '{':
		return c.object(member, raw)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return raw
		}
		b := []byte{'['}
		for i, element := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, c.value(member, element)...)
		}
		return append(b, ']')
	case '"':
		return jsontext.AppendText(nil, c.text(member, raw))
	}
	return raw
}

func (c *recast) text(member string, raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text)
	switch {
	case slices.Contains(enumerations, member):
		return c.letters(text)
	case strings.HasPrefix(member, "@odata.id"), strings.HasSuffix(member, "@odata.bind"):
		return c.address(text)
	case member == "url" && !strings.Contains(text, "://"):
		path, query, asks := strings.Cut(text, "?")
		if path = c.path(c.version(), path); asks {
			path += "?" + c.query(query)
		}
		return path
	}
	return text
}

func (c *recast) object(member string, raw json.RawMessage) json.RawMessage {
	members, err := directory.Members(raw)
	if err != nil {
		return raw
	}
	b := []byte{'{'}
	for _, m := range members {
		name := m.Name
		if !slices.Contains(notNames, member) {
			name = c.letters(name)
		}
		b = append(append(jsontext.AppendText(jsontext.AppendComma(b), name), ':'), c.value(m.Name, m.Value)...)
	}
	return append(b, '}')
}
