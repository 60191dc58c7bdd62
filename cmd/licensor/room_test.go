//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the process cannot have it does not promise: files that it may not open, memory that it may
// not take.
func TestNoMoreConnectionsThanTheProcessHasRoomFor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds and runs the program")
	}
	program, data := buildProgram(t), filepath.Join(t.TempDir(), "licensor.db")
	if out, err := exec.Command(program, "init", "--data", data).CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	for _, test := range []struct{ limit, want string }{
		{"ulimit -n 600", "ulimit -n), connections=344 files=600"},
		{"ulimit -n 300", "ulimit -n), connections=150 files=300"},
		{"export GOMEMLIMIT=64MiB", "--memory or the machine's memory), connections=256 bytes=67108864"},
	} {
		var log output
		command := exec.Command("sh", "-c", test.limit+`; exec "$0" serve --data "$1" --listen 127.0.0.1:0`, program, data)
		command.Stderr = &log
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		for begun := time.Now(); !strings.Contains(log.String(), "address=") && time.Since(begun) < time.Minute; {
			time.Sleep(10 * time.Millisecond)
		}
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("%s: %v", test.limit, err)
		}
		if !strings.Contains(strings.ReplaceAll(log.String(), `" `, ", "), test.want) {
			t.Errorf("%s: logged\n%s", test.limit, &log)
		}
	}
}
