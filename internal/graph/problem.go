package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"licensor/internal/directory"
	"licensor/internal/excerpt"
	"licensor/internal/graph/odata"
	"licensor/internal/identity"
	"licensor/internal/licensing"
	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Problem is an answer that is no success, in Graph's terms (P10, P11).
type Problem struct {
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

func (p *Problem) Error() string { return p.Message }

// The codes of P11.
const (
	badRequest       = "Request_BadRequest"
	brokenRequest    = "BadRequest"
	unsupportedQuery = "Request_UnsupportedQuery"
)

// refuse is the 400 for a request that says something that cannot be.
func refuse(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: badRequest, Message: fmt.Sprintf(format, args...)}
}

// broken is the 400 for a request that is not of the form that requests have.
func broken(format string, args ...any) *Problem {
	p := refuse(format, args...)
	p.Code = brokenRequest
	return p
}

// unsupported is the 400 for a query that is well-formed but asks for what cannot be asked.
func unsupported(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: unsupportedQuery, Message: fmt.Sprintf(format, args...)}
}

// notServed is the answer for what Graph has and this server has not yet.
func notServed(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: fmt.Sprintf(format, args...)}
}

// notServedHere is the answer for an operation that Graph has and this server has not yet (P29).
func notServedHere(method, path string) *Problem {
	return notServed("The operation '%s %s' is part of Microsoft Graph but is not served here.", method, clip(path))
}

// notFound is the answer for an object that is not there, in the words of P11.
func notFound(key string) *Problem {
	return &Problem{
		Status: http.StatusNotFound, Code: "Request_ResourceNotFound",
		Message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", key),
	}
}

func noSegment(segment string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: fmt.Sprintf("Resource not found for the segment '%s'.", segment)}
}

// emptySegment is the answer to a path with two slashes side by side (P3).
var emptySegment = &Problem{
	Status: http.StatusBadRequest, Code: brokenRequest,
	Message: "Empty segment encountered in request URL. Please make sure that a valid request URL is specified.",
}

func noMethod(allowed string) *Problem {
	return &Problem{
		Status: http.StatusMethodNotAllowed, Code: badRequest, Message: "Specified HTTP method is not allowed for the request target.",
		Header: map[string]string{"Allow": allowed},
	}
}

// problemOf is the one place where errors become answers. ok is false for what nobody foresaw: it
// is for the log, and the caller sees a 500.
func problemOf(err error) (p *Problem, ok bool) {
	if errors.As(err, &p) {
		return p, true
	}
	if e, ok := errors.AsType[*odata.Error](err); ok {
		return &Problem{Status: http.StatusBadRequest, Code: brokenRequest, Message: e.Error()}, true
	}
	if e, ok := errors.AsType[*directory.Invalid](err); ok {
		return invalidProblem(e), true
	}
	if e, ok := errors.AsType[*licensing.Refusal](err); ok {
		return refuse("%s", e), true
	}
	if e, ok := errors.AsType[*licensing.InvalidCatalog](err); ok {
		return refuse("%s", e), true
	}
	if e, ok := errors.AsType[*tenant.Problem](err); ok {
		return tenantProblem(e), true
	}
	if e, ok := errors.AsType[*turns.TooMuch](err); ok {
		return refuse("%s", e), true
	}
	if e, ok := errors.AsType[*memory.Full](err); ok {
		return fullProblem(e), true
	}
	return identityProblem(err)
}

// fullProblem asks a caller to come again when there is memory for its request.
func fullProblem(e *memory.Full) *Problem {
	p := unavailable(e.Error())
	if e.Cause == memory.OfTenant {
		p = tooManyRequests(0)
		p.Detail = &Detail{Code: "MemoryLimitExceeded", Message: e.Error()}
	}
	if e.Cause != memory.NearEnd {
		p.Header["Retry-After"] = "1"
	}
	return p
}

// invalidProblem keeps the words of the real service in the message, and names the value and the
// remedy in a detail.
func invalidProblem(e *directory.Invalid) *Problem {
	if e.Kind == directory.NotServed {
		return notServed("%s", e)
	}
	p := refuse("%s", e)
	if e.Kind == directory.BadType {
		p.Code = brokenRequest
	}
	if e.Want != "" {
		p.Detail = &Detail{Code: p.Code, Target: e.Property, Message: "Expected is " + e.Want + "."}
		if e.Value != "" {
			p.Detail.Message = fmt.Sprintf("Expected is %s, not '%s'.", e.Want, clip(e.Value))
		}
	}
	return p
}

func tenantProblem(e *tenant.Problem) *Problem {
	switch e.Kind {
	case tenant.NotFound:
		return &Problem{Status: http.StatusNotFound, Code: "Request_ResourceNotFound", Message: e.Message}
	case tenant.Taken:
		return &Problem{Status: http.StatusBadRequest, Code: badRequest, Message: e.Message, Detail: &Detail{"ObjectConflict", e.Property, e.Message}}
	case tenant.Changed:
		return &Problem{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed", Message: e.Message}
	case tenant.Unavailable:
		return unavailable(e.Message)
	default:
		return refuse("%s", e.Message)
	}
}

func unavailable(message string) *Problem {
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: message,
		Header: map[string]string{"Retry-After": "5"},
	}
}

func identityProblem(err error) (*Problem, bool) {
	if e, ok := errors.AsType[*identity.Unauthorized](err); ok {
		return &Problem{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: e.Message}, true
	}
	if e, ok := errors.AsType[*identity.Forbidden](err); ok {
		return &Problem{Status: http.StatusForbidden, Code: "Authorization_RequestDenied", Message: e.Error()}, true
	}
	if _, ok := errors.AsType[*identity.Unreachable](err); ok {
		return unavailable("The issuer of the token does not answer, so nobody can say whether the token is good. Try again later."), true
	}
	return serverProblem(err)
}

// serverProblem is for what the server can or cannot do at the moment.
func serverProblem(err error) (*Problem, bool) {
	switch {
	case errors.Is(err, store.ErrFull):
		return unavailable("The server has no room left on its disk. Nothing was changed. Ask its administrator."), true
	case errors.Is(err, store.ErrUnavailable):
		return unavailable("The server cannot read or write its database now. Try again later, or ask its administrator: the log says why."), true
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("The request took longer than it may. Try again."), true
	case errors.Is(err, context.Canceled): // the caller has gone
		return unavailable("The request was given up."), true
	}
	return nil, false
}

// tooManyRequests is Graph's 429.
func tooManyRequests(wait int) *Problem {
	p := &Problem{Status: http.StatusTooManyRequests, Code: "TooManyRequests", Message: "Please retry again later.", Header: map[string]string{}}
	if wait > 0 {
		p.Header["Retry-After"] = strconv.Itoa(wait)
	}
	return p
}

// conflict is the 409 for what is there already.
func conflict(format string, args ...any) error {
	p := refuse(format, args...)
	p.Status, p.Code = http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue"
	return p
}

// internalFault is the 500 for what nobody foresaw.
var internalFault = &Problem{
	Status: http.StatusInternalServerError, Code: "ServiceUnavailable",
	Message: "The server met an unexpected fault. Nothing can be done about it from outside; its log says more under the request-id.",
}

// clip shortens what a message repeats of a request.
func clip(text string) string { return excerpt.Of(text, 100) }

// quoted lists texts for a message.
func quoted(texts []string) string {
	var b []byte
	for i, text := range texts {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(append(append(b, '\''), text...), '\'')
	}
	return string(b)
}
