package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/store/storetest"
)

// wantFiles wants a folder to have just these files.
func wantFiles(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if !reflect.DeepEqual(found, append([]string{}, names...)) {
		t.Errorf("in the folder are %q, want %q", found, names)
	}
}

func TestABackupInAFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "licensor.backup")
	s := memory.New().Open()
	id := written(t, s, author, 30)
	contents, err := backup.ToFile(t.Context(), path, s, backup.Options{}, false)
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, folder, "licensor.backup")
	info, err := os.Stat(path)
	if err != nil || info.Size() != contents.Bytes || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the file is %v, %v; want %d bytes for its owner alone", info, err, contents.Bytes)
	}
	if _, err := author.Write(t.Context(), s, id, 1); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.ToFile(t.Context(), path, s, backup.Options{}, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there answers %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(before, now) {
		t.Errorf("the file has changed, %v", err)
	}
	if _, err := backup.ToFile(t.Context(), path, s, backup.Options{}, true); err != nil {
		t.Errorf("with force: %v", err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	to := memory.New().Open()
	if _, err := backup.Restore(t.Context(), to, file, backup.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if at := author.Want(t, to, id); at != 31 {
		t.Errorf("restored as of commit %d", at)
	}
	_, err = backup.ToFile(t.Context(), filepath.Join(folder, "no folder", "x"), s, backup.Options{}, false)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that does not exist answers %v", err)
	}
}

// A backup that ends before it is complete leaves nothing, and what was there before stays.
func TestABackupThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "licensor.backup")
	if err := os.WriteFile(path, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := memory.New().Open()
	written(t, s, author, 5)
	second := written(t, s, author, 30)
	ctx, cancel := context.WithCancel(t.Context())
	line := &storetest.Hooked{Store: s, Before: func(operation string, tenant uuid.UUID) error {
		if operation == "View" && tenant == second {
			cancel()
		}
		return nil
	}}
	if _, err := backup.ToFile(ctx, path, line, backup.Options{}, true); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that is interrupted answers %v", err)
	}
	data, _ := sample(t)
	for name, bad := range map[string][]byte{"cut off": data[:len(data)-1], "followed": append(bytes.Clone(data), 1)} {
		_, err := backup.Fetch(t.Context(), path, bytes.NewReader(bad), true, nil)
		if !errors.As(err, new(*backup.DamagedError)) {
			t.Errorf("a backup that is %s answers %v", name, err)
		}
	}
	wantFiles(t, folder, "licensor.backup")
	if now, err := os.ReadFile(path); err != nil || string(now) != "the one before" {
		t.Errorf("the file has %q, %v", now, err)
	}
	if _, err := backup.Fetch(t.Context(), path, bytes.NewReader(data), true, nil); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
		t.Errorf("what was fetched is another, %v", err)
	}
}

// Progress grows from 0 to 1.
func TestProgress(t *testing.T) {
	t.Parallel()
	s := memory.New().Open()
	for range 3 {
		written(t, s, author, 1500)
	}
	if err := s.CreateTenant(t.Context(), uuid.New()); err != nil {
		t.Fatal(err)
	}
	last, done := 0.0, map[string]float64{}
	doing := ""
	tell := func(p backup.Progress) {
		if p.Doing != doing {
			doing, last = p.Doing, 0
		}
		if p.Part < last || p.Part > 1 {
			t.Errorf("%s: after %v comes %v", doing, last, p.Part)
		}
		last = p.Part
		done[doing] = last
	}
	path := filepath.Join(t.TempDir(), "x")
	if _, err := backup.ToFile(t.Context(), path, s, backup.Options{Progress: tell}, false); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	last = 0
	var to store.Store = memory.New().Open()
	if _, err := backup.Restore(t.Context(), to, file, backup.RestoreOptions{Progress: tell}); err != nil {
		t.Fatal(err)
	}
	for _, doing := range []string{"backing up", "checking the backup", "restoring", "publishing"} {
		if part := done[doing]; part < 0.7 {
			t.Errorf("%s has come to %v", doing, part)
		}
	}
}
