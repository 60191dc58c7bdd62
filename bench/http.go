package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph"
	"licensor/internal/identity"
	"licensor/internal/people"
	"licensor/internal/signins"
	"licensor/internal/tenant"
)

// compareHTTP puts requests under load, and compares each with a handler of net/http that verifies
// the same token and writes the same bytes.
func compareHTTP(ctx context.Context, o *ours, load time.Duration, rounds, connections int) error {
	authority, token, err := o.login(ctx)
	if err != nil {
		return err
	}
	if err := compareTokens(ctx, o, authority, load, rounds, connections); err != nil {
		return err
	}
	api := graph.New(graph.Config{
		Authority: authority, Tenant: o.tenants.Tenant, Now: time.Now, NewID: uuid.New, Log: slog.Default(),
		SignIns: signins.NewRecorder(o.store, nil),
	})
	served, err := serve(ctx, api)
	if err != nil {
		return err
	}
	defer served.close()
	for _, c := range cases {
		request := func(user int) []byte { return c.request(o, user).bytes(served.address, token) }
		err := o.compareCase(ctx, c.name, authority, served.address, request, load, rounds, connections)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// message is a request without the parts that all have in common, such as the header of advanced
// queries.
type message struct{ method, path, body string }

func (m message) bytes(address, token string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConsistencyLevel: eventual\r\n"+
		"Content-Type: application/json\r\nContent-Length: "+
		"%d\r\n\r\n%s", m.method, m.path, address, token, len(m.body), m.body)
}

// cases are the requests, for a user by number.
var cases = []struct {
	name    string
	request func(o *ours, user int) message
}{
	{"reprocess one user over HTTP", func(_ *ours, user int) message {
		return message{"POST", fmt.Sprintf("/v1.0/users/%s/reprocessLicenseAssignment", id('u', user)), ""}
	}},
	{"read one user", func(_ *ours, user int) message {
		return message{"GET", fmt.Sprintf("/v1.0/users/%s", id('u', user)), ""}
	}},
	{"a page of 100 users", func(*ours, int) message { return message{"GET", "/v1.0/users", ""} }},
	{"users with a name, filtered", func(_ *ours, user int) message {
		return message{"GET", fmt.Sprintf("/v1.0/users?$filter=startsWith(displayName,'Person%%20%d')&$top=10", user), ""}
	}},
	{"users of a department, filtered, 100 of them", func(_ *ours, user int) message {
		return message{"GET", fmt.Sprintf("/v1.0/users?$filter=department%%20eq%%20'Department%%20%d'", user%40), ""}
	}},
	{"a page of 100 members of a group of all users", func(o *ours, _ int) message {
		return message{"GET", o.members() + "?$top=100", ""}
	}},
	{"members of a department, filtered, 100 of them", func(o *ours, user int) message {
		return message{"GET", fmt.Sprintf("%s/microsoft.graph.user?$top=100&$count=true&$filter=department%%20eq%%20'Department%%20%d'", o.members(), user%40), ""}
	}},
	{"a batch of 20 reads", func(_ *ours, user int) message { return message{"POST", "/v1.0/$batch", batch(user)} }},
}

// members returns the path of the members of a group that contains all users.
func (o *ours) members() string {
	return fmt.Sprintf("/v1.0/groups/%s/members", o.tenant.Image().Directory.GroupID(o.groups[0]))
}

// batch reads twenty users, one after another by number.
func batch(from int) string {
	var parts []string
	for i := range 20 {
		parts = append(parts, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/users/%s"}`, i, id('u', (from+i)%1000)))
	}
	return `{"requests":[` + strings.Join(parts, ",") + `]}`
}

func (o *ours) compareCase(
	ctx context.Context, name string, authority *identity.Authority, served string, request func(int) []byte,
	load time.Duration, rounds, connections int,
) error {
	answer, err := one(ctx, served, request(0))
	if err != nil {
		return err
	}
	bare, err := serve(ctx, bareHandler(authority, answer))
	if err != nil {
		return err
	}
	defer bare.close()
	// The users that are requested repeatedly, as by a script that goes through a group.
	users := min(o.world.users, 1000)
	return compare(ctx, name, served, bare.address, request, users, load, rounds, connections)
}

// compare puts two servers under the same load in turn.
func compare(
	ctx context.Context, name, served, bare string, request func(int) []byte, users int,
	load time.Duration, rounds, connections int,
) error {
	var ours, theirs, ratio []float64
	var p99, bareP99 time.Duration
	for range rounds {
		a, err := put(ctx, served, request, users, connections, load)
		if err != nil {
			return err
		}
		b, err := put(ctx, bare, request, users, connections, load)
		if err != nil {
			return err
		}
		ours, theirs, ratio = append(ours, a.rate()), append(theirs, b.rate()), append(ratio, a.rate()/b.rate())
		p99, bareP99 = max(p99, a.p99()), max(bareP99, b.p99())
	}
	report(name, "%.0f a second (p99 %s), bare %.0f (p99 %s): %.0f %%",
		middle(ours), p99.Round(10*time.Microsecond), middle(theirs),
		bareP99.Round(10*time.Microsecond), 100*middle(ratio))
	return nil
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// login creates an application in the tenant and gets a token for it.
func (o *ours) login(ctx context.Context) (*identity.Authority, string, error) {
	hash := identity.HashSecret(secret)
	app := directory.Client{
		Application: directory.Application{
			ID: id('a', 2), AppID: id('a', 3), DisplayName: "Bench", Secrets: []directory.Secret{{Hash: hash[:]}},
		},
		Principal: directory.ServicePrincipal{ID: id('a', 1), Permissions: []string{"User.ReadWrite.All", "GroupMember.Read.All", "Directory.ReadWrite.All", "AuditLog.Read.All"}},
	}
	if _, err := o.tenant.Do(ctx, "bench", tenant.SetClient{Client: app}); err != nil {
		return nil, "", err
	}
	authority, err := identity.New(ctx, identity.Config{
		Keys: o.store, Tenants: people.Directory{Tenants: o.tenants}, Now: o.now, Random: rand.Reader,
	})
	if err != nil {
		return nil, "", err
	}
	token, err := authority.Issue(identity.Claims{
		Tenant:      o.tenant.ID(),
		ObjectID:    app.Principal.ID,
		AppID:       app.AppID,
		Permissions: app.Principal.Permissions,
	})
	return authority, token, err
}

// secret is the application's secret.
const secret = "bench-3f0c1d2e4b5a69788796a5b4c3d2e1f0"

// bareHandler does the minimum: it verifies the token and writes bytes.
func bareHandler(authority *identity.Authority, answer *answered) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, err := authority.Verify(r.Context(), raw); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		h := w.Header()
		for name, values := range answer.header {
			h[name] = values
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(answer.body)
	})
}

// server is a server on a free port of the loopback address.
type server struct {
	address string
	http    *http.Server
	ended   chan error
}

func serve(ctx context.Context, h http.Handler) (*server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		listener.Addr().String(), &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}, make(chan error, 1),
	}
	go func() { s.ended <- s.http.Serve(listener) }()
	return s, nil
}

