package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"licensor/internal/database"
	"licensor/internal/export"
	"licensor/internal/server"
	"licensor/internal/store/postgres/postgrestest"
)

const marketing = "b0000000-0000-4000-8000-000000000002"

// newContent is a database with users, nested groups, too few licenses, and a deleted user.
func newContent(t *testing.T) string {
	t.Helper()
	data := newDatabase(t)
	lines := `{"user":` + strings.ReplaceAll(strings.TrimSpace(usersLines), "\n", "}\n{\"user\":") + "}\n" +
		`{"user":{"userPrincipalName":"eve@contoso.example","displayName":"=1+1","mailNickname":"eve","accountEnabled":true,"usageLocation":"DE","mobilePhone":"+49 1","deletedDateTime":"` +
		time.Now().UTC().Format(time.RFC3339) + `"}}` + "\n" +
		`{"group":{"id":"` + sales + `","displayName":"Sales","mailNickname":"sales","mailEnabled":false,"securityEnabled":true}}` + "\n" +
		`{"group":{"id":"` + marketing + `","displayName":"Marketing","mailNickname":"marketing","mailEnabled":true,"securityEnabled":false,"groupTypes":["Unified"]}}` + "\n" +
		`{"manager":{"user":"` + ann + `","manager":"` + ben + `"}}` + "\n" +
		`{"member":{"group":"` + sales + `","member":"` + ann + `"}}` + "\n" +
		`{"member":{"group":"` + sales + `","member":"` + ben + `"}}` + "\n" +
		`{"member":{"group":"` + sales + `","member":"` + marketing + `"}}` + "\n" +
		`{"owner":{"group":"` + sales + `","owner":"` + ann + `"}}` + "\n" +
		`{"subscription":{"skuId":"` + e3 + `","totalLicenses":1}}` + "\n" +
		`{"license":{"group":"` + sales + `","skuId":"` + e3 + `"}}` + "\n" +
		`{"price":{"skuId":"` + e3 + `","amount":"21.9","currency":"EUR","period":"month","validFrom":"2026-01-01"}}` + "\n" +
		`{"settings":{"autoReprocess":true}}` + "\n"
	if got := summary(t, exitDone, "--exact", "--data", data, newFile(t, "all.jsonl", lines))[0]; got.Imported != 14 {
		t.Fatalf("%+v", got)
	}
	if code, _, stderr := call(t, rootCommand(), "reprocess", "--all", "--data", data); code != exitDone {
		t.Fatal(stderr)
	}
	return data
}

// exported runs an export of a database into a new folder, and returns the folder of its tenant.
func exported(t *testing.T, data string, args ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "export")
	code, _, stderr := call(t, rootCommand(), append([]string{"export", "--data", data, "--to", to}, args...)...)
	if code != exitDone || stderr != "" {
		t.Fatalf("code %d, %s", code, stderr)
	}
	list, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	return list[0]
}

