package backup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"licensor/internal/backup"
	"licensor/internal/store/memory"
)

func TestAFolderKeepsTheNewestBackups(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	id := written(t, s, author, 10)
	path := t.TempDir()
	for _, other := range []string{"licensor-notes.backup", "another.backup", "licensor-20260131T120000Z.backup.17.new"} {
		if err := os.WriteFile(filepath.Join(path, other), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := backup.OpenFolder(backup.Folder{Path: path, Every: 24 * time.Hour, Keep: 2})
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	for day := range 4 {
		due, err := f.Due(now)
		if err != nil || !due {
			t.Fatalf("on day %d a backup is due: %v, %v", day, due, err)
		}
		if _, _, err := f.Make(t.Context(), s, backup.Options{Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
		if due, err := f.Due(now.Add(23 * time.Hour)); err != nil || due {
			t.Errorf("a day is not over, and a backup is due: %v, %v", due, err)
		}
		now = now.Add(24 * time.Hour)
	}
	wantFiles(t, path, "another.backup", "licensor-20260202T120000Z.backup", "licensor-20260203T120000Z.backup",
		"licensor-notes.backup")
	file, err := os.Open(filepath.Join(path, "licensor-20260203T120000Z.backup"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	to := memory.New().Open()
	if _, err := backup.Restore(t.Context(), to, file, backup.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	author.Want(t, to, id)
	if _, err := backup.OpenFolder(backup.Folder{Path: filepath.Join(path, "x")}); err == nil {
		t.Error("a folder that does not exist is opened")
	}
	if _, err := backup.OpenFolder(backup.Folder{Path: filepath.Join(path, "another.backup")}); err == nil {
		t.Error("a file is opened as a folder")
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Due(now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that was removed answers %v", err)
	}
}
