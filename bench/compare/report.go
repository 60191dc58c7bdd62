package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"licensor/bench/report"
)

var columns = []report.Column{
	{Contender: before, Title: "version before", Mark: 's', Color: "#8a8f98"},
	{Contender: ours, Title: "this version", Mark: 'o', Color: "#d6336c"},
	{Contender: postgreSQL, Title: "PostgreSQL", Mark: 't', Color: "#3b82d6"},
	{Contender: pocketBase, Title: "PocketBase", Mark: 'd', Color: "#c98a0c"},
}

// measure describes how to read the figures of a row.
type measure struct {
	title string
	value func(report.Figure) float64
	show  func(report.Figure) string
	more  bool   // more is better
	unit  string // of plots
}

func timeOf(f report.Figure) float64  { return f.P99 }
func rateOf(f report.Figure) float64  { return f.Rate }
func valueOf(f report.Figure) float64 { return f.Value }

func showTime(f report.Figure) string {
	return report.InTime(f.P99) + " (" + report.InTime(f.P50) + ")"
}

func showRate(f report.Figure) string {
	return report.Grouped(f.Rate) + " (" + report.InTime(f.P99) + ")"
}

func showMegabytes(f report.Figure) string { return report.Grouped(f.Value) + " MB" }

func showSeconds(f report.Figure) string { return report.InTime(1000 * f.Value) }

// tableRows returns the rows of the report in order, and the measure of each.
func tableRows() (names []string, measures map[string]measure) {
	measures = map[string]measure{}
	add := func(name string, m measure) {
		names = append(names, name)
		measures[name] = m
	}
	for _, q := range newPopulation(2*samples, 1).questions() {
		add(q.name, measure{title: q.title, value: timeOf, show: showTime, unit: "ms"})
	}
	add("page-100-first", measure{
		title: "first page of 100, default properties", value: rateOf, show: showRate, more: true, unit: "/s",
	})
	add("page-100", measure{title: "pages of 100, default properties", value: rateOf, show: showRate, more: true, unit: "/s"})
	add("page-999", measure{title: "pages of 999 with `assignedLicenses`", value: rateOf, show: showRate, more: true, unit: "/s"})
	add("change-1", measure{title: "durable change, one caller", value: rateOf, show: showRate, more: true, unit: "/s"})
	add("change-64", measure{title: "durable change, 64 callers", value: rateOf, show: showRate, more: true, unit: "/s"})
	for _, of := range strains {
		add(of.name, measure{
			title: "one user of another tenant, 20 reads a second, with 16 callers of " + of.title,
			value: timeOf,
			show:  showTime,
			unit:  "ms",
		})
		add(of.name+"-list", measure{title: "… a page of 100 users of that tenant", value: timeOf, show: showTime, unit: "ms"})
		add(of.name+"-change", measure{title: "… a change of a user of that tenant", value: timeOf, show: showTime, unit: "ms"})
		add(of.name+"-ready", measure{title: "… `/readyz`", value: timeOf, show: showTime, unit: "ms"})
	}
	add("import-users", measure{title: "import of all users", value: valueOf, show: showSeconds, unit: "s"})
	add("import-members", measure{title: "import of their memberships", value: valueOf, show: showSeconds, unit: "s"})
	add("load", measure{title: "load of all by COPY or SQL, with indexes", value: valueOf, show: showSeconds, unit: "s"})
	add("start", measure{title: "start until the first answer", value: valueOf, show: showSeconds, unit: "s"})
	add("memory", measure{
		title: "memory per user",
		value: valueOf,
		show:  func(f report.Figure) string { return report.Grouped(f.Value) + " B" },
		unit:  "B",
	})
	add("resident", measure{title: "resident memory after the run", value: valueOf, show: showMegabytes, unit: "MB"})
	add("disk", measure{title: "on the disk when loaded", value: valueOf, show: showMegabytes, unit: "MB"})
	return names, measures
}

