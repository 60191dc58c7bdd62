package licensor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"licensor"
)

// names reports whether an error names the field of a type, in its text and as *OptionError.
func names(err error, of, field string) bool {
	var wrong *licensor.OptionError
	return errors.As(err, &wrong) && wrong.Type == of && wrong.Option == field &&
		strings.HasPrefix(err.Error(), of+"."+field+" ")
}

func TestAMistakeInTheOptionsNamesTheField(t *testing.T) {
	t.Parallel()
	development := licensor.Options{Memory: true, Development: true, Quick: true}
	hundred := slices.Repeat([]string{"/users=503"}, 100)
	folder := t.TempDir()
	file := filepath.Join(folder, "file.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		field string
		set   func(*licensor.Options)
		want  string
	}{
		{"Data", func(o *licensor.Options) { o.Memory = false }, "name the file of the database"},
		{"Data", func(o *licensor.Options) { o.Memory, o.Data = false, ":memory:" }, "set Memory"},
		{"Memory", func(o *licensor.Options) { o.Data = "licensor.db" }, "set one of them"},
		{"Memory", func(o *licensor.Options) { o.Database = "sqlite:licensor.db" }, "Database is set"},
		{"Database", func(o *licensor.Options) { o.Memory, o.Database = false, "mysql://host/licensor" }, `unknown scheme`},
		{"Database", func(o *licensor.Options) {
			o.Memory, o.Data, o.Database = false, "licensor.db", "sqlite:licensor.db"
		}, "set one of them"},
		{"Database", func(o *licensor.Options) {
			o.Memory, o.Database, o.DatabaseWait = false, "postgres://user:secret@127.0.0.1:1/licensor", -1
		}, "127.0.0.1:1 cannot be reached"},
		{"DatabaseWait", func(o *licensor.Options) { o.DatabaseWait = time.Second }, "is 1s, but Memory is true"},
		{"AllowDataLoss", func(o *licensor.Options) { o.AllowDataLoss = true }, "but Memory is true"},
		{"SecretsKey", func(o *licensor.Options) { o.SecretsKey = []byte("short") }, "5 bytes: it must have 32"},
		{"PublicURL", func(o *licensor.Options) { o.PublicURL = "licensor.example" }, "https://licensor.example.com"},
		{"Origins", func(o *licensor.Options) { o.Origins = []string{"contoso.com"} }, `has "contoso.com"`},
		{"TrustedProxies", func(o *licensor.Options) { o.TrustedProxies = []string{"proxy"} }, `is "proxy"`},
		{"MemoryLimit", func(o *licensor.Options) { o.MemoryLimit = -1 }, "is -1"},
		{"MemoryLimit", func(o *licensor.Options) { o.MemoryLimit = 512 }, "is 512 bytes: it must be 0 (no limit), or 1048576 or more"},
		{"TenantMemory", func(o *licensor.Options) { o.TenantMemory = -1 }, "is -1: it must be 0"},
		{"RotateKeys", func(o *licensor.Options) { o.RotateKeys = 1 }, "is 1ns: it must be 1h0m0s or more"},
		{"KeepDays", func(o *licensor.Options) { o.KeepLog, o.KeepDays = 8*24*time.Hour, 9 }, "is 9: it must be at least 1, and not longer"},
		{"KeepLog", func(o *licensor.Options) { o.KeepLog = 6 * 24 * time.Hour }, "is 144h0m0s: delta links are valid for 7 days"},
		{"ArchiveLog", func(o *licensor.Options) { o.ArchiveLog = file }, "is not a folder"},
		{"BackupDir", func(o *licensor.Options) { o.BackupDir = file }, "is not a folder"},
		{"BackupDir", func(o *licensor.Options) { o.BackupKeep = 3 }, "name the folder"},
		{"BackupEvery", func(o *licensor.Options) { o.BackupDir, o.BackupEvery = folder, time.Second }, "is 1s: it must be a minute or more"},
		{"BackupKeep", func(o *licensor.Options) { o.BackupDir, o.BackupKeep = folder, -1 }, "is -1: it must be 1 or more"},
		{"Operators", func(o *licensor.Options) { o.Operators = []string{"contoso.com"} }, `has "contoso.com"`},
		{"Loading", func(o *licensor.Options) { o.Loading = -1 }, "is -1: it must be 1 to 64"},
		{"Loading", func(o *licensor.Options) { o.Loading = 65 }, "is 65: it must be 1 to 64"},
		{"Pin", func(o *licensor.Options) { o.Pin = []string{"nowhere.example"} }, `has "nowhere.example", which is not a tenant`},
		{"Clock", func(o *licensor.Options) { o.Clock = time.Unix(1<<40, 0) }, "from 1 to 9999"},
		{"Clock", func(o *licensor.Options) { o.Clock = time.Now().AddDate(200, 0, 0) }, "is the latest"},
		{"Faults", func(o *licensor.Options) { o.Faults = []string{"users=503"} }, `has "users=503"`},
		{"Faults", func(o *licensor.Options) { o.Faults = append(hundred, "/groups=503") }, "has 101"},
		{"Faults", func(o *licensor.Options) { o.Faults, o.Latency = hundred, time.Second }, "at most 100"},
		{"Latency", func(o *licensor.Options) { o.Latency = time.Hour }, "is 1h0m0s: it must be 0 to 55s"},
		{"Latency", func(o *licensor.Options) { o.Latency = -1 }, "is -1ns: it must be 0 to 55s"},
		{"GroupProcessing", func(o *licensor.Options) { o.GroupProcessing = -1 }, "0 or more"},
		{"Quick", func(o *licensor.Options) { o.Development = false }, "set Development"},
	} {
		options := development
		test.set(&options)
		srv, err := licensor.Open(t.Context(), options)
		if srv != nil || !names(err, "Options", test.field) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want an error of %s with %q, have %v", test.field, test.want, err)
		}
	}
	development.Faults = hundred
	if err := open(t, development).Close(); err != nil {
		t.Errorf("a server with 100 faults: %v", err)
	}
}

