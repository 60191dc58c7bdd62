// Package guid reads GUIDs in their usual form.
package guid

import "github.com/google/uuid"

const length = 36

// Parse reads a GUID of 36 characters with four hyphens, in either letter case, and reports whether
// it is one. uuid.Parse would take four other forms, too.
func Parse(text string) (uuid.UUID, bool) {
	if len(text) != length {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}
