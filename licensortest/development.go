package licensortest

import (
	"cmp"
	"net/http"
	"time"

	"licensor/internal/duration"
	"licensor/internal/identity"
	"licensor/internal/server"
)

// The operations that tests have besides.
const development = "/licensor/v1/development/"

// Token is which access token is wanted. The zero value is the token of an application that may do
// everything, good for an hour.
type Token struct {
	// User is the id or userPrincipalName of a signed-in user. Without it the token is an
	// application's.
	User string
	// Client is the client id of the application; the server's own when empty. With a User it is the
	// application that acts for the user.
	Client string
	// Scopes are what the client may do for the User, such as User.ReadWrite.All.
	Scopes []string
	// Permissions are what the application may do; what it has in the directory when empty.
	Permissions []string
	// Roles are directory roles by name, such as License Administrator, or template id, besides those
	// in the directory.
	Roles []string
	// Personal makes it the token of a personal account, which licensing operations refuse.
	Personal bool
	// Expired makes it a token that was good until an hour ago.
	Expired bool
	// Lifetime is how long it is good; an hour when 0. The server tolerates clocks that differ by five
	// minutes.
	Lifetime time.Duration
	// Audience is the service it is for; Microsoft Graph when empty. Others are refused.
	Audience string
	// Authority is the scheme and host that it names as its issuer; the server's URL when empty. The
	// server knows its tokens by their key and takes those with another, so this is for programs that
	// check tokens themselves.
	Authority string
}

// Token makes an access token, good or not. It is taken at its word: what it permits need not be
// granted in the directory.
func (s *Server) Token(which Token) string {
	s.t.Helper()
	text, err := s.mint(which)
	if err != nil {
		s.t.Fatalf("licensortest: the token cannot be made: %v", err)
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

// AsyncGroups lets members of a group get its licenses so much later than the answer of
// assignLicense, by the server's clock, as with the real service: the group's
// licenseProcessingState says how far it is. 0 is with the answer, as at first. Changes that wait
// keep their time.
func (s *Server) AsyncGroups(delay time.Duration) {
	s.t.Helper()
	s.develop("the delay of groups cannot be set", http.MethodPut, "groupProcessing", Properties{"delay": duration.Text(delay)}, nil)
}

// Clock is the time of a server. Everything goes by it: dates in answers, when tokens expire, and
// when what was deleted is gone. It goes on like any clock.
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

// Fault is something that goes wrong with requests.
type Fault struct {
	// Method of the requests; any when empty.
	Method string
	// Path of the requests below the version, such as /groups/*/assignLicense: * is any segment, and
	// /** at the end any that follow.
	Path string
	// Status of the answer, 400 to 599. When 0 the request is served, after the Latency.
	Status int
	// RetryAfter is what the answer's header Retry-After says, in whole seconds; 0 is without one.
	RetryAfter time.Duration
	// Latency is how much longer the request takes, at most 55 seconds.
	Latency time.Duration
	// Times is to how many requests it happens; 0 is to all.
	Times int
	// Probability that it happens to a request, at most 1; 0 is to each. The same requests in the same
	// order meet the same.
	Probability float64
	// Applied is how many requests it has happened to. List fills it in.
	Applied int
}

// Faults are the requests of a server that fail. A request is compared with all in the order in
// which they were added: latencies add up until one has a status, which is the answer. They concern
// neither the methods of this package nor requests without a good token.
type Faults struct{ s *Server }

// fault is how the server reads and writes one.
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

// Add puts faults in force beside those there are, which go on counting. At most 100 are possible.
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

// Clear lets nothing fail any more.
func (f *Faults) Clear() {
	f.s.t.Helper()
	f.s.develop("the faults cannot be cleared", http.MethodDelete, "faults", nil, nil)
}

// List returns the faults in force, and those that have happened as often as they should, with how
// often each has happened: so a test sees that its program has tried again.
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

// develop calls an operation of development of the server that is tested.
func (s *Server) develop(failed, method, path string, body, answer any) {
	s.t.Helper()
	if err := send(s.Client(), method, s.URL+development+path, body, answer); err != nil {
		s.t.Fatalf("licensortest: %s: %v", failed, err)
	}
}
