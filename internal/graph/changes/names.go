package changes

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// made (C3) are the ids of what earlier requests of a change set have made, by the folded name with
// which later requests mention it: $ and the id of the request. An empty text means that the
// request failed.
type made map[string]string

func (m made) add(id, object string) { m["$"+strings.ToLower(id)] = object }

// inPath returns an address in which segments that name objects are replaced by their ids. Failed
// is the name of an object that was not made.
func (m made) inPath(u *url.URL) (_ *url.URL, failed string) {
	if len(m) == 0 || !strings.Contains(u.Path, "$") {
		return u, ""
	}
	path, failed, changed := m.replace(u.Path)
	if !changed {
		return u, failed
	}
	next := *u
	next.Path, next.RawPath = path, ""
	return &next, failed
}

// replace replaces the names in the segments of a text.
func (m made) replace(text string) (_, failed string, changed bool) {
	if !strings.Contains(text, "$") {
		return text, "", false
	}
	parts := strings.Split(text, "/")
	for i, part := range parts {
		id, ok := m[strings.ToLower(part)]
		if !ok {
			continue
		}
		if id == "" {
			return text, part, false
		}
		parts[i], changed = id, true
	}
	return strings.Join(parts, "/"), "", changed
}

// references are the members of bodies, at any depth, whose texts may name objects. Others, such as
// a password, may be any text.
var references = []string{"@odata.id", "users", "groups"}

func refers(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(references, name) || strings.HasSuffix(name, "@odata.bind")
}

// inBody returns a body in which the texts that name objects are replaced.
func (m made) inBody(body []byte) (_ []byte, failed string) {
	if len(m) == 0 || !bytes.Contains(body, []byte("$")) {
		return body, ""
	}
	next, failed := m.inObject(body)
	return next, failed
}

// inObject replaces names within the members of a JSON object. Anything else, or an object that
// cannot be decoded, is returned unchanged: the operation refuses it.
func (m made) inObject(raw []byte) (_ []byte, failed string) {
	var members map[string]json.RawMessage
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		return raw, ""
	}
	replaced := false
	for name, value := range members {
		if !refers(name) {
			continue
		}
		next, bad, changed := m.inTexts(value)
		if bad != "" {
			return raw, bad
		}
		if changed {
			members[name], replaced = next, true
		}
	}
	if !replaced {
		return raw, ""
	}
	next, err := json.Marshal(members)
	if err != nil {
		return raw, ""
	}
	return next, ""
}

// inTexts replaces names in a text or a list of texts.
func (m made) inTexts(raw json.RawMessage) (_ json.RawMessage, failed string, changed bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		next, failed, changed := m.replace(text)
		if !changed {
			return raw, failed, false
		}
		quoted, err := json.Marshal(next)
		return quoted, "", err == nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return raw, "", false
	}
	for i := range list {
		next, bad, more := m.inTexts(list[i])
		if bad != "" {
			return raw, bad, false
		}
		list[i], changed = next, changed || more
	}
	if !changed {
		return raw, "", false
	}
	all, err := json.Marshal(list)
	return all, "", err == nil
}
