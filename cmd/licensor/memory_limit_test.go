package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"licensor/internal/memory/memorytest"
)

// TestManyUsersInLittleMemory runs the real program with a tenant of 100,000 users in 512 MB, and
// sends it the most expensive requests of every kind, from many clients at once. It refuses what it
// has no memory for, and serves what is small all the while.
func TestManyUsersInLittleMemory(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("makes a large tenant; how much memory a process has can be had on Linux only")
	}
	manyUsersIn(t, 100_000, 512<<20, 10*time.Second)
}

// TestAMillionUsersInTwoGigabytes is the same with a million, which takes minutes.
func TestAMillionUsersInTwoGigabytes(t *testing.T) {
	if os.Getenv("LICENSOR_LONG") == "" {
		t.Skip("takes minutes: make test-long runs it")
	}
	manyUsersIn(t, 1_000_000, 2<<30, time.Minute)
}

// crowd is a server that is to live within a limit.
type crowd struct {
	*killed
	limit    int64
	neighbor killed // the same server, as another tenant knows it

	mu       sync.Mutex
	statuses map[string]map[int]int // of the load, by what was asked
	slowest  time.Duration          // of the small requests
}

func manyUsersIn(t *testing.T, users int, limit int64, load time.Duration) {
	t.Setenv("GOMEMLIMIT", fmt.Sprint(limit*7/10)) // what SetLimit makes of a control group with this limit
	data := filepath.Join(t.TempDir(), "licensor.db")
	k := &killed{
		t: t, program: buildProgram(t), data: data, where: []string{"--data", data},
		members: map[string]bool{}, client: http.DefaultClient,
	}
	k.init()
	c := &crowd{killed: k, limit: limit, statuses: map[string]map[int]int{}}
	out, err := exec.CommandContext(t.Context(), k.program, "init", "--data", k.data, "--add", "--domain", "fabrikam.example", "--application", "Small", "--json").Output()
	if err == nil {
		err = json.Unmarshal(out, &c.neighbor.login)
	}
	if err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	k.start()
	c.neighbor.t, c.neighbor.root, c.neighbor.client = t, k.root, k.client
	c.neighbor.logIn()
	c.fill(users)
	c.watch(func() {
		c.press(load)
	})
	c.stop()
}

func crowdID(i int) string { return fmt.Sprintf("a0000000-0000-4000-8000-%012d", i) }

// fill makes the users, all in one group with a license.
func (c *crowd) fill(users int) {
	c.prepare()
	c.must(204, "PATCH", "/licensor/v1/signIn", `{"allowPasswordGrant":true}`, nil) // passwords take memory to check
	const chunk = 20_000
	for first := 0; first < users; first += chunk {
		var rows strings.Builder
		for i := first; i < first+chunk; i++ {
			fmt.Fprintf(&rows, `{"user":{"id":"%s","displayName":"Name %d","userPrincipalName":"u%d@licensor.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"DE","department":"D%d"}}`+"\n", crowdID(i), i, i, i, i%100)
			fmt.Fprintf(&rows, `{"member":{"group":"%s","member":"%s"}}`+"\n", c.group, crowdID(i))
		}
		if status, answer := c.send(c.killed, asked{"POST", "/licensor/v1/import", rows.String(), "application/x-ndjson"}, false); status != 200 {
			c.t.Fatalf("import: %d %.300s", status, answer)
		}
	}
	for i := range 20 {
		c.must(204, "PATCH", "/v1.0/users/"+crowdID(i), large(), nil)
	}
}

// large are properties that take as much as an object may have.
func large() string {
	list := strings.Repeat(`"`+strings.Repeat("x", 900)+`",`, 1000)
	return `{"interests":[` + list[:len(list)-1] + `],"skills":[` + list[:len(list)-1] + `]}`
}

// asked is a request.
type asked struct{ method, path, body, kind string }

// dearest are the most expensive requests of every kind.
func (c *crowd) dearest() []asked {
	const jsonType = "application/json"
	var terms, ids, steps []string
	for i := range 480 {
		terms = append(terms, fmt.Sprintf("displayName eq 'x%d'", i))
		ids = append(ids, `"`+crowdID(i)+`"`)
	}
	list := "/users?$top=999&$select=id,interests,skills,assignedPlans,licenseAssignmentStates&$expand=memberOf"
	for i := range 20 {
		steps = append(steps, fmt.Sprintf(`{"id":"%d","method":"GET","url":"%s"}`, i, list))
	}
	members := "{" + strings.TrimPrefix(strings.Repeat(`,"interests":0`, 299_000), ",") + "}"
	var rows strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&rows, `{"member":{"group":"%s","member":"%s"}}`+"\n", c.group, crowdID(i))
	}
	sku := `"` + c.sku + `"`
	return []asked{
		{"GET", "/v1.0" + list, "", ""},
		{"GET", "/v1.0/users?$top=999&$count=true&$orderby=displayName&$filter=" + url.QueryEscape("not("+strings.Join(terms, " or ")+")"), "", ""},
		{"POST", "/v1.0/$batch", `{"requests":[` + strings.Join(steps, ",") + `]}`, jsonType},
		{"PATCH", "/v1.0/users/" + crowdID(1), large(), jsonType},
		{"POST", "/v1.0/users", members, jsonType},
		{"POST", "/v1.0/directoryObjects/getByIds", `{"ids":[` + strings.Join(ids, ",") + `]}`, jsonType},
		{"POST", "/v1.0/groups/" + c.group + "/assignLicense", `{"addLicenses":[],"removeLicenses":[` + sku + `]}`, jsonType},
		{"POST", "/v1.0/groups/" + c.group + "/assignLicense", `{"addLicenses":[{"skuId":` + sku + `}],"removeLicenses":[]}`, jsonType},
		{"POST", "/licensor/v1/reprocess", `{"all":true}`, jsonType},
		{"POST", "/licensor/v1/import", rows.String(), "application/x-ndjson"},
		{"GET", "/v1.0/users/delta?$top=999", "", ""},
		{"POST", "/" + c.login.TenantID + "/oauth2/v2.0/token", "grant_type=password&username=u1@licensor.example&password=Wrong-123!&scope=openid&client_id=" + c.login.ClientID + "&client_secret=" + c.login.ClientSecret, "application/x-www-form-urlencoded"},
	}
}

