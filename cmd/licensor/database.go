package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"licensor/internal/store/sqlite"
)

// mustExist returns an error if there is no database at a path, so that a mistyped name does not
// make an empty one. The remedy does not count when the path has the remains of a database.
func mustExist(path, remedy string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // opening it says what else is wrong
	}
	if err := sqlite.Remains(path); err != nil {
		return err
	}
	return fmt.Errorf("there is no database %s: %s", path, remedy)
}
