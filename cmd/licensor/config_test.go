package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// set returns the settings that `licensor config` prints, by name.
func set(t *testing.T, args ...string) map[string]setting {
	t.Helper()
	code, stdout, stderr := call(t, rootCommand(), append([]string{"config"}, append(args, "--json")...)...)
	var answer struct{ Value []setting }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	byName := map[string]setting{}
	for _, one := range answer.Value {
		byName[one.Setting] = one
	}
	return byName
}

func TestConfigTellsWhereSettingsComeFrom(t *testing.T) {
	for _, name := range []string{"LICENSOR_SERVER", "LICENSOR_TENANT", "LICENSOR_CLIENT_ID", "LICENSOR_CLIENT_SECRET", databaseVariable, secretsVariable} {
		t.Setenv(name, "")
	}
	whole, err := filepath.Abs(defaultData)
	if err != nil {
		t.Fatal(err)
	}
	check := func(got map[string]setting, name, value, source string) {
		t.Helper()
		if got[name] != (setting{name, value, source}) {
			t.Errorf("%s is %+v, not %q from %s", name, got[name], value, source)
		}
	}
	got := set(t)
	check(got, "database", whole, "default")
	check(got, "tenant", "", "not set")
	got = set(t, "--data", "/x/other.db", "--tenant", "contoso.example")
	check(got, "database", "/x/other.db", "flag --data")
	check(got, "tenant", "contoso.example", "flag --tenant")
	t.Setenv(databaseVariable, "postgres://licensor:hush@db1/licensor")
	t.Setenv(secretsVariable, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	got = set(t)
	check(got, "secrets key", hidden, "environment "+secretsVariable)
	if one := got["database"]; one.Source != "environment "+databaseVariable || strings.Contains(one.Value, "hush") {
		t.Errorf("the database is %+v", one)
	}
	t.Setenv("LICENSOR_SERVER", "https://licensor.example")
	t.Setenv("LICENSOR_CLIENT_SECRET", "hush")
	got = set(t, "--client-id", "x")
	check(got, "server", "https://licensor.example", "environment LICENSOR_SERVER")
	check(got, "client id", "x", "flag --client-id")
	check(got, "client secret", hidden, "environment LICENSOR_CLIENT_SECRET")
	info := newFile(t, "info.json", `{"graph":"http://127.0.0.1:8080","tenantId":"fabrikam.example","clientId":"y"}`)
	got = set(t, "--info", info)
	check(got, "server", "http://127.0.0.1:8080", "file "+info)
	check(got, "tenant", "fabrikam.example", "file "+info)
	check(got, "client secret", hidden, "environment LICENSOR_CLIENT_SECRET")
	code, stdout, _ := call(t, rootCommand(), slices.Concat([]string{"config", "--info", info})...)
	if code != exitDone || strings.Contains(stdout, "hush") || !strings.Contains(stdout, "client id      y  ") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	if code, _, _ := call(t, rootCommand(), "config", "--data", ""); code != exitUsage {
		t.Errorf("an empty --data: exit code %d", code)
	}
}

func TestConfigServeTellsWhereSettingsComeFrom(t *testing.T) {
	for _, name := range []string{databaseVariable, secretsVariable, "GOMEMLIMIT", "PGPASSFILE"} {
		t.Setenv(name, "")
	}
	check := func(got map[string]setting, name, value, source string) {
		t.Helper()
		if got[name] != (setting{name, value, source}) {
			t.Errorf("%s is %+v, not %q from %s", name, got[name], value, source)
		}
	}
	got := set(t, "serve", "--listen", ":8443", "--tls-name", "a.example", "--tls-name", "b.example",
		"--public-url", "https://user:hush@licensor.example")
	check(got, "listen", ":8443", "flag --listen")
	check(got, "tls-name", "a.example, b.example", "flag --tls-name")
	check(got, "public-url", "https://user:xxxxx@licensor.example", "flag --public-url")
	check(got, "keep-log", "400d", "default")
	check(got, "keep-days", "30", "default")
	check(got, "backup-dir", "", "not set")
	check(got, "secrets-key-file", "", "not set")
	check(got, "log-level", "info", "default")
	if one := got["database"]; one.Source != "default" || !filepath.IsAbs(one.Value) || len(got["json"].Source) > 0 {
		t.Errorf("the settings are %+v", got)
	}
	// All flags of serve are there.
	serve, _, err := rootCommand().Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	serve.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if _, ok := got[f.Name]; !ok && f.Name != "data" {
			t.Errorf("--%s is not there", f.Name)
		}
	})
	t.Setenv(databaseVariable, "postgres://licensor:hush@db1/licensor")
	t.Setenv(secretsVariable, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	t.Setenv("GOMEMLIMIT", "1GiB")
	t.Setenv("PGPASSFILE", "/etc/pass")
	got = set(t, "serve")
	check(got, "secrets-key-file", hidden, "environment "+secretsVariable)
	check(got, "memory", "1GiB", "environment GOMEMLIMIT")
	check(got, "PGPASSFILE", "/etc/pass", "environment PGPASSFILE")
	if one := got["database"]; one.Source != "environment "+databaseVariable || strings.Contains(one.Value, "hush") {
		t.Errorf("the database is %+v", one)
	}
	for _, wrong := range [][]string{{"--data", ""}, {"--unknown"}, {"--secrets-key-file", "x"}} {
		if code, _, _ := call(t, rootCommand(), append([]string{"config", "serve"}, wrong...)...); code != exitUsage {
			t.Errorf("%v: exit code %d", wrong, code)
		}
	}
}
