package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/store/postgres/postgrestest"
)

// callJSON runs a command that must succeed and reads what it prints.
func callJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), append(args, "--json")...)
	if err := json.Unmarshal([]byte(stdout), into); code != 0 || err != nil {
		t.Fatalf("%q: code %d, %v: %s%s", args, code, err, stdout, stderr)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "licensor.backup")
	var saved, there, restored, again savedFile
	callJSON(t, &saved, "backup", "--to", file, "--data", newDatabase(t))
	if len(saved.Tenants) != 1 || saved.Tenants[0].Commits == 0 || saved.Tenants[0].Rows == 0 || saved.Secrets == 0 ||
		saved.Program != version() {
		t.Errorf("the backup is %+v", saved)
	}
	callJSON(t, &there, "restore", file, "--check")
	if !reflect.DeepEqual(there, saved) {
		t.Errorf("the file has %+v, want %+v", there, saved)
	}
	for _, where := range [][]string{
		{"--data", filepath.Join(folder, "new.db")}, {"--database", postgrestest.Empty(t)},
	} {
		callJSON(t, &restored, append([]string{"restore", file}, where...)...)
		if !reflect.DeepEqual(restored, saved) {
			t.Errorf("%v: restored %+v, want %+v", where, restored, saved)
		}
		second := filepath.Join(t.TempDir(), "second.backup")
		callJSON(t, &again, append([]string{"backup", "--to", second}, where...)...)
		if !reflect.DeepEqual(again.Tenants, saved.Tenants) {
			t.Errorf("%v: a second backup has %+v, want %+v", where, again.Tenants, saved.Tenants)
		}
		code, _, stderr := call(t, rootCommand(), append([]string{"reprocess", "--all"}, where...)...)
		if code != 0 {
			t.Errorf("%v: what was restored cannot be used: %s", where, stderr)
		}
		code, _, stderr = call(t, rootCommand(), append([]string{"restore", file}, where...)...)
		if code != exitFailed || !strings.Contains(stderr, "is not empty") {
			t.Errorf("%v: restored a second time: code %d, %s", where, code, stderr)
		}
	}
}

func TestRestoreUnderAnotherID(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, data := filepath.Join(folder, "x"), filepath.Join(folder, "x.db")
	var saved, restored savedFile
	callJSON(t, &saved, "backup", "--to", file, "--data", newDatabase(t), "--without-secrets")
	if saved.Secrets != 0 {
		t.Errorf("the backup is %+v", saved)
	}
	const as = "0b9c6a52-1f0e-4d7b-8f31-7c2d9e5a4b60"
	callJSON(t, &restored, "restore", file, "--as", as, "--data", data)
	if len(restored.Tenants) != 1 || restored.Tenants[0].Tenant.String() != as {
		t.Errorf("restored: %+v", restored)
	}
	code, stdout, stderr := call(t, rootCommand(), "backup", "--to", file+"2", "--data", data)
	if code != 0 || !strings.Contains(stdout, "tenant "+as+": backed up as of commit") {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
}

func TestBackupAndRestoreAreCareful(t *testing.T) {
	t.Parallel()
	data, folder := newDatabase(t), t.TempDir()
	file := filepath.Join(folder, "licensor.backup")
	code, _, stderr := call(t, rootCommand(), "backup", "--to", file, "--data", data)
	if code != 0 {
		t.Fatal(stderr)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(strings.Clone(string(whole)))
	damaged[len(damaged)/2] ^= 1
	const unknown = "5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11"
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":            {[]string{"backup", "--data", data}, exitUsage, `"to" not set`},
		"a file that exists": {[]string{"backup", "--to", file, "--data", data}, exitUsage, "--force"},
		"no folder":          {[]string{"backup", "--to", file + "/x", "--data", data}, exitFailed, "not a directory"},
		"no database":        {[]string{"backup", "--to", file + "2", "--data", data + "2"}, exitFailed, "there is no database"},
		"not a tenant":       {[]string{"backup", "--to", file + "2", "--tenant", "contoso"}, exitUsage, `--tenant is "contoso"`},
		"an unknown tenant":  {[]string{"backup", "--to", file + "2", "--data", data, "--tenant", unknown}, exitFailed, "not found"},

		"no backup":            {[]string{"restore", file + "3"}, exitFailed, "no such file"},
		"not a backup":         {[]string{"restore", data}, exitFailed, "not a backup of Licensor"},
		"a damaged one":        {[]string{"restore", newFile(t, "x", string(damaged))}, exitFailed, "damaged in piece"},
		"one that was cut off": {[]string{"restore", newFile(t, "x", string(whole[:len(whole)-9]))}, exitFailed, "cut off at byte"},
		"into another":         {[]string{"restore", file, "--data", data}, exitFailed, "is not empty"},
		"not one of it":        {[]string{"restore", file, "--tenant", unknown}, exitFailed, "has no tenant " + unknown},
		"as nothing":           {[]string{"restore", file, "--as", "x"}, exitUsage, `--as is "x"`},
		"as zeros":             {[]string{"restore", file, "--as", "00000000-0000-0000-0000-000000000000"}, exitUsage, "not the id of a tenant"},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share a database
			args, fresh := test.args, filepath.Join(t.TempDir(), "new.db")
			if args[0] == "restore" && len(args) < 4 || strings.Contains(strings.Join(args, " "), unknown) && args[0] == "restore" {
				args = append(args, "--data", fresh)
			}
			code, _, stderr := call(t, rootCommand(), args...)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("code %d, want %d with %q: %s", code, test.code, test.want, stderr)
			}
			if _, err := os.Stat(fresh); err == nil && !strings.Contains(name, "one of it") {
				t.Error("there is a database")
			}
		})
	}
}

