package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"licensor/internal/durable"
	"licensor/internal/store"
)

// Folder is a folder with backups that are made regularly, each named after the time at which it
// was begun. Other files in it are left alone.
type Folder struct {
	Path  string
	Every time.Duration
	Keep  int // how many, the newest ones
}

// The names of its files.
const (
	folderPrefix = "licensor-"
	folderSuffix = ".backup"
	folderTime   = "20060102T150405Z"
)

// OpenFolder returns an error unless the folder exists.
func OpenFolder(f Folder) (Folder, error) {
	return f, durable.CheckFolder(f.Path, "backups")
}

// list returns the names of the backups, the newest first, and when each was begun.
func (f Folder) list() (names []string, times []time.Time, err error) {
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return nil, nil, err
	}
	slices.Reverse(entries) // they are in the order of names
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), folderPrefix)
		if !ok {
			continue
		}
		at, err := time.Parse(folderTime+folderSuffix, text)
		if err == nil {
			names, times = append(names, e.Name()), append(times, at)
		}
	}
	return names, times, nil
}

// Due reports whether the newest backup is older than a backup may be.
func (f Folder) Due(now time.Time) (bool, error) {
	_, times, err := f.list()
	return err == nil && (len(times) == 0 || now.Sub(times[0]) >= f.Every), err
}

// Make makes a backup of all tenants, and removes those that are no longer kept, together with what
// was left by a backup that was killed.
func (f Folder) Make(ctx context.Context, s store.Store, o Options) (path string, contents *Contents, err error) {
	if err := f.removeHalves(); err != nil {
		return "", nil, err
	}
	path = filepath.Join(f.Path, folderPrefix+o.Now().UTC().Format(folderTime)+folderSuffix)
	if contents, err = ToFile(ctx, path, s, o, false); err != nil {
		return path, nil, err
	}
	names, _, err := f.list()
	for _, name := range names[min(f.Keep, len(names)):] {
		err = errors.Join(err, os.Remove(filepath.Join(f.Path, name)))
	}
	return path, contents, err
}

func (f Folder) removeHalves() error {
	halves, err := filepath.Glob(filepath.Join(f.Path, folderPrefix+"*"+folderSuffix+".*"+unfinished))
	for _, half := range halves {
		err = errors.Join(err, os.Remove(half))
	}
	return err
}
