package licensortest

import (
	"cmp"
	"net/http"
	"time"

	"licensor/internal/duration"
	"licensor/internal/identity"
	"licensor/internal/server"
)

// The operations for development.
const development = "/licensor/v1/development/"

// Token describes an access token. The zero value is a token of an application with all
// permissions, valid for an hour.
type Token struct {
	// User is the id or userPrincipalName of a signed-in user. If it is empty, the token is an
	// application's.
	User string
	// Client is the client id of the application; the server's own application if empty. With a
	// User it is the application that acts for the user.
	Client string
	// Scopes are the permissions of the client on behalf of the User, such as User.ReadWrite.All.
	Scopes []string
	// Permissions are the permissions of the application; those in the directory if empty.
	Permissions []string
	// Roles are directory roles by name, such as License Administrator, or template id, in addition
	// to those in the directory.
	Roles []string
	// Personal makes it a token of a personal account, which licensing operations refuse.
	Personal bool
	// Expired makes it a token that expired an hour ago.
	Expired bool
	// Lifetime is how long the token is valid; an hour if 0. The server tolerates clocks that
	// differ by five minutes.
	Lifetime time.Duration
	// Audience is the service that the token is for; Microsoft Graph if empty. The server refuses
	// others.
	Audience string
	// Authority is the scheme and host of the issuer in the token; the server's URL if empty. The
	// server recognizes its tokens by their key and accepts any authority, so this is for programs
	// that check tokens themselves.
	Authority string
}

// Token returns an access token, valid or not. Its permissions need not be granted in the
// directory.
func (s *Server) Token(which Token) string {
	s.t.Helper()
	s.mustBeValid(which)
	text, err := s.mint(which)
	if err != nil {
		s.t.Fatalf("licensortest: the token cannot be created: %v", err)
	}
	return text
}

func (s *Server) mint(which Token) (string, error) {
	if which.User == "" {
		which.Client = cmp.Or(which.Client, s.ClientID)
	}
	which.Authority, which.Lifetime = cmp.Or(which.Authority, s.URL), cmp.Or(which.Lifetime, identity.Lifetime)
	var made struct{ AccessToken string }
	err := s.operate(http.MethodPost, development+"tokens", server.Minting(which), &made)
	return made.AccessToken, err
}

// AsyncGroups sets how much later than the response of assignLicense members of a group get its
// licenses, by the server's clock. Microsoft Graph processes groups in this way; the group's
// licenseProcessingState reports the progress. 0, the default, means before the response. Pending
// changes keep their time.
func (s *Server) AsyncGroups(delay time.Duration) {
	s.t.Helper()
	if delay < 0 {
		s.t.Fatalf("licensortest: the delay of groups is %s: it must be 0 or more", delay)
	}
	s.develop("the delay of groups cannot be set", http.MethodPut, "groupProcessing", Properties{"delay": duration.Text(delay)}, nil)
}

// Clock is the time of a server. It determines dates in responses, when tokens expire, and when
// deleted objects are purged. It runs like any clock.
type Clock struct{ s *Server }

// Now returns the time, in whole seconds.
func (c *Clock) Now() time.Time {
	c.s.t.Helper()
	return c.move(http.MethodGet, nil)
}

// Set sets the clock. It cannot go back to before the last change of the tenant.
func (c *Clock) Set(now time.Time) {
	c.s.t.Helper()
	c.move(http.MethodPut, Properties{"now": now.UTC().Format(time.RFC3339Nano)})
}

// Advance moves the clock on.
func (c *Clock) Advance(by time.Duration) {
	c.s.t.Helper()
	c.move(http.MethodPut, Properties{"advance": duration.Text(by)})
}

func (c *Clock) move(method string, body any) time.Time {
	c.s.t.Helper()
	var answer struct{ Now time.Time }
	c.s.develop("the clock cannot be read or set", method, "clock", body, &answer)
	return answer.Now
}

// Fault describes requests that fail.
type Fault struct {
	// Method of the requests; any when empty.
	Method string
	// Path of the requests below the version, such as /groups/*/assignLicense: * matches any
	// segment, and /** at the end any number of segments.
	Path string
	// Status of the response, 400 to 599. If 0, the request is served after the Latency.
	Status int
	// RetryAfter is the Retry-After header of the response, in whole seconds; 0 means no header.
	RetryAfter time.Duration
	// Latency is added to the time of the request; at most 55 seconds.
	Latency time.Duration
	// Times is the number of requests that the fault applies to; 0 means all.
	Times int
	// Probability that it applies to a request, at most 1; 0 means always. The same requests in the
	// same order give the same results.
	Probability float64
	// Applied is the number of requests that it has applied to. List sets it.
	Applied int
}

// Faults are the faults of a server. A request is compared with all of them in the order in which
// they were added: latencies add up until a fault has a status, which is the response. Faults do
// not apply to the methods of this package, nor to requests without a valid token.
type Faults struct{ s *Server }

// fault is the JSON form of a fault.
type fault struct {
	Method      string  `json:"method,omitempty"`
	Path        string  `json:"path"`
	Status      int     `json:"status,omitempty"`
	RetryAfter  int     `json:"retryAfter,omitempty"`
	Latency     string  `json:"latency,omitempty"`
	Times       int     `json:"times,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	Applied     int     `json:"applied,omitempty"`
}

// Add adds faults to the existing ones, which keep their counts. At most 100 are possible.
func (f *Faults) Add(faults ...Fault) {
	f.s.t.Helper()
	for _, one := range faults {
		if one.RetryAfter%time.Second != 0 {
			f.s.t.Fatalf("licensortest: a fault's RetryAfter is %s: the header has whole seconds only.", one.RetryAfter)
		}
		body := fault{
			Method: one.Method, Path: one.Path, Status: one.Status,
			RetryAfter: int(one.RetryAfter / time.Second), Times: one.Times, Probability: one.Probability,
		}
		if one.Latency != 0 {
			body.Latency = duration.Text(one.Latency)
		}
		f.s.develop("a fault cannot be added", http.MethodPost, "faults", body, nil)
	}
}

// Clear removes all faults.
func (f *Faults) Clear() {
	f.s.t.Helper()
	f.s.develop("the faults cannot be cleared", http.MethodDelete, "faults", nil, nil)
}

// List returns all faults, including those that have applied as often as they should, with their
// counts: so a test can check that its program has retried.
func (f *Faults) List() (faults []Fault) {
	f.s.t.Helper()
	var answer struct{ Rules []fault }
	f.s.develop("the faults cannot be read", http.MethodGet, "faults", nil, &answer)
	for _, one := range answer.Rules {
		latency, err := duration.Parse(one.Latency)
		if err != nil && one.Latency != "" {
			f.s.t.Fatalf("licensortest: a fault has the latency %s, which cannot be read: %v", one.Latency, err)
		}
		faults = append(faults, Fault{
			Method: one.Method, Path: one.Path, Status: one.Status,
			RetryAfter: time.Duration(one.RetryAfter) * time.Second, Latency: latency,
			Times: one.Times, Probability: one.Probability, Applied: one.Applied,
		})
	}
	return faults
}

// develop calls a development operation of the server.
func (s *Server) develop(failed, method, path string, body, answer any) {
	s.t.Helper()
	if err := send(s.Client(), method, s.URL+development+path, body, answer); err != nil {
		s.t.Fatalf("licensortest: %s: %v", failed, err)
	}
}
