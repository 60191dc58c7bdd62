package graph

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/memory/memorytest"
	"licensor/internal/turns"
)

// maxPeak is what a request, or a batch of them, may take next to what it makes.
const maxPeak = 64 << 20

// input is a request.
type input struct {
	name, method, path string
	body               []byte
	kind               string // of the body
	token              string
}

// measured is what a request has come to.
type measured struct {
	input
	peak   int64
	status int
	length int64
}

// TestNoOperationTakesMuchMemory sends every operation the largest inputs that it takes, plain and
// compressed, to a tenant of the largest objects, and looks at how much memory the process takes
// next to what it has at rest.
func TestNoOperationTakesMuchMemory(t *testing.T) {
	memorytest.Need(t)
	if os.Getenv("LICENSOR_MEMORY") == "" {
		t.Skip("takes minutes: make test-memory runs it")
	}
	h := newHeavy(t)
	m := memorytest.New(t)
	var all []measured
	measure := func(list []input) {
		for _, in := range list {
			all = append(all, h.measure(m, in))
		}
	}
	for _, phase := range [][]string{{"GET"}, {"POST", "PATCH", "PUT"}, {"DELETE"}} {
		for _, op := range inPhase(phase) {
			t.Run(op.Method+strings.ReplaceAll(op.Path, "/", " "), func(t *testing.T) {
				n := len(all)
				measure(h.largest(op))
				checkReached(t, op, all[n:])
			})
		}
		if phase[0] == http.MethodGet {
			t.Run("batches", func(*testing.T) { measure(h.dearest(all)) })
		}
	}
	report(t, all)
}

// inPhase are the operations with some methods, those of what is within an object before those of
// the object, and imports last: there are so many users afterwards that collecting garbage takes
// long, and what is allocated meanwhile counts.
func inPhase(methods []string) (list []*wire.Operation) {
	for i := range everyOperation {
		if op := &everyOperation[i]; op.Do != nil && slices.Contains(methods, op.Method) {
			list = append(list, op)
		}
	}
	if methods[0] == "DELETE" {
		slices.SortStableFunc(list, func(a, b *wire.Operation) int {
			return strings.Count(b.Path, "/") - strings.Count(a.Path, "/")
		})
	}
	slices.SortStableFunc(list, func(a, b *wire.Operation) int { return cmp.Compare(isImport(a), isImport(b)) })
	return list
}

func isImport(op *wire.Operation) int {
	if op.Path == route.Own+"/import" {
		return 1
	}
	return 0
}

// checkReached keeps the inputs honest: what is refused before it is read, or is not there,
// measures nothing.
func checkReached(t *testing.T, op *wire.Operation, of []measured) {
	t.Helper()
	best := 1000
	for _, got := range of {
		best = min(best, got.status)
		if got.status >= 500 && got.status != http.StatusNotImplemented && got.status != http.StatusGatewayTimeout {
			t.Errorf("%s is answered %d", got.name, got.status)
		}
	}
	refusable := op.Method != http.MethodGet && op.Method != http.MethodDelete
	reached := best < 300 || best == http.StatusBadRequest && refusable
	if !reached {
		t.Errorf("%s %s: no input of %d succeeds, the best is answered %d. Say in memory_inputs_test.go what the largest is that it takes", op.Method, op.Path, len(of), best)
	}
}

func report(t *testing.T, all []measured) {
	slices.SortStableFunc(all, func(a, b measured) int { return int(b.peak - a.peak) })
	var text strings.Builder
	over := 0
	for i, got := range all {
		if got.peak > maxPeak {
			over++
		}
		if got.peak > maxPeak || i < 40 {
			fmt.Fprintf(&text, "%4d MB  %d, %d bytes: %s\n", got.peak>>20, got.status, got.length, got.name)
		}
	}
	t.Logf("of %d inputs\n%s", len(all), text.String())
	if over > 0 {
		t.Errorf("%d inputs take more than %d MB; they come first above", over, maxPeak>>20)
	}
}

// measure sends a request plain, and then compressed.
func (h *heavy) measure(m *memorytest.Meter, in input) (got measured) {
	got.input = in
	squeezed := squeeze(in.body)
	send := func(body []byte, encoding string) int64 {
		return m.Peak(in.method != http.MethodGet, func() {
			status, length := h.take(in, body, encoding)
			if encoding == "" {
				got.status, got.length = status, length
			}
		})
	}
	got.peak = max(send(in.body, ""), send(squeezed, "gzip"))
	got.body = nil // those of all inputs are gigabytes
	return got
}

// squeeze is a body compressed with gzip.
func squeeze(body []byte) []byte {
	if body == nil {
		return nil
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}

// take sends a request and takes the answer as it comes.
func (h *heavy) take(in input, body []byte, encoding string) (int, int64) {
	h.t.Helper()
	request, err := http.NewRequest(in.method, h.server.URL+in.path, bytes.NewReader(body))
	h.must(err)
	if body == nil {
		request.Body = nil
	}
	token := in.token
	if token == "" {
		token = h.token
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Consistencylevel": {"eventual"}, "Accept-Encoding": {cmpOr(encoding, "identity")},
	}
	if body != nil {
		request.Header["Content-Type"] = []string{cmpOr(in.kind, wire.JSONType)}
		if encoding != "" {
			request.Header["Content-Encoding"] = []string{encoding}
		}
	}
	begin := time.Now()
	response, err := h.server.Client().Do(request)
	if err != nil {
		h.t.Errorf("%s: %v", in.name, err)
		return 0, 0
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	took := time.Since(begin)
	if err != nil && took < turns.Budget { // otherwise it was given up for the time it took
		h.t.Errorf("%s: %v after %s", in.name, err, took)
	}
	if response.StatusCode == http.StatusServiceUnavailable && took >= deadline { // on a slow machine
		return http.StatusGatewayTimeout, n
	}
	return response.StatusCode, n
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// dearest are batches of what takes the most, and of what is answered the most. Answers that are
// sent for longer are sent no differently.
func (h *heavy) dearest(all []measured) (batches []input) {
	seen := map[string]bool{}
	add := func(list []measured) {
		for _, got := range list {
			if !seen[got.path] && got.status == http.StatusOK && got.length < 16<<20 &&
				strings.HasPrefix(got.path, "/v1.0/") && len(seen) < 10 {
				seen[got.path] = true
				batches = append(batches, batchOf(got.name, maxSteps, func(int) string {
					return fmt.Sprintf(`"method":"GET","url":%q,"headers":{"ConsistencyLevel":"eventual"}`, strings.TrimPrefix(got.path, "/v1.0"))
				}))
			}
		}
	}
	list := slices.Clone(all)
	slices.SortStableFunc(list, func(a, b measured) int { return int(b.peak - a.peak) })
	add(list[:min(12, len(list))])
	slices.SortStableFunc(list, func(a, b measured) int { return int(b.length - a.length) })
	add(list)
	return batches
}

func batchOf(name string, n int, step func(i int) string) input {
	steps := make([]string, n)
	for i := range steps {
		steps[i] = fmt.Sprintf(`{"id":"%d",%s}`, i, step(i))
	}
	return input{name: fmt.Sprintf("%d × %s", n, name), method: "POST", path: "/v1.0/$batch", body: []byte(`{"requests":[` + strings.Join(steps, ",") + `]}`)}
}
