package odata

import (
	"fmt"
	"unicode/utf8"

	"licensor/internal/excerpt"
)

// SyntaxError is an error in a query option.
type SyntaxError struct {
	Option string // with its dollar sign: $filter
	Text   string // the option's value
	Token  string // the wrong part; empty for the end of the text
	Column int    // where Token starts in Text, in characters, the first is 1; 0 if the value as a whole is wrong
	Want   string // what would be valid
}

// Error returns the message for the caller, in the words of the real service if known.
func (e *SyntaxError) Error() string {
	switch {
	case e.Column == 0:
		return fmt.Sprintf("Invalid value '%s' for the query option '%s': %s.", clip(e.Text), e.Option, e.Want)
	case e.Token == "":
		return fmt.Sprintf("%s: Syntax error at position %d in '%s': it ends where %s is expected.",
			e.clause(), e.Column, clip(e.Text), e.Want)
	default:
		return fmt.Sprintf("%s: Syntax error at position %d in '%s': found '%s' where %s is expected.", e.clause(),
			e.Column, clip(e.Text), clip(e.Token), e.Want)
	}
}

func (e *SyntaxError) clause() string {
	if e.Option == "$filter" {
		return "Invalid filter clause"
	}
	return "Invalid " + e.Option + " clause"
}

// longestQuote is the maximum length of a caller's text in a message, in bytes.
const longestQuote = 200

// clip shortens a text for a message.
func clip(text string) string { return excerpt.Of(text, longestQuote) }

// column converts a byte offset to a column in characters.
func column(text string, offset int) int {
	return utf8.RuneCountInString(text[:offset]) + 1
}