// writeTable writes the figures of one number of users as a Markdown table.
func writeTable(w io.Writer, all *report.Figures, users int) error {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.Title + " |")
	}
	b.WriteString(" times better |\n|---|---|---|---|---|---|\n")
	names, measures := tableRows()
	for _, name := range names {
		b.WriteString(tableRow(all, users, name, measures[name]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tableRow returns a row of the table, which is empty if the row was not measured.
func tableRow(all *report.Figures, users int, name string, m measure) string {
	row, measured := "| "+m.title+" |", false
	var ratios []string
	mine, _ := all.At(users, name, ours)
	for _, c := range columns {
		f, ok := all.At(users, name, c.Contender)
		cell := "–"
		if ok && m.value(f) > 0 {
			cell = m.show(f)
		}
		if shown := remark(f.Note); ok && shown != "" {
			cell = strings.TrimPrefix(cell+", "+shown, "–, ")
		}
		measured = measured || ok
		row += " " + cell + " |"
		if c.Contender != ours {
			ratios = append(ratios, ratio(m, mine, f))
		}
	}
	if !measured {
		return ""
	}
	if bare, ok := all.At(users, name, bareName); ok && bare.Rate > 0 {
		share := report.Significant(100 * mine.Rate / bare.Rate)
		ratios = append(ratios, fmt.Sprintf("**%s %%** of the bare handler", share))
	}
	return row + " " + strings.Join(ratios, " / ") + " |\n"
}

// remark returns the text for a note in the table.
func remark(note string) string {
	switch {
	case note == "one request":
		return "once"
	case strings.HasPrefix(note, "request "):
		return "other objects found"
	}
	return note
}

// ratio returns how many times better ours is.
func ratio(m measure, mine, other report.Figure) string {
	a, b := m.value(mine), m.value(other)
	if a <= 0 || b <= 0 {
		return "–"
	}
	if m.more {
		a, b = b, a
	}
	return report.Significant(b / a)
}

// plots are the files with plots and the rows in each.
var plots = []struct {
	name string
	rows []string
}{
	{"one-clause", []string{"department-eq", "jobTitle-eq", "city-starts", "accountEnabled-eq", "createdDateTime-le", "proxyAddresses-any"}},
	{"one-clause-count", []string{
		"department-eq-count", "companyName-eq-count", "city-starts-count", "accountEnabled-eq-count", "createdDateTime-le-count", "proxyAddresses-any-count",
	}},
	{"more", []string{"ten-clauses-count", "orderby-count", "search", "mail-ends-count", "userPrincipalName-ends-count", "search-count"}},
	{"pages-and-changes", []string{"page-100-first", "page-100", "page-999", "change-1", "change-64"}},
	{"tenant", []string{"import-users", "start", "memory"}},
}

func figuresFile(docs string) string { return filepath.Join(docs, "performance", "figures.csv") }

// writeReport updates the tables in performance.md, between its markers, and the plots.
func writeReport(docs string) error {
	all, err := report.Read(figuresFile(docs))
	if err != nil {
		return err
	}
	_, measures := tableRows()
	for _, p := range plots {
		var panels []report.Panel
		for _, row := range p.rows {
			if one := panelOf(all, row, measures[row]); len(one.Series) > 0 {
				panels = append(panels, one)
			}
		}
		if err := os.WriteFile(filepath.Join(docs, "performance", p.name+".svg"), report.Draw(columns, panels), 0o644); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	for _, users := range slices.Backward(all.Sizes) {
		fmt.Fprintf(&b, "### %s users\n\n", report.Grouped(float64(users)))
		if err := writeTable(&b, all, users); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	return report.Insert(filepath.Join(docs, "performance.md"), "figures", strings.TrimSpace(b.String()))
}

func panelOf(all *report.Figures, row string, m measure) report.Panel {
	p := report.Panel{Title: strings.ReplaceAll(m.title, "`", ""), Of: "users", Unit: m.unit}
	for _, c := range columns {
		s := report.Series{Column: c}
		for _, users := range all.Sizes {
			if f, ok := all.At(users, row, c.Contender); ok && m.value(f) > 0 {
				s.Points = append(s.Points, report.Point{X: float64(users), Y: m.value(f)})
			}
		}
		if len(s.Points) > 0 {
			p.Series = append(p.Series, s)
		}
	}
	return p
}
