package tables

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"licensor/internal/sheet"
)

// Cell is a value with a sign.
type Cell struct {
	Value any
	Sign  Sign
}

// text returns a value as people read it, on one line.
func text(value any) (string, Sign) {
	switch v := value.(type) {
	case nil:
		return "", Plain
	case Cell:
		inner, _ := text(v.Value)
		return inner, v.Sign
	case *string:
		if v == nil {
			return "", Plain
		}
		return OneLine(*v), Plain
	}
	return OneLine(fmt.Sprint(value)), Plain
}

// csvCell returns a value as a cell of CSV. Only texts can be taken for formulas.
func csvCell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case Cell:
		return csvCell(v.Value)
	case *string:
		if v == nil {
			return ""
		}
		return sheet.Harmless(*v)
	case int, int64, uint64, float64:
		return fmt.Sprint(v)
	}
	return sheet.Harmless(fmt.Sprint(value))
}

// OneLine replaces control characters, such as line ends and those that terminals obey, and those
// that reverse the direction of texts, so that a name cannot look like another one.
func OneLine(of string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return ' '
		}
		return c
	}, of)
}

// Short returns the beginning of a text that is at most so wide, with "…" at its end if that is not
// the whole text.
func Short(of string, width int) string {
	if uniseg.StringWidth(of) <= width {
		return of
	}
	short, used, state := strings.Builder{}, 0, -1
	for of != "" {
		var cluster string
		var wide int
		cluster, of, wide, state = uniseg.FirstGraphemeClusterInString(of, state)
		if used+wide > width-1 {
			break
		}
		short.WriteString(cluster)
		used += wide
	}
	return short.String() + "…"
}
