package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"licensor/internal/server"
	"licensor/internal/store/postgres/postgrestest"
)

// TestKilledServerKeepsWhatItAnswered runs the real program, kills it with SIGKILL under load again
// and again, and looks at what came back: everything that was answered, and no half of anything.
func TestKilledServerKeepsWhatItAnswered(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program many times")
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		newKilled(t).rounds()
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		newKilledOn(t, "--database", postgrestest.Empty(t)).rounds()
	})
}

// rounds kills the program six times, or as often as LICENSOR_KILLS says.
func (k *killed) rounds() {
	rounds := 6
	if text := os.Getenv("LICENSOR_KILLS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			k.t.Fatalf("LICENSOR_KILLS must be a number: %v", err)
		}
	}
	for round := range rounds {
		k.load(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		k.start()
		k.check(round)
	}
	k.stop()
}

// newKilled runs the real program over a new file with a licensed group.
func newKilled(t *testing.T) *killed {
	t.Helper()
	data := filepath.Join(t.TempDir(), "licensor.db")
	k := newKilledOn(t, "--data", data)
	k.data = data
	return k
}

// newKilledOn is newKilled with the flags that name a database.
func newKilledOn(t *testing.T, where ...string) *killed {
	t.Helper()
	k := &killed{
		t: t, program: buildProgram(t), where: where,
		members: map[string]bool{}, client: http.DefaultClient, entries: map[[2]string]bool{},
	}
	k.init()
	k.start()
	k.prepare()
	return k
}

func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "licensor")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

type killed struct {
	t             *testing.T
	program, data string
	where         []string // flags that name the database
	process       *exec.Cmd
	root          string
	client        *http.Client
	login         server.Login
	token         string
	group, sku    string

	mu      sync.Mutex
	members map[string]bool // users by name: were they made members of the group, too, before the server was killed?
	next    int
	joined  int // how many of them were made members

	collected uint64             // the last commit whose entries of the audit log were read
	entries   map[[2]string]bool // by activity and user
}

var listening = regexp.MustCompile(`address=(https?://\S+)`)

// output is what the program has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// init has the program make the database.
func (k *killed) init() {
	k.t.Helper()
	out, err := exec.CommandContext(k.t.Context(), k.program,
		slices.Concat([]string{"init"}, k.where, []string{"--application", "Load", "--json"})...).Output()
	if err == nil {
		err = json.Unmarshal(out, &k.login)
	}
	if err != nil {
		k.t.Fatalf("init: %v\n%s", err, out)
	}
}

// start runs the program and waits until it serves.
func (k *killed) start(flags ...string) {
	k.t.Helper()
	k.process = exec.Command(k.program, slices.Concat([]string{"serve", "--listen", "127.0.0.1:0"}, k.where, flags)...)
	log, err := k.process.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.process.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = k.process.Process.Kill() })
	lines := bufio.NewScanner(log)
	var seen []string
	for lines.Scan() {
		seen = append(seen, lines.Text())
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			k.root = m[1]
			go func() { _, _ = io.Copy(io.Discard, log) }()
			k.logIn()
			return
		}
	}
	k.t.Fatalf("the server did not start:\n%s", strings.Join(seen, "\n"))
}

func (k *killed) stop() {
	_ = k.process.Process.Signal(os.Interrupt)
	if err := k.process.Wait(); err != nil {
		k.t.Errorf("the server did not stop in order: %v", err)
	}
}

func (k *killed) logIn() {
	k.t.Helper()
	form := fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=https://graph.microsoft.com/.default", k.login.ClientID, k.login.ClientSecret)
	response, err := k.client.Post(k.root+"/"+k.login.TenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		k.t.Fatalf("no token: %s %v", response.Status, err)
	}
	k.token = answer.AccessToken
}

// do sends a request; an error says that the server did not answer.
func (k *killed) do(ctx context.Context, method, path, body string, into any) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, k.root+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := k.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if into != nil {
		err = json.Unmarshal(answer, into)
	}
	return response.StatusCode, err
}

// must is do when the server is expected to answer so.
func (k *killed) must(want int, method, path, body string, into any) {
	k.t.Helper()
	status, err := k.do(k.t.Context(), method, path, body, into)
	if err != nil || status != want {
		k.t.Fatalf("%s %s answered %d, %v; want %d", method, path, status, err, want)
	}
}

// prepare makes a group with a license.
func (k *killed) prepare() {
	k.sku = "6fd2c87f-b296-42f0-b197-1e91e994b900"
	k.must(201, "POST", "/licensor/v1/subscriptions", `{"skuId":"`+k.sku+`","totalLicenses":100000}`, nil)
	var group struct{ ID string }
	k.must(201, "POST", "/v1.0/groups", `{"displayName":"G","mailEnabled":false,"mailNickname":"g","securityEnabled":true}`, &group)
	k.group = group.ID
	k.must(202, "POST", "/v1.0/groups/"+k.group+"/assignLicense", `{"addLicenses":[{"skuId":"`+k.sku+`","disabledPlans":[]}],"removeLicenses":[]}`, nil)
}

