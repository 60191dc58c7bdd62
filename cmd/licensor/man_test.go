package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every command has a page with its flags and examples, which formatters accept.
func TestManualPages(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man1")
	if code, _, stderr := call(t, rootCommand(), "man", folder); code != exitDone {
		t.Fatal(stderr)
	}
	groff, _ := exec.LookPath("groff")
	pages := 0
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		path := filepath.Join(folder, manualName(cmd)+".1")
		page := strings.ReplaceAll(read(t, path), `\-`, "-")
		pages++
		for _, title := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH SEE ALSO"} {
			if !strings.Contains("\n"+page, "\n"+title) {
				t.Errorf("%s has no %s", path, title)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s has no --%s", path, f.Name)
			}
		})
		if groff != "" {
			format := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z", path)
			if said, err := format.CombinedOutput(); err != nil || len(bytes.TrimSpace(said)) > 0 {
				t.Errorf("%s: %v, %s", path, err, said)
			}
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				each(sub)
			}
		}
	}
	each(rootCommand())
	names, err := os.ReadDir(folder)
	if err != nil || len(names) < pages || pages < 30 {
		t.Errorf("%d commands have %d pages, %v", pages, len(names), err)
	}
}
