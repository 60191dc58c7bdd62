package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"licensor/internal/store/sqlite"
)

// MustExist returns an error if there is no database, so that a mistyped name does not make an
// empty one. The remedy is said about a file that does not exist; it does not count when its path
// has the remains of a database.
func MustExist(ctx context.Context, name Name, remedy string, o Options) error {
	if name.file == "" {
		o.Create, o.Shared, o.probing = false, true, true
		s, err := Open(ctx, name, o)
		if err != nil {
			return err
		}
		return s.Close()
	}
	if _, err := os.Stat(name.file); !errors.Is(err, fs.ErrNotExist) {
		return nil // opening it says what else is wrong
	}
	if err := sqlite.Remains(name.file); err != nil {
		return err
	}
	return fmt.Errorf("there is no database %s: %s", name.file, remedy)
}