func (s *server) close() {
	_ = s.http.Close() // the measurement is over; open connections do not matter
	<-s.ended
}

// answered is an unparsed response.
type answered struct {
	header http.Header
	body   []byte
}

// one sends one request and returns the response.
func one(ctx context.Context, address string, request []byte) (*answered, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if _, err := connection.Write(request); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s: %s", response.Status, body)
	}
	return &answered{response.Header, body}, err
}

// result is the outcome of a load.
type result struct {
	took  time.Duration
	times []time.Duration
}

func (r result) rate() float64 { return float64(len(r.times)) / r.took.Seconds() }

func (r result) p99() time.Duration {
	slices.Sort(r.times)
	return r.times[len(r.times)*99/100]
}

// put sends requests over some connections for some time, each after the response to the previous
// one. The client is minimal because it shares the cores with the server.
func put(
	ctx context.Context, address string, request func(int) []byte, users, connections int, load time.Duration,
) (result, error) {
	requests := make([][]byte, users)
	for i := range requests {
		requests[i] = request(i)
	}
	var wait sync.WaitGroup
	times, errs := make([][]time.Duration, connections), make([]error, connections)
	start := time.Now()
	for c := range connections {
		wait.Go(func() { times[c], errs[c] = hammer(ctx, address, requests, c*users/connections, start.Add(load)) })
	}
	wait.Wait()
	return result{time.Since(start), slices.Concat(times...)}, errors.Join(errs...)
}

func hammer(
	ctx context.Context, address string, requests [][]byte, first int, until time.Time,
) (times []time.Duration, err error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 64<<10)
	for i := first; ; i++ {
		start := time.Now()
		if start.After(until) {
			return times, nil
		}
		if _, err := connection.Write(requests[i%len(requests)]); err != nil {
			return nil, err
		}
		if err := skipAnswer(reader); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
}

// skipAnswer reads a response with a Content-Length, which must have status 200.
func skipAnswer(r *bufio.Reader) error {
	length := -1
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if n == 0 && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("answered %q", line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err := r.Discard(length)
	return err
}
