package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"licensor/bench/report"
)

var columns = []report.Column{
	{Contender: onSQLite, Title: "SQLite", Mark: 'o', Color: "#d6336c"},
	{Contender: rawSQLite, Title: "SQLite, raw", Mark: 's', Color: "#8a8f98"},
	{Contender: onPostgres, Title: "PostgreSQL", Mark: 't', Color: "#3b82d6"},
	{Contender: rawPostgres, Title: "PostgreSQL, raw", Mark: 'd', Color: "#5aa469"},
	{Contender: pocketBase, Title: "PocketBase", Mark: 'd', Color: "#c98a0c"},
	{Contender: fgaMemory, Title: "OpenFGA, memory", Mark: 's', Color: "#8a8f98"},
	{Contender: fgaSQLite, Title: "OpenFGA, SQLite", Mark: 't', Color: "#5aa469"},
}

// unit says what of a figure a row is about, and how it is written.
type unit struct {
	name  string // in plots
	value func(report.Figure) float64
	show  func(report.Figure) string
}

func shown(suffix string) unit {
	return unit{suffix, valueOf, func(f report.Figure) string { return report.Grouped(max(0, f.Value)) + " " + suffix }}
}

func valueOf(f report.Figure) float64 { return f.Value }

var (
	perSecond = unit{"/s", func(f report.Figure) float64 { return f.Rate }, func(f report.Figure) string {
		return report.Grouped(f.Rate) + " (" + report.InTime(f.P99) + ")"
	}}
	latency = unit{"ms", func(f report.Figure) float64 { return f.P50 }, func(f report.Figure) string {
		return report.InTime(f.P50) + " (" + report.InTime(f.P99) + ")"
	}}
	slowest = unit{"ms", func(f report.Figure) float64 { return f.P99 }, func(f report.Figure) string {
		return report.InTime(f.P99) + " (" + report.InTime(f.P50) + ")"
	}}
	seconds = unit{"ms", func(f report.Figure) float64 { return 1000 * f.Value }, func(f report.Figure) string {
		return report.InTime(1000 * f.Value)
	}}
	times = unit{"times", valueOf, func(f report.Figure) string { return report.Significant(f.Value) }}
)

// row is a line of a table.
type row struct {
	name, title string
	unit
	against string // the row that its figures are divided by, of the same contender
	goal    string
}

// table has rows with the sizes of one kind.
type table struct {
	of       string // what its sizes count
	columns  []string
	rows     []row
	noRatios bool
}

var tables = []table{
	{"users", []string{onSQLite, rawSQLite, onPostgres, rawPostgres}, []row{
		{
			"change-64", "single durable changes, 64 callers, in process; raw: appends of 64", perSecond, "",
			"6,000 and 5,000; a third of raw",
		},
		{"change-1", "one durable change alone, in process; raw: appends of one", latency, "", "1.5 times raw on PostgreSQL"},
		{
			"http-change-64", "durable changes over HTTP, 64 callers; against one caller", perSecond, "http-change-1",
			"5 times one caller on SQLite",
		},
		{"http-change-1", "durable changes over HTTP, one caller", perSecond, "", ""},
		{"license-all", "a group of all users licensed; raw: set-based SQL", seconds, "", "PostgreSQL 1.3 times SQLite"},
		{"reprocess-all", "all users reprocessed; raw: set-based SQL", seconds, "", "PostgreSQL 1.3 times SQLite"},
		{"import-users", "all users imported; raw: COPY", seconds, "", "1.3 times COPY"},
		{"import-all", "… with 15 memberships of each; against those without", seconds, "import-users", "2 times without"},
		{"memory-user", "memory of a user with 15 properties and 15 memberships", shown("B"), "", "500 B"},
		{"ready", "`serve` is ready", seconds, "", "1 s"},
		{"cold-small", "first answer of a tenant of 100 users", seconds, "", "10 ms"},
		{
			"cold-all", "first answer of the tenant of all users, with commits to replay", seconds, "",
			"3 s with 1,000,000; 30 s with 10,000,000",
		},
		{"others-before", "reads of another tenant before that, 99th percentile", slowest, "", ""},
		{"others-meanwhile", "… while it is loaded; against before", slowest, "others-before", "1.5 times"},
		{"resident", "resident memory after that", shown("MB"), "", "8 GB with 10,000,000"},
		{"snapshot-bytes", "bytes of snapshots for a byte of log", times, "", "4"},
		{"backup", "`licensor backup`", seconds, "", "60 s with 1,000,000"},
		{"restore", "`licensor restore`", seconds, "", "90 s with 1,000,000"},
		{"copy", "`licensor copy` from SQLite, with `--finish`", seconds, "", "120 s with 1,000,000"},
	}, false},
	{"tenants", []string{onSQLite}, []row{
		{"memory-unloaded", "memory of a tenant that is not loaded", shown("B"), "", "300 B"},
		{"memory-small", "memory of a loaded tenant of 100 users", shown("KB"), "", "100 KB"},
		{"memory-many", "memory with all loaded", shown("MB"), "", "1.2 GB with 10,000"},
		{"many-ready", "`serve` is ready", seconds, "", "1 s"},
		{"many-random", "requests at random with `--memory " + budget + "`", perSecond, "", "250 a second with 10,000"},
		{"many-resident", "resident memory meanwhile", shown("MB"), "", ""},
	}, true},
	{"neighbors", []string{onSQLite, onPostgres, pocketBase, fgaMemory, fgaSQLite}, []row{
		{"create-1", "one record created at a time", perSecond, "", ""},
		{"create-64", "records created by 64 callers", perSecond, "", ""},
		{"read-8", "one record read, 8 callers", perSecond, "", ""},
		{"join-1", "one membership written at a time", perSecond, "", ""},
		{"join-64", "memberships written by 64 callers", perSecond, "", ""},
		{"members-8", "the 100 users of a group listed, 8 callers", perSecond, "", ""},
	}, true},
}