// TestBackupIsInterrupted: nothing of it is left.
func TestBackupIsInterrupted(t *testing.T) {
	t.Parallel()
	data, folder := newDatabase(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out output
	args := []string{"backup", "--to", filepath.Join(folder, "x"), "--data", data}
	if code := execute(ctx, rootCommand(), args, strings.NewReader(""), &out, &out); code != exitFailed {
		t.Errorf("code %d: %s", code, &out)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("in the folder are %v, %v", entries, err)
	}
}

// A failed restore or copy leaves no database that it has made; one that was there stays.
func TestAFailedRestoreLeavesNoDatabase(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	saved := filepath.Join(t.TempDir(), "licensor.backup")
	succeed(t, "backup", "--data", data, "--to", saved)
	unknown := uuid.NewString()
	for _, args := range [][]string{
		{"restore", saved, "--tenant", unknown, "--data"},
		{"copy", "--from", "sqlite:" + data, "--tenant", unknown, "--to", "sqlite:"},
		{"copy", "--from", "sqlite:" + data, "--tenant", unknown, "--finish", "--to", "sqlite:"},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "new.db")
		to := func(path string) []string {
			last := len(args) - 1
			if args[last] == "sqlite:" {
				return append(slices.Clone(args[:last]), "sqlite:"+path)
			}
			return append(slices.Clone(args), path)
		}
		code, _, stderr := call(t, rootCommand(), to(path)...)
		if left, err := os.ReadDir(folder); code == exitDone || err != nil || len(left) > 0 {
			t.Errorf("%q: code %d, %s; it leaves %v, %v", args, code, stderr, left, err)
		}
		succeed(t, "restore", saved, "--data", path)
		code, _, stderr = call(t, rootCommand(), to(path)...)
		if _, err := os.Stat(path); code == exitDone || err != nil {
			t.Errorf("%q into a database: code %d, %s; %v", args, code, stderr, err)
		}
		succeed(t, "verify", "--data", path)
		empty := filepath.Join(folder, "empty.db")
		if err := os.WriteFile(empty, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr = call(t, rootCommand(), to(empty)...)
		if _, err := os.Stat(empty); code == exitDone || err != nil {
			t.Errorf("%q into a file that was there: code %d, %s; %v", args, code, stderr, err)
		}
	}
}
