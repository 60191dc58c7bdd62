package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph"
	"licensor/internal/signins"
)

const (
	// verbDays is how far back the tenant is read.
	verbDays = 30
	// verbCallers is how many callers make the commits of the log.
	verbCallers = 64
)

// verbs is a tenant with a past, over HTTP.
type verbs struct {
	*ours
	clock  atomic.Int64 // nanoseconds since 1970
	root   string
	token  string
	rounds int
}

// measureVerbs measures previews, explanations of the past, costs, drift and swaps over HTTP, one
// request at a time, and what a script takes that reads all users and computes the same.
func measureVerbs(ctx context.Context, users, commits, rounds int) error {
	dir, err := os.MkdirTemp("", "licensor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%d users, %d commits in %d days\n", users, commits, verbDays)
	v := &verbs{ours: &ours{world: newWorld(users), path: filepath.Join(dir, "ours.db")}, rounds: rounds}
	v.clock.Store(time.Now().AddDate(0, 0, -verbDays-1).UnixNano())
	v.now = func() time.Time { return time.Unix(0, v.clock.Load()) }
	if err := v.create(ctx); err != nil {
		return err
	}
	if err := v.live(ctx, commits); err != nil {
		return err
	}
	authority, token, err := v.login(ctx)
	if err != nil {
		return err
	}
	served, err := serve(ctx, graph.New(graph.Config{
		Authority: authority, Tenant: v.tenants.Tenant, Now: v.now, NewID: uuid.New, Log: slog.Default(),
		SignIns: signins.NewRecorder(v.store, nil), PreviewMemory: 8 << 30, // of all rounds
	}))
	if err != nil {
		return err
	}
	defer served.close()
	v.root, v.token = "http://"+served.address, token
	for _, measured := range []func(context.Context) error{v.previews, v.past, v.histories, v.money, v.drift, v.swap} {
		if err := measured(ctx); err != nil {
			return err
		}
	}
	fmt.Println()
	return v.close(ctx)
}

// live makes commits on each of the days, and waits for the snapshot of each day.
func (v *verbs) live(ctx context.Context, commits int) error {
	began := time.Now()
	for day := range verbDays {
		v.clock.Add(int64(24 * time.Hour))
		var wait sync.WaitGroup
		errs := make([]error, verbCallers)
		for caller := range verbCallers {
			wait.Go(func() {
				for i := caller; i < commits/verbDays && errs[caller] == nil; i += verbCallers {
					errs[caller] = v.move(ctx, i*7919, day+1)
				}
			})
		}
		wait.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if err := v.waitForSnapshot(ctx); err != nil {
			return err
		}
	}
	report("the days", "%s", time.Since(began).Round(time.Second))
	return nil
}

