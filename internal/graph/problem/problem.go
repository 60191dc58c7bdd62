// Package problem has Graph's error responses (docs/spec/protocol.md P10, P11), and maps errors to
// them.
//
// A handler returns an error: one of these, such as from Refuse and NotFound, or one of other
// packages, such as *directory.InvalidError and *tenant.CommandError. Only Of converts them to
// responses. Unknown errors are logged, and the caller gets Internal.
package problem

import (
	"fmt"
	"net/http"
	"strconv"

	"licensor/internal/excerpt"
	"licensor/internal/tenant"
)

// ResponseError is an error response, in Graph's terms (P10, P11).
type ResponseError struct {
	Status  int
	Code    string
	Message string
	Detail  *Detail           // information in addition to the real service's words
	Header  map[string]string // additional headers
}

// Detail is an element of an error's details.
type Detail struct {
	Code, Target, Message string
}

func (p *ResponseError) Error() string { return p.Message }

// The codes of P11.
const (
	CodeBadRequest  = "Request_BadRequest"
	CodeBroken      = "BadRequest"
	CodeUnsupported = "Request_UnsupportedQuery"
)

// Refuse returns the 400 for a request with an invalid value.
func Refuse(format string, args ...any) *ResponseError {
	return &ResponseError{Status: http.StatusBadRequest, Code: CodeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// Broken returns the 400 for a malformed request.
func Broken(format string, args ...any) *ResponseError {
	p := Refuse(format, args...)
	p.Code = CodeBroken
	return p
}

// Unsupported returns the 400 for a query that is well-formed but not supported.
func Unsupported(format string, args ...any) *ResponseError {
	return &ResponseError{Status: http.StatusBadRequest, Code: CodeUnsupported, Message: fmt.Sprintf(format, args...)}
}

// NotServed returns the response for a feature of Graph that this server does not support yet.
func NotServed(format string, args ...any) *ResponseError {
	return &ResponseError{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: fmt.Sprintf(format, args...)}
}

// NotServedAt returns the response for an operation of Graph that this server does not support yet
// (P29).
func NotServedAt(method, path string) *ResponseError {
	return NotServed("The operation '%s %s' is part of Microsoft Graph but is not served here.", method, Clip(path))
}

// NotFound returns the response for an object that does not exist, in the words of P11.
func NotFound(key string) *ResponseError {
	return &ResponseError{
		Status: http.StatusNotFound, Code: "Request_ResourceNotFound",
		Message: fmt.Sprintf(tenant.NotFoundText, key),
	}
}

// NoSegment returns the 404 for a path that does not exist.
func NoSegment(segment string) *ResponseError {
	return &ResponseError{
		Status:  http.StatusNotFound,
		Code:    "ResourceNotFound",
		Message: fmt.Sprintf("Resource not found for the segment '%s'.", segment),
	}
}

// EmptySegment returns the response to a path with two consecutive slashes (P3).
var EmptySegment = &ResponseError{
	Status: http.StatusBadRequest, Code: CodeBroken,
	Message: "Empty segment encountered in request URL. Please make sure that a valid request URL is specified.",
}

// NoMethod returns the 405; allowed is the header Allow.
func NoMethod(allowed string) *ResponseError {
	return &ResponseError{
		Status: http.StatusMethodNotAllowed, Code: CodeBadRequest,
		Message: "Specified HTTP method is not allowed for the request target.",
		Header:  map[string]string{"Allow": allowed},
	}
}

// TooMany returns Graph's 429; it asks to wait for some seconds, unless that is 0.
func TooMany(wait int) *ResponseError {
	p := &ResponseError{
		Status:  http.StatusTooManyRequests,
		Code:    "TooManyRequests",
		Message: "Please retry again later.",
		Header:  map[string]string{},
	}
	if wait > 0 {
		p.Header["Retry-After"] = strconv.Itoa(wait)
	}
	return p
}

// Conflict returns the 409 for an object that exists already.
func Conflict(format string, args ...any) error {
	p := Refuse(format, args...)
	p.Status, p.Code = http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue"
	return p
}

// Internal returns the 500 for unexpected errors.
var Internal = &ResponseError{
	Status: http.StatusInternalServerError, Code: "ServiceUnavailable",
	Message: "An unexpected error occurred. See the server log for this request-id.",
}

// Clip shortens the parts of a request that a message repeats.
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