// load has several clients make users and put them into the group until the server is killed, after
// a while, and after it has answered something.
func (k *killed) load(after time.Duration) {
	ctx, cancel := context.WithCancel(k.t.Context())
	defer cancel()
	before := k.joined
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for k.step(ctx) == nil {
			}
		})
	}
	time.Sleep(after)
	for waited := 0; !k.answeredMore(before) && waited < 3000; waited++ {
		time.Sleep(10 * time.Millisecond)
	}
	if err := k.process.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = k.process.Wait()
	cancel()
	wait.Wait()
	k.client.CloseIdleConnections()
}

func (k *killed) step(ctx context.Context) error {
	k.mu.Lock()
	k.next++
	name := fmt.Sprintf("user%d", k.next)
	k.mu.Unlock()
	var user struct{ ID string }
	body := fmt.Sprintf(`{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,"userPrincipalName":"%[1]s@licensor.example","usageLocation":"DE","passwordProfile":{"password":"Secret-123"}}`, name)
	status, err := k.do(ctx, "POST", "/v1.0/users", body, &user)
	if err != nil {
		return err
	}
	if status != 201 {
		return fmt.Errorf("creating a user answered %d", status)
	}
	k.answered(name, false)
	status, err = k.do(ctx, "POST", "/v1.0/groups/"+k.group+"/members/$ref", `{"@odata.id":"`+k.root+`/v1.0/directoryObjects/`+user.ID+`"}`, nil)
	if err != nil {
		return err
	}
	if status != 204 {
		return fmt.Errorf("adding a member answered %d", status)
	}
	k.answered(name, true)
	return nil
}

// answeredMore reports whether more users than before were answered to be members.
func (k *killed) answeredMore(before int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.joined > before
}

func (k *killed) answered(name string, member bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.members[name] = member; member {
		k.joined++
	}
}

// check looks at every user that was answered, and that seats and holders agree.
func (k *killed) check(round int) {
	k.t.Helper()
	for name, member := range k.members {
		var user struct {
			ID               string
			AssignedLicenses []struct{ SKUID string }
		}
		k.must(200, "GET", "/v1.0/users/"+name+"@licensor.example?$select=id,assignedLicenses", "", &user)
		if member && (len(user.AssignedLicenses) != 1 || user.AssignedLicenses[0].SKUID != k.sku) {
			k.t.Fatalf("round %d: %s was made a member, but holds %v", round, name, user.AssignedLicenses)
		}
	}
	k.checkAudit(round)
	holders := 0
	next := k.root + "/v1.0/users?$select=id,assignedLicenses&$top=999"
	for next != "" {
		var page struct {
			Value []struct{ AssignedLicenses []struct{ SKUID string } }
			Next  string `json:"@odata.nextLink"`
		}
		k.must(200, "GET", strings.TrimPrefix(next, k.root), "", &page)
		for _, u := range page.Value {
			holders += len(u.AssignedLicenses)
		}
		next = page.Next
	}
	var skus struct{ Value []struct{ ConsumedUnits int } }
	k.must(200, "GET", "/v1.0/subscribedSkus", "", &skus)
	if len(skus.Value) != 1 || skus.Value[0].ConsumedUnits != holders {
		k.t.Fatalf("round %d: consumedUnits %+v, but %d users hold the license", round, skus.Value, holders)
	}
	k.t.Logf("round %d: %d users answered, %d hold the license", round, len(k.members), holders)
}

// checkAudit checks that what was answered has its entries in the audit log (docs/spec/audit.md U7,
// scenario 11).
func (k *killed) checkAudit(round int) {
	k.t.Helper()
	next := fmt.Sprintf("/licensor/v1/audit?after=%d", k.collected)
	for next != "" {
		var page struct {
			After uint64
			Next  string `json:"@odata.nextLink"`
			Value []struct {
				ActivityDisplayName string
				TargetResources     []struct{ UserPrincipalName string }
			}
		}
		k.must(200, "GET", next, "", &page)
		for _, e := range page.Value {
			if len(e.TargetResources) > 0 {
				k.entries[[2]string{e.ActivityDisplayName, e.TargetResources[0].UserPrincipalName}] = true
			}
		}
		k.collected, next = page.After, strings.TrimPrefix(page.Next, k.root)
	}
	for name, member := range k.members {
		principal := name + "@licensor.example"
		if !k.entries[[2]string{"Add user", principal}] || member && !k.entries[[2]string{"Add member to group", principal}] {
			k.t.Fatalf("round %d: %s was created, member %t, but the audit log has no entry of that", round, name, member)
		}
	}
}
