package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAServerIsExported(t *testing.T) {
	t.Parallel()
	_, args := crowded(t, 3)
	path := filepath.Join(t.TempDir(), "all.jsonl")
	run := func(code int, want string, more ...string) string {
		t.Helper()
		got, stdout, stderr := call(t, rootCommand(), append(append([]string{"export"}, more...), args...)...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%v: exit code %d, %s%s; want %d, %q", more, got, stdout, stderr, code, want)
		}
		return stdout
	}
	run(exitDone, path+": ", "--to", path)
	if got := read(t, path); !strings.Contains(got, `"userPrincipalName":"user3@contoso.example"`) || !strings.Contains(got, `{"license":{"group":"`+sales) {
		t.Errorf("the file has %s", got)
	}
	exact := summary(t, exitPartial, "--exact", "--data", newDatabase(t), path)[0] // the administrator is there already
	if exact.Imported < 8 {
		t.Errorf("%+v of the export were imported", exact)
	}
	run(exitUsage, "replace it with --force", "--to", path)
	var done struct {
		To    string
		Bytes int
	}
	err := json.Unmarshal([]byte(run(exitDone, "", "--to", path, "--force", "--json")), &done)
	if err != nil || done.To != path || done.Bytes != len(read(t, path)) {
		t.Errorf("%+v, %v", done, err)
	}
	if got := run(exitDone, "", "--to", "-", "--format", "csv", "--table", "groups"); !strings.Contains(got, sales) || strings.Contains(got, "user1@") {
		t.Errorf("the table has %s", got)
	}
	run(exitUsage, "exports one table as CSV", "--to", path, "--format", "csv", "--force")
	run(exitUsage, "does not end with .db", "--to", "all.db")
	run(exitUsage, "is a folder", "--to", filepath.Dir(path))
	run(exitUsage, "give --tenant once", "--to", "-", "--tenant", "fabrikam.example")
	run(exitUsage, "not for a server", "--to", "-", "--archive-log", t.TempDir())
	run(exitUsage, "--to is empty", "--to", "")
	run(exitFailed, "no such", "--to", filepath.Join(filepath.Dir(path), "none", "all.jsonl"))
}

// An export that is cut off is not taken for a whole one.
func TestAnExportThatIsCutOffLeavesNothing(t *testing.T) {
	t.Parallel()
	_, args := newServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/licensor/v1/export" {
			return false
		}
		_, _ = io.WriteString(w, strings.Repeat("{}\n", 10_000))
		panic(http.ErrAbortHandler)
	})
	folder := t.TempDir()
	code, _, stderr := call(t, rootCommand(), append([]string{"export", "--to", filepath.Join(folder, "all.jsonl")}, args...)...)
	names, err := os.ReadDir(folder)
	if code != exitFailed || err != nil || len(names) > 0 || !strings.Contains(stderr, "nothing was exported") {
		t.Errorf("exit code %d, %s; the folder has %v, %v", code, stderr, names, err)
	}
}
