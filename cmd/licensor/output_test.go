package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A command that lists something prints it in each form, on a server and on a file, and into files.
func TestFormsOfAList(t *testing.T) {
	t.Parallel()
	_, server := crowded(t, 1)
	file := []string{"--data", newDatabase(t)}
	table := newFile(t, "prices.csv", "skuId,amount,currency,period,validFrom\n"+
		e3+",21.90,EUR,month,2026-01-01\n"+e3+",22,EUR,month,2027-01-01\n")
	for name, where := range map[string][]string{"a server": server, "a file": file} {
		list := func(args ...string) string {
			t.Helper()
			code, stdout, stderr := call(t, rootCommand(), slices.Concat([]string{"prices"}, args, where)...)
			if code != exitDone {
				t.Errorf("%s: %v: exit code %d, %s", name, args, code, stderr)
			}
			return stdout
		}
		if got := list(); got != "No product has a price.\n" {
			t.Errorf("%s: without rows it prints %q", name, got)
		}
		take := func(file string) {
			t.Helper()
			code, out, stderr := call(t, rootCommand(), slices.Concat([]string{"prices", "import", "--yes", file}, where)...)
			if code != exitDone || !strings.HasSuffix(out, "\n2 prices were imported\n") {
				t.Fatalf("%s: %s cannot be imported: %s", name, file, stderr)
			}
		}
		take(table)
		want := "skuPartNumber,validFrom,amount,currency,period,skuId\nENTERPRISEPACK,2026-01-01,21.90,EUR,month," + e3 + "\n"
		if got := list("--csv", "--limit", "1"); got != want {
			t.Errorf("%s: the CSV is %q", name, got)
		}
		if got := list("--limit", "1"); !strings.HasSuffix(got, "\nThere are more; --limit 0 prints all.\n") {
			t.Errorf("%s: it does not say that there are more: %s", name, got)
		}
		var all struct {
			Value []price
			More  bool
		}
		path := filepath.Join(t.TempDir(), "prices.json")
		if got := list("--json", "--limit", "1", "-o", path); got != "" {
			t.Errorf("%s: besides the file, it prints %q", name, got)
		}
		if err := json.Unmarshal([]byte(read(t, path)), &all); err != nil || len(all.Value) != 1 || !all.More {
			t.Errorf("%s: the JSON has %+v, %v", name, all, err)
		}
		if list("--csv", "--limit", "0", "--output", path); strings.Count(read(t, path), "\n") != 3 {
			t.Errorf("%s: the file is not replaced: %s", name, read(t, path))
		}
		take(path)
	}
}

func TestAFileIsWrittenOnlyIfThereIsAResult(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	path := newFile(t, "result.json", "before")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"prices", "--data", data + "x", "-o", path}, exitFailed, "before"},
		{[]string{"prices", "--data", data, "-o", path, "--limit", "-1"}, exitUsage, "before"},
		{[]string{"prices", "--data", data, "-o", path, "--csv", "--json"}, exitUsage, "before"},
		{[]string{"prices", "--data", data, "-o", filepath.Dir(path)}, exitFailed, "before"},
		{[]string{
			"check", "--data", data, "--json", "-o", path,
			newFile(t, "set.json", `{"requests":[{"id":"1","method":"DELETE","url":"/users/none@contoso.example"}]}`),
		}, exitDamaged, `"passed": false`},
	} {
		code, stdout, stderr := call(t, rootCommand(), test.args...)
		if got := read(t, path); code != test.code || stdout != "" || !strings.Contains(got, test.want) {
			t.Errorf("%v: exit code %d, %s%s; the file has %s", test.args, code, stdout, stderr, got)
		}
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("drafts are left: %v, %v", names, err)
	}
}
