package durable_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"licensor/internal/durable"
)

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "list.csv")
	content := func(text string, failure error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, failure)
		}
	}
	broken := errors.New("broken")
	for _, step := range []struct {
		text    string
		failure error
		want    string
		mode    fs.FileMode
	}{
		{"one", nil, "one", 0o600},
		{"two", broken, "one", 0o600},
		{"two", nil, "two", 0o640},
	} {
		if step.want == "two" {
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
		}
		if err := durable.Replace(path, content(step.text, step.failure)); !errors.Is(err, step.failure) {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(got) != step.want || runtime.GOOS != "windows" && info.Mode() != step.mode {
			t.Errorf("the file has %q, %v, %v", got, info.Mode(), err)
		}
	}
	if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
		t.Errorf("the folder has %v, %v", names, err)
	}
	if err := durable.Replace(folder, content("", nil)); err == nil {
		t.Error("a folder was replaced")
	}
	if err := durable.Replace(filepath.Join(folder, "none", "list.csv"), content("", nil)); err == nil {
		t.Error("a folder that does not exist has a file")
	}
	if err := durable.Replace(os.DevNull, content("gone", nil)); err != nil {
		t.Errorf("a device was not written to: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	link := filepath.Join(t.TempDir(), "link.csv")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(link, content("three", nil)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "three" {
		t.Errorf("what the link names has %q, %v", got, err)
	}
}
