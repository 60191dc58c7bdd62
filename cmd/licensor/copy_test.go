package main

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/store/sqlite"
	"licensor/internal/store/storetest"
)

func TestCopyFromSQLiteToPostgreSQL(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	data, url := newDatabase(t), postgrestest.Empty(t)
	between := []string{"copy", "--from", "sqlite:" + data, "--to", url}
	var done struct{ Tenants []copiedTenant }
	callJSON(t, &done, between...)
	if len(done.Tenants) != 1 || done.Tenants[0].Finished || done.Tenants[0].Commits == 0 {
		t.Errorf("the first copy has done %+v", done)
	}
	code, _, stderr := call(t, rootCommand(), "reprocess", "--all", "--database", url)
	if code != exitFailed || !strings.Contains(stderr, "no tenant") {
		t.Errorf("before it is finished the target is used: code %d, %s", code, stderr)
	}
	users := newFile(t, "users.csv", "userPrincipalName,displayName,mailNickname,accountEnabled\nzoe@"+domainOf(t, data)+",Zoe,zoe,true\n")
	if code, _, stderr := call(t, rootCommand(), "import", users, "--kind", "users", "--data", data); code != 0 {
		t.Fatal(stderr)
	}
	code, stdout, stderr := call(t, rootCommand(), append(between, "--finish")...)
	if code != 0 || !strings.Contains(stdout, "finished") {
		t.Fatalf("finish: code %d, %s%s", code, stdout, stderr)
	}
	for _, where := range [][]string{{"--data", data}, {"--database", url}} {
		again := newFile(t, "more.csv", "userPrincipalName,displayName,mailNickname,accountEnabled\nyan@"+domainOf(t, data)+",Yan,yan,true\n")
		code, _, stderr := call(t, rootCommand(), append([]string{"import", again, "--kind", "users"}, where...)...)
		if moved := where[0] == "--data"; moved != (code != 0) || moved != strings.Contains(stderr, "was moved to another database") {
			t.Errorf("a change of %v: code %d, %s", where, code, stderr)
		}
	}
	code, _, stderr = call(t, rootCommand(), "copy", "--from", "sqlite:"+data, "--unfreeze")
	if code != exitFailed || !strings.Contains(stderr, "two places") || !strings.Contains(stderr, "--force") {
		t.Errorf("unfreeze: code %d, %s", code, stderr)
	}
	code, stdout, stderr = call(t, rootCommand(), "copy", "--from", "sqlite:"+data, "--unfreeze", "--force")
	if code != 0 || !strings.Contains(stdout, "accepts changes again") {
		t.Errorf("unfreeze with force: code %d, %s%s", code, stdout, stderr)
	}
	code, _, stderr = call(t, rootCommand(), append(between, "--finish")...)
	if code != exitFailed || !strings.Contains(stderr, "other content") {
		t.Errorf("a copy over what is in use: code %d, %s", code, stderr)
	}
}

// domainOf returns the domain of the only tenant of a file.
func domainOf(t *testing.T, data string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ids, err := s.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.ClaimsOf(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if name, ok := strings.CutPrefix(c.Name, "domain:"); ok {
			return name
		}
	}
	t.Fatal("the tenant has no domain")
	return ""
}

func TestCopyIsCareful(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	from := "sqlite:" + data
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing said":          {nil, exitUsage, "--from is not given"},
		"no target":             {[]string{"--from", from}, exitUsage, "--to is not given"},
		"a path":                {[]string{"--from", data, "--to", from}, exitUsage, "no scheme"},
		"another database":      {[]string{"--from", from, "--to", "mysql://x/y"}, exitUsage, "unknown scheme"},
		"to itself":             {[]string{"--from", from, "--to", from}, exitUsage, "are both"},
		"from nowhere":          {[]string{"--from", from + "2", "--to", from + "3"}, exitFailed, "there is no database"},
		"not a tenant":          {[]string{"--from", from, "--to", from + "2", "--tenant", "x"}, exitUsage, `--tenant is "x"`},
		"force without a cause": {[]string{"--from", from, "--to", from + "2", "--force"}, exitUsage, "--unfreeze"},
		"two things at once":    {[]string{"--finish", "--unfreeze"}, exitUsage, "none of the others"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, rootCommand(), append([]string{"copy"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("code %d, want %d with %q: %s", code, test.code, test.want, stderr)
			}
		})
	}
}

// TestCopyAndRestoreAreKilled runs the real program and kills it again and again, until it gets to
// the end: what it has left is continued, and is never known before it is whole.
func TestCopyAndRestoreAreKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program many times")
	}
	program, folder := buildProgram(t), t.TempDir()
	data, author := filepath.Join(folder, "licensor.db"), storetest.Author{Seed: 12, Many: 3000}
	id := uuid.New()
	s := openFile(t, data)
	if err := s.CreateTenant(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := author.Write(t.Context(), s, id, 6000); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	file := filepath.Join(folder, "licensor.backup")
	if code, _, stderr := call(t, rootCommand(), "backup", "--to", file, "--data", data); code != 0 {
		t.Fatal(stderr)
	}
	for name, args := range map[string][]string{
		"copy":    {"copy", "--finish", "--quiet", "--from", "sqlite:" + data, "--to"},
		"restore": {"restore", file, "--quiet", "--database"},
	} {
		t.Run(name, func(t *testing.T) {
			url := postgrestest.Empty(t)
			kills := killedUntilDone(t, program, append(args, url), func() { wantWholeOrUnknown(t, url, author, id) })
			t.Logf("%s was killed %d times", name, kills)
			target, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer target.Close()
			if seq := author.Want(t, target, id); seq != 6000 {
				t.Errorf("the target ends at commit %d", seq)
			}
		})
	}
}

func openFile(t *testing.T, path string) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// killedUntilDone kills the program up to 20 times, each time after it has run somewhat longer on
// average, and then lets it end.
func killedUntilDone(t *testing.T, program string, args []string, after func()) (kills int) {
	t.Helper()
	for ; kills < 20; kills++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(50+rand.IntN(100*(kills+1)))*time.Millisecond)
		run := exec.CommandContext(ctx, program, args...) // killed with SIGKILL
		out, err := run.CombinedOutput()
		ended := ctx.Err() == nil
		cancel()
		after()
		if ended {
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return kills
		}
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return kills
}

// wantWholeOrUnknown wants a tenant to be whole in a target, or not to be known there.
func wantWholeOrUnknown(t *testing.T, url string, author storetest.Author, id uuid.UUID) {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		return // it was killed before it has made the tables
	}
	defer s.Close()
	if place, err := s.Place(t.Context(), id); err == nil && place.Seq > 0 {
		author.Want(t, s, id)
	}
}
