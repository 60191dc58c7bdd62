package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"licensor/internal/archive"
	"licensor/internal/store"
	"licensor/internal/store/postgres/postgrestest"
)

func TestTrimIsCareful(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing said":         {nil, exitUsage, `"keep" not set`},
		"not a time":           {[]string{"--keep", "long"}, exitUsage, `--keep is "long"`},
		"no time":              {[]string{"--keep", "0d"}, exitUsage, `--keep is "0d": it must be a number of days such as 90d, or a time such as 200h; 0 is not allowed`},
		"a negative one":       {[]string{"--keep=-3d"}, exitUsage, `--keep is "-3d"`},
		"forever":              {[]string{"--keep", "forever"}, exitUsage, "removes nothing"},
		"too short":            {[]string{"--keep", "6d"}, exitUsage, "--force"},
		"too short in hours":   {[]string{"--keep", "100h"}, exitUsage, "--force"},
		"not a tenant":         {[]string{"--keep", "30d", "--tenant", "contoso"}, exitUsage, `--tenant is "contoso"`},
		"an unknown tenant":    {[]string{"--keep", "30d", "--tenant", "5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11"}, exitFailed, "not found"},
		"an unknown database":  {[]string{"--keep", "30d", "--data", data + "2"}, exitFailed, "there is no database"},
		"for a server, a week": {[]string{"serve", "--keep-log", "6d"}, exitUsage, "--keep-log is 6d: delta links are valid for 7 days, so it is at least 7d, or forever"},
		"not 0 for a server":   {[]string{"serve", "--keep-log", "0d"}, exitUsage, "7d or more, a time such as 200h, or forever; 0 is not allowed"},
		"none at once":         {[]string{"serve", "--loading", "0"}, exitUsage, "--loading is 0: it must be 1 to 64"},
		"too many at once":     {[]string{"serve", "--loading", "65"}, exitUsage, "--loading is 65: it must be 1 to 64"},
		"less than none":       {[]string{"serve", "--loading=-1"}, exitUsage, "--loading is -1: it must be 1 to 64"},
		"not for a server":     {[]string{"serve", "--keep-log", "x"}, exitUsage, `--keep-log is "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := test.args
			if len(args) == 0 || args[0] != "serve" {
				args = append([]string{"trim"}, args...)
			}
			if !strings.Contains(strings.Join(args, " "), "--data") {
				args = append(args, "--data", data)
			}
			code, _, stderr := call(t, rootCommand(), args...)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("code %d, want %d with %q: %s", code, test.code, test.want, stderr)
			}
		})
	}
}

// TestTrimRemovesWhatIsOld from both kinds of database; nothing is as old as a week in these.
func TestTrimRemovesWhatIsOld(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	url := postgrestest.Empty(t)
	if code, _, stderr := call(t, rootCommand(), "init", "--database", url); code != 0 {
		t.Fatal(stderr)
	}
	for _, where := range [][]string{{"--data", newDatabase(t)}, {"--database", url}} {
		trim := func(args ...string) (removed, first uint64, since *time.Time) {
			t.Helper()
			code, stdout, stderr := call(t, rootCommand(), append(append([]string{"trim", "--json"}, where...), args...)...)
			var outcome struct{ Tenants []trimmedTenant }
			if err := json.Unmarshal([]byte(stdout), &outcome); code != 0 || err != nil || len(outcome.Tenants) != 1 {
				t.Fatalf("code %d, %v, %s%s", code, err, stdout, stderr)
			}
			one := outcome.Tenants[0]
			return one.Removed, one.First, one.Since
		}
		if removed, first, since := trim("--keep", "7d"); removed != 0 || first != 1 || since == nil {
			t.Errorf("%v: %d commits of today were removed, and %d is the first, of %v", where, removed, first, since)
		}
		removed, _, _ := trim("--keep", "1ns", "--force", "--dry-run")
		again, first, since := trim("--keep", "1ns", "--force")
		if removed == 0 || again != removed || first != removed+1 || since != nil {
			t.Errorf("%v: %d commits were removed, %d would have been, %d is the first, of %v", where, again, removed, first, since)
		}
		if code, stdout, stderr := call(t, rootCommand(), append([]string{"reprocess", "--all"}, where...)...); code != 0 {
			t.Errorf("%v: the tenant cannot be used: %s%s", where, stdout, stderr)
		}
	}
}

// TestTrimKeepsAnArchive of what it removes.
func TestTrimKeepsAnArchive(t *testing.T) {
	t.Parallel()
	old, err := os.ReadFile("../../internal/engine/testdata/format-7.db")
	if err != nil {
		t.Fatal(err)
	}
	data, folder := newFile(t, "licensor.db", string(old)), t.TempDir()
	code, stdout, stderr := call(t, rootCommand(), "trim", "--data", data, "--keep", "7d", "--archive-log", folder, "--json")
	var outcome struct{ Tenants []trimmedTenant }
	if err := json.Unmarshal([]byte(stdout), &outcome); code != 0 || err != nil {
		t.Fatalf("code %d, %v, %s", code, err, stderr)
	}
	kept, err := archive.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range outcome.Tenants {
		var read uint64
		err := kept.Commits(one.Tenant, func(c store.Commit) error {
			if read++; c.Seq != read {
				t.Errorf("commit %d is the %d-th", c.Seq, read)
			}
			return nil
		})
		if err != nil || read != one.Removed || read == 0 {
			t.Errorf("%d commits are archived, %d were removed, %v", read, one.Removed, err)
		}
	}
	code, stdout, stderr = call(t, rootCommand(), "trim", "--data", data, "--keep", "1ns", "--force", "--archive-log", folder)
	day := time.Now().UTC().Format(time.DateOnly)
	if code != exitDone || !strings.Contains(stdout, "Only whole days are archived: the commits of ") ||
		!strings.Contains(stdout, day) && time.Now().UTC().Hour() > 0 {
		t.Errorf("of today: code %d, %s%s", code, stdout, stderr)
	}
	code, _, stderr = call(t, rootCommand(), "trim", "--data", data, "--keep", "7d", "--archive-log", folder+"2")
	if code != exitUsage || !strings.Contains(stderr, "create it") {
		t.Errorf("without the folder: code %d, %s", code, stderr)
	}
}
