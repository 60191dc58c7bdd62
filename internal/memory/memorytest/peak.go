// Package memorytest measures how much memory this process takes at most while something is done.
package memorytest

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

// Slack is how much garbage may lie about before it is collected. It is part of each figure.
const Slack = 16 << 20

// Meter measures peaks, one after another, beside the memory that the process has at rest.
type Meter struct {
	t    testing.TB
	rest int64 // resident at rest, bytes
}

// Need skips a test where figures say nothing: under the race detector, whose own memory is several
// times the program's, and where the kernel keeps no peak.
func Need(t testing.TB) {
	t.Helper()
	if underRace {
		t.Skip("the race detector takes memory itself: make test-memory runs this without it")
	}
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("the peak of a process can be had on Linux only")
	}
}

// New returns a meter of this process, until the test ends. The test must not be parallel, and what
// it measures must be there already.
func New(t testing.TB) *Meter {
	t.Helper()
	Need(t)
	m := &Meter{t: t}
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	m.settle()
	return m
}

// Peak does something and returns by how many bytes the process was larger then, at most, than at
// rest. It cannot miss anything: the kernel notes the most pages that the process has ever had
// (VmHWM), from the time on that it is told to begin again. Garbage is collected as soon as the
// heap is larger than at rest by the Slack, so what a figure has beyond that was in use, of Go's
// heap or of SQLite's. What has been made stays when it was not for nothing, and is taken off then:
// makes says that.
func (m *Meter) Peak(makes bool, do func()) int64 {
	m.t.Helper()
	if resident(m.t, "VmRSS:") > m.rest+Slack/2 {
		m.settle()
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		m.t.Fatalf("begin a new peak: %v", err)
	}
	do()
	peak, before := resident(m.t, "VmHWM:")-m.rest, m.rest
	if makes && peak > Slack {
		m.settle()
		peak -= max(0, m.rest-before)
	}
	return peak
}

// settle gives the system back what is not in use, and notes what is.
func (m *Meter) settle() {
	m.t.Helper()
	debug.SetMemoryLimit(1 << 62)
	debug.FreeOSMemory()
	m.rest = resident(m.t, "VmRSS:")
	debug.SetMemoryLimit(inGo() + Slack)
}

// resident reads a figure of this process.
func resident(t testing.TB, name string) int64 {
	t.Helper()
	n, err := Resident(os.Getpid(), name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Resident reads a figure of a process in bytes, VmRSS: or VmHWM:, from what Linux says of it.
func Resident(pid int, name string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0, fmt.Errorf("process %d has no %s", pid, name)
	}
	fields := bytes.Fields(rest)
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10, err
}
