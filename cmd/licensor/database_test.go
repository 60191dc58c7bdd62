package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command that needs a database says what to do about the remains of one that was removed.
func TestRemainsOfADatabaseAreTold(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "licensor.db")
	if err := os.WriteFile(data+"-wal", []byte("what is left"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0"},
		{"serve", "--listen", "127.0.0.1:0", "--allow-data-loss"},
		{"init"},
		{"init", "--add"},
		{"keys", "list"},
		{"token"},
	} {
		code, _, stderr := call(t, rootCommand(), append(args, "--data", data)...)
		if code == 0 || !strings.Contains(stderr, "acknowledged changes are missing") || !strings.Contains(stderr, "move these files away") {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
	if text, err := os.ReadFile(data + "-wal"); err != nil || string(text) != "what is left" {
		t.Errorf("the log was changed: %q, %v", text, err)
	}
}
