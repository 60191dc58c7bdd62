package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/durable"
	"licensor/internal/guid"
)

// FilesOptions say what is exported into files.
type FilesOptions struct {
	Options
	Tenants []uuid.UUID
	Tables  []string
	Format  Format // of the files in a folder
	Force   bool   // replace what an export has written before
}

// Exported is a tenant that was exported.
type Exported struct {
	ID  uuid.UUID `json:"tenant"`
	Seq uint64    `json:"commit"`
}

// ErrExist means that the target exists and may not be replaced.
var ErrExist = fs.ErrExist

// Replaceable returns an error if an export to a path would replace a database of this program, or
// a file of one. Call it before a database is opened, too (durable.Replaceable).
func Replaceable(path string) error {
	if err := durable.Replaceable(path); err != nil {
		return err
	}
	folders, err := tenantFolders(path)
	if err != nil {
		return nil // there is no folder, or its use will say what is wrong
	}
	for _, folder := range folders {
		files, _, err := exportFiles(folder)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := durable.Replaceable(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// ToDatabase writes tables of tenants into a SQLite database with one table for each, whose first
// column is the tenant. The file exists as a whole or not at all.
func ToDatabase(ctx context.Context, path string, s Store, o FilesOptions) (done []Exported, err error) {
	list, err := named(o.Tables)
	if err != nil {
		return nil, err
	}
	if err := Replaceable(path); err != nil {
		return nil, err
	}
	switch info, err := os.Lstat(path); {
	case err == nil && !o.Force:
		return nil, fmt.Errorf("%s: %w", path, ErrExist)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file: choose another name", path)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	if err := draft.Close(); err != nil {
		return nil, err
	}
	d, err := newDatabase(ctx, draft.Name(), list)
	if err != nil {
		return nil, err
	}
	done, err = eachTenant(ctx, s, o, func(t *Tenant) error {
		d.tenant = t.ID
		t.begin(list)
		return t.write(d, list)
	})
	if err != nil {
		return nil, errors.Join(err, d.abandon())
	}
	if err := d.finish(list); err != nil {
		return nil, err
	}
	if err := syncFile(draft.Name()); err != nil {
		return nil, err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return nil, err
	}
	return done, syncFolder(filepath.Dir(path))
}

// eachTenant hands the tenants to do.
func eachTenant(ctx context.Context, s Store, o FilesOptions, do func(t *Tenant) error) (done []Exported, err error) {
	for _, id := range o.Tenants {
		err := View(ctx, s, id, o.Options, func(t *Tenant) error {
			done = append(done, Exported{id, t.Seq})
			return do(t)
		})
		if err != nil {
			return nil, fmt.Errorf("export tenant %s: %w", id, err)
		}
	}
	return done, nil
}

// ToFolder writes tables of tenants into a folder, with a folder for each tenant and a file for
// each table. The folder exists as a whole or not at all; with Force, files of an earlier export in
// it are removed, and all others stay.
func ToFolder(ctx context.Context, path string, s Store, o FilesOptions) (done []Exported, err error) {
	list, err := named(o.Tables)
	if err != nil {
		return nil, err
	}
	path = filepath.Clean(path)
	if err := Replaceable(path); err != nil {
		return nil, err
	}
	before, err := os.Lstat(path)
	switch exists := err == nil; {
	case exists && !o.Force:
		return nil, fmt.Errorf("%s: %w", path, ErrExist)
	case exists && !before.IsDir():
		return nil, fmt.Errorf("%s is not a folder: choose another name", path)
	case !exists && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	place := filepath.Dir(path)
	if before != nil {
		place = path // which may be another file system
	}
	draft, err := os.MkdirTemp(place, "."+filepath.Base(path)+".*.new")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	done, err = eachTenant(ctx, s, o, func(t *Tenant) error {
		t.begin(list)
		return t.toFolder(filepath.Join(draft, t.ID.String()), o.Format, list)
	})
	if err != nil {
		return nil, err
	}
	if before != nil {
		return done, errors.Join(replace(draft, path), syncFolder(path))
	}
	if err := os.Rename(draft, path); err != nil {
		return nil, err
	}
	return done, syncFolder(place)
}

func (t *Tenant) toFolder(path string, format Format, list []*table) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	for _, table := range list {
		if err := t.toFile(filepath.Join(path, table.name+"."+string(format)), format, table); err != nil {
			return err
		}
	}
	return syncFolder(path)
}

func (t *Tenant) toFile(path string, format Format, one *table) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := t.write(newWriter(file, format), []*table{one}); err != nil {
		return err
	}
	return file.Sync()
}

// replace moves the folders of tenants into a folder, and removes the files of earlier exports
// there.
func replace(draft, path string) error {
	folders, err := tenantFolders(path)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := removeExport(folder); err != nil {
			return err
		}
	}
	tenants, err := os.ReadDir(draft)
	if err != nil {
		return err
	}
	for _, e := range tenants {
		from, to := filepath.Join(draft, e.Name()), filepath.Join(path, e.Name())
		if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		files, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := os.Rename(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeExport removes the files of an export from the folder of a tenant, and the folder if it is
// empty then.
func removeExport(path string) error {
	files, others, err := exportFiles(path)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	if others > 0 {
		return nil
	}
	return os.Remove(path)
}

// tenantFolders returns the folders of tenants in a folder of exports.
func tenantFolders(path string) (folders []string, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if _, ok := guid.Parse(e.Name()); ok && e.IsDir() {
			folders = append(folders, filepath.Join(path, e.Name()))
		}
	}
	return folders, err
}

// exportFiles returns the files of an export in the folder of a tenant, and how many others there
// are.
func exportFiles(path string) (files []string, others int, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if isExport(e.Name()) {
			files = append(files, filepath.Join(path, e.Name()))
		} else {
			others++
		}
	}
	return files, others, err
}

func isExport(name string) bool {
	return slices.ContainsFunc(tables, func(t *table) bool {
		return name == t.name+"."+string(FormatCSV) || name == t.name+"."+string(FormatJSONLines)
	})
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder makes the names of new files durable. Windows has no such thing.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
