package problem

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"licensor/internal/directory"
	"licensor/internal/graph/odata"
	"licensor/internal/identity"
	"licensor/internal/licensing"
	"licensor/internal/membership"
	"licensor/internal/memory"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// Of is the only place that converts errors to responses. ok is false for unexpected errors, which
// are logged and shown as a 500.
func Of(err error) (p *ResponseError, ok bool) {
	if errors.As(err, &p) {
		return p, true
	}
	if e, ok := errors.AsType[*odata.SyntaxError](err); ok {
		return &ResponseError{Status: http.StatusBadRequest, Code: CodeBroken, Message: e.Error()}, true
	}
	if e, ok := errors.AsType[*directory.InvalidError](err); ok {
		return invalidProblem(e), true
	}
	if e, ok := errors.AsType[*membership.RefusalError](err); ok {
		return ruleProblem(e), true
	}
	if e, ok := errors.AsType[*licensing.RefusalError](err); ok {
		return Refuse("%s", e), true
	}
	if e, ok := errors.AsType[*licensing.CatalogError](err); ok {
		return Refuse("%s", e), true
	}
	if e, ok := errors.AsType[*tenant.CommandError](err); ok {
		return tenantProblem(e), true
	}
	if e, ok := errors.AsType[*turns.TooMuchError](err); ok {
		return Refuse("%s", e), true
	}
	if e, ok := errors.AsType[*memory.FullError](err); ok {
		return fullProblem(e), true
	}
	return identityProblem(err)
}

// fullProblem asks the caller to retry when there is memory for its request.
func fullProblem(e *memory.FullError) *ResponseError {
	p := unavailable(e.Error())
	if e.Cause == memory.CauseTenant || e.Cause == memory.CauseCaller {
		p = TooMany(0)
		p.Detail = &Detail{Code: "MemoryLimitExceeded", Message: e.Error()}
	}
	if e.Cause != memory.CauseLimit {
		p.Header["Retry-After"] = "1"
	}
	return p
}

// invalidProblem uses the words of the real service in the message, and names the value and the
// remedy in a detail.
func invalidProblem(e *directory.InvalidError) *ResponseError {
	if e.Kind == directory.InvalidNotServed {
		return NotServed("%s", e)
	}
	p := Refuse("%s", e)
	if e.Kind == directory.InvalidType {
		p.Code = CodeBroken
	}
	if e.Want != "" {
		p.Detail = &Detail{Code: p.Code, Target: e.Property, Message: "Expected is " + e.Want + "."}
		if e.Value != "" {
			p.Detail.Message = fmt.Sprintf("Expected is %s, not '%s'.", e.Want, Clip(e.Value))
		}
	}
	return p
}

// ruleProblem is for a text that is not a rule, or not one that is served
// (docs/spec/dynamic-membership.md, section 7).
func ruleProblem(e *membership.RefusalError) *ResponseError {
	if e.Kind == membership.KindNotImplemented {
		return NotServed("%s", e)
	}
	p := Refuse("%s", e)
	p.Code = e.Code()
	return p
}

func tenantProblem(e *tenant.CommandError) *ResponseError {
	switch e.Kind {
	case tenant.ProblemNotFound:
		return &ResponseError{Status: http.StatusNotFound, Code: "Request_ResourceNotFound", Message: e.Message}
	case tenant.ProblemTaken:
		return &ResponseError{
			Status: http.StatusBadRequest, Code: CodeBadRequest, Message: e.Message,
			Detail: &Detail{"ObjectConflict", e.Property, e.Message},
		}
	case tenant.ProblemChanged:
		return &ResponseError{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed", Message: e.Message}
	case tenant.ProblemForbidden:
		return &ResponseError{Status: http.StatusForbidden, Code: "Authorization_RequestDenied", Message: e.Message}
	case tenant.ProblemUnavailable:
		return unavailable(e.Message)
	case tenant.ProblemUnknown:
		return unknown(e.Message)
	default:
		return Refuse("%s", e.Message)
	}
}

func unavailable(message string) *ResponseError {
	return &ResponseError{
		Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: message,
		Header: map[string]string{"Retry-After": "5"},
	}
}

// unknown is for changes whose outcome is unknown. It can be queried soon.
func unknown(message string) *ResponseError {
	p := unavailable(message)
	p.Header["Retry-After"] = "1"
	return p
}

func identityProblem(err error) (*ResponseError, bool) {
	if e, ok := errors.AsType[*identity.UnauthorizedError](err); ok {
		return &ResponseError{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: e.Message}, true
	}
	if e, ok := errors.AsType[*identity.ForbiddenError](err); ok {
		return &ResponseError{Status: http.StatusForbidden, Code: "Authorization_RequestDenied", Message: e.Error()}, true
	}
	if _, ok := errors.AsType[*identity.UnreachableError](err); ok {
		return unavailable("The issuer of the token does not answer, so the token cannot be checked. Try again later."),
			true
	}
	return serverProblem(err)
}

// serverProblem is for conditions of the server.
func serverProblem(err error) (*ResponseError, bool) {
	switch {
	case errors.Is(err, store.ErrTrimmed): // an order as of long ago
		return &ResponseError{
			Status: http.StatusBadRequest, Code: "Directory_ExpiredPageToken",
			Message: "The specified page token value has expired and can no longer be included in your request.",
		}, true
	case errors.Is(err, store.ErrFull):
		return unavailable("The server has no room left on its disk. Nothing was changed. Ask its administrator."), true
	case errors.Is(err, store.ErrUnknown):
		return unknown(tenant.UnknownText), true
	case errors.Is(err, store.ErrDamaged):
		return unavailable("A part of the server's database is damaged. Ask its administrator: the log says what " +
			"is wrong, and what to do."), true
	case errors.Is(err, store.ErrUnavailable):
		return unavailable("The server cannot read or write its database now. Try again later, or ask its " +
			"administrator: the log says why."), true
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable("The request exceeded its time limit. Try again."), true
	case errors.Is(err, context.Canceled): // the caller has disconnected
		return unavailable("The request was canceled."), true
	}
	return nil, false
}
