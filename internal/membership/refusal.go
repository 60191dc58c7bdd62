package membership

import (
	"fmt"
	"unicode/utf8"

	"licensor/internal/excerpt"
)

// RefusalError describes why a text is not a rule that can be set.
type RefusalError struct {
	Kind    Kind
	At      int    // the first wrong character of the text, from 1
	Message string // for callers; it names the character
}

// Error returns the message.
func (r *RefusalError) Error() string { return r.Message }

// Code returns the code of the error in Graph's response.
func (r *RefusalError) Code() string {
	switch r.Kind {
	case KindNoObject:
		return "InvalidObjectTypeException"
	case KindNotImplemented:
		return "NotImplemented"
	}
	return "Request_BadRequest"
}

// Kind is the kind of a RefusalError.
type Kind uint8

// The kinds, in the order of the rules D70 to D78. KindNotImplemented is a valid rule about
// something that is not served: devices (D53) or directory extensions (D52).
const (
	KindNoObject      Kind = iota + 1 // D70: a property without user. or device.
	KindWrongProperty                 // D71
	KindWrongOperator                 // D72
	KindWrongValue                    // D73
	KindSyntax                        // D74
	KindWrongOperands                 // D75
	KindMixed                         // D76: both user. and device.
	KindNotAlone                      // D77: Direct Reports for and memberOf
	KindTooLong                       // D78
	KindNotImplemented
)

const invalid = "Dynamic membership rule validation error: "

// beginnings are those of the messages.
var beginnings = map[Kind]string{
	KindNoObject:      "No object type",
	KindWrongProperty: invalid + "Wrong property applied. Property ",
	KindWrongOperator: invalid + "Operator isn't supported on attribute. ",
	KindWrongValue:    invalid + "Value can't be applied to property. ",
	KindSyntax:        invalid + "Query compilation error. ",
	KindWrongOperands: invalid + "Invalid operands found for operator ",
	KindMixed:         invalid + "Invalid object type. ",
	KindNotAlone:      invalid,
	KindTooLong:       "Invalid value specified for property 'membershipRule' of resource 'Group'. ",
}

// refusal returns an error at a byte of a text. The message ends with the place.
func refusal(kind Kind, text string, at int, format string, args ...any) *RefusalError {
	character := utf8.RuneCountInString(text[:at]) + 1
	message := fmt.Sprintf(format, args...)
	return &RefusalError{
		Kind: kind, At: character,
		Message: fmt.Sprintf("%s%s, at character %d.", beginnings[kind], message, character),
	}
}

// longestQuote is the maximum length of a caller's text in a message, in bytes.
const longestQuote = 100

func clip(text string) string { return excerpt.Of(text, longestQuote) }
