package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"licensor/bench/load"
	"licensor/bench/process"
)

// licensor is one version of the product: a program and its database.
type licensor struct {
	name    string // before, ours
	program string
	folder  string
	login   credentials
	other   credentials // of a tenant with only its administrator
	*process.Server
}

// credentials are what `licensor init --json` prints.
type credentials struct{ TenantID, ClientID, ClientSecret string }

func (l *licensor) data() string { return filepath.Join(l.folder, "licensor.db") }

// load creates the database by the program's own import, unless an earlier run did. The times are
// those of the run that created it.
func (l *licensor) load(ctx context.Context, p *population, files string) (map[string]time.Duration, error) {
	took, err := once(l.folder, func() (map[string]time.Duration, error) {
		if err := l.found(ctx, "login.json", domain); err != nil {
			return nil, err
		}
		took := map[string]time.Duration{}
		for _, file := range importFiles {
			start := time.Now()
			err := process.RunQuietly(exec.CommandContext(ctx, l.program, "import",
				"--data", l.data(), "--json", filepath.Join(files, file)), nil)
			if err != nil {
				return nil, err
			}
			took[file] = time.Since(start)
		}
		if err := l.found(ctx, "other.json", "other.example", "--add"); err != nil {
			return nil, err
		}
		if err := errors.Join(l.readLogins(), l.start(ctx)); err != nil {
			return nil, err
		}
		return took, errors.Join(l.assign(ctx), l.Stop())
	})
	if err != nil {
		return nil, err
	}
	return took, l.readLogins()
}

// found creates a tenant and an application with all permissions, and writes their credentials to a
// file.
func (l *licensor) found(ctx context.Context, file, domain string, more ...string) error {
	var login bytes.Buffer
	child := exec.CommandContext(ctx, l.program,
		append([]string{"init", "--data", l.data(), "--domain", domain, "--application", "Compare", "--json"}, more...)...)
	if err := process.RunQuietly(child, &login); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.folder, file), login.Bytes(), 0o600)
}

// readLogins reads the credentials of the tenants; an empty database has only one.
func (l *licensor) readLogins() error {
	for file, login := range map[string]*credentials{"login.json": &l.login, "other.json": &l.other} {
		data, err := os.ReadFile(filepath.Join(l.folder, file))
		if file == "other.json" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, login); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// assign assigns the products to their groups.
func (l *licensor) assign(ctx context.Context) error {
	for g, product := range products {
		body := fmt.Sprintf(`{"addLicenses":[{"skuId":%q,"disabledPlans":[]}],"removeLicenses":[]}`, product.skuID)
		if err := l.call(ctx, http.MethodPost, "/v1.0/groups/"+groupID(g)+"/assignLicense", body, nil); err != nil {
			return err
		}
	}
	return nil
}

// start runs the server with throttling disabled and gets a token. The environment is added to that
// of this program.
func (l *licensor) start(ctx context.Context, environment ...string) (err error) {
	child := exec.CommandContext(ctx, l.program, "serve", "--data", l.data(), "--listen", "127.0.0.1:0",
		"--limit-application", "0", "--limit-tenant", "0", "--log-format", "json")
	child.Env = append(os.Environ(), environment...)
	said, err := child.StderrPipe()
	if err != nil {
		return err
	}
	if l.Server, err = process.Launch(child); err != nil {
		return err
	}
	lines := bufio.NewScanner(said)
	for l.Address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			l.Address = strings.TrimPrefix(line.Address, "http://")
		}
	}
	if l.Address == "" {
		return errors.Join(fmt.Errorf("%s serve did not start", l.program), l.Stop())
	}
	go io.Copy(io.Discard, said) // ends with the process
	return l.renew(ctx)
}

// renew gets a new token, which is valid for an hour.
func (l *licensor) renew(ctx context.Context) (err error) {
	l.Token, err = l.tokenFor(ctx, l.login)
	return err
}

func (l *licensor) tokenFor(ctx context.Context, login credentials) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {login.ClientID}, "client_secret": {login.ClientSecret},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+l.Address+"/"+login.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Token string `json:"access_token"`
	}
	err = send(request, &answer)
	return answer.Token, err
}

func (l *licensor) call(ctx context.Context, method, path, body string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+l.Address+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+l.Token)
	request.Header.Set("Content-Type", "application/json")
	return send(request, answer)
}

// send sends a request and reads the JSON response, unless answer is nil.
func send(request *http.Request, answer any) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", request.Method, request.URL.Path, response.Status, body)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(body, answer)
}

// pages returns the paths of the first pages of a list by following its links.
func (l *licensor) pages(ctx context.Context, first string, most int) (paths []string, err error) {
	for path := first; path != "" && len(paths) < most; {
		paths = append(paths, path)
		var page struct {
			Next string `json:"@odata.nextLink"`
		}
		if err := l.call(ctx, http.MethodGet, path, "", &page); err != nil {
			return nil, err
		}
		path = strings.TrimPrefix(page.Next, "http://"+l.Address)
	}
	if len(paths) > 1 {
		paths = paths[:len(paths)-1] // the last page may be short
	}
	return paths, nil
}

// startTime measures the time from starting the program to its first response about a user, and
// returns the median of several starts.
func (l *licensor) startTime(ctx context.Context, starts int) (time.Duration, error) {
	var took []time.Duration
	for range starts {
		begin := time.Now()
		if err := l.start(ctx); err != nil {
			return 0, err
		}
		err := l.call(ctx, http.MethodGet, "/v1.0/users/"+personID(0), "", nil)
		took = append(took, time.Since(begin))
		if err := errors.Join(err, l.Stop()); err != nil {
			return 0, err
		}
	}
	return load.Middle(took), nil
}

// tightHeap is a GOGC so low that the heap goal is close to the live heap.
const tightHeap = 10

// liveBytes returns the size of the live heap of a server that has just started.
func (l *licensor) liveBytes(ctx context.Context) (int64, error) {
	if err := l.start(ctx, "GOGC="+strconv.Itoa(tightHeap)); err != nil {
		return 0, err
	}
	least, err := l.leastGoal(ctx)
	return least * 100 / (100 + tightHeap), errors.Join(err, l.Stop())
}

// leastGoal returns the smallest heap goal of several garbage collections.
func (l *licensor) leastGoal(ctx context.Context) (least int64, err error) {
	for range 30 {
		for range 200 {
			if err := l.call(ctx, http.MethodGet, "/v1.0/users?$top=100", "", nil); err != nil {
				return 0, err
			}
		}
		goal, err := l.metric(ctx, "go_memstats_next_gc_bytes")
		if err != nil {
			return 0, err
		}
		if least == 0 || int64(goal) < least {
			least = int64(goal)
		}
	}
	return least, nil
}

func (l *licensor) metric(ctx context.Context, name string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}