// press sends the most expensive requests from many clients, and small ones next to.
func (c *crowd) press(load time.Duration) {
	calls := c.dearest()
	ctx, cancel := context.WithTimeout(c.t.Context(), load)
	defer cancel()
	var wait sync.WaitGroup
	for n := range 48 {
		wait.Go(func() {
			for i := n; ctx.Err() == nil; i++ {
				what := calls[i%len(calls)]
				status, _ := c.send(c.killed, what, i%2 == 1)
				c.note(what, status)
			}
		})
	}
	small := 0
	for ctx.Err() == nil {
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/v1.0/organization"} {
			begin := time.Now()
			if status, answer := c.send(&c.neighbor, asked{"GET", path, "", ""}, false); status != 200 {
				c.t.Errorf("GET %s is answered %d %.300s", path, status, answer)
			}
			c.slowest = max(c.slowest, time.Since(begin))
			small++
		}
	}
	wait.Wait()
	own, _ := c.send(c.killed, asked{"GET", "/v1.0/users/" + crowdID(50), "", ""}, false)
	c.t.Logf("%d small requests, the slowest after %s; afterwards a user is answered %d", small, c.slowest, own)
	if own != 200 {
		c.t.Errorf("after the load, a user is answered %d", own)
	}
	refused, done := 0, 0
	for what, of := range c.statuses {
		c.t.Logf("%s: %v", what, of)
		for status, n := range of {
			switch {
			case status == 429 || status == 503:
				refused += n
			case status == 0 || status >= 500:
				c.t.Errorf("%s is answered %d", what, status)
			default:
				done += n
			}
		}
	}
	if refused == 0 || done == 0 {
		c.t.Errorf("%d requests were refused, and %d done", refused, done)
	}
}

func (c *crowd) note(what asked, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := fmt.Sprintf("%s %.60s", what.method, what.path)
	if c.statuses[name] == nil {
		c.statuses[name] = map[int]int{}
	}
	c.statuses[name][status]++
}

// send asks as one of the tenants, and takes the answer as it comes; its beginning is returned.
// Status 0 says that there was none.
func (c *crowd) send(as *killed, what asked, compressed bool) (int, string) {
	body := []byte(what.body)
	if compressed && what.kind != "" && !strings.Contains(what.kind, "form") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body)
		_ = z.Close()
		body = b.Bytes()
	} else {
		compressed = compressed && what.kind == ""
	}
	r, err := http.NewRequestWithContext(c.t.Context(), what.method, as.root+what.path, bytes.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return 0, ""
	}
	r.Header = http.Header{"Authorization": {"Bearer " + as.token}, "Consistencylevel": {"eventual"}, "Accept-Encoding": {"identity"}}
	if what.kind != "" {
		r.Header.Set("Content-Type", what.kind)
	}
	if compressed {
		r.Header.Set("Accept-Encoding", "gzip")
		if what.kind != "" {
			r.Header.Set("Content-Encoding", "gzip")
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	var first bytes.Buffer
	_, _ = io.CopyN(&first, response.Body, 1000)
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, first.String()
}

// watch does something and kills the program when it takes more memory than the limit, as a control
// group would. The kernel notes the peak.
func (c *crowd) watch(do func()) {
	pid := c.process.Process.Pid
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if now, err := memorytest.Resident(pid, "VmRSS:"); err == nil && now > c.limit {
				_ = c.process.Process.Kill()
				return
			}
		}
	})
	begin, _ := memorytest.Resident(pid, "VmRSS:")
	do()
	peak, err := memorytest.Resident(pid, "VmHWM:")
	close(ended)
	watching.Wait()
	c.t.Logf("%d MB before, %d MB at most, of %d MB", begin>>20, peak>>20, c.limit>>20)
	if err != nil || peak > c.limit {
		c.t.Errorf("the program took %d MB at most, of %d MB (%v)", peak>>20, c.limit>>20, err)
	}
}
