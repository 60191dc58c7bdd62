// Command bench measures the operations that Licensor claims are fast and the usual implementation
// of each, in one run:
//
//	go run ./bench -users 10000,100000,1000000
//
// README.md lists the comparisons and the latest figures.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	sizes := flag.String("users", "10000,100000,1000000", "numbers of users, parted by commas")
	rounds := flag.Int("rounds", 3, "how often each is measured; the median counts")
	load := flag.Duration("load", 5*time.Second, "how long HTTP is under load, each time")
	connections := flag.Int("connections", 8, "connections of the load")
	rules := flag.Bool("rules", false, "measure only the rules of dynamic groups")
	verbs := flag.Bool("verbs", false, "measure only previews, the past, costs, drift and swaps")
	commits := flag.Int("commits", 1_000_000, "commits of the log, with -verbs")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	measured := func(ctx context.Context, users int) error { return measure(ctx, users, *rounds, *load, *connections) }
	if *rules {
		measured = func(ctx context.Context, users int) error { return measureRules(ctx, users, *rounds) }
	}
	if *verbs {
		measured = func(ctx context.Context, users int) error { return measureVerbs(ctx, users, *commits, *rounds) }
	}
	if err := run(context.Background(), *sizes, measured); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sizes string, measured func(ctx context.Context, users int) error) error {
	fmt.Printf("%s, %d cores, %s\n\n", runtime.Version(), runtime.GOMAXPROCS(0), processor())
	for _, text := range strings.Split(sizes, ",") {
		users, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("-users: %q is not a number", text)
		}
		if err := measured(ctx, users); err != nil {
			return fmt.Errorf("with %d users: %w", users, err)
		}
	}
	return nil
}

// measure prints a block of results for a number of users.
func measure(ctx context.Context, users, rounds int, load time.Duration, connections int) error {
	dir, err := os.MkdirTemp("", "licensor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := newWorld(users)
	fmt.Printf("%d users, each in %d groups with a product each\n", users, len(w.products)-1)
	ours, err := openOurs(ctx, dir+"/ours.db", w)
	if err != nil {
		return err
	}
	theirs, err := openRows(ctx, dir+"/rows.db", w)
	if err != nil {
		return err
	}
	if err := compareSets(ctx, ours, theirs, rounds); err != nil {
		return err
	}
	if err := theirs.db.Close(); err != nil {
		return err
	}
	report("memory", "%.0f bytes a user", float64(ours.memory())/float64(users))
	if err := compareHTTP(ctx, ours, load, rounds, connections); err != nil {
		return err
	}
	took, err := ours.restart(ctx)
	if err != nil {
		return err
	}
	report("start", "%s", took.Round(time.Millisecond))
	if err := ours.close(ctx); err != nil {
		return err
	}
	return measureRules(ctx, users, rounds)
}

func report(what, format string, args ...any) {
	fmt.Printf("  %-34s "+format+"\n", append([]any{what}, args...)...)
}

// compareSets measures changes that affect all users, in Licensor and in the rows in turn.
func compareSets(ctx context.Context, ours *ours, theirs *rows, rounds int) error {
	var mine, usual series
	last := len(ours.world.products) - 1
	for range rounds {
		took, err := ours.assign(ctx, last)
		if err != nil {
			return err
		}
		mine.add(took)
		if took, err = theirs.timeAssign(ctx, last); err != nil {
			return err
		}
		usual.add(took)
	}
	report("license a group of all users", "%s, rows %s: %.0f times", mine.median(), usual.median(), usual.ratio(mine))
	mine, usual = nil, nil
	for range rounds {
		took, err := ours.reprocess(ctx)
		if err != nil {
			return err
		}
		mine.add(took)
		start := time.Now()
		changed, err := theirs.reprocess(ctx)
		if err != nil {
			return err
		}
		if changed != 0 {
			return fmt.Errorf("reprocessing the rows changed %d of them", changed)
		}
		usual.add(time.Since(start))
	}
	report("reprocess all users, no change", "%s, rows %s: %.0f times",
		mine.median(), usual.median(), usual.ratio(mine))
	return nil
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
