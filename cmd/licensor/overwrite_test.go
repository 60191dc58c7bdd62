package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// No command that writes a file replaces a database, by any name of it, or a file next to one.
func TestNoCommandReplacesADatabase(t *testing.T) {
	t.Parallel()
	data, other := newContent(t), newDatabase(t)
	folder := filepath.Dir(data)
	named := map[string]string{
		"the source": data, "another database": other, "its log": data + "-wal", "its journal": data + "-journal",
		"its note": data + "-ack", "its lock": data + ".lock",
		"another spelling": filepath.Dir(folder) + "/" + filepath.Base(folder) + "/./" + filepath.Base(data),
		"a symbolic link":  filepath.Join(folder, "link.db"), "a hard link": filepath.Join(folder, "hard.db"),
	}
	if os.Symlink(data, named["a symbolic link"]) != nil || os.Link(data, named["a hard link"]) != nil {
		t.Skip("the file system has no links")
	}
	backup := filepath.Join(t.TempDir(), "licensor.backup")
	succeed(t, "backup", "--data", data, "--to", backup)
	before := filesIn(t, folder, filepath.Dir(other))
	for what, path := range named {
		for _, args := range [][]string{
			{"users", "-o", path},
			{"errors", "--csv", "-o", path},
			{"products", "--output", path},
			{"export", "--to", path},
			{"export", "--to", path, "--force"},
			{"backup", "--to", path},
			{"backup", "--to", path, "--force"},
		} {
			code, stdout, stderr := call(t, rootCommand(), append(args, "--data", data)...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, path) || !strings.Contains(stderr, "database") {
				t.Errorf("%s: %q: exit code %d, %s%s", what, args, code, stdout, stderr)
			}
			wantFilesAs(t, what, before, folder, filepath.Dir(other))
		}
	}
	code, _, stderr := call(t, rootCommand(), "demo", "--data", filepath.Join(t.TempDir(), "new.db"), "--info", data)
	if code != exitUsage || !strings.Contains(stderr, "is a database") {
		t.Errorf("demo: exit code %d, %s", code, stderr)
	}
	fresh := filepath.Join(t.TempDir(), "new.db")
	for _, info := range []string{fresh, fresh + "-wal"} { // which do not exist yet
		code, _, stderr := call(t, rootCommand(), "demo", "--data", fresh, "--info", info)
		if code != exitUsage || !strings.Contains(stderr, fresh) {
			t.Errorf("demo --info %s: exit code %d, %s", info, code, stderr)
		}
	}
	code, _, stderr = call(t, rootCommand(), "serve", "--development", "--data", data, "--record", other)
	if code == exitDone || !strings.Contains(stderr, "is a database") {
		t.Errorf("serve --record: exit code %d, %s", code, stderr)
	}
	wantFilesAs(t, "at the end", before, folder, filepath.Dir(other))
}

// Every command with --output is tried, with as many arguments as it takes.
func TestNoOutputReplacesADatabase(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	before, tried := read(t, data), 0
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			each(sub)
		}
		if cmd.Flags().Lookup("output") == nil {
			return
		}
		refused := false
		for n := range 4 {
			args := append(strings.Fields(cmd.CommandPath())[1:], "-o", data, "--data", data)
			for range n {
				args = append(args, ann)
			}
			code, _, stderr := call(t, rootCommand(), args...)
			refused = refused || code == exitUsage && strings.Contains(stderr, "is a database of licensor")
			if read(t, data) != before {
				t.Fatalf("%q: exit code %d, and the database was changed: %s", args, code, stderr)
			}
		}
		if tried++; !refused {
			t.Logf("%s has other arguments", cmd.CommandPath())
			tried--
		}
	}
	each(rootCommand())
	if tried < 15 {
		t.Errorf("only %d commands were tried", tried)
	}
}

// An export and a backup still replace earlier ones, also files that end with .db.
func TestEarlierExportsAreReplaced(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	for _, name := range []string{"export.db", "folder"} {
		to := filepath.Join(t.TempDir(), name)
		succeed(t, "export", "--data", data, "--to", to)
		succeed(t, "export", "--data", data, "--to", to, "--force")
	}
	to := filepath.Join(t.TempDir(), "licensor.backup")
	succeed(t, "backup", "--data", data, "--to", to)
	succeed(t, "backup", "--data", data, "--to", to, "--force")
	tenants, err := filepath.Glob(filepath.Join(exported(t, data), "users.jsonl"))
	if err != nil || len(tenants) != 1 {
		t.Fatal(tenants, err)
	}
	inside := filepath.Join(filepath.Dir(tenants[0]), "users.csv")
	if err := os.Rename(newDatabase(t), inside); err != nil {
		t.Fatal(err)
	}
	before := read(t, inside)
	folder := filepath.Dir(filepath.Dir(inside))
	code, _, stderr := call(t, rootCommand(), "export", "--data", data, "--to", folder, "--force")
	if code != exitUsage || !strings.Contains(stderr, inside) || read(t, inside) != before {
		t.Errorf("a database among the files of an export: exit code %d, %s", code, stderr)
	}
}

// filesIn returns the content of the files in folders.
func filesIn(t *testing.T, folders ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			path := filepath.Join(folder, e.Name())
			files[path] = fmt.Sprint(e.Type(), read(t, path))
		}
	}
	return files
}

// wantFilesAs wants files to be as they were, but for those that say who has opened the database.
func wantFilesAs(t *testing.T, what string, before map[string]string, folders ...string) {
	t.Helper()
	now := filesIn(t, folders...)
	for path, content := range before {
		if now[path] != content {
			t.Fatalf("%s: %s was changed", what, path)
		}
	}
	if len(now) != len(before) {
		t.Fatalf("%s: there were %d files, and there are %d", what, len(before), len(now))
	}
}
