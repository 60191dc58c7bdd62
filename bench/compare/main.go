// Command compare sends the same questions to two versions of licensor, to PostgreSQL and to
// PocketBase, and measures their responses. See ../README.md for how to run it and what is
// compared, and docs/performance.md for the results.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"licensor/bench/report"
)

// options are the flags of the command line.
type options struct {
	before, ours string // programs
	work         string // folder for databases, which are reused
	docs         string // folder of performance.md
	users        int
	seed         uint64
	time         time.Duration
	callers      int
	only         string
	role         string
}

func main() {
	var o options
	var sizes string
	var reportOnly bool
	flag.StringVar(&o.before, "before", "", "licensor program of the version before")
	flag.StringVar(&o.ours, "ours", "", "licensor program of this version")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "licensor-compare"), "folder for the databases, which the next run reuses")
	flag.StringVar(&o.docs, "docs", filepath.Join("..", "..", "docs"), "folder of performance.md; empty to write no files")
	flag.StringVar(&sizes, "users", "10000", "numbers of users, separated by commas")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the population")
	flag.DurationVar(&o.time, "time", 5*time.Second, "time limit for each row and contender")
	flag.IntVar(&o.callers, "callers", 2, "number of concurrent callers")
	flag.StringVar(&o.only, "only", "", "measure only rows whose name contains one of these, separated by commas")
	flag.BoolVar(&reportOnly, "report", false, "only regenerate performance.md and its plots from figures.csv")
	flag.StringVar(&o.role, "role", "", "for internal use: the role of a child process")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, sizes, reportOnly); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, sizes string, reportOnly bool) error {
	if reportOnly {
		return writeReport(o.docs)
	}
	for text := range strings.SplitSeq(sizes, ",") {
		var err error
		if o.users, err = strconv.Atoi(strings.TrimSpace(text)); err != nil || o.users < 1000 {
			return fmt.Errorf("-users: %q is not a number of 1,000 or more", text)
		}
		if o.role != "" {
			return play(ctx, o)
		}
		if err := compare(ctx, o); err != nil {
			return fmt.Errorf("with %d users: %w", o.users, err)
		}
	}
	return nil
}

// folder returns the folder of a contender for the current number of users.
func (o *options) folder(name string) string {
	return filepath.Join(o.work, fmt.Sprintf("%d-%d", o.users, o.seed), name)
}

// play runs a role in a child process of this program.
func play(ctx context.Context, o options) error {
	switch o.role {
	case "bare":
		return serveBare(ctx, o.folder("bare"))
	case "postgres":
		p := postgres{folder: o.folder("postgres")}
		return servePostgres(ctx, p.connectionString(), newPopulation(o.users, o.seed).questions())
	case "pocketbase-load":
		return fillPocketBase(ctx, o.folder("pocketbase"), newPopulation(o.users, o.seed))
	case "pocketbase":
		return servePocketBase(ctx, o.folder("pocketbase"))
	}
	return fmt.Errorf("-role: %q is not known", o.role)
}

// compare measures all rows with one number of users.
func compare(ctx context.Context, o options) (err error) {
	if o.before == "" || o.ours == "" {
		return errors.New("-before and -ours must name two licensor programs")
	}
	c := &comparison{options: o, people: newPopulation(o.users, o.seed), began: time.Now()}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.prepare(ctx); err != nil {
		return err
	}
	for _, measure := range []func(context.Context) error{
		c.starts, c.serve, c.sizes, c.conditions, c.lists, c.changes, c.neighbors, c.resident,
	} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	c.log("%d users took %s", o.users, time.Since(c.began).Round(time.Second))
	if o.docs == "" {
		return writeTable(os.Stdout, report.NewFigures(c.figures), o.users)
	}
	if err := report.Append(figuresFile(o.docs), c.figures); err != nil {
		return err
	}
	return cmp.Or(writeReport(o.docs), writeTable(os.Stdout, report.NewFigures(c.figures), o.users))
}

// version returns a hash of a program, so that each build gets its own database.
func version(program string) (string, error) {
	file, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}
