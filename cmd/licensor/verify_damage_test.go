package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // plants damage

	"licensor/internal/store/postgres/postgrestest"
	"licensor/internal/verify"
)

// The third and fourth commits of those that are in the log.
const (
	thirdCommit  = "(SELECT min(seq) + 2 FROM commits)"
	fourthCommit = "(SELECT min(seq) + 3 FROM commits)"
)

// planted are damages: a statement for any store, and the table and a part of the text that verify
// must report.
var planted = map[string]struct{ do, table, what string }{
	"a commit is missing":             {"DELETE FROM commits WHERE seq = " + thirdCommit, "commits", "there are"},
	"the first commit is missing":     {"DELETE FROM commits WHERE seq = (SELECT min(seq) FROM commits)", "commits", "there are"},
	"the last commit is missing":      {"DELETE FROM commits WHERE seq = (SELECT max(seq) FROM commits)", "commits", "there are"},
	"the effects of a commit":         {"UPDATE commits SET effects = substr(effects, 2) WHERE seq = " + fourthCommit, "commits", "damaged"},
	"the author of a commit":          {"UPDATE commits SET actor = 'user another' WHERE seq = " + fourthCommit, "commits", "damaged"},
	"the chain of a tenant":           {"UPDATE tenant SET chain = (SELECT chain FROM commits WHERE seq = " + thirdCommit + ")", "tenant", "chain"},
	"where the log begins":            {"UPDATE tenant SET log_floor = log_floor + 1", "commits", "there are"},
	"a document":                      {"UPDATE object SET document = substr(document, 2) WHERE kind = 1 AND ordinal = 2", "users", "checksum"},
	"a row is missing":                {"DELETE FROM object WHERE kind = 1 AND ordinal = 2", "users", "it has no row"},
	"a row of another object":         {"UPDATE object SET ordinal = 99 WHERE kind = 2 AND ordinal = 0", "groups", "sum"},
	"when a row was written":          {"UPDATE object SET seq = 999 WHERE kind = 1 AND ordinal = 1", "users", "sum"},
	"a row is deleted":                {"UPDATE object SET deleted = 1 WHERE kind = 1 AND ordinal = 1", "users", "sum"},
	"a text that rows are ordered by": {"UPDATE object SET display_name = 'zzz' WHERE kind = 1 AND ordinal = 1", "users", "ordered by"},
	"a time that rows are ordered by": {"UPDATE object SET created = (SELECT created FROM object WHERE kind = 1 AND ordinal = 0) || '1' WHERE kind = 1 AND ordinal = 1", "users", "ordered by"},
	"the time of a group":             {"UPDATE object SET created = (SELECT user_principal_name FROM object WHERE kind = 1 AND ordinal = 0) WHERE kind = 2 AND ordinal = 1", "groups", "ordered by"},
	"a name that groups do not have":  {"UPDATE object SET user_principal_name = display_name WHERE kind = 2 AND ordinal = 1", "groups", "ordered by"},
	"the name of an application":      {"UPDATE object SET display_name = created WHERE kind = 4 AND ordinal = 0", "applications", "ordered by"},
	"a row without a time":            {"UPDATE object SET created = NULL WHERE kind = 1 AND ordinal = 1", "users", "order"},
	"a claim is missing":              {"DELETE FROM claim WHERE name LIKE '%contoso.example%'", "claim", "has not claimed"},
	"a claim of another":              {"INSERT INTO claim (name, tenant) SELECT 'domain evil.example', tenant FROM claim WHERE name LIKE '%contoso.example%'", "claim", "does not have it"},
	"a password without a user":       {"UPDATE object SET kind = 3 WHERE kind = 2 AND ordinal = 1", "passwords", ""},
}

// plantedInSnapshots are damages of a tenant with a snapshot. PART is the table of parts.
var plantedInSnapshots = map[string]struct{ do, table, what string }{
	"a part":              {"UPDATE PART SET data = substr(data, 2) WHERE name LIKE 'directory-%'", "part", "checksum"},
	"a part is missing":   {"DELETE FROM PART WHERE name LIKE 'licensing-%'", "part", "not found"},
	"a manifest is later": {"UPDATE manifest SET seq = 999", "manifest", "the log ends at commit"},
	"all manifests":       {"DELETE FROM manifest", "tenant", ""},
}

// stored is a kind of store in which damages are planted.
type stored struct {
	driver, flag, parts string
	copy                func(t *testing.T, of string) string // a database with the same content
}

