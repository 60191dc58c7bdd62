package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

const (
	// smallForm is how long a form may be that takes no more memory than every request has: the forms
	// of sign-ins and of requests for tokens are.
	smallForm = 8 << 10
	// perForm is what a longer one takes at most: 64 KB taken apart, a page, the tokens and tickets
	// that come of it.
	perForm = 512 << 10
)

// within lets requests to the authority begin when there is memory for them. Nobody is known
// before, so they have one share together. A small form is read before, so that those who send it
// slowly have nothing that others could need to sign in.
func (s *Server) within(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		small := 0 <= r.ContentLength && r.ContentLength <= smallForm
		if small {
			readSmall(r)
		}
		ctx, share, err := s.memory.Begin(r.Context(), uuid.Nil)
		defer func() { share.End() }()
		if err == nil && !small {
			err = share.More(ctx, perForm)
		}
		if full, ok := errors.AsType[*memory.FullError](err); ok {
			answerBusy(w, full, s.now().UTC().Format(traceTime))
			return
		} else if err != nil {
			return // the client has gone
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// readSmall reads the body. If that fails, the handler fails at the same place when it reads the
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
