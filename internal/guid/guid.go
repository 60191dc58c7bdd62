// Package guid parses GUIDs in their usual form.
package guid

import "github.com/google/uuid"

const length = 36

// Parse parses a GUID of 36 characters with four hyphens, in either letter case, and reports
// whether it is one. uuid.Parse accepts other forms, too.
func Parse(text string) (uuid.UUID, bool) {
	if len(text) != length {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}
