package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"licensor/internal/store/postgres"
	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/tenant"
)

// statusOf is what `licensor migrate status` prints of a database.
func statusOf(t *testing.T, where ...string) status {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), append([]string{"migrate", "status", "--json"}, where...)...)
	var now status
	if err := json.Unmarshal([]byte(stdout), &now); code != 0 || err != nil {
		t.Fatalf("code %d, %v, %s", code, err, stderr)
	}
	return now
}

// statements carries out statements in a database.
func statements(t *testing.T, url string, texts ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, text := range texts {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// TestAFileIsMigrated: its state is told without changing it, and up does what opening does.
func TestAFileIsMigrated(t *testing.T) {
	t.Parallel()
	old, err := os.ReadFile("../../internal/engine/testdata/format-7.db")
	if err != nil {
		t.Fatal(err)
	}
	data := newFile(t, "licensor.db", string(old))
	now := statusOf(t, "--data", data)
	if now.Schema.Found == 0 || now.Schema.Found >= now.Schema.Known {
		t.Errorf("the old file has the schemas %+v", now.Schema)
	}
	if left, err := os.ReadFile(data); err != nil || string(left) != string(old) {
		t.Errorf("the status has changed the file, %v", err)
	}
	code, stdout, stderr := call(t, rootCommand(), "migrate", "up", "--data", data)
	if want := fmt.Sprintf("has schema %d now; it had %d", now.Schema.Known, now.Schema.Found); code != 0 || !strings.Contains(stdout, want) {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
	after := statusOf(t, "--data", data)
	if after.Schema.Found != after.Schema.Known || len(after.Tenants) == 0 || after.Tenants[0].Format != 7 {
		t.Errorf("afterwards it is %+v", after)
	}
	if code, stdout, stderr = call(t, rootCommand(), "migrate", "finalize", "--data", data); code != 0 || !strings.Contains(stdout, "already") {
		t.Errorf("finalize: code %d, %s%s", code, stdout, stderr)
	}
	code, _, stderr = call(t, rootCommand(), "migrate", "status", "--data", data+"2")
	if _, err := os.Stat(data + "2"); code != exitFailed || err == nil || !strings.Contains(stderr, "there is no database") {
		t.Errorf("of no file: code %d, %v, %s", code, err, stderr)
	}
}

// wantTooNew wants the status of a database of a newer version to be printed, and then to be an
// error with the numbers and the remedy.
func wantTooNew(t *testing.T, found, known int, flag, where string) {
	t.Helper()
	for _, format := range [][]string{nil, {"--json"}} {
		code, stdout, stderr := call(t, rootCommand(), append([]string{"migrate", "status", flag, where}, format...)...)
		if code != exitFailed || !strings.Contains(stdout, strconv.Itoa(found)) {
			t.Errorf("%q: code %d, %s", format, code, stdout)
		}
		for _, want := range []string{strconv.Itoa(found), strconv.Itoa(known), "run ", "version"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: the error %q does not have %q", format, stderr, want)
			}
		}
	}
}

func TestTheStatusOfAFileOfANewerVersion(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	now := statusOf(t, "--data", data)
	content := []byte(read(t, data))
	content[63] = 97 // the last byte of user_version (https://sqlite.org/fileformat.html, section 1.3)
	before := string(content)
	data = newFile(t, "newer.db", before)
	wantTooNew(t, 97, now.Schema.Known, "--data", data)
	if read(t, data) != before {
		t.Error("the status has changed the file")
	}
}

// TestPostgreSQLIsMigrated while a server may run, and written in a new format when all read it.
func TestPostgreSQLIsMigrated(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	url := postgrestest.Empty(t)
	where := []string{"--database", url}
	run := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := call(t, rootCommand(), append(args, where...)...)
		if code != want {
			t.Fatalf("%q: code %d, want %d: %s", args, code, want, stderr)
		}
		return stdout + stderr
	}
	if text := run(0, "migrate", "status"); !strings.Contains(text, "licensor init") {
		t.Errorf("of an empty database: %s", text)
	}
	run(0, "init")
	now := statusOf(t, where...)
	if now.Schema.Found != postgres.Newest() || now.Format != (numbers{tenant.Format, tenant.Format}) ||
		len(now.Tenants) != 1 || now.Tenants[0].Format != tenant.Format {
		t.Errorf("a new database is %+v", now)
	}
	statements(t, url, "INSERT INTO licensor.migration (version, program) VALUES (98, 'v9.8.7')")
	wantTooNew(t, 98, postgres.Newest(), "--database", url)
	if text := run(exitFailed, "migrate", "status"); !strings.Contains(text, "v9.8.7") {
		t.Errorf("of a newer schema: %s", text)
	}
	statements(t, url, "DELETE FROM licensor.migration WHERE version = 98")
	// As the first version has left it.
	statements(t, url, "DROP TABLE licensor.serving, licensor.sign_in, licensor.activity", "ALTER TABLE licensor.tenant DROP COLUMN frozen",
		"DELETE FROM licensor.migration WHERE version > 1")
	if text := run(exitFailed, "serve"); !strings.Contains(text, "`licensor migrate up`") {
		t.Errorf("an older schema: %s", text)
	}
	if text := run(0, "migrate", "status"); !strings.Contains(text, "`licensor migrate up`") {
		t.Errorf("the status of an older schema: %s", text)
	}
	if text := run(0, "migrate", "up"); !strings.Contains(text, "it had 1") {
		t.Errorf("up: %s", text)
	}
	if text := run(0, "migrate", "up"); !strings.Contains(text, "already") {
		t.Errorf("up again: %s", text)
	}
	// A server of an older version, which does not read this format.
	statements(t, url, fmt.Sprintf("INSERT INTO licensor.serving VALUES (1, gen_random_uuid(), 'process 7 on db3', '0.9.0', %d, now(), now() + '1 hour')",
		tenant.Format-1), fmt.Sprintf("UPDATE licensor.secret SET value = '%d' WHERE name = 'commit-format'", tenant.Format-1))
	if text := run(exitFailed, "migrate", "finalize"); !strings.Contains(text, "process 7 on db3") || !strings.Contains(text, "0.9.0") {
		t.Errorf("finalize beside an old server: %s", text)
	}
	statements(t, url, "DELETE FROM licensor.serving")
	if text := run(exitFailed, "keys", "list"); !strings.Contains(text, "`licensor migrate finalize`") {
		t.Errorf("a format that this version does not write: %s", text)
	}
	if text := run(0, "migrate", "finalize"); !strings.Contains(text, fmt.Sprintf("it was %d", tenant.Format-1)) {
		t.Errorf("finalize: %s", text)
	}
	run(0, "keys", "list")
	statements(t, url, fmt.Sprintf("UPDATE licensor.secret SET value = '%d' WHERE name = 'commit-format'", tenant.Format+1))
	if text := run(exitFailed, "keys", "list"); !strings.Contains(text, fmt.Sprintf("format %d", tenant.Format+1)) {
		t.Errorf("a format that this version does not know: %s", text)
	}
	statements(t, url, "INSERT INTO licensor.migration (version, program) VALUES (99, '12.3.4')")
	if text := run(exitFailed, "migrate", "up"); !strings.Contains(text, "12.3.4") || !strings.Contains(text, "schema 99") {
		t.Errorf("up of a newer schema: %s", text)
	}
}