// waitForSnapshot waits until there is a snapshot of the day.
func (v *verbs) waitForSnapshot(ctx context.Context) error {
	today := v.now().UTC().Format(time.DateOnly)
	for range 60_000 {
		list, err := v.store.Manifests(ctx, v.tenant.ID())
		if err != nil {
			return err
		}
		for _, m := range list {
			if m.Name == today {
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("there is no snapshot of %s", today)
}

// call sends a request, decodes the answer, and returns how long that took.
func (v *verbs) call(ctx context.Context, method, path, body string, into any) (time.Duration, error) {
	start := time.Now()
	url := path
	if strings.HasPrefix(path, "/") {
		url = v.root + path
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+v.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return 0, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, bytes.TrimSpace(text))
	}
	if into != nil {
		err = json.Unmarshal(text, into)
	}
	return time.Since(start), err
}

// times calls a path several times, and reports the median.
func (v *verbs) times(ctx context.Context, what, path string) error {
	var took series
	for range v.rounds {
		one, err := v.call(ctx, http.MethodGet, path, "", nil)
		if err != nil {
			return err
		}
		took.add(one)
	}
	report(what, "%s", took.median())
	return nil
}

// page is a page of a list.
type page struct {
	NextLink string `json:"@odata.nextLink"`
	Value    []json.RawMessage
}

// previews measures a preview of a product for a group of all users, and its memory, in comparison
// with a script that reads all users and counts those who would gain the product.
func (v *verbs) previews(ctx context.Context) error {
	last := len(v.world.products) - 1
	body := fmt.Sprintf(`{"requests":[{"id":"1","method":"POST","url":"/groups/%s/assignLicense",`+
		`"body":{"addLicenses":[{"skuId":"%s"}],"removeLicenses":[]}}]}`,
		v.tenant.Image().Directory.GroupID(v.groups[last]), v.world.products[last].SKUID)
	var whole, pages series
	before := heap()
	for range v.rounds {
		var made struct {
			ID    string
			Users struct{ Gain int }
		}
		took, err := v.call(ctx, http.MethodPost, "/licensor/v1/previews", body, &made)
		if err != nil {
			return err
		}
		if made.Users.Gain != v.world.users {
			return fmt.Errorf("the preview says that %d of %d users gain the product", made.Users.Gain, v.world.users)
		}
		var first page
		more, err := v.call(ctx, http.MethodGet, "/licensor/v1/previews/"+made.ID+"/users", "", &first)
		if err != nil {
			return err
		}
		whole.add(took + more)
		for next := first.NextLink; next != "" && len(pages) < 10*v.rounds; {
			var one page
			if took, err = v.call(ctx, http.MethodGet, next, "", &one); err != nil {
				return err
			}
			pages.add(took)
			next = one.NextLink
		}
	}
	kept := heap() - before
	script, err := v.script(ctx, "id,assignedLicenses", func(user map[string]any) {})
	if err != nil {
		return err
	}
	report("preview a product for all users", "%s with its first page, a script %s: %.0f times as fast",
		whole.median(), script.Round(time.Millisecond), float64(script)/float64(whole.median()))
	report("another page of it", "%s", pages.median())
	report("memory of a kept preview", "%.0f bytes a user, with the draft",
		float64(kept)/float64(v.rounds)/float64(v.world.users))
	return nil
}

// script reads all users as scripts do, and calls take for each.
func (v *verbs) script(ctx context.Context, properties string, take func(user map[string]any)) (time.Duration, error) {
	start := time.Now()
	next, read := "/v1.0/users?$top=999&$select="+properties, 0
	for next != "" {
		var one page
		if _, err := v.call(ctx, http.MethodGet, next, "", &one); err != nil {
			return 0, err
		}
		for _, raw := range one.Value {
			var user map[string]any
			if err := json.Unmarshal(raw, &user); err != nil {
				return 0, err
			}
			take(user)
			read++
		}
		next = one.NextLink
	}
	if read != v.world.users {
		return 0, fmt.Errorf("the script has read %d of %d users", read, v.world.users)
	}
	return time.Since(start), nil
}

// past measures what the tenant was.
func (v *verbs) past(ctx context.Context) error {
	at := v.now().AddDate(0, 0, -verbDays+1).UTC().Format(time.RFC3339Nano) // after the commits of that day
	took, err := v.call(ctx, http.MethodGet, "/licensor/v1/licenseErrors?at="+at, "", nil)
	if err != nil {
		return err
	}
	report("errors of 30 days ago", "%s", took.Round(time.Millisecond))
	for _, one := range []struct{ what, path string }{
		{"errors of 30 days ago, again", "/licensor/v1/licenseErrors?at=" + at},
		{"explain a user of 30 days ago", "/licensor/v1/users/" + id('u', 7).String() + "/explain?at=" + at},
		{"difference of 30 days", "/licensor/v1/difference?from=" + at},
	} {
		if err := v.times(ctx, one.what, one.path); err != nil {
			return err
		}
	}
	return nil
}

// histories measures the log.
func (v *verbs) histories(ctx context.Context) error {
	user := "/licensor/v1/users/" + id('u', 7919%v.world.users).String() + "/history"
	if err := v.times(ctx, "history of a user", user); err != nil {
		return err
	}
	return v.times(ctx, "a page of the log", "/licensor/v1/log")
}

// money measures costs, in comparison with a script that reads all users and adds up the same.
func (v *verbs) money(ctx context.Context) error {
	var prices []string
	for _, p := range v.world.products {
		prices = append(prices, fmt.Sprintf(`{"skuId":"%s","amount":"10","currency":"EUR","period":"month","validFrom":"2020-01-01"}`, p.SKUID))
	}
	_, err := v.call(ctx, http.MethodPut, "/licensor/v1/prices", `{"prices":[`+strings.Join(prices, ",")+`]}`, nil)
	if err != nil {
		return err
	}
	var took series
	for range v.rounds {
		one, err := v.call(ctx, http.MethodGet, "/licensor/v1/costs?by=department", "", nil)
		if err != nil {
			return err
		}
		took.add(one)
	}
	seats := map[any]int{}
	script, err := v.script(ctx, "department,assignedLicenses", func(user map[string]any) {
		held, _ := user["assignedLicenses"].([]any)
		seats[user["department"]] += len(held)
	})
	if err != nil {
		return err
	}
	report("costs by department", "%s, a script %s: %.0f times as fast", took.median(),
		script.Round(time.Millisecond), float64(script)/float64(took.median()))
	from := v.now().AddDate(0, 0, -verbDays+1).UTC().Format(time.RFC3339)
	return v.times(ctx, "costs of 30 days, day by day", "/licensor/v1/costs/history?from="+from)
}
