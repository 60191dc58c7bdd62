package durable_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"licensor/internal/durable"
)

func TestDatabasesAreRecognized(t *testing.T) {
	t.Parallel()
	header := func(application uint32) []byte {
		data := make([]byte, 100)
		copy(data, "SQLite format 3\x00")
		binary.BigEndian.PutUint32(data[68:], application)
		return data
	}
	folder := t.TempDir()
	for name, data := range map[string][]byte{
		"licensor.db": header(durable.ApplicationID), "export.db": header(0), "short.db": header(durable.ApplicationID)[:71],
		"damaged.db": make([]byte, 100), "damaged.db-ack": []byte("1"), "lost.db-ack": []byte("1"), "list.csv": []byte("a"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{ // the database
		"licensor.db": "licensor.db", "licensor.db-wal": "licensor.db", "licensor.db-WAL": "licensor.db",
		"licensor.db-journal": "licensor.db", "licensor.db-wal.damaged": "licensor.db", "licensor.db.lock": "licensor.db",
		"damaged.db": "damaged.db", "lost.db": "lost.db", "lost.db-wal": "lost.db",
		"licensor.db.bak": "", "licensor.db-wal2": "", "export.db": "", "export.db-wal": "", "short.db": "", "list.csv": "",
		"none": "", "none-wal": "", "-wal": "", ".": "",
		"used.db": "used.db", "used.db-shm": "used.db",
	} {
		path := filepath.Join(folder, name)
		err := durable.Replaceable(path, "", filepath.Join(folder, ".", "used.db"))
		found, _ := errors.AsType[*durable.DatabaseError](err)
		if want == "" && err != nil || want != "" && (found == nil || found.Path != path ||
			found.Database != filepath.Join(folder, want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
