package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"licensor/internal/backup"
	"licensor/internal/database"
)

// A server makes a backup when one is due, and a database that it is restored into is used as the
// first one was.
func TestAServerMakesBackups(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := Open(t.Context(), Options{
		Data: filepath.Join(t.TempDir(), "x.db"), Quick: true, Development: true, BackupDir: folder, BackupKeep: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	login, err := s.Found(t.Context(), Founding{Name: "T", Domain: "t.example", Country: "DE", Admin: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	names := func() []string {
		found, err := filepath.Glob(filepath.Join(folder, "licensor-*.backup"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	end := s.Run(t.Context())
	for until := time.Now().Add(30 * time.Second); len(names()) == 0 && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
	end()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(names()) != 1 {
		t.Fatalf("there are the backups %q", names())
	}
	file, err := os.Open(names()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data := filepath.Join(t.TempDir(), "restored.db")
	to, err := database.Open(t.Context(), database.File(data), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Restore(t.Context(), to, file, backup.RestoreOptions{})
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	restored, err := Open(t.Context(), Options{Data: data, Quick: true, Development: true})
	if err != nil {
		t.Fatal(err)
	}
	found, err := restored.Pick(t.Context(), "t.example")
	if err != nil || found.ID().String() != login.TenantID {
		t.Errorf("the restored server has the tenant %v, %v; want %s", found, err, login.TenantID)
	}
	if found != nil {
		found.Release()
	}
	if err := restored.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBackupOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"BackupDir":   {BackupDir: filepath.Join(t.TempDir(), "none")},
		"BackupEvery": {BackupDir: t.TempDir(), BackupEvery: time.Second},
		"BackupKeep":  {BackupDir: t.TempDir(), BackupKeep: -1},
		"BackupDir ":  {BackupEvery: time.Hour},
	} {
		o.Memory = true
		_, err := Open(t.Context(), o)
		wrong, ok := errors.AsType[*OptionError](err)
		if !ok || wrong.Option != strings.TrimSpace(name) {
			t.Errorf("%+v answers %v, want that %s is wrong", o, err, name)
		}
	}
}
