package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runDemo runs the demo until it has written its file of credentials, stops it, and answers what it printed.
func runDemo(t *testing.T, args ...string) string {
	t.Helper()
	info := filepath.Join(t.TempDir(), "info.json")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out := new(output)
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"demo", "--listen", "127.0.0.1:0", "--info", info}, args...)
		ended <- execute(ctx, rootCommand(), args, strings.NewReader(""), out, out)
	}()
	for !strings.Contains(out.String(), "client secret") && len(ended) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if code := <-ended; code != exitDone {
		t.Fatalf("the demo ended with %d:\n%s", code, out)
	}
	var login credentials
	data, err := os.ReadFile(info)
	if err == nil {
		err = json.Unmarshal(data, &login)
	}
	if err != nil || login.Graph == "" || login.ClientSecret == "" || !strings.Contains(out.String(), login.Graph) {
		t.Fatalf("the file of credentials has %s, %v", data, err)
	}
	return out.String()
}

func TestTheDemoTellsItsStory(t *testing.T) {
	t.Parallel()
	out := runDemo(t)
	for _, want := range []string{
		"CountViolation", "MutuallyExclusiveViolation", "DependencyViolation", `"error":"Other"`,
		"/reprocessLicenseAssignment\n< 200 OK", "curl -s -H",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the story does not have %q", want)
		}
	}
}

func TestTheDemoLeavesAFileThatIsThereAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mine.db")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if code := execute(t.Context(), rootCommand(), []string{"demo", "--data", path}, nil, &out, &out); code != exitFailed {
		t.Errorf("ended with %d: %s", code, out.String())
	}
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file is not as it was")
	}
}