func TestAnOptionForTestsNeedsDevelopment(t *testing.T) {
	t.Parallel()
	for field, options := range map[string]licensor.Options{
		"Clock":           {Memory: true, Clock: time.Unix(1, 0)},
		"Faults":          {Memory: true, Faults: []string{"/users=503"}},
		"Latency":         {Memory: true, Latency: time.Second},
		"GroupProcessing": {Memory: true, GroupProcessing: time.Second},
		"Quick":           {Memory: true, Quick: true},
	} {
		if _, err := licensor.Open(t.Context(), options); !names(err, "Options", field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestDataThatCannotBeOpenedIsAMistakeInData(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	text := filepath.Join(folder, "diary.txt")
	if err := os.WriteFile(text, []byte("dear diary, this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(folder, "taken.db")
	srv := open(t, licensor.Options{Data: taken})
	t.Cleanup(func() { _ = srv.Close() })
	for data, want := range map[string]string{
		folder: "name the database's file",
		filepath.Join(folder, "none", "licensor.db"): "create it, or choose another place",
		filepath.Join(text, "licensor.db"):           "choose another place",
		text:                                         "not a SQLite database",
		taken:                                        "in use",
	} {
		srv, err := licensor.Open(t.Context(), licensor.Options{Data: data})
		if srv != nil || !names(err, "Options", "Data") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error of Data with %q, have %v", data, want, err)
		}
	}
}

func TestDataThatMayNotBeReadIsAMistakeInData(t *testing.T) {
	t.Parallel()
	if os.Getuid() <= 0 {
		t.Skip("needs a user whom the file system refuses something: not root, not on Windows")
	}
	data := filepath.Join(t.TempDir(), "licensor.db")
	if err := os.WriteFile(data, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	_, err := licensor.Open(t.Context(), licensor.Options{Data: data})
	if !names(err, "Options", "Data") || !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "let the user") {
		t.Errorf("%v", err)
	}
}

func TestAnotherSecretsKeyIsAMistakeInSecretsKey(t *testing.T) {
	t.Parallel()
	options := licensor.Options{Data: filepath.Join(t.TempDir(), "licensor.db"), SecretsKey: make([]byte, 32)}
	if err := open(t, options).Close(); err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{nil, []byte(strings.Repeat("x", 32))} {
		options.SecretsKey = key
		if _, err := licensor.Open(t.Context(), options); !names(err, "Options", "SecretsKey") {
			t.Errorf("%v", err)
		}
	}
}

func TestAMistakeInATenantNamesTheField(t *testing.T) {
	t.Parallel()
	srv := open(t, licensor.Options{Memory: true, Development: true, Quick: true})
	t.Cleanup(func() { _ = srv.Close() })
	there, err := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		field string
		set   func(*licensor.Tenant)
		want  string
	}{
		{"ID", func(f *licensor.Tenant) { f.ID = "contoso" }, `is "contoso"`},
		{"ID", func(f *licensor.Tenant) { f.ID = there.TenantID }, "already exists"},
		{"Domain", func(f *licensor.Tenant) { f.Domain = "" }, `is ""`},
		{"Domain", func(f *licensor.Tenant) { f.Domain = "fabrikam example" }, `is "fabrikam example"`},
		{"Domain", func(f *licensor.Tenant) { f.Domain = "Contoso.example" }, "belongs to tenant " + there.TenantID},
		{"Name", func(f *licensor.Tenant) { f.Name = strings.Repeat("x", 257) }, "at most 256 characters"},
		{"Country", func(f *licensor.Tenant) { f.Country = "Germany" }, `is "Germany"`},
		{"Admin", func(f *licensor.Tenant) { f.Admin = "the admin" }, `is "the admin@fabrikam.example"`},
		{"Admin", func(f *licensor.Tenant) { f.Admin = "admin@contoso.example" }, "not in the domain fabrikam.example"},
		{"AdminPassword", func(f *licensor.Tenant) { f.AdminPassword = "short" }, "has 5 characters: it must have 8 or more"},
		{"AdminPassword", func(f *licensor.Tenant) { f.AdminPassword = strings.Repeat("x", 257) }, "has 257 bytes"},
		{"AdminPassword", func(f *licensor.Tenant) { f.AdminPassword = "administrate" }, "the name of its user"},
		{"Application", func(f *licensor.Tenant) { f.Application = "" }, "name the application"},
		{"Application", func(f *licensor.Tenant) { f.Application = " " }, "1 to 256 characters"},
		{"ClientID", func(f *licensor.Tenant) { f.ClientID = "Deployment" }, `is "Deployment"`},
		{"ClientID", func(f *licensor.Tenant) { f.ClientID = "00000003-0000-0000-c000-000000000000" }, "Microsoft Graph"},
		{"ClientSecret", func(f *licensor.Tenant) { f.ClientSecret = "secret" }, "has 6 characters"},
	} {
		wrong := licensor.Tenant{Domain: "fabrikam.example", Application: "Deployment", ClientSecret: strings.Repeat("secret", 6)}
		test.set(&wrong)
		_, err := srv.Found(t.Context(), wrong)
		if !names(err, "Tenant", test.field) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want an error of %s with %q, have %v", test.field, test.want, err)
		}
	}
	if all, err := srv.Tenants(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("a tenant that is refused was made all the same: %v, %v", all, err)
	}
}

func TestAServerThatIsNotOpenRefuses(t *testing.T) {
	t.Parallel()
	closed := open(t, licensor.Options{Memory: true, Development: true, Quick: true})
	if _, err := closed.Found(t.Context(), licensor.Tenant{Domain: "contoso.example"}); err != nil {
		t.Fatal(err)
	}
	client, err := closed.Client(t.Context(), "contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, srv := range map[string]*licensor.Server{"nil": nil, "zero": {}, "closed": closed} {
		answer := httptest.NewRecorder()
		srv.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		_, found := srv.Found(t.Context(), licensor.Tenant{Domain: "contoso.example"})
		_, operate := srv.Client(t.Context(), "")
		ended := srv.Close()
		_, listed := srv.Tenants(t.Context())
		if answer.Code != http.StatusServiceUnavailable || found == nil || operate == nil || ended == nil ||
			listed == nil {
			t.Errorf("%s: answers %d, Found %v, Client %v, Close %v, Tenants %v", name, answer.Code, found, operate, ended, listed)
		}
	}
	response, err := client.Post(licensor.OperatorURL+"/v1.0/groups", "application/json",
		strings.NewReader(`{"displayName":"Sales","mailNickname":"sales","mailEnabled":false,"securityEnabled":true}`))
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a client of a closed server is answered %s", response.Status)
		}
	}
}

func TestWithoutAContextNothingIsDone(t *testing.T) {
	t.Parallel()
	var none context.Context
	if _, err := licensor.Open(none, licensor.Options{Memory: true}); err == nil {
		t.Error("a server is opened")
	}
	srv := open(t, licensor.Options{Memory: true, Development: true, Quick: true})
	t.Cleanup(func() { _ = srv.Close() })
	if _, err := srv.Found(none, licensor.Tenant{Domain: "contoso.example"}); err == nil {
		t.Error("a tenant is made")
	}
	if _, err := srv.Client(none, ""); err == nil {
		t.Error("a client is made")
	}
	if _, err := srv.Tenants(none); err == nil {
		t.Error("the tenants are listed")
	}
}
