package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/durable"
	"licensor/internal/guid"
	"licensor/internal/store"
)

// suffix ends the names of files, after the day.
const suffix = ".log.zst"

// Folder is a folder with archives. It implements engine.Archive.
type Folder struct{ path string }

// Open returns the archives in a folder, which must exist.
func Open(path string) (Folder, error) {
	if err := durable.CheckFolder(path, "the archive"); err != nil {
		return Folder{}, err
	}
	return Folder{path}, nil
}

func (f Folder) file(tenant uuid.UUID, day string) string {
	return filepath.Join(f.path, tenant.String(), day+suffix)
}

// Keep makes the commits of a tenant and a day durable, from the first to the last. If there is a
// file of that day already, as when a process has ended before it removed the commits from the log,
// it must have the same commits.
func (f Folder) Keep(
	ctx context.Context, tenant uuid.UUID, day time.Time, first, last uint64,
	read func(yield func(store.Commit) error) error,
) error {
	path := f.file(tenant, day.Format(time.DateOnly))
	if _, err := os.Stat(path); err == nil {
		return compare(path, tenant, first, last, read)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := write(ctx, path, tenant, first, last, read); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// compare returns an error unless a file has certain commits.
func compare(
	path string, tenant uuid.UUID, first, last uint64, read func(yield func(store.Commit) error) error,
) error {
	kept := map[uint64]store.Chain{}
	_, err := readFile(path, tenant, func(c store.Commit) error {
		kept[c.Seq] = c.Chain
		return nil
	})
	if err != nil {
		return err
	}
	other := fmt.Errorf("the archive %s has other commits than the log, from %d to %d: move it away", path, first, last)
	if _, more := kept[last+1]; more {
		return other
	}
	return read(func(c store.Commit) error {
		if chain, ok := kept[c.Seq]; !ok || chain != c.Chain {
			return other
		}
		return nil
	})
}

// Tenants returns the tenants that have archives, in order.
func (f Folder) Tenants() (list []uuid.UUID, err error) {
	entries, err := os.ReadDir(f.path)
	for _, e := range entries {
		if id, ok := guid.Parse(e.Name()); ok && e.IsDir() {
			list = append(list, id)
		}
	}
	return list, err
}

// Commits hands the archived commits of a tenant to yield, in order, until it returns an error,
// which is then returned. Files that do not continue each other are an error that wraps
// store.ErrDamaged.
func (f Folder) Commits(tenant uuid.UUID, yield func(store.Commit) error) error {
	entries, err := os.ReadDir(filepath.Join(f.path, tenant.String()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var days []string
	for _, e := range entries {
		if day, ok := strings.CutSuffix(e.Name(), suffix); ok {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	var before store.Commit
	for _, day := range days {
		path := f.file(tenant, day)
		last, err := readFile(path, tenant, func(c store.Commit) error {
			if before.Seq > 0 && !follows(before, c) {
				return fmt.Errorf("the archive %s: commit %d does not follow commit %d of the day before: %w", path,
					c.Seq, before.Seq, store.ErrDamaged)
			}
			before = c
			before.Effects = nil
			return yield(c)
		})
		if err != nil {
			return err
		}
		before = last
	}
	return nil
}

// follows reports whether a commit is the next one after another.
func follows(before, c store.Commit) bool {
	unchained := c.Chain == store.Chain{} || before.Chain == store.Chain{}
	return c.Seq == before.Seq+1 && (unchained || c.Link(before.Chain) == c.Chain)
}
