// Package problem has the answers of Graph that are no success (docs/spec/protocol.md P10, P11):
// what each says, and which error becomes which of them.
//
// A handler returns an error: one of these, as Refuse and NotFound make them, or one of the
// packages below, such as *directory.InvalidError and *tenant.CommandError. Of is the one place
// where any of them becomes an answer. What it does not know is for the log, and the caller sees
// Internal.
package problem

import (
	"fmt"
	"net/http"
	"strconv"

	"licensor/internal/excerpt"
	"licensor/internal/tenant"
)

// Error is an answer that is no success, in Graph's terms (P10, P11).
type Error struct {
	Status  int
	Code    string
	Message string
	Detail  *Detail           // what is said beyond the real service's words
	Header  map[string]string // more headers
}

// Detail is an element of an error's details.
type Detail struct {
	Code, Target, Message string
}

func (p *Error) Error() string { return p.Message }

// The codes of P11.
const (
	CodeBadRequest  = "Request_BadRequest"
	CodeBroken      = "BadRequest"
	CodeUnsupported = "Request_UnsupportedQuery"
)

// Refuse is the 400 for a request that says something that cannot be.
func Refuse(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: CodeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// Broken is the 400 for a request that is not of the form that requests have.
func Broken(format string, args ...any) *Error {
	p := Refuse(format, args...)
	p.Code = CodeBroken
	return p
}

// Unsupported is the 400 for a query that is well-formed but asks for what cannot be asked.
func Unsupported(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: CodeUnsupported, Message: fmt.Sprintf(format, args...)}
}

// NotServed is the answer for what Graph has and this server has not yet.
func NotServed(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: fmt.Sprintf(format, args...)}
}

// NotServedAt is the answer for an operation that Graph has and this server has not yet (P29).
func NotServedAt(method, path string) *Error {
	return NotServed("The operation '%s %s' is part of Microsoft Graph but is not served here.", method, Clip(path))
}

// NotFound is the answer for an object that is not there, in the words of P11.
func NotFound(key string) *Error {
	return &Error{
		Status: http.StatusNotFound, Code: "Request_ResourceNotFound",
		Message: fmt.Sprintf(tenant.NotFoundText, key),
	}
}

// NoSegment is the 404 for a path that leads nowhere.
func NoSegment(segment string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: fmt.Sprintf("Resource not found for the segment '%s'.", segment)}
}

// EmptySegment is the answer to a path with two slashes side by side (P3).
var EmptySegment = &Error{
	Status: http.StatusBadRequest, Code: CodeBroken,
	Message: "Empty segment encountered in request URL. Please make sure that a valid request URL is specified.",
}

// NoMethod is the 405; allowed is the header Allow.
func NoMethod(allowed string) *Error {
	return &Error{
		Status: http.StatusMethodNotAllowed, Code: CodeBadRequest, Message: "Specified HTTP method is not allowed for the request target.",
		Header: map[string]string{"Allow": allowed},
	}
}

// TooMany is Graph's 429; it asks to wait for some seconds, unless that is 0.
func TooMany(wait int) *Error {
	p := &Error{Status: http.StatusTooManyRequests, Code: "TooManyRequests", Message: "Please retry again later.", Header: map[string]string{}}
	if wait > 0 {
		p.Header["Retry-After"] = strconv.Itoa(wait)
	}
	return p
}

// Conflict is the 409 for what is there already.
func Conflict(format string, args ...any) error {
	p := Refuse(format, args...)
	p.Status, p.Code = http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue"
	return p
}

// Internal is the 500 for unexpected errors.
var Internal = &Error{
	Status: http.StatusInternalServerError, Code: "ServiceUnavailable",
	Message: "An unexpected error occurred. See the server log for this request-id.",
}

// Clip shortens what a message repeats of a request.
func Clip(text string) string { return excerpt.Of(text, 100) }

// Quoted lists texts for a message.
func Quoted(texts []string) string {
	var b []byte
	for i, text := range texts {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(append(b, '\''), text...), '\'')
	}
	return string(b)
}
