package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// column describes a contender in tables and plots.
type column struct {
	contender string
	title     string // in tables
	mark      rune   // shape of its points: o circle, s square, t triangle, d diamond
	class     string // CSS class with its color
}

var columns = []column{
	{before, "version before", 's', "before"},
	{ours, "this version", 'o', "ours"},
	{postgreSQL, "PostgreSQL", 't', "postgres"},
	{pocketBase, "PocketBase", 'd', "pocket"},
}

// measure describes how to read the figures of a row.
type measure struct {
	title string
	value func(figure) float64
	show  func(figure) string
	more  bool   // more is better
	unit  string // of plots
}

func timeOf(f figure) float64  { return f.P99 }
func rateOf(f figure) float64  { return f.Rate }
func valueOf(f figure) float64 { return f.Value }

func showTime(f figure) string { return inTime(f.P99) + " (" + inTime(f.P50) + ")" }
func showRate(f figure) string { return grouped(f.Rate) + " (" + inTime(f.P99) + ")" }

func showMegabytes(f figure) string { return grouped(f.Value) + " MB" }

func showSeconds(f figure) string { return inTime(1000 * f.Value) }

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
		show:  func(f figure) string { return grouped(f.Value) + " B" },
		unit:  "B",
	})
	add("resident", measure{title: "resident memory after the run", value: valueOf, show: showMegabytes, unit: "MB"})
	add("disk", measure{title: "on the disk when loaded", value: valueOf, show: showMegabytes, unit: "MB"})
	return names, measures
}

// writeTable writes the figures of one number of users as a Markdown table.
func writeTable(w io.Writer, all *figures, users int) error {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString(" times better |\n|---|---|---|---|---|---|\n")
	names, measures := tableRows()
	for _, name := range names {
		b.WriteString(all.tableRow(users, name, measures[name]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tableRow returns a row of the table, which is empty if the row was not measured.
func (all *figures) tableRow(users int, name string, m measure) string {
	row, measured := "| "+m.title+" |", false
	var ratios []string
	mine, _ := all.at(users, name, ours)
	for _, c := range columns {
		f, ok := all.at(users, name, c.contender)
		cell := "–"
		if ok && m.value(f) > 0 {
			cell = m.show(f)
		}
		if shown := remark(f.Note); ok && shown != "" {
			cell = strings.TrimPrefix(cell+", "+shown, "–, ")
		}
		measured = measured || ok
		row += " " + cell + " |"
		if c.contender != ours {
			ratios = append(ratios, ratio(m, mine, f))
		}
	}
	if !measured {
		return ""
	}
	if bare, ok := all.at(users, name, bareName); ok && bare.Rate > 0 {
		ratios = append(ratios, fmt.Sprintf("**%s %%** of the bare handler", significant(100*mine.Rate/bare.Rate)))
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
func ratio(m measure, mine, other figure) string {
	a, b := m.value(mine), m.value(other)
	if a <= 0 || b <= 0 {
		return "–"
	}
	if m.more {
		a, b = b, a
	}
	return significant(b / a)
}

// inTime formats milliseconds.
func inTime(ms float64) string {
	switch {
	case ms >= 10_000:
		return significant(ms/1000) + " s"
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	}
	return significant(ms) + " ms"
}

// significant formats a number with two significant digits, or without decimals.
func significant(v float64) string {
	switch {
	case v >= 10:
		return grouped(v)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// grouped formats a whole number with commas.
func grouped(v float64) string {
	text := strconv.FormatInt(int64(math.Round(v)), 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
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

// writeReport updates the tables in performance.md, between its markers, and the plots.
func writeReport(docs string) error {
	all, err := readFigures(docs)
	if err != nil {
		return err
	}
	_, measures := tableRows()
	for _, p := range plots {
		var panels []panel
		for _, row := range p.rows {
			if one := all.panel(row, measures[row]); len(one.series) > 0 {
				panels = append(panels, one)
			}
		}
		if err := os.WriteFile(filepath.Join(docs, "performance", p.name+".svg"), drawPanels(panels), 0o644); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	for _, users := range slices.Backward(all.sizes) {
		fmt.Fprintf(&b, "### %s users\n\n", grouped(float64(users)))
		if err := writeTable(&b, all, users); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	return insert(filepath.Join(docs, "performance.md"), "figures", strings.TrimSpace(b.String()))
}

// insert replaces the text between the two markers of a name.
func insert(file, name, text string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+name+": begin -->", "<!-- "+name+": end -->"
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s does not have the markers %s and %s", file, begin, end)
	}
	return os.WriteFile(file, []byte(head+begin+"\n"+text+"\n"+end+tail), 0o644)
}

func (all *figures) panel(row string, m measure) panel {
	p := panel{title: strings.ReplaceAll(m.title, "`", ""), unit: m.unit}
	for _, c := range columns {
		s := series{column: c}
		for _, users := range all.sizes {
			if f, ok := all.at(users, row, c.contender); ok && m.value(f) > 0 {
				s.points = append(s.points, point{float64(users), m.value(f)})
			}
		}
		if len(s.points) > 0 {
			p.series = append(p.series, s)
		}
	}
	return p
}
