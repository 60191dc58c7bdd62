// Package memorytest measures the peak memory of this process during a function.
package memorytest

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

// Slack is how much garbage may accumulate before it is collected. Each figure includes it.
const Slack = 16 << 20

// Meter measures peaks, one after another, relative to the memory of the idle process.
type Meter struct {
	t    testing.TB
	rest int64 // resident when idle, bytes
}

// Need skips a test where the figures mean nothing: under the race detector, which needs several
// times the program's memory, and where the kernel does not record a peak.
func Need(t testing.TB) {
	t.Helper()
	if underRace {
		t.Skip("the race detector takes memory itself: make test-memory runs this without it")
	}
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("the peak of a process can be had on Linux only")
	}
}

// New returns a meter of this process, valid until the test ends. The test must not be parallel,
// and must have allocated what it measures with.
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

// Peak calls a function and returns by how many bytes the process was larger during the call, at
// most, than when idle. It cannot miss a peak: the kernel records the maximum number of pages of
// the process (VmHWM) since its last reset. Garbage is collected as soon as the heap exceeds its
// idle size by the Slack, so anything beyond that was in use, by Go or by SQLite. If makes is set,
// memory that do has allocated and that is still in use is subtracted from a peak above the Slack.
func (m *Meter) Peak(makes bool, do func()) int64 {
	m.t.Helper()
	left := int64(Slack / 2)
	if makes { // few calls are such, so that there is time to be more exact
		left = Slack / 8
	}
	if resident(m.t, "VmRSS:") > m.rest+left {
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

// settle returns unused memory to the system, and records the rest.
func (m *Meter) settle() {
	m.t.Helper()
	debug.SetMemoryLimit(1 << 62)
	debug.FreeOSMemory()
	m.rest = resident(m.t, "VmRSS:")
	debug.SetMemoryLimit(inGo() + Slack)
}

// resident returns a figure of this process.
func resident(t testing.TB, name string) int64 {
	t.Helper()
	n, err := Resident(os.Getpid(), name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Resident returns a figure of a process in bytes, VmRSS: or VmHWM:, from /proc.
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
