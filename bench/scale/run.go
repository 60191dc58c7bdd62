package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"licensor/bench/load"
	"licensor/bench/process"
	"licensor/bench/report"
	"licensor/internal/store/postgres/postgrestest"
)

// Contenders. The raw ones do the same without licensor; what that is depends on the row.
const (
	onSQLite    = "SQLite"
	rawSQLite   = "SQLite raw"
	onPostgres  = "PostgreSQL"
	rawPostgres = "PostgreSQL raw"
	pocketBase  = "PocketBase"
	fgaMemory   = "OpenFGA memory"
	fgaSQLite   = "OpenFGA SQLite"
)

// scale is one run.
type scale struct {
	options
	began   time.Time
	folder  string // removed at the end
	program string // licensor
	cluster *postgrestest.Server
	size    int // of the figures that are added
	figures []report.Figure
}

// measure makes all measurements, and records those of a size when all of that size are made.
func measure(ctx context.Context, o options) (err error) {
	s := &scale{options: o, began: time.Now()}
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return err
	}
	if s.folder, err = os.MkdirTemp(o.work, "licensor-scale-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.folder)) }()
	s.log("%s, %d processors, load %s", runtime.Version(), runtime.NumCPU(), busy())
	s.program = filepath.Join(s.folder, "licensor")
	if err := goTool(ctx, s.folder, "build", "-o", s.program, "licensor/cmd/licensor"); err != nil {
		return err
	}
	if s.cluster, err = postgrestest.New("shared_buffers=1GB", "max_wal_size=4GB"); err != nil {
		return err
	}
	defer s.cluster.Stop()
	for _, users := range o.users {
		if err := s.record(users, func() error { return s.people(ctx, users) }); err != nil {
			return fmt.Errorf("with %d users: %w", users, err)
		}
	}
	for _, tenants := range o.tenants {
		if err := s.record(tenants, func() error { return s.many(ctx, tenants) }); err != nil {
			return fmt.Errorf("with %d tenants: %w", tenants, err)
		}
	}
	if o.neighbors {
		return s.record(smallTenant, func() error { return s.others(ctx) })
	}
	return nil
}

// record adds the figures of a size to the file, and updates the document.
func (s *scale) record(size int, measure func() error) error {
	s.size, s.figures = size, nil
	err := measure()
	s.log("load at the end: %s", busy())
	if s.docs == "" || len(s.figures) == 0 {
		return err
	}
	return errors.Join(err, report.Append(figuresFile(s.docs), s.figures), writeReport(s.docs))
}

// busy returns the load averages of the machine.
func busy() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
}

func (s *scale) log(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6s  "+format+"\n", append([]any{time.Since(s.began).Round(time.Second)}, args...)...)
}

func (s *scale) figure(row, contender string) report.Figure {
	return report.Figure{Time: s.began.UTC().Format(time.RFC3339), Size: s.size, Row: row, Contender: contender}
}

// add adds the figure of a load.
func (s *scale) add(row, contender string, o *load.Outcome) {
	f := s.figure(row, contender)
	f.Note = o.Note
	if f.Requests = len(o.Times); f.Requests > 0 {
		f.P50, f.P99, f.Rate = milliseconds(o.Percentile(50)), milliseconds(o.Percentile(99)), o.Rate()
	}
	s.figures = append(s.figures, f)
	s.log("%-18s %-15s %7d done, p50 %9.3f ms, p99 %9.3f ms, %8.0f/s %s",
		row, contender, f.Requests, f.P50, f.P99, f.Rate, f.Note)
}

// addValue adds a figure that is one number, in the unit of the row.
func (s *scale) addValue(row, contender string, value float64) {
	f := s.figure(row, contender)
	f.Value = value
	s.figures = append(s.figures, f)
	s.log("%-18s %-15s %.4g", row, contender, value)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (s *scale) path(name string) string { return filepath.Join(s.folder, name) }

// licensor runs a command of licensor and returns how long it took.
func (s *scale) licensor(ctx context.Context, args ...string) (time.Duration, error) {
	start := time.Now()
	err := process.RunQuietly(exec.CommandContext(ctx, s.program, args...), nil)
	return time.Since(start), err
}

// goTool runs the go command with its programs going to a folder.
func goTool(ctx context.Context, programs string, args ...string) error {
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = append(os.Environ(), "GOBIN="+programs)
	return process.RunQuietly(command, nil)
}

// timed returns the median of the times of some rounds.
func timed(rounds int, round func() (time.Duration, error)) (time.Duration, error) {
	var times []time.Duration
	for range rounds {
		took, err := round()
		if err != nil {
			return 0, err
		}
		times = append(times, took)
	}
	return load.Middle(times), nil
}