// TestAnImportedExportIsExportedAgain: with --exact the second export has the same bytes, but for
// the administrator that a new tenant has.
func TestAnImportedExportIsExportedAgain(t *testing.T) {
	t.Parallel()
	first := exported(t, newContent(t))
	again := newSetup(t)
	files, err := filepath.Glob(filepath.Join(first, "*.jsonl"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%v, %v", files, err)
	}
	if code, _, stderr := call(t, rootCommand(), append([]string{"import", "--data", again}, files...)...); code != exitUsage ||
		!strings.Contains(stderr, "--exact") {
		t.Errorf("states are imported and evaluated: code %d, %s", code, stderr)
	}
	slices.Reverse(files) // the order is of no importance
	for _, got := range summary(t, exitDone, append([]string{"--data", again, "--exact"}, files...)...) {
		if got.Refused > 0 || got.Rows == 0 {
			t.Errorf("%+v", got)
		}
	}
	second := exported(t, again)
	for _, name := range files {
		was, now := read(t, name), read(t, filepath.Join(second, filepath.Base(name)))
		if filepath.Base(name) == "users.jsonl" {
			_, now, _ = strings.Cut(now, "\n")
		}
		if was != now {
			t.Errorf("%s was\n%s\nand is\n%s", filepath.Base(name), was, now)
		}
	}
	if got := read(t, filepath.Join(second, "states.jsonl")); strings.Count(got, `"Active"`) != 1 || strings.Count(got, `"CountViolation"`) != 1 {
		t.Errorf("the states are\n%s", got)
	}
}

// TestAServerExportsTheSame compares what a running server sends with what the command has written.
func TestAServerExportsTheSame(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	lines, sheets := exported(t, data), exported(t, data, "--format", "csv")
	s, err := server.Open(t.Context(), server.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	contoso, err := s.Pick(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	id, secret, err := s.AddApplication(t.Context(), contoso,
		server.Registration{Name: "Reader", Permissions: server.AllPermissions})
	contoso.Release()
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, server.Login{
		UserName: "ann@contoso.example", Graph: web.URL, Authority: web.URL,
		TenantID: contoso.ID().String(), ClientID: id, ClientSecret: secret,
	})
	get := func(query string) string {
		t.Helper()
		status, body := c.send(http.MethodGet, "/licensor/v1/export"+query, "", c.tokens[""], false)
		if status != "200" {
			t.Fatalf("%s: %s %s", query, status, body)
		}
		return body
	}
	var all strings.Builder
	for _, name := range export.Tables() {
		if name == export.TableCommits { // the application is a further commit
			continue
		}
		want := read(t, filepath.Join(lines, name+".jsonl"))
		all.WriteString(want)
		if got := get("?table=" + name); got != want {
			t.Errorf("%s: the server sends\n%s\nand the command writes\n%s", name, got, want)
		}
		want = read(t, filepath.Join(sheets, name+".csv"))
		if got := get("?format=csv&table=" + name); got != want {
			t.Errorf("%s: the server sends\n%s\nand the command writes\n%s", name, got, want)
		}
	}
	if got := get(""); got != all.String() {
		t.Errorf("the lines are\n%s\nand the command writes\n%s", got, all.String())
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestExportForSpreadsheets: CSV has a byte order mark and CR LF, and no formulas.
func TestExportForSpreadsheets(t *testing.T) {
	t.Parallel()
	folder := exported(t, newContent(t), "--format", "csv")
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) != 11 {
		t.Fatalf("%v, %v", files, err)
	}
	text := read(t, filepath.Join(folder, "users.csv"))
	body, marked := strings.CutPrefix(text, "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || !marked || len(rows) != 5 || strings.Count(text, "\r\n") != 5 {
		t.Fatalf("%v: %q", err, text)
	}
	cell := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	for _, test := range []struct{ got, want string }{
		{cell(2, "displayName"), "Adler, Ann"},
		{cell(2, "otherMails"), "a@x.example;b@x.example"},
		{cell(2, "deletedDateTime"), ""},
		{cell(4, "displayName"), "'=1+1"},
		{cell(4, "mobilePhone"), "'+49 1"},
		{cell(3, "accountEnabled"), "false"},
	} {
		if test.got != test.want {
			t.Errorf("a cell is %q, want %q", test.got, test.want)
		}
	}
	if got := summary(t, exitDone, "--data", newDatabase(t), exportedTable(t, folder, "groups.csv"))[0]; got.Imported != 2 {
		t.Errorf("importing the groups again: %+v", got)
	}
}

func exportedTable(t *testing.T, folder, name string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExportForSQL: the database has a table for each, which can be joined.
func TestExportForSQL(t *testing.T) {
	t.Parallel()
	data, to := newContent(t), filepath.Join(t.TempDir(), "ex port#?.db")
	code, stdout, stderr := call(t, rootCommand(), "export", "--data", data, "--to", to, "--json")
	if code != exitDone || !strings.Contains(stdout, `"commit": `) {
		t.Fatalf("code %d, %s%s", code, stdout, stderr)
	}
	data2 := newFile(t, "plain.db", read(t, to))
	db, err := sql.Open("sqlite", data2)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]int{
		"SELECT count(*) FROM users":                                                                                                   4,
		"SELECT count(*) FROM users WHERE deletedDateTime IS NOT NULL":                                                                 1,
		"SELECT count(*) FROM memberships m JOIN groups g ON g.id = m.groupId JOIN users u ON u.id = m.memberId":                       2,
		"SELECT count(*) FROM states s JOIN users u ON u.id = s.userId WHERE s.skuPartNumber = 'SPE_E3' OR s.error = 'CountViolation'": 1,
		"SELECT totalLicenses FROM subscriptions":                                                                                      1,
		"SELECT count(*) FROM users u, json_each(u.otherMails) WHERE u.id = '" + ann + "'":                                             2,
		"SELECT min(seq) FROM commits":                                                                                                 1,
		"SELECT count(*) FROM settings WHERE autoReprocess = 1":                                                                        1,
		"SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%hash%' OR sql LIKE '%secret%'":                                            0,
		"SELECT count(*) FROM owners o JOIN managers m ON m.userId = o.ownerId JOIN licenses l ON l.groupId = o.groupId":               1,
	} {
		var got int
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %d, want %d: %v", query, got, want, err)
		}
	}
}

// TestExportIsCareful: what cannot be done is refused, and nothing is left of it.
func TestExportIsCareful(t *testing.T) {
	t.Parallel()
	data, there := newContent(t), t.TempDir()
	file := newFile(t, "there.db", "x")
	notes := filepath.Join(there, "notes.txt")
	if err := os.WriteFile(notes, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nowhere":            {nil, exitUsage, `"to" not set`},
		"an unknown table":   {[]string{"--to", there + "/new", "--table", "people"}, exitUsage, "users, groups"},
		"an unknown format":  {[]string{"--to", there + "/new", "--format", "xlsx"}, exitUsage, `--format is "xlsx"`},
		"a format of a file": {[]string{"--to", there + "/new.db", "--format", "csv"}, exitUsage, "is for a folder"},
		"an existing folder": {[]string{"--to", there}, exitUsage, "--force"},
		"an existing file":   {[]string{"--to", file}, exitUsage, "--force"},
		"a file as a folder": {[]string{"--to", notes, "--force"}, exitFailed, "is not a folder"},
		"not a tenant":       {[]string{"--to", there + "/new", "--tenant", "x"}, exitUsage, `--tenant is "x"`},
		"an unknown tenant":  {[]string{"--to", there + "/new", "--tenant", ann}, exitFailed, "not found"},
		"no archive":         {[]string{"--to", there + "/new", "--archive-log", there + "/none"}, exitUsage, "create it"},
		"no database":        {[]string{"--to", there + "/new", "--data", there + "/none"}, exitFailed, "there is no database"},
		"no place":           {[]string{"--to", there + "/a/b/c"}, exitFailed, "no such file"},
	} {
		args := append([]string{"export"}, test.args...)
		if !slices.Contains(args, "--data") {
			args = append(args, "--data", data)
		}
		code, _, stderr := call(t, rootCommand(), args...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: code %d, want %d with %q: %s", name, code, test.code, test.want, stderr)
		}
	}
	if list, err := os.ReadDir(there); err != nil || len(list) != 1 {
		t.Errorf("there is %v, %v", list, err)
	}
	for range 2 {
		if code, _, stderr := call(t, rootCommand(), "export", "--data", data, "--to", there, "--force"); code != exitDone {
			t.Errorf("replacing an export: code %d, %s", code, stderr)
		}
	}
	users := []string{"export", "--data", data, "--to", there, "--force", "--format", "csv", "--table", "users"}
	if code, _, stderr := call(t, rootCommand(), users...); code != exitDone {
		t.Errorf("another export: code %d, %s", code, stderr)
	}
	if list, err := filepath.Glob(filepath.Join(there, "*", "*")); err != nil || len(list) != 1 || read(t, notes) != "mine" {
		t.Errorf("there is %v, %v", list, err)
	}
	code, _, stderr := call(t, rootCommand(), "export", "--data", data, "--to", file, "--force")
	if code != exitDone || len(read(t, file)) < 4096 {
		t.Errorf("replacing a file: code %d, %s", code, stderr)
	}
}

// ending is a context that is canceled once it was asked so many times.
type ending struct {
	context.Context
	left *atomic.Int64 // database/sql asks, too
}

func (e ending) Err() error {
	if e.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestAnInterruptedExportLeavesNothing, wherever it is interrupted.
func TestAnInterruptedExportLeavesNothing(t *testing.T) {
	t.Parallel()
	data, there := newContent(t), t.TempDir()
	s, err := (place{name: database.File(data)}).open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"export", "export.db"} {
		e := exporting{to: filepath.Join(there, name)}
		o, err := e.options()
		if err != nil {
			t.Fatal(err)
		}
		if o.Tenants, err = publishedTenants(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		times, err := 0, context.Canceled
		for ; err != nil && times < 1000; times++ {
			var left atomic.Int64
			left.Store(int64(times))
			_, err = e.export(ending{t.Context(), &left}, s, o, &output{})
			if list, e := os.ReadDir(there); e != nil || err != nil && len(list) != 0 {
				t.Fatalf("interrupted at %d, there is %v, %v", times, list, e)
			}
			if err != nil && !strings.Contains(err.Error(), "stopped; nothing was exported") {
				t.Fatal(err)
			}
		}
		if err != nil || times < 10 {
			t.Errorf("%s is complete after %d interruptions: %v", name, times, err)
		}
		if err := os.RemoveAll(e.to); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExportOfADatabaseInUse: a file is locked; with PostgreSQL a server may run.
func TestExportOfADatabaseInUse(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	s, err := server.Open(t.Context(), server.Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	code, _, stderr := call(t, rootCommand(), "export", "--data", data, "--to", filepath.Join(t.TempDir(), "export"))
	if code != exitFailed || !strings.Contains(stderr, "is in use by") {
		t.Errorf("code %d, %s", code, stderr)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	url := postgrestest.Empty(t)
	if code, _, stderr := call(t, rootCommand(), "init", "--database", url); code != 0 {
		t.Fatal(stderr)
	}
	if s, err = server.Open(t.Context(), server.Options{Database: url}); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "export")
	code, stdout, stderr := call(t, rootCommand(), "export", "--database", url, "--to", to, "--json", "--table", "commits")
	var outcome struct{ Tenants []struct{ Commit uint64 } }
	if err := json.Unmarshal([]byte(stdout), &outcome); code != exitDone || err != nil || len(outcome.Tenants) != 1 {
		t.Fatalf("code %d, %s%s", code, stdout, stderr)
	}
	files, err := filepath.Glob(filepath.Join(to, "*", "commits.jsonl"))
	if err != nil || len(files) != 1 || uint64(strings.Count(read(t, files[0]), "\n")) != outcome.Tenants[0].Commit {
		t.Errorf("%v, %v, %s", files, err, stdout)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestExportReadsTheArchive of what was removed from the log.
func TestExportReadsTheArchive(t *testing.T) {
	t.Parallel()
	data := newFile(t, "licensor.db", read(t, "../../internal/engine/testdata/format-7.db"))
	folder := t.TempDir()
	commits := func(args ...string) string {
		args = append(args, "--table", "commits", "--tenant", "01000000-0000-0000-0000-000000000000")
		return read(t, filepath.Join(exported(t, data, args...), "commits.jsonl"))
	}
	whole := commits()
	if code, _, stderr := call(t, rootCommand(), "trim", "--data", data, "--keep", "7d", "--archive-log", folder); code != 0 {
		t.Fatal(stderr)
	}
	if got := commits(); len(got) >= len(whole) {
		t.Errorf("nothing was removed from\n%s", got)
	}
	if got := commits("--archive-log", folder); !strings.HasPrefix(got, whole) {
		t.Errorf("with the archive there is\n%s\nwant\n%s", got, whole)
	}
}
