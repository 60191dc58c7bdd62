package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/verify"
)

// found runs verify and returns the damages.
func found(t *testing.T, code int, args ...string) []verify.Damage {
	t.Helper()
	got, stdout, stderr := call(t, rootCommand(), append([]string{"verify", "--json"}, args...)...)
	var outcome struct{ Damages []verify.Damage }
	if err := json.Unmarshal([]byte(stdout), &outcome); got != code || err != nil {
		t.Fatalf("exit code %d, want %d: %v, %s%s", got, code, err, stdout, stderr)
	}
	return outcome.Damages
}

// ofBen selects one user. Other documents have the letters "ben" by chance, such as in a hash.
const ofBen = ` WHERE document LIKE '%"displayName":"Ben"%'`

// TestVerifyFindsTampering: rows and commits whose sums were made to fit.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	db, err := sql.Open("sqlite", data)
	if err != nil {
		t.Fatal(err)
	}
	var o store.Object
	var id []byte
	err = db.QueryRow("SELECT ordinal, id, document, seq FROM object"+ofBen).Scan(&o.Ordinal, &id, &o.Document, &o.Seq)
	if err != nil {
		t.Fatal(err)
	}
	o.Kind, o.ID = store.KindUser, uuid.UUID(id)
	o.Document = []byte(strings.ReplaceAll(string(o.Document), `"Ben"`, `"\u0000"`))
	if _, err := db.Exec("UPDATE object SET document = ?, sum = ? WHERE kind = 1 AND ordinal = ?", string(o.Document), o.Sum(), o.Ordinal); err != nil {
		t.Fatal(err)
	}
	list := found(t, exitDamaged, "--data", again(t, db))
	isFound(t, list, "users", "its displayName is not that of the image")
	isFound(t, list, "users", "U+0000")
	var c store.Commit
	var chain []byte
	var at int64
	if err := db.QueryRow("SELECT effects, format, chain, operation, at FROM commits WHERE seq = 2").Scan(&c.Effects, &c.Format, &chain, &c.Operation, &at); err != nil {
		t.Fatal(err)
	}
	c.Seq, c.At, c.Actor, c.Chain = 2, time.UnixMilli(at), "user another", store.Chain(chain)
	if _, err := db.Exec("UPDATE commits SET actor = ?, sum = ? WHERE seq = 2", c.Actor, c.Sum()); err != nil {
		t.Fatal(err)
	}
	list = found(t, exitDamaged, "--data", again(t, db))
	isFound(t, list, "commits", "does not continue the chain")
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// again returns a copy of a database that is open.
func again(t *testing.T, db *sql.DB) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "licensor.db")
	if _, err := db.Exec("VACUUM INTO ?", to); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestVerifyReplacesNUL in texts, by a commit, after which nothing is damaged.
