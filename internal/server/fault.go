package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/google/uuid"

	"licensor/internal/memory"
)

// recovering answers 500 if a handler panics, in the form of the authority's errors
// (docs/spec/auth.md A30), and the server continues. Graph recovers panics of its own handlers.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noting := &begun{ResponseWriter: w}
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			if fault == http.ErrAbortHandler {
				panic(fault) // how handlers abort a response
			}
			trace := uuid.New()
			s.settings.Log.Error("panic", "traceId", trace, "method", r.Method, "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
			if noting.header {
				panic(http.ErrAbortHandler) // half a response must not look like a whole one
			}
			answerFault(w, trace.String(), s.now().UTC().Format(traceTime))
		}()
		next.ServeHTTP(noting, r)
	})
}

func answerFault(w http.ResponseWriter, trace, at string) {
	clear(w.Header()) // headers of the failed response, such as cookies
	answerTrouble(w, http.StatusInternalServerError, "server_error", "An unexpected error has occurred. Search the "+
		"server's log for the trace ID.", trace, at)
}

// answerBusy asks the client to retry when there is memory for the request.
func answerBusy(w http.ResponseWriter, full *memory.FullError, at string) {
	what := full.Error()
	if full.Cause == memory.CauseTenant {
		what = "Too many sign-ins are in progress. Try again in a moment."
	}
	w.Header().Set("Retry-After", "1")
	answerTrouble(w, http.StatusServiceUnavailable, "temporarily_unavailable", what, uuid.NewString(), at)
}

const traceTime = "2006-01-02 15:04:05Z"

// answerTrouble answers in the form of the authority's errors.
func answerTrouble(w http.ResponseWriter, status int, name, what, trace, at string) {
	text, err := json.Marshal(map[string]any{
		"error": name, "error_codes": []int{90033}, "timestamp": at, "trace_id": trace, "correlation_id": trace,
		"error_description": fmt.Sprintf("AADSTS90033: %[3]s Trace ID: %[1]s Correlation ID: %[1]s Timestamp: %[2]s", trace, at, what),
	})
	if err != nil { // texts can always be encoded
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has disconnected
}

// begun records whether the response has begun.
type begun struct {
	http.ResponseWriter
	header bool
}

func (b *begun) WriteHeader(status int) {
	b.header = true
	b.ResponseWriter.WriteHeader(status)
}

func (b *begun) Write(data []byte) (int, error) {
	b.header = true
	return b.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the underlying writer.
func (b *begun) Unwrap() http.ResponseWriter { return b.ResponseWriter }
