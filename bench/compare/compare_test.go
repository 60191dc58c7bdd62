package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"licensor/bench/report"
	"licensor/bench/report/reporttest"
)

func TestPeopleAreTheSameForTheSameSeed(t *testing.T) {
	p := newPopulation(2000, 7)
	first, second := slices.Collect(p.people()), slices.Collect(newPopulation(2000, 7).people())
	if !reflect.DeepEqual(first, second) {
		t.Error("the same seed made other people")
	}
	if other := slices.Collect(newPopulation(2000, 8).people()); reflect.DeepEqual(first, other) {
		t.Error("another seed made the same people")
	}
	ids := map[string]bool{}
	for _, one := range first {
		ids[one.id] = true
		if !slices.IsSorted(one.groups) || len(one.groups) == 0 || slices.Contains(one.text[:], "") {
			t.Errorf("person %d is not complete: %+v", one.number, one)
		}
	}
	if len(ids) != len(first) {
		t.Errorf("%d people have %d ids", len(first), len(ids))
	}
}

func TestQuestionsDifferFromRequestToRequest(t *testing.T) {
	for _, q := range newPopulation(2000, 1).questions() {
		for language, path := range map[string]func(int) string{"graph": q.graphPath, "SQL": q.postgresPath, "PocketBase": q.pocketPath} {
			seen := map[string]bool{}
			for i := range q.values {
				seen[path(i)] = true
			}
			if !q.same && len(seen) < q.values*9/10 {
				t.Errorf("%s in %s: %d of %d requests are different", q.name, language, len(seen), q.values)
			}
		}
	}
}

func TestReportIsWrittenBetweenItsMarkers(t *testing.T) {
	docs := t.TempDir()
	page := filepath.Join(docs, "performance.md")
	if err := os.WriteFile(page, []byte("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var list []report.Figure
	for _, users := range []int{10_000, 1_000_000} {
		for _, c := range columns {
			list = append(list, report.Figure{
				Time: "2026-11-24T10:00:00Z", Size: users, Row: "search",
				Contender: c.Contender, Requests: 10, P50: 1, P99: 2.5, Rate: 800,
			})
		}
	}
	list = append(list,
		report.Figure{Size: 10_000, Row: "page-100", Contender: ours, Rate: 50, P99: 1},
		report.Figure{Size: 10_000, Row: "page-100", Contender: bareName, Rate: 100})
	for range 2 {
		if err := errors.Join(report.Append(figuresFile(docs), list), writeReport(docs)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "\nafter\n", "### 1,000,000 users", "2.5 ms (1.0 ms)", "**50 %** of the bare handler"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the report still has the old figures")
	}
	for _, p := range plots {
		reporttest.Plot(t, docs, p.name)
	}
}
