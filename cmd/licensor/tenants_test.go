package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestIDsOfTenantsHaveOneForm in all commands that take one: other forms of GUIDs are refused
// before a database is opened.
func TestIDsOfTenantsHaveOneForm(t *testing.T) {
	t.Parallel()
	const id = "5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11"
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, form := range []string{"urn:uuid:" + id, "{" + id + "}", strings.ReplaceAll(id, "-", "")} {
		for _, args := range [][]string{
			{"backup", "--data", missing, "--to", missing, "--tenant", form},
			{"restore", missing, "--data", missing, "--tenant", form},
			{"restore", missing, "--data", missing, "--as", form},
			{"copy", "--from", missing, "--to", missing + "2", "--tenant", form},
			{"export", "--data", missing, "--to", missing, "--tenant", form},
			{"trim", "--data", missing, "--keep", "30d", "--tenant", form},
		} {
			code, _, stderr := call(t, rootCommand(), args...)
			if code != exitUsage || !strings.Contains(stderr, `is "`+form+`", which is not the id of a tenant`) {
				t.Errorf("%q: exit code %d, %s", args, code, stderr)
			}
		}
	}
}
