// Package jsontext writes JSON by appending to a slice that callers reuse, without reflection and
// without copies. Responses and stored documents are both written with it, so equal values are
// equal bytes everywhere (docs/spec/protocol.md P23 specifies the form of values).
//
// An object starts with an opening brace. AppendName and the function for the value add a member,
// with the commas between members, and a closing brace ends the object:
//
//	b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "id"), id)
//	b = append(jsontext.AppendBool(jsontext.AppendName(b, "isDefault"), true), '}')
//
// The package does not check that the result is valid: that is up to the caller, as are the braces.
package jsontext

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// ZeroTime is the earliest time, for properties without a value that are not nullable.
const ZeroTime = `"0001-01-01T00:00:00Z"`

// AppendName begins a member of an object: a comma unless it is the first, the name and a colon.
// Names must not need escaping.
func AppendName(b []byte, name string) []byte {
	b = append(append(AppendComma(b), '"'), name...)
	return append(b, '"', ':')
}

// AppendComma appends the comma between members, or nothing at the beginning of an object.
func AppendComma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// AppendList appends an array of what write appends for each element.
func AppendList[T any](b []byte, list []T, write func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, element := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = write(b, element)
	}
	return append(b, ']')
}

// AppendBool appends true or false.
func AppendBool(b []byte, is bool) []byte { return strconv.AppendBool(b, is) }

// AppendBoolOrNull appends nil as null.
func AppendBoolOrNull(b []byte, is *bool) []byte {
	if is == nil {
		return append(b, "null"...)
	}
	return AppendBool(b, *is)
}

// AppendInt appends a number.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendID appends a GUID in lower case.
func AppendID(b []byte, id uuid.UUID) []byte {
	return append(AppendBareID(append(b, '"'), id), '"')
}

// AppendBareID appends a GUID in lower case without quotation marks, for texts that contain one.
func AppendBareID(b []byte, id uuid.UUID) []byte {
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// AppendTime appends a time in UTC with whole seconds, the precision of all stored times; null for
// the zero time and for years that RFC 3339 cannot represent.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return append(b, "null"...)
	}
	b = append(b, '"', byte('0'+year/1000), byte('0'+year/100%10))
	b = appendTwo(appendTwo(appendTwo(b, year%100, '-'), int(month), '-'), day, 'T')
	return append(appendTwo(appendTwo(appendTwo(b, hour, ':'), minute, ':'), second, 'Z'), '"')
}

// appendTwo appends a number of two digits and the byte after it. Most of the JSON of a user with
// many plans is times, and AppendFormat takes four times as long.
func appendTwo(b []byte, n int, then byte) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10), then)
}
