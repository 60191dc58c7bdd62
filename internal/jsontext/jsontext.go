// Package jsontext writes JSON by appending to a slice, which its callers keep from one answer to
// the next: without reflection and without copies. Answers and stored documents are both written
// with it, so equal values are equal bytes wherever they stand (docs/spec/protocol.md P23 says what
// values look like).
//
// An object is begun with an opening brace; AppendName and what follows it add members, with the
// commas between them, and a closing brace ends it:
//
//	b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "id"), id)
//	b = append(jsontext.AppendBool(jsontext.AppendName(b, "isDefault"), true), '}')
//
// Nothing here checks that the whole is valid: that is up to the caller, as the braces are.
package jsontext

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// ZeroTime is the first of all times, for properties that have none and are not nullable.
const ZeroTime = `"0001-01-01T00:00:00Z"`

// AppendName begins a member of an object: a comma unless it is the first, the name and a colon.
// Names are ours, so they need no escaping.
func AppendName(b []byte, name string) []byte {
	b = append(append(AppendComma(b), '"'), name...)
	return append(b, '"', ':')
}

// AppendComma writes the comma between members; nothing at the beginning of an object.
func AppendComma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// AppendList writes an array of what write appends for each element.
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

// AppendBool writes true or false.
func AppendBool(b []byte, is bool) []byte { return strconv.AppendBool(b, is) }

// AppendBoolOrNull writes nil as null.
func AppendBoolOrNull(b []byte, is *bool) []byte {
	if is == nil {
		return append(b, "null"...)
	}
	return AppendBool(b, *is)
}

// AppendInt writes a number.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendID writes a GUID in lower case.
func AppendID(b []byte, id uuid.UUID) []byte {
	return append(AppendBareID(append(b, '"'), id), '"')
}

// AppendBareID writes a GUID in lower case without quotation marks, for texts that contain one.
func AppendBareID(b []byte, id uuid.UUID) []byte {
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// AppendTime writes a time in UTC with whole seconds, the only times that are kept; null for the
// zero time and for years that RFC 3339 cannot write.
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

// appendTwo writes a number of two digits and what follows it. Times are most of what a user with
// many plans is made of, and AppendFormat takes four times as long.
func appendTwo(b []byte, n int, then byte) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10), then)
}
