package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"licensor/bench/report"
	"licensor/bench/report/reporttest"
)

// Everything is measured with few users and little time, except the programs of others, which take
// minutes to build: LICENSOR_NEIGHBORS names a folder to build them in, or in which they are.
func TestAllParts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL and the real program")
	}
	docs := t.TempDir()
	page := filepath.Join(docs, "performance.md")
	if err := os.WriteFile(page, []byte("before\n<!-- scale: begin -->\nold\n<!-- scale: end -->\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	work := os.Getenv("LICENSOR_NEIGHBORS")
	withNeighbors := work != ""
	if !withNeighbors {
		work = t.TempDir()
	}
	o := options{
		docs: docs, work: work, users: []int{300}, tenants: []int{10},
		time: 100 * time.Millisecond, snapshots: 100 * time.Millisecond, rounds: 1, neighbors: withNeighbors,
	}
	if err := measure(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	all, err := report.Read(figuresFile(docs))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range tables {
		if g.of == "neighbors" && !withNeighbors {
			continue
		}
		for _, r := range g.rows {
			measured := false
			for _, size := range all.Sizes {
				for _, c := range g.columns {
					f, ok := all.At(size, r.name, c)
					measured = measured || ok
					if ok && f.Note == "" && r.value(f) <= 0 && r.name != "memory-unloaded" {
						t.Errorf("%s of %s is %v", r.name, c, r.value(f))
					}
				}
			}
			if !measured {
				t.Errorf("%s was not measured", r.name)
			}
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); !strings.Contains(got, "#### 300 users") || !strings.Contains(got, "#### 10 tenants") || strings.Contains(got, "old") {
		t.Errorf("the report is\n%s", got)
	}
	for _, p := range plots {
		reporttest.Plot(t, docs, p.name)
	}
}
