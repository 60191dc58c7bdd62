package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor/internal/database"
	"licensor/internal/server"
	"licensor/internal/store/postgres/postgrestest"
)

// examined runs the doctor, and returns its results by check and state.
func examined(t *testing.T, code int, args ...string) (all []diagnosis) {
	t.Helper()
	got, stdout, stderr := call(t, rootCommand(), append([]string{"doctor", "--json"}, args...)...)
	var answer struct{ Value []diagnosis }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || got != code {
		t.Errorf("exit code %d, not %d: %s%s, %v", got, code, stdout, stderr, err)
	}
	for _, one := range answer.Value {
		if one.State == conditionFinding && one.Remedy == "" {
			t.Errorf("a finding does not say what helps: %+v", one)
		}
	}
	return answer.Value
}

// says reports whether a check has a state and a text.
func says(all []diagnosis, check string, state condition, text string) bool {
	return slices.ContainsFunc(all, func(d diagnosis) bool {
		return d.Check == check && d.State == state && strings.Contains(d.Text, text)
	})
}

func TestTheDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	_, args := crowded(t, 2)
	all := examined(t, exitDone, args...)
	for _, check := range []string{"configuration", "server", "clock", "login", "tenant", "catalog", "permissions"} {
		if !says(all, check, conditionGood, "") {
			t.Errorf("nothing good about %s: %+v", check, all)
		}
	}
	data := newContent(t)
	all = examined(t, exitDone, "--data", data)
	for _, check := range []string{"configuration", "database", "tenant", "catalog", "permissions"} {
		if !says(all, check, conditionGood, "") {
			t.Errorf("nothing good about %s: %+v", check, all)
		}
	}
	if !says(all, "secrets", conditionNoted, "unencrypted") {
		t.Errorf("no word about the keys: %+v", all)
	}
	code, stdout, _ := call(t, rootCommand(), "doctor", "--data", data)
	if code != exitDone || !strings.Contains(stdout, "database       ok     it can be opened") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	code, stdout, _ = call(t, rootCommand(), "doctor", "--csv", "--data", data)
	if code != exitDone || !strings.HasPrefix(stdout, "check,state,text,remedy\nconfiguration,ok,the database ") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestTheDoctorFindsWhatIsWrongWithADatabase(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	if all := examined(t, exitDamaged, "--data", data+"x"); !says(all, "database", conditionFinding, "cannot be opened") {
		t.Errorf("%+v", all)
	}
	if err := os.Chmod(data, 0o644); err != nil {
		t.Fatal(err)
	}
	all := examined(t, exitDamaged, "--data", data)
	if !says(all, "file", conditionFinding, "644") {
		t.Errorf("%+v", all)
	}
}

func TestTheDoctorFindsWhatIsWrongWithAServer(t *testing.T) {
	t.Parallel()
	_, args := newServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/licensor/v1/products":
			_, _ = io.WriteString(w, `{"value":[{"skuId":"`+e3+`","skuPartNumber":null}]}`)
			return true
		case "/readyz":
		default:
			return false
		}
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		http.Error(w, "the database cannot be written", http.StatusServiceUnavailable)
		return true
	})
	all := examined(t, exitDamaged, args...)
	if !says(all, "server", conditionFinding, "503 Service Unavailable: the database cannot be written") || !says(all, "clock", conditionFinding, "differs by") ||
		!says(all, "catalog", conditionFinding, "1 of 1 products of the tenant: "+e3) {
		t.Errorf("%+v", all)
	}
	wrong := append(args[:len(args)-1:len(args)-1], "wrong")
	if all := examined(t, exitDamaged, wrong...); !says(all, "login", conditionFinding, "AADSTS7000215") {
		t.Errorf("%+v", all)
	}
	gone := slices.Concat([]string{"--server", "http://127.0.0.1:1"}, args[2:])
	if all := examined(t, exitDamaged, gone...); !says(all, "server", conditionFinding, "cannot be reached") {
		t.Errorf("%+v", all)
	}
	if code, _, stderr := call(t, rootCommand(), "doctor", "--server", "x", "--tenant", "x"); code != exitUsage {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// An application that may only read users is told what it lacks.
func TestTheDoctorComparesPermissions(t *testing.T) {
	t.Parallel()
	_, args := newServerFor(t, server.Options{}, []string{"User.Read.All"}, nil)
	all := examined(t, exitDamaged, args...)
	for _, want := range []struct {
		state condition
		text  string
	}{
		{conditionGood, "users"},
		{conditionFinding, "prices, catalog list: not permitted to read the tenant's subscriptions"},
		{conditionNoted, "reprocess: not permitted"},
		{conditionNoted, "backup: not permitted"},
	} {
		if !says(all, "permissions", want.state, want.text) {
			t.Errorf("%s %q is not in %+v", want.state, want.text, all)
		}
	}
}

func TestTheDoctorReadsCertificates(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	until := web.Certificate().NotAfter
	for _, test := range []struct {
		now   time.Time
		state condition
		text  string
	}{
		{until.AddDate(0, -1, 0), conditionGood, "is valid until " + until.UTC().Format(time.DateOnly)},
		{until.AddDate(0, 0, -3), conditionFinding, "expires in 3 days"},
		{until.AddDate(0, 0, 1), conditionFinding, "expired at"},
	} {
		d := doctor{now: func() time.Time { return test.now }}
		if d.examineCertificate(t.Context(), web.URL); !says(d.all, "certificate", test.state, test.text) {
			t.Errorf("at %s: %+v", test.now, d.all)
		}
	}
	all := examined(t, exitDamaged, "--server", web.URL, "--tenant", "x", "--client-id", "x", "--client-secret", "x")
	if !says(all, "server", conditionFinding, "certificate signed by unknown authority") {
		t.Errorf("%+v", all)
	}
}

// The clock of PostgreSQL is that of another machine.
func TestTheDoctorComparesTheClockOfTheDatabase(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	if code, _, stderr := call(t, rootCommand(), "init", "--database", url, "--domain", "contoso.example"); code != exitDone {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	all := examined(t, exitDone, "--database", url)
	if !says(all, "clock", conditionGood, "that of the database agrees") || !says(all, "disk", conditionNoted, "not known") {
		t.Errorf("%+v", all)
	}
	name, err := database.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		d := doctor{now: func() time.Time { return time.Now().Add(-off) }}
		d.examineDatabaseClock(t.Context(), place{name: name})
		if !says(d.all, "clock", conditionFinding, "that of the database differs by "+off.String()) {
			t.Errorf("%+v", d.all)
		}
	}
}
