package main

import (
	"bytes"
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
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands need %s: %v", tool, err)
		}
	}
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	program := buildProgram(t)
	script := "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT; trap exit TERM\n" // nothing is left when a command fails
	for _, block := range strings.Split(string(page), "```sh\n")[1:] {
		commands, _, _ := strings.Cut(block, "```")
		script += commands + "\n"
	}
	var said, complaints bytes.Buffer
	run := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", script)
	run.Cancel, run.WaitDelay = func() error { return run.Process.Signal(syscall.SIGTERM) }, 10*time.Second
	run.Dir, run.Stdout, run.Stderr = t.TempDir(), &said, &complaints
	run.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	if err := run.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &said, &complaints)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	for i, want := range printed {
		if i >= len(lines) || !regexp.MustCompile("^"+want+"$").MatchString(lines[i]) {
			t.Fatalf("line %d is not %s:\n%s", i+1, want, &said)
		}
	}
	if len(lines) > len(printed) {
		t.Errorf("more is printed than the test knows:\n%s", &said)
	}
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
