package route

import (
	"net/url"
	"slices"
	"strings"

	"licensor/internal/guid"

	"github.com/google/uuid"
)

// Own is the path of our own operations.
const Own = "/licensor/v1"

// Segments splits an encoded path at its slashes and decodes each part, so that an encoded slash
// stays within its key. One slash at the end is allowed.
func Segments(escaped string) ([]string, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// WithoutTenant removes the tenant from a path in the form of older clients: /v1.0/{tenant
// id}/users and /v1.0/myorganization/users are /v1.0/users. It returns the id, or zero for
// myorganization and if there is none.
func WithoutTenant(path []string) ([]string, uuid.UUID) {
	if len(path) < 2 || strings.EqualFold(path[0], "licensor") {
		return path, uuid.Nil
	}
	id, ok := guid.Parse(path[1])
	if !ok && !strings.EqualFold(path[1], "myorganization") {
		return path, uuid.Nil
	}
	return slices.Concat(path[:1], path[2:]), id
}

// Parentheses splits users('a') into its name and the text between the parentheses, without
// surrounding spaces (P1, P37).
func Parentheses(segment string) (name, inner string, ok bool) {
	name, inner, ok = strings.Cut(segment, "(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return segment, "", false
	}
	return strings.TrimSpace(name), strings.TrimSpace(inner[:len(inner)-1]), true
}

// QuotedKey parses 'a', in which quotation marks are doubled.
func QuotedKey(text string) (string, bool) {
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return "", false
	}
	text = text[1 : len(text)-1]
	if strings.Contains(strings.ReplaceAll(text, "''", ""), "'") {
		return "", false
	}
	return strings.ReplaceAll(text, "''", "'"), true
}
