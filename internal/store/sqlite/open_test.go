package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"licensor/internal/store"
)

func refused(t *testing.T, path string, saying ...string) error {
	t.Helper()
	s, err := Open(context.Background(), path)
	if err == nil {
		_ = s.Close()
	}
	wantError(t, err, saying...)
	return err
}

func TestOpenRefusesPlaces(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(folder, "none", "x.db"), "no folder "+filepath.Join(folder, "none"), "create it")
	refused(t, filepath.Join(file, "x.db"), file)
	refused(t, folder, folder+" is not a file", "name the database's file")
}

func TestOpenRefusesWhatItMayNotWrite(t *testing.T) {
	t.Parallel()
	if os.Getuid() <= 0 {
		t.Skip("needs a user whom the file system refuses something: not root, not on Windows")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "x.db")
	_ = open(t, path).Close()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	refused(t, path, path, "let the user")
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	refused(t, filepath.Join(folder, "y.db"), "cannot write in "+folder, "let the user")
}

func TestOpenLeavesOtherFilesAlone(t *testing.T) {
	t.Parallel()
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	db := connect(foreign, "", 1)
	if _, err := db.Exec("CREATE TABLE bookmarks (url TEXT)"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	marked := filepath.Join(t.TempDir(), "marked.db")
	db = connect(marked, "", 1)
	if _, err := db.Exec("PRAGMA application_id=7; PRAGMA user_version=1"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, []byte("dear diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, saying := range map[string]string{foreign: "another program", marked: "another program", text: "not a SQLite database"} {
		before := contents(t, path)
		refused(t, path, path, saying, "choose another place")
		if !bytes.Equal(contents(t, path), before) {
			t.Errorf("%s was changed", path)
		}
	}
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func allMigrations(t *testing.T) []string {
	t.Helper()
	steps, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openWithTenant(t, path)
	if _, err := s.writer.Exec("PRAGMA user_version=99"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	before, newest := contents(t, path), strconv.Itoa(len(allMigrations(t)))
	refused(t, path, path, "schema 99", "up to "+newest, "newer version", "restore a backup")
	if !bytes.Equal(contents(t, path), before) {
		t.Error("the file was changed")
	}
	db := connect(path, "", 1)
	if _, err := db.Exec("PRAGMA user_version=" + newest); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if got, err := open(t, path).Tenants(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("afterwards the tenants are %v, %v", got, err)
	}
}

func TestOpenRefusesMissingTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path)
	if _, err := s.writer.Exec("DROP TABLE commits"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	refused(t, path, path, "no such table: commits")
}

func TestOpenRefusesTruncatedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	_ = openWithTenant(t, path).Close()
	for _, size := range []int64{20 << 10, 5000, 100, 50} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		err := refused(t, path, path)
		if size >= 100 && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("with %d bytes it answers %v, want ErrDamaged", size, err)
		}
	}
}

func TestOpenTakesEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions")
	}
	path := filepath.Join(t.TempDir(), "x.db")
	openWithTenant(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock", path + "-ack"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, path)
	refused(t, path, path, "in use by this process itself")
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err == nil {
		refused(t, link, path, "in use by this process itself")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("the first one suffers: %v", err)
	}
	_ = s.Close()
	other := startChild(t, path)
	other.read(t)
	refused(t, path, path, "in use by process "+other.pid(), "stop that first")
	other.kill(t)
	other.last(t)
	open(t, path)
}

func TestAnyOtherSQLiteCanReadIt(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	var text string
	err := s.reader.QueryRow("SELECT group_concat(sql, char(10)) FROM sqlite_schema").Scan(&text)
	if err != nil || strings.Contains(text, "fold") {
		t.Errorf("the schema needs functions of this program: %s, %v", text, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	for _, c := range []struct {
		db            *sql.DB
		setting, want string
	}{
		{s.writer, "synchronous", "2"},
		{s.writer, "journal_mode", "wal"},
		{s.writer, "foreign_keys", "0"},
		{s.reader, "query_only", "1"},
	} {
		var got string
		if err := c.db.QueryRow("PRAGMA " + c.setting).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s is %q, %v; want %q", c.setting, got, err, c.want)
		}
	}
	if _, err := s.reader.Exec("DELETE FROM commits"); err == nil {
		t.Error("a reader can write")
	}
}
