package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"licensor/internal/server"
	"licensor/internal/store/postgres/postgrestest"
)

// TestDatabasesThatCannotBeNamed: each is wrong usage, and names the two forms.
func TestDatabasesThatCannotBeNamed(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"another kind":     {"--database", "mysql://root@localhost/licensor"},
		"no scheme":        {"--database", "licensor.db"},
		"nothing":          {"--database", ""},
		"both":             {"--data", "licensor.db", "--database", "sqlite:licensor.db"},
		"no file":          {"--database", "sqlite:"},
		"a URL with words": {"--database", "postgres://user:secret word@host/licensor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{"serve", "init", "keys list", "token", "reprocess --all", "admin reset-password --user a"} {
				code, _, stderr := call(t, rootCommand(), append(strings.Fields(command), args...)...)
				if code != exitUsage || !strings.Contains(stderr, "sqlite:FILE") && !strings.Contains(stderr, "%20") {
					t.Errorf("%s: code %d, %s", command, code, stderr)
				}
				if strings.Contains(stderr, "secret") {
					t.Errorf("%s tells the password: %s", command, stderr)
				}
			}
		})
	}
}

// TestNoErrorHasAPassword that is in a URL, wherever that is given, and however it is mistyped.
func TestNoErrorHasAPassword(t *testing.T) {
	t.Parallel()
	const right, mistyped = "postgres://a:sekret@127.0.0.1:1/x", "postgres://a:se@sekret@127.0.0.1:1/x"
	for want, list := range map[string][][]string{
		"--data is the URL of a database, not a file: give it as --database": {
			{"init", "--data", right},
			{"overview", "--data", right},
			{"serve", "--data", right},
			{"demo", "--data", right},
			{"doctor", "--data", strings.ToUpper(right[:8]) + right[8:]},
			{"config", "--data", right},
			{"config", "serve", "--data", right},
		},
		"is the URL of a database, not a file": {
			{"init", "--database", "sqlite:" + right},
			{"copy", "--from", "sqlite:" + right, "--to", "sqlite:x"},
		},
		"escape @ in passwords as %40": {
			{"init", "--database", mistyped},
			{"serve", "--database", mistyped},
			{"doctor", "--database", mistyped},
			{"migrate", "status", "--database", mistyped},
			{"copy", "--from", mistyped, "--to", "sqlite:x"},
			{"copy", "--from", "sqlite:x", "--to", mistyped},
			{"demo", "--database", "postgres://a:1/sekret@127.0.0.1:1/x"},
		},
		"has no scheme": {{"init", "--database", "user=a password=sek:ret"}},
		"licensor":      {{"serve", right}, {"restore", right}, {"users", "-o", right}, {"overview", "--server", right, "--tenant", "x"}},
		"cannot be reached": {
			{"overview", "--database", "postgres://a@127.0.0.1:1/x?password=sekret", "--database-wait", "0s"},
			{"overview", "--database", "postgres://a@127.0.0.1:1/x?sslpassword=sekret", "--database-wait", "0s"},
		},
	} {
		for _, args := range list {
			code, stdout, stderr := call(t, rootCommand(), args...)
			if said := stdout + stderr; code == exitDone || !strings.Contains(said, want) ||
				strings.Contains(said, "sekret") || strings.Contains(said, "sek:") {
				t.Errorf("%q: code %d, %s", args, code, said)
			}
			if code != exitUsage && want != "licensor" && want != "cannot be reached" {
				t.Errorf("%q: code %d, want %d", args, code, exitUsage)
			}
		}
	}
}

// TestTheEnvironmentNamesTheDatabase, unless a flag does.
func TestTheEnvironmentNamesTheDatabase(t *testing.T) {
	data := newDatabase(t)
	t.Setenv(databaseVariable, "sqlite:"+data)
	if code, _, stderr := call(t, rootCommand(), "keys", "list"); code != 0 {
		t.Errorf("code %d, %s", code, stderr)
	}
	code, _, stderr := call(t, rootCommand(), "keys", "list", "--data", data+"2")
	if code != exitFailed || !strings.Contains(stderr, "there is no database") {
		t.Errorf("with another one in a flag: code %d, %s", code, stderr)
	}
	t.Setenv(databaseVariable, "licensor.db")
	code, _, stderr = call(t, rootCommand(), "keys", "list")
	if code != exitUsage || !strings.Contains(stderr, databaseVariable) {
		t.Errorf("without a scheme: code %d, %s", code, stderr)
	}
}

func TestADatabaseThatDoesNotAnswerIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "init", "keys list"} {
		code, _, stderr := call(t, rootCommand(), append(strings.Fields(command), "--database",
			"postgres://licensor:secret@127.0.0.1:1/licensor", "--database-wait", "10ms")...)
		if code != exitFailed || !strings.Contains(stderr, "no database answers within 10ms: 127.0.0.1:1 cannot be reached") {
			t.Errorf("%s: code %d, %s", command, code, stderr)
		}
		if strings.Contains(stderr, "secret") {
			t.Errorf("%s tells the password: %s", command, stderr)
		}
	}
}

// TestAWarningIsGivenOnce, although a command looks whether there is a database before it opens it.
func TestAWarningIsGivenOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	u, err := url.Parse(newContentInPostgreSQL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = u.Host + ",localhost:" + u.Port()
	code, _, stderr := call(t, rootCommand(), "overview", "--allow-data-loss", "--database", u.String())
	if code != exitDone || strings.Count(stderr, "commits wait for no standby") != 1 {
		t.Errorf("code %d, %s", code, stderr)
	}
}

// TestPostgreSQLHoldsTheSameTenants makes a database, serves it, keeps a second process out, and
// works on it without a server.
func TestPostgreSQLHoldsTheSameTenants(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	where := postgrestest.Empty(t)
	command := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := call(t, rootCommand(), append(args, "--database", where, "--database-wait", "0s")...)
		if code != want {
			t.Fatalf("%q: code %d, want %d, %s", args, code, want, stderr)
		}
		return stdout, stderr
	}
	if _, stderr := command(exitFailed, "serve"); !strings.Contains(stderr, "`licensor init`") {
		t.Errorf("an empty database: %s", stderr)
	}
	k := newKilledOn(t, "--database", where)
	if _, stderr := command(exitFailed, "serve", "--listen", "127.0.0.1:0"); !strings.Contains(stderr, "serves it since") {
		t.Errorf("a second server: %s", stderr)
	}
	if _, stderr := command(exitFailed, "reprocess", "--all"); !strings.Contains(stderr, "serves it since") || !strings.Contains(stderr, "--server") {
		t.Errorf("a command while a server runs: %s", stderr)
	}
	k.stop()
	if _, stderr := command(exitFailed, "init"); !strings.Contains(stderr, "has a tenant already") {
		t.Errorf("a second init: %s", stderr)
	}
	code, _, stderr := call(t, rootCommand(), "demo", "--listen", "127.0.0.1:0", "--database", where)
	if code != exitFailed || !strings.Contains(stderr, "has a tenant already") {
		t.Errorf("a demo in a database with a tenant: code %d, %s", code, stderr)
	}
	stdout, _ := command(exitDone, "init", "--add", "--domain", "fabrikam.example", "--json")
	var second server.Login
	if err := json.Unmarshal([]byte(stdout), &second); err != nil {
		t.Fatal(err)
	}
	stdout, _ = command(exitDone, "reprocess", "--all", "--tenant", "fabrikam.example")
	if !strings.Contains(stdout, "1 users processed") {
		t.Errorf("reprocess: %s", stdout)
	}
	if stdout, _ = command(exitDone, "keys", "list"); !strings.Contains(stdout, "signs") {
		t.Errorf("keys list: %s", stdout)
	}
}

// TestHowToContinueHasNoPassword: what init prints is copied into scripts.
func TestHowToContinueHasNoPassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(postgrestest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "secret")
	code, stdout, stderr := call(t, rootCommand(), "init", "--database", u.String())
	u.User = url.User(u.User.Username())
	told := strings.Contains(stdout, "serve --database") && strings.Contains(stdout, u.String())
	if code != 0 || !told || strings.Contains(stdout+stderr, "secret") {
		t.Errorf("code %d, %s %s", code, stdout, stderr)
	}
}
