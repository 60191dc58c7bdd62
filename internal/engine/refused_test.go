package engine

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/store/sqlite"
	"licensor/internal/store/storetest"
	"licensor/internal/tenant"
)

// The tenants of testdata/format-1.db; the first has a snapshot.
var withSnapshot, withCommits = uuid.UUID{1}, uuid.UUID{2}

func commitOf(t *testing.T, s store.Store, format uint32, effects []byte) {
	t.Helper()
	c := store.Commit{Seq: 17, At: time.Unix(1_800_000_000, 0).UTC(), Actor: "system", Format: format, Effects: effects}
	if err := storetest.Append(t.Context(), s, withCommits, []store.Commit{c}, nil); err != nil {
		t.Fatal(err)
	}
}

// changeHead makes a snapshot's manifest name another head.
func changeHead(t *testing.T, s store.Store, change func(data []byte) []byte) {
	t.Helper()
	list, err := s.Manifests(t.Context(), withSnapshot)
	if err != nil || len(list) != 1 {
		t.Fatalf("the manifests are %v, %v", list, err)
	}
	m := list[0]
	m.Head = changePart(t, s, m.Head, change)
	if err := s.ReplaceManifest(t.Context(), withSnapshot, m, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// changePiece makes a snapshot's head name another part.
func changePiece(t *testing.T, s store.Store, name string, change func(data []byte) []byte) {
	t.Helper()
	other := changePart(t, s, name, change)
	changeHead(t, s, func(data []byte) []byte {
		h, err := tenant.DecodeHead(data)
		if err != nil {
			t.Fatal(err)
		}
		for i, old := range h.OldParts { // the format of the database
			h.OldParts[i].Licensing = strings.Replace(old.Licensing, name, other, 1)
			h.OldParts[i].Directory = strings.Replace(old.Directory, name, other, 1)
		}
		return encoded(t, h)
	})
}

// changePart saves a changed part and returns its name.
func changePart(t *testing.T, s store.Store, name string, change func(data []byte) []byte) string {
	t.Helper()
	parts, err := s.Parts(t.Context(), withSnapshot, []string{name})
	if err != nil {
		t.Fatal(err)
	}
	parts[0].Name += "-changed"
	parts[0].Data = change(parts[0].Data)
	if err := s.SaveParts(t.Context(), withSnapshot, parts, time.Now()); err != nil {
		t.Fatal(err)
	}
	return parts[0].Name
}

// newer sets a part's format, its first byte, to 9.
func newer(data []byte) []byte {
	data[0] = 9
	return data
}

func encoded(t *testing.T, value any) []byte {
	t.Helper()
	data, err := cbor.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUnknownFormatsAndFieldsAreRefused changes a database as a newer version might: Open refuses
// it, with both format numbers or the field, and does not change it.
func TestUnknownFormatsAndFieldsAreRefused(t *testing.T) {
	t.Parallel()
	known := fmt.Sprintf("this version reads formats up to %d: run the version that wrote it or a newer one", tenant.Format)
	unknown := map[int]string{99: "of a newer version"}
	for name, c := range map[string]struct {
		write  func(t *testing.T, s store.Store)
		saying []string
	}{
		"a commit in a newer format": {
			func(t *testing.T, s store.Store) { commitOf(t, s, tenant.Format+1, encoded(t, unknown)) },
			[]string{withCommits.String(), fmt.Sprintf("commit 17 is in format %d, and %s", tenant.Format+1, known)},
		},
		"a commit with an unknown field": {
			func(t *testing.T, s store.Store) { commitOf(t, s, tenant.Format, encoded(t, unknown)) },
			[]string{withCommits.String(), "commit 17", "unknown field"},
		},
		"a commit with an unknown field in a part of it": {
			func(t *testing.T, s store.Store) {
				commitOf(t, s, tenant.Format, encoded(t, map[int]any{7: []map[int]any{{2: 1, 99: 1}}}))
			},
			[]string{withCommits.String(), "commit 17", "unknown field"},
		},
		"a commit with a duplicate field": {
			func(t *testing.T, s store.Store) { commitOf(t, s, tenant.Format, []byte{0xa2, 7, 0x80, 7, 0x80}) },
			[]string{withCommits.String(), "commit 17", "duplicate"},
		},
		"a head in a newer format": {
			func(t *testing.T, s store.Store) {
				changeHead(t, s, func([]byte) []byte { return encoded(t, map[int]any{13: tenant.Format + 1, 99: 1}) })
			},
			[]string{withSnapshot.String(), "head", fmt.Sprintf("it is in format %d, and %s", tenant.Format+1, known)},
		},
		"a head with an unknown field": {
			func(t *testing.T, s store.Store) {
				changeHead(t, s, func([]byte) []byte { return encoded(t, unknown) })
			},
			[]string{withSnapshot.String(), "head", "unknown field"},
		},
		"a head with the directory in a newer format": {
			func(t *testing.T, s store.Store) {
				changeHead(t, s, func(data []byte) []byte {
					h, err := tenant.DecodeHead(data)
					if err != nil {
						t.Fatal(err)
					}
					newer(h.Directory)
					return encoded(t, h)
				})
			},
			[]string{withSnapshot.String(), "directory", "it is in format 9, and this version reads formats up to"},
		},
		"a directory part in a newer format": {
			func(t *testing.T, s store.Store) { changePiece(t, s, "directory-0-104", newer) },
			[]string{withSnapshot.String(), "directory", "part 0", "it is in format 9, and this version reads formats up to"},
		},
		"a licensing part in a newer format": {
			func(t *testing.T, s store.Store) { changePiece(t, s, "licensing-0-104", newer) },
			[]string{withSnapshot.String(), "part 0", "it is in format 9, and this version reads formats up to"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "licensor.db")
			if err := os.WriteFile(path, readFile(t, "testdata/format-1.db"), 0o600); err != nil {
				t.Fatal(err)
			}
			withStore(t, path, func(s store.Store) { c.write(t, s) })
			before := readFile(t, path)
			withStore(t, path, func(s store.Store) {
				log := slog.New(slog.NewTextHandler(io.Discard, nil))
				_, err := Open(t.Context(), s, Options{Now: time.Now, NewID: uuid.New, Log: log})
				for _, part := range c.saying {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("the error is %v, want one that says %q", err, part)
					}
				}
			})
			if !bytes.Equal(readFile(t, path), before) {
				t.Error("the database was changed")
			}
		})
	}
}

func withStore(t *testing.T, path string, do func(s store.Store)) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	do(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
