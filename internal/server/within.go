package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

const (
	// smallForm is the maximum length of a form that fits in the memory that every request has, as
	// the forms of sign-ins and token requests do.
	smallForm = 8 << 10
	// perForm is the maximum memory of a longer form: 64 KB parsed, a page, the resulting tokens
	// and tickets.
	perForm = 512 << 10
)

// within begins requests to the authority when there is memory for them. Their callers are unknown
// at that time, so they have one share together. A small form is read before, so that clients that
// send it slowly hold no memory that others need to sign in; those that send a longer one slowly
// give way.
func (s *Server) within(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := s.logins.ReadsForm(r)
		small := !form || 0 <= r.ContentLength && r.ContentLength <= smallForm
		if form && small {
			readSmall(r)
		}
		ctx, share, err := s.memory.Begin(r.Context(), uuid.Nil, uuid.Nil)
		defer func() { share.End() }()
		if err == nil && !small {
			r.Body = share.Body(r.Body, func() { _ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) })
			err = share.More(ctx, perForm)
		}
		if full, ok := errors.AsType[*memory.FullError](err); ok {
			answerBusy(w, full, s.now().UTC().Format(traceTime))
			return
		} else if err != nil {
			return // the client has disconnected
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// readSmall reads the body. If that fails, the handler fails at the same position when it reads the
// body itself.
func readSmall(r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	var b bytes.Buffer
	_, _ = io.CopyN(&b, r.Body, smallForm)
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&b, r.Body), r.Body}
}
