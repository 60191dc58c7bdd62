package tables

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// Column is a column of a table.
type Column struct {
	Title string // above it in a table, such as "USER"
	Name  string // in the first line of CSV, such as "userPrincipalName"
	Right bool   // has numbers, which end at the same place
	Whole bool   // is never shortened
	Extra bool   // is left out on terminals that are too narrow for it
	Below bool   // is printed below the row, as whole sentences, on terminals that are too narrow for it
	// Notes is the name of one more column in CSV, which has the notes of the row; "" for none.
	Notes string
}

// line is a row, or a note below one.
type line struct {
	cells []string
	signs []Sign
}

// gap is what separates columns.
const gap = "  "

// Widths to which columns are shortened: first those that are left when there are columns to leave
// out, then the least, and then the one before others than Extra columns are left out, from the
// right, because a table that is wider than the terminal cannot be read at all.
const (
	readable = 20
	least    = 8
	tiny     = 4
)

// layout is how wide each column is, or where else it is.
type layout []int

// The columns that have no width.
const (
	leftOut = -1
	below   = -2
)

// newLayout fits columns with lines into a width.
func newLayout(columns []Column, lines []line, width int) layout {
	l := make(layout, len(columns))
	for i := range columns {
		l[i] = uniseg.StringWidth(columns[i].Title)
		for _, row := range lines {
			l[i] = max(l[i], uniseg.StringWidth(row.cells[i]))
		}
	}
	if width <= 0 || l.total() <= width {
		return l
	}
	for i := range columns {
		if columns[i].Below {
			l[i] = below
		}
	}
	for i := len(columns) - 1; i >= 0 && l.narrow(columns, width, readable).total() > width; i-- {
		if columns[i].Extra {
			l[i] = leftOut
		}
	}
	l = l.narrow(columns, width, readable).narrow(columns, width, least).narrow(columns, width, tiny)
	for i := len(columns) - 1; i > 0 && l.total() > width; i-- {
		if l[i] >= 0 {
			l[i] = leftOut
		}
	}
	return l
}

func (l layout) total() int {
	sum := -len(gap)
	for _, width := range l {
		if width >= 0 {
			sum += width + len(gap)
		}
	}
	return sum
}

// narrow returns the layout with the widest columns made narrower until the table fits, but none
// narrower than floor.
func (l layout) narrow(columns []Column, width, floor int) layout {
	l = slices.Clone(l)
	for over := l.total() - width; over > 0; over-- {
		widest := -1
		for i := range l {
			fixed := columns[i].Whole || columns[i].Right
			if !fixed && l[i] > floor && (widest < 0 || l[i] > l[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		l[widest]--
	}
	return l
}

// head returns the line with the titles.
func (l layout) head(columns []Column, look Look) string {
	titles := line{make([]string, len(columns)), make([]Sign, len(columns))}
	for i := range columns {
		if l[i] >= 0 {
			titles.cells[i], titles.signs[i] = columns[i].Title, heading
		}
	}
	return l.format(columns, titles, look)
}

// format returns a row of the table, without spaces at the ends of lines.
func (l layout) format(columns []Column, row line, look Look) string {
	last := -1
	var sentences strings.Builder
	for i, cell := range row.cells {
		switch {
		case cell == "":
		case l[i] >= 0:
			last = i
		case l[i] == below:
			for _, part := range wrap(cell, look.Width-len(indent)) {
				sentences.WriteString(indent + row.signs[i].paint(part, look) + "\n")
			}
		}
	}
	if last < 0 {
		return sentences.String()
	}
	var b strings.Builder
	for i := 0; i <= last; i++ {
		if l[i] < 0 {
			continue
		}
		cell := row.cells[i]
		if look.Width > 0 && !columns[i].Whole {
			cell = Short(cell, l[i])
		}
		space := strings.Repeat(" ", max(0, l[i]-uniseg.StringWidth(cell)))
		cell = row.signs[i].paint(cell, look)
		switch {
		case columns[i].Right:
			b.WriteString(space + cell)
		case i == last:
			b.WriteString(cell)
		default:
			b.WriteString(cell + space)
		}
		if i < last {
			b.WriteString(gap)
		}
	}
	return b.String() + "\n" + sentences.String()
}

// indent is how far sentences below a row are indented.
const indent = "    "

// wrap breaks a text into lines between words, or within words that are wider than a line.
func wrap(text string, width int) (lines []string) {
	used := 0
	for _, word := range strings.Fields(text) {
		wide := uniseg.StringWidth(word)
		if used > 0 && used+1+wide <= width {
			lines[len(lines)-1] += " " + word
			used += 1 + wide
			continue
		}
		for wide > width {
			part := strings.TrimSuffix(Short(word, width), "…")
			if part == "" { // one character is wider than the line
				break
			}
			lines, word = append(lines, part), word[len(part):]
			wide = uniseg.StringWidth(word)
		}
		lines, used = append(lines, word), wide
	}
	return lines
}
