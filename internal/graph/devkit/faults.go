package devkit

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

// Fault is an intentional failure of requests, of a kind that occurs in the real service.
type Fault struct {
	Method string // of the requests; any if empty
	// Path of the requests, below the version: /groups/*/assignLicense, where * matches any
	// segment, and /** at the end any number of segments.
	Path        string
	Status      int           // of the response, 400 to 599; 0: the request is served, later
	RetryAfter  int           // seconds in Retry-After; 0: no such header
	Latency     time.Duration // before the response
	Times       int           // number of requests that it applies to; 0: all
	Probability float64       // that it applies to a request, up to 1; 0: always
}

// MaxLatency is less than the maximum time of a request.
const MaxLatency = 55 * time.Second

// Check refuses an invalid fault.
func (f Fault) Check() error {
	switch {
	case !strings.HasPrefix(f.Path, "/"):
		return fmt.Errorf("its path is '%s', which does not begin with a slash; write /users/* or /**",
			problem.Clip(f.Path))
	case f.Method != "" && strings.Trim(f.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return fmt.Errorf("its method is '%s'; write it in capital letters", problem.Clip(f.Method))
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("its status is %d, not 400 to 599", f.Status)
	case f.Status == 0 && f.Latency == 0:
		return fmt.Errorf("it has neither a status nor a latency, so nothing would happen")
	case f.Latency < 0 || f.Latency > MaxLatency:
		return fmt.Errorf("its latency is %s, not 0 to %s", f.Latency, MaxLatency)
	case f.RetryAfter < 0 || f.Times < 0:
		return fmt.Errorf("retryAfter and times are not below 0")
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("its probability is %g, not above 0 and at most 1", f.Probability)
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("its path '%s' is not a pattern: a [ in it has no end", problem.Clip(f.Path))
	}
	return nil
}

// faults are the active faults.
type faults struct {
	mu     sync.Mutex
	rules  []faultRule
	seed   uint64
	random *rand.Rand
}

type faultRule struct {
	Fault
	pattern []string
	applied int // number of requests that it has applied to
}

// AddFault adds a fault before the server starts.
func (d *Kit) AddFault(f Fault) error {
	if err := f.Check(); err != nil {
		return err
	}
	if n := d.faults.append(f); n > MaxFaults {
		return tooManyFaults(n)
	}
	return nil
}

// reset removes all faults. The same seed gives the same results for the same requests.
func (fs *faults) reset(seed uint64) {
	fs.rules, fs.seed, fs.random = nil, seed, rand.New(rand.NewPCG(seed, seed))
}

func (fs *faults) add(f Fault) {
	fs.rules = append(fs.rules, faultRule{Fault: f, pattern: plainSegments(strings.Split(f.Path[1:], "/"))})
}

// meet applies the matching faults to a request: it waits for all of their latencies, and responds
// with the first that has a status.
func (fs *faults) meet(r *wire.Request) error {
	wait, answer := fs.choose(r.Method, r.URL.EscapedPath())
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	if answer != nil {
		return answer
	}
	return nil
}

func (fs *faults) choose(method, escaped string) (wait time.Duration, answer *problem.ResponseError) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.rules) == 0 {
		return 0, nil
	}
	parts, _ := route.Segments(escaped) // it was parsed before
	parts = plainSegments(parts)
	for i := range fs.rules {
		f := &fs.rules[i]
		if !f.matches(method, parts) || f.Times > 0 && f.applied >= f.Times ||
			f.Probability > 0 && fs.random.Float64() >= f.Probability {
			continue
		}
		f.applied++
		if wait += f.Latency; f.Status != 0 {
			return wait, f.problem()
		}
	}
	return wait, nil
}

// matches reports whether the fault is for a path, with or without the version.
func (f *faultRule) matches(method string, parts []string) bool {
	return (f.Method == "" || f.Method == method) &&
		(matchSegments(f.pattern, parts) || matchSegments(f.pattern, parts[1:]))
}

func matchSegments(pattern, parts []string) bool {
	for i, p := range pattern {
		if p == "**" && i == len(pattern)-1 {
			return true
		}
		if i >= len(parts) {
			return false
		}
		if ok, _ := path.Match(strings.ToLower(p), strings.ToLower(parts[i])); !ok { // Check has validated the pattern
			return false
		}
	}
	return len(pattern) == len(parts)
}

// plainSegments returns the canonical form of a path: users('a')/microsoft.graph.assignLicense
// becomes users/a/assignlicense.
func plainSegments(parts []string) []string {
	plain := make([]string, 0, len(parts))
	for _, part := range parts {
		name, inner, called := route.Parentheses(part)
		name, _ = edm.WithoutNamespace(strings.ToLower(name))
		plain = append(plain, strings.ReplaceAll(name, "/", "%2f")) // which * of path.Match would not match
		if key, ok := route.QuotedKey(inner); called && ok {
			plain = append(plain, strings.ToLower(key))
		}
	}
	return plain
}

// problem returns the real service's error for a status.
func (f *faultRule) problem() *problem.ResponseError {
	p := problem.TooMany(f.RetryAfter)
	if p.Status = f.Status; f.Status == http.StatusTooManyRequests {
		return p
	}
	p.Code, p.Message = strings.ReplaceAll(http.StatusText(f.Status), " ", ""), http.StatusText(f.Status)
	if known, ok := faultWords[f.Status]; ok {
		p.Code, p.Message = known[0], known[1]
	}
	if p.Code == "" {
		p.Code, p.Message = "UnknownError", "Status "+strconv.Itoa(f.Status)
	}
	return p
}

// faultWords are the code and message of common responses.
var faultWords = map[int][2]string{
	http.StatusUnauthorized: {"InvalidAuthenticationToken", "Access token validation failure."},
	http.StatusForbidden:    {"Authorization_RequestDenied", "Insufficient privileges to complete the operation."},
	http.StatusNotFound: {"Request_ResourceNotFound", "Resource does not exist or one of its queried " +
		"reference-property objects are not present."},
	http.StatusConflict: {"Request_ConcurrencyViolation", "Another request changed the object at the " +
		"same time. Please retry again later."},
	http.StatusInternalServerError: {"InternalServerError", "An internal server error occurred while processing the request."},
	http.StatusBadGateway:          {"BadGateway", "The service met an error upstream. Please retry again later."},
	http.StatusServiceUnavailable:  {"ServiceUnavailable", "The service is temporarily unavailable. Please retry again later."},
	http.StatusGatewayTimeout:      {"GatewayTimeout", "The request timed out. Please retry again later."},
}
