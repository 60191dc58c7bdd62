package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestThePageAboutTestingDoesWhatItSays runs the commands of docs/testing.md one after another, as
// someone does who follows the page, and compares what they print.
func TestThePageAboutTestingDoesWhatItSays(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	program := buildProgram(t)
	script := ""
	for _, block := range strings.Split(string(page), "```sh\n")[1:] {
		commands, _, _ := strings.Cut(block, "```")
		script += commands + "\n"
	}
	said := runScript(t, program, script)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for i, want := range printed {
		if i >= len(lines) || !regexp.MustCompile("^"+want+"$").MatchString(lines[i]) {
			t.Fatalf("line %d is not %s:\n%s", i+1, want, said)
		}
	}
	if len(lines) > len(printed) {
		t.Errorf("more is printed than the test knows:\n%s", said)
	}
}

// runScript runs commands of a page in an empty folder, and returns what they print.
func runScript(t *testing.T, program, script string) string {
	t.Helper()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands need %s: %v", tool, err)
		}
	}
	script = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT; trap exit TERM\n" + script // nothing is left after a failure
	var said, complaints bytes.Buffer
	run := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", script)
	run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(syscall.SIGTERM) }, 10*time.Second
	run.Dir, run.Stdout, run.Stderr = t.TempDir(), &said, &complaints
	run.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	if err := run.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &said, &complaints)
	}
	return said.String()
}

// TestTheGuidesDoWhatTheySay runs the commands of each page of docs/guide one after another, and
// compares what each block prints with the page. GUIDs and times may be others.
func TestTheGuidesDoWhatTheySay(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	program := buildProgram(t)
	for _, name := range pages {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			const next = "=== the next block"
			blocks := strings.Split(string(page), "```sh\n")[1:]
			script, want := "", make([]string, len(blocks))
			for i, block := range blocks {
				commands, rest, _ := strings.Cut(block, "```")
				if text, ok := strings.CutPrefix(rest, "\n\n```text\n"); ok {
					want[i], _, _ = strings.Cut(text, "```")
				}
				script += commands + "\necho '" + next + "'\n"
			}
			script = strings.ReplaceAll(script, "127.0.0.1:8080", freeAddress(t))
			said := strings.Split(runScript(t, program, script), next+"\n")
			other := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
			for i := range blocks {
				if other.ReplaceAllString(said[i], "ID") != other.ReplaceAllString(want[i], "ID") {
					t.Errorf("the block\n%s\nprints\n%s\nand not\n%s", blocks[i], said[i], want[i])
				}
			}
		})
	}
}

// freeAddress returns an address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// printed is what the commands of docs/testing.md print, line by line.
var printed = []string{
	`\[\{"displayName":".+"\}\]`,
	// six tokens
	`eyJ[\w.-]+`, `eyJ[\w.-]+`, `eyJ[\w.-]+`, `eyJ[\w.-]+`, `eyJ[\w.-]+`, `eyJ[\w.-]+`,
	`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`,
	// another time
	`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, `Lifetime validation failed, the token is expired\.`, `Request_ResourceNotFound`,
	// requests that fail
	`\{"method":"POST","path":"/users/\*/assignLicense","status":429,"retryAfter":1,"times":2,"applied":0\}`,
	`\{"path":"/groups/\*\*","status":503,"probability":0.1,"applied":0\}`, `\{"path":"/\*\*","latency":"PT0.05S","applied":0\}`,
	`429`, `429`, `400`, `2`,
	// licenses of groups that come later
	`"PT3S"`, `202`, `\["(QueuedForProcessing|ProcessingInProgress)",1\]`, `\["ProcessingComplete",1\]`,
}
