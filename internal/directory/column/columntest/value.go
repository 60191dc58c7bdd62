// Package columntest reads documents for tests of columns.
package columntest

import (
	"strings"
	"time"

	"licensor/internal/directory/column"
)

// Value returns the value that a column has for a document. It knows nothing of how columns are
// filled.
func Value(document map[string]any, c *column.Column) (v column.Value) {
	at := any(document)
	for name := range strings.SplitSeq(c.Name, "/") {
		inner, _ := at.(map[string]any)
		at = inner[name]
	}
	switch at := at.(type) {
	case string:
		if v.Text = at; c.Kind == column.KindTime {
			moment, _ := time.Parse(time.RFC3339, at)
			v = column.Value{Time: column.TimeOf(moment)}
		}
	case bool:
		v.Truth = column.TruthOf(at)
	case []any:
		for _, element := range at {
			if text, ok := element.(string); ok {
				v.Texts = append(v.Texts, text)
				continue
			}
			for _, field := range c.Fields {
				text, _ := element.(map[string]any)[field].(string)
				v.Texts = append(v.Texts, text)
			}
		}
	}
	return v
}
