package route

import (
	"net/url"
	"slices"
	"strings"

	"licensor/internal/guid"

	"github.com/google/uuid"
)

// Own is where our own operations are.
const Own = "/licensor/v1"

// Segments cuts a path as it was sent at its slashes and undoes the encoding of each part, so that
// an encoded slash stays within its key. One slash at the end is allowed.
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

// WithoutTenant takes the tenant out of a path, as older clients write it: /v1.0/{tenant id}/users
// and /v1.0/myorganization/users are /v1.0/users. It returns the id, or zero for myorganization and
// where there is none.
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

// Parentheses cuts users('a') into its name and what is between the parentheses, without blanks
// around it (P1, P37).
func Parentheses(segment string) (name, inner string, ok bool) {
	name, inner, ok = strings.Cut(segment, "(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return segment, "", false
	}
	return strings.TrimSpace(name), strings.TrimSpace(inner[:len(inner)-1]), true
}

// QuotedKey reads 'a' in which quotation marks are doubled.
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