// plots are the files with plots, and the rows in each.
var plots = []struct {
	name, of string
	rows     []string
}{
	{"scale-users", "users", []string{"change-64", "http-change-64", "import-users", "memory-user", "cold-all", "backup"}},
	{"scale-members", "members", []string{"license-all", "reprocess-all", "import-all"}},
	{"scale-tenants", "tenants", []string{"memory-small", "many-ready", "many-random"}},
}

// writeReport updates the section of performance.md, between its markers, and the plots.
func writeReport(docs string) error {
	all, err := report.Read(figuresFile(docs))
	if err != nil {
		return err
	}
	for _, p := range plots {
		var panels []report.Panel
		for _, name := range p.rows {
			if one := panelOf(all, p.of, rowOf(name)); len(one.Series) > 0 {
				panels = append(panels, one)
			}
		}
		if len(panels) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(docs, "performance", p.name+".svg"), report.Draw(columns, panels), 0o644); err != nil {
			return err
		}
	}
	var b strings.Builder
	for _, g := range tables {
		for _, size := range slices.Backward(all.Sizes) {
			b.WriteString(g.text(all, size))
		}
	}
	return report.Insert(filepath.Join(docs, "performance.md"), "scale", strings.TrimSpace(b.String()))
}

func rowOf(name string) row {
	for _, g := range tables {
		for _, r := range g.rows {
			if r.name == name {
				return r
			}
		}
	}
	return row{}
}

// titleOf returns the title of a contender.
func titleOf(contender string) string {
	for _, c := range columns {
		if c.Contender == contender {
			return c.Title
		}
	}
	return contender
}

// text returns the table of a size, which is empty if nothing of it was measured.
func (g *table) text(all *report.Figures, size int) string {
	var lines, when string
	for _, r := range g.rows {
		line, at := g.line(all, size, r)
		lines, when = lines+line, max(when, at)
	}
	if lines == "" {
		return ""
	}
	head := fmt.Sprintf("#### %s %s, latest run of %s\n\n| |", report.Grouped(float64(size)), g.of, when)
	if g.of == "neighbors" {
		head = fmt.Sprintf("#### Records and memberships, latest run of %s\n\n| |", when)
	}
	rule := "\n|---|"
	for _, c := range g.columns {
		head, rule = head+" "+titleOf(c)+" |", rule+"---|"
	}
	if !g.noRatios {
		head, rule = head+" ratios |", rule+"---|"
	}
	if g.of != "neighbors" {
		head, rule = head+" to reach |", rule+"---|"
	}
	return head + rule + "\n" + lines + "\n"
}

// line returns a line of a table, which is empty if it was not measured, and the time of its run.
func (g *table) line(all *report.Figures, size int, r row) (line, when string) {
	line = "| " + r.title + " |"
	for _, c := range g.columns {
		f, ok := all.At(size, r.name, c)
		cell := "–"
		switch {
		case ok && f.Note != "":
			cell = f.Note
		case ok:
			cell = r.show(f)
		}
		when = max(when, f.Time)
		line += " " + cell + " |"
	}
	if when == "" {
		return "", ""
	}
	if !g.noRatios {
		line += " " + ratios(all, size, r) + " |"
	}
	if g.of != "neighbors" {
		line += " " + r.goal + " |"
	}
	return line + "\n", when
}

// ratios returns the ratios of a row: of both stores to their raw figures, or to those of another
// row, and of PostgreSQL to SQLite.
func ratios(all *report.Figures, size int, r row) string {
	var list []string
	quotient := func(name string, a, b report.Figure) {
		if r.value(a) > 0 && r.value(b) > 0 {
			list = append(list, name+" "+report.Significant(r.value(a)/r.value(b)))
		}
	}
	lite, _ := all.At(size, r.name, onSQLite)
	pg, _ := all.At(size, r.name, onPostgres)
	for _, of := range []struct {
		figure    report.Figure
		contender string
		raw       string
	}{{lite, onSQLite, rawSQLite}, {pg, onPostgres, rawPostgres}} {
		if r.against != "" {
			other, _ := all.At(size, r.against, of.contender)
			quotient(of.contender, of.figure, other)
			continue
		}
		raw, _ := all.At(size, r.name, of.raw)
		quotient(of.contender+"/raw", of.figure, raw)
	}
	if r.against == "" {
		quotient("PostgreSQL/SQLite", pg, lite)
	}
	return strings.Join(list, "; ")
}

func panelOf(all *report.Figures, of string, r row) report.Panel {
	title, _, _ := strings.Cut(strings.ReplaceAll(r.title, "`", ""), ";")
	p := report.Panel{Title: strings.TrimPrefix(title, "… "), Of: of, Unit: r.unit.name}
	for _, c := range columns {
		s := report.Series{Column: c}
		for _, size := range all.Sizes {
			if f, ok := all.At(size, r.name, c.Contender); ok && r.value(f) > 0 {
				s.Points = append(s.Points, report.Point{X: float64(size), Y: r.value(f)})
			}
		}
		if len(s.Points) > 0 {
			p.Series = append(p.Series, s)
		}
	}
	return p
}
