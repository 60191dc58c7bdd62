// Command scale measures licensor with many users and many tenants, on SQLite and on PostgreSQL,
// and what a loop of the raw statements, set-based SQL, PocketBase and OpenFGA do on the same
// machine in the same run. See ../README.md for how to run it and what is measured, and
// docs/performance.md for the results.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags of the command line.
type options struct {
	docs      string // folder of performance.md; empty to write no files
	work      string // folder of databases, which are removed at the end
	users     []int
	tenants   []int
	time      time.Duration
	snapshots time.Duration
	rounds    int
	neighbors bool
	only      string // what is measured of tenants with many users; empty for all
}

func main() {
	var o options
	var users, tenants string
	var reportOnly bool
	flag.StringVar(&o.docs, "docs", "docs", "folder of performance.md; empty to write no files")
	flag.StringVar(&o.work, "work", os.TempDir(), "folder for databases and programs")
	flag.StringVar(&users, "users", "10000,100000,1000000", "numbers of users of one tenant, separated by commas")
	flag.StringVar(&tenants, "tenants", "100,1000,10000", "numbers of tenants with 100 users each, separated by commas")
	flag.DurationVar(&o.time, "time", 5*time.Second, "time limit for each load")
	flag.DurationVar(&o.snapshots, "snapshots", time.Minute, "how long to change users until a snapshot is due")
	flag.IntVar(&o.rounds, "rounds", 3, "how often changes of all users are measured; the median counts")
	flag.BoolVar(&o.neighbors, "neighbors", true, "measure PocketBase and OpenFGA, too; builds them with the Go module proxy")
	flag.StringVar(&o.only, "only", "", `of tenants with many users, measure only "imports" and COPY, or "loads"`)
	flag.BoolVar(&reportOnly, "report", false, "only regenerate the section of performance.md and its plots")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, users, tenants, reportOnly); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, users, tenants string, reportOnly bool) (err error) {
	if reportOnly {
		return writeReport(o.docs)
	}
	if o.users, err = numbers("-users", users); err != nil {
		return err
	}
	if o.tenants, err = numbers("-tenants", tenants); err != nil {
		return err
	}
	if o.only != "" && o.only != onlyImports && o.only != onlyLoads {
		return fmt.Errorf("-only: %q is not %q or %q", o.only, onlyImports, onlyLoads)
	}
	return measure(ctx, o)
}

// Values of -only.
const (
	onlyImports = "imports"
	onlyLoads   = "loads"
)

// numbers reads the value of a flag: numbers separated by commas, or nothing.
func numbers(name, text string) (list []int, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q is not a number of 1 or more", name, part)
		}
		list = append(list, n)
	}
	return list, nil
}

func figuresFile(docs string) string { return filepath.Join(docs, "performance", "scale.csv") }