var (
	inFile = stored{"sqlite", "--data", "snapshot", func(t *testing.T, of string) string {
		return newFile(t, "licensor.db", read(t, of))
	}}
	inPostgreSQL = stored{"pgx", "--database", "part", func(t *testing.T, of string) string {
		return postgrestest.Copy(t, of)
	}}
)

// TestVerifyFindsWhatIsDamaged in a file: each of the damages that are planted.
func TestVerifyFindsWhatIsDamaged(t *testing.T) {
	t.Parallel()
	inFile.findDamages(t, newContent(t))
}

// TestVerifyFindsWhatIsDamagedInPostgreSQL finds the same.
func TestVerifyFindsWhatIsDamagedInPostgreSQL(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	inPostgreSQL.findDamages(t, newContentInPostgreSQL(t))
}

func newContentInPostgreSQL(t *testing.T) string {
	t.Helper()
	url := postgrestest.Empty(t)
	succeed(t, "copy", "--from", "sqlite:"+newContent(t), "--to", url, "--finish")
	return url
}

// succeed runs a command that must be done.
func succeed(t *testing.T, args ...string) {
	t.Helper()
	if code, _, stderr := call(t, rootCommand(), args...); code != exitDone {
		t.Fatalf("%q: code %d, %s", args, code, stderr)
	}
}

// findDamages plants damages in copies of a database, in which the whole log is kept, and in copies
// of it with a snapshot, after which the log begins.
func (s stored) findDamages(t *testing.T, whole string) {
	snapshot := s.copy(t, whole)
	succeed(t, "trim", s.flag, snapshot, "--keep", "1ns", "--force")
	for n := range 5 { // commits
		user := fmt.Sprintf(`{"userPrincipalName":"u%d@contoso.example","displayName":"U","mailNickname":"u%[1]d","accountEnabled":true}`, n)
		succeed(t, "import", s.flag, snapshot, newFile(t, "users.jsonl", user+"\n"))
	}
	for what, base := range map[string]string{"the whole log": whole, "a snapshot": snapshot} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if list := found(t, exitDone, "--deep", s.flag, base); len(list) != 0 {
				t.Fatalf("in what is whole there is %v", list)
			}
			for name, test := range planted {
				t.Run(name, func(t *testing.T) { s.findDamage(t, base, test.do, test.table, test.what) })
			}
			if base == whole {
				return
			}
			for name, test := range plantedInSnapshots {
				do := strings.ReplaceAll(test.do, "PART", s.parts)
				t.Run(name, func(t *testing.T) { s.findDamage(t, base, do, test.table, test.what) })
			}
		})
	}
}

func (s stored) findDamage(t *testing.T, base, do, table, what string) {
	t.Parallel()
	name := s.copy(t, base)
	plant(t, s.driver, name, do)
	isFound(t, found(t, exitDamaged, "--deep", s.flag, name), table, what)
}

// TestVerifyReportsEachDamagedCommit: commits are read many at once.
func TestVerifyReportsEachDamagedCommit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	url := newContentInPostgreSQL(t)
	plant(t, "pgx", url, "UPDATE commits SET actor = 'user another' WHERE seq IN (1, 4, 6)")
	plant(t, "pgx", url, "DELETE FROM commits WHERE seq = 3")
	var keys []string
	for _, d := range found(t, exitDamaged, "--database", url) {
		if d.Table == "commits" && strings.HasPrefix(d.Key, "from") {
			keys = append(keys, d.Key)
		}
	}
	if want := []string{"from 1 on", "from 3 on", "from 4 on", "from 6 on"}; !slices.Equal(keys, want) {
		t.Errorf("damaged commits are %q, want %q", keys, want)
	}
}

// plant changes a database behind the back of the program.
func plant(t *testing.T, driver, name, statement string) {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if driver == "pgx" {
		if _, err := db.Exec("SET search_path TO licensor"); err != nil {
			t.Fatal(err)
		}
	}
	done, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); n == 0 {
		t.Fatalf("%s changes nothing: %v", statement, err)
	}
}

// isFound checks that a damage is among those found, and that each says what helps.
func isFound(t *testing.T, list []verify.Damage, table, what string) {
	t.Helper()
	matches := 0
	for _, d := range list {
		if strings.Contains(d.Table, table) && strings.Contains(d.What, what) {
			matches++
		}
		if d.Tenant == uuid.Nil || d.Table == "" || d.Key == "" || d.What == "" || d.Help == "" {
			t.Errorf("a damage is incomplete: %+v", d)
		}
	}
	if matches == 0 {
		t.Errorf("there is no damage of %s with %q among %v", table, what, list)
	}
}