func TestVerifyReplacesNUL(t *testing.T) {
	t.Parallel()
	old := newFile(t, "licensor.db", read(t, newContent(t)))
	with(t, old, func(c *connection) {
		var user struct{ ID string }
		if err := c.get(t.Context(), "/v1.0/users/"+ben+"?$select=id", &user); err != nil {
			t.Fatal(err)
		}
	})
	plantNUL(t, old)
	list := found(t, exitDamaged, "--data", old)
	isFound(t, list, "users", "U+0000")
	if n := len(list); n != 2 { // and its column, which the log has otherwise
		t.Errorf("there are %d damages: %v", n, list)
	}
	code, stdout, stderr := call(t, rootCommand(), "verify", "--fix", "--data", old)
	if code != exitDamaged || !strings.Contains(stdout, "1 of them fixed") {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
	if list := found(t, exitDone, "--deep", "--data", old); len(list) != 0 {
		t.Errorf("then there is %v", list)
	}
	with(t, old, func(c *connection) {
		var user struct{ DisplayName string }
		if err := c.get(t.Context(), "/v1.0/users/"+ben+"?$select=displayName", &user); err != nil || user.DisplayName != "B\uFFFDn" {
			t.Errorf("the name is %q, %v", user.DisplayName, err)
		}
	})
}

// plantNUL puts U+0000 into a document, with a sum that fits.
func plantNUL(t *testing.T, data string) {
	t.Helper()
	db, err := sql.Open("sqlite", data)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := store.Object{Kind: store.KindUser, ID: uuid.MustParse(ben)}
	err = db.QueryRow("SELECT ordinal, document, seq FROM object WHERE kind = 1 AND id = ?", o.ID[:]).Scan(&o.Ordinal, &o.Document, &o.Seq)
	if err != nil {
		t.Fatal(err)
	}
	o.Document = []byte(strings.ReplaceAll(string(o.Document), `"Ben"`, `"B\u0000n"`))
	_, err = db.Exec("UPDATE object SET document = ?, sum = ? WHERE kind = 1 AND ordinal = ?", string(o.Document), o.Sum(), o.Ordinal)
	if err != nil {
		t.Fatal(err)
	}
}

// trimmed is a database whose logs begin with the last snapshots, and the archive of what was
// removed.
func trimmed(t *testing.T) (data, folder string) {
	t.Helper()
	data = newFile(t, "licensor.db", read(t, "../../internal/engine/testdata/format-7.db"))
	folder = t.TempDir()
	code, _, stderr := call(t, rootCommand(), "trim", "--data", data, "--keep", "7d", "--archive-log", folder)
	if code != exitDone {
		t.Fatal(stderr)
	}
	return data, folder
}

// TestVerifyExaminesSnapshotsAndTheArchive.
func TestVerifyExaminesSnapshotsAndTheArchive(t *testing.T) {
	t.Parallel()
	data, folder := trimmed(t)
	whole := read(t, data)
	if list := found(t, exitDone, "--deep", "--data", data, "--archive-log", folder); len(list) != 0 {
		t.Fatalf("in what is whole there is %v", list)
	}
	for name, test := range map[string]struct{ do, table, what string }{
		"a part":              {"UPDATE snapshot SET data = substr(data, 2) WHERE name LIKE 'directory-%'", "part", "checksum"},
		"a part is missing":   {"DELETE FROM snapshot WHERE name LIKE 'licensing-%'", "part", "not found"},
		"a manifest is later": {"UPDATE manifest SET seq = 999", "manifest", "the log ends at commit"},
		"all manifests":       {"DELETE FROM manifest", "tenant", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := newFile(t, "licensor.db", whole)
			plant(t, "sqlite", other, test.do)
			isFound(t, found(t, exitDamaged, "--data", other, "--archive-log", folder), test.table, test.what)
		})
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	saved := read(t, files[0])
	for what, content := range map[string]string{"it is cut": saved[:len(saved)/2], "a byte": saved[:40] + "x" + saved[41:]} {
		if err := os.WriteFile(files[0], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		list := found(t, exitDamaged, "--data", data, "--archive-log", folder)
		if isFound(t, list, "archive", ""); len(list) != 1 {
			t.Errorf("%s: %v", what, list)
		}
	}
}

// TestVerifyListsAThousandDamages and counts the others.
func TestVerifyListsAThousandDamages(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	v := verifying{out: &out}
	for n := range 1003 {
		v.report(verify.Damage{Key: fmt.Sprint(n)})
	}
	err := v.print(nil)
	if err != nil || strings.Count(out.String(), "\n") != 1001 ||
		!strings.HasSuffix(out.String(), "3 more damages are not listed\n") {
		t.Errorf("%v, %s", err, out.String()[out.Len()-200:])
	}
}

// canceling ends a context with the first line that is written.
type canceling struct {
	output
	cancel context.CancelFunc
}

func (c *canceling) Write(p []byte) (int, error) {
	c.cancel()
	return c.output.Write(p)
}

// TestVerifyIsInterrupted: it ends with what it has found and examined, and fixes nothing.
func TestVerifyIsInterrupted(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	plantNUL(t, data)
	plant(t, "sqlite", data, "UPDATE commits SET actor = 'user another' WHERE seq = 1")
	all := found(t, exitDamaged, "--data", data)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, stderr := &canceling{cancel: cancel}, new(output)
	code := execute(ctx, rootCommand(), []string{"verify", "--fix", "--data", data}, strings.NewReader(""), out, stderr)
	if code != exitFailed || strings.Count(stderr.String(), "interrupted") != 1 {
		t.Errorf("code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || lines[0] != all[0].String() || !strings.HasSuffix(lines[1], ": only 0 commits and 0 rows were examined, 1 damages") {
		t.Errorf("it printed %q", lines)
	}
	if left := found(t, exitDamaged, "--data", data); !reflect.DeepEqual(left, all) {
		t.Errorf("damages are %v, want %v", left, all)
	}
}

// TestVerifyIsInterruptedAnywhere: it says what it has examined, and that it is interrupted is not
// damage.
func TestVerifyIsInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	data, folder := trimmed(t)
	args := []string{"verify", "--json", "--deep", "--data", data, "--archive-log", folder}
	begun, complete := 0, 0
	for times := 0; ; times += 1 + times/20 {
		var left atomic.Int64
		left.Store(int64(times))
		var stdout, stderr output
		code := execute(ending{t.Context(), &left}, rootCommand(), args, strings.NewReader(""), &stdout, &stderr)
		if code == exitDone {
			break
		}
		if code != exitFailed || strings.Count(stderr.String(), "canceled") != 1 {
			t.Fatalf("interrupted at %d: code %d, %s%s", times, code, &stdout, &stderr)
		}
		if stdout.String() == "" {
			continue // while the database was opened
		}
		var outcome struct {
			Tenants []verifiedTenant
			Damages []verify.Damage
		}
		if err := json.Unmarshal([]byte(stdout.String()), &outcome); err != nil || len(outcome.Damages) > 0 ||
			!strings.Contains(stderr.String(), "licensor: interrupted: ") {
			t.Fatalf("interrupted at %d: %v, %s%s", times, err, &stdout, &stderr)
		}
		for _, one := range outcome.Tenants {
			if one.Complete {
				complete++
			} else if one.Commits > 0 {
				begun++
			}
		}
	}
	if begun == 0 || complete == 0 {
		t.Errorf("%d examinations of tenants were begun, and %d complete", begun, complete)
	}
}

func TestVerifyIsCareful(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"not a tenant":      {[]string{"--tenant", "x"}, exitUsage, `--tenant is "x"`},
		"an unknown tenant": {[]string{"--tenant", ann}, exitFailed, "not found"},
		"no archive":        {[]string{"--archive-log", data + "2"}, exitUsage, "create it"},
		"no database":       {[]string{"--data", data + "2"}, exitFailed, "there is no database"},
	} {
		args := append([]string{"verify"}, test.args...)
		if test.args[0] != "--data" {
			args = append(args, "--data", data)
		}
		code, _, stderr := call(t, rootCommand(), args...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: code %d, want %d with %q: %s", name, code, test.code, test.want, stderr)
		}
	}
}
