package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Column describes a contender in tables and plots.
type Column struct {
	Contender string // in the figures
	Title     string // in tables and legends
	Mark      rune   // shape of its points: o circle, s square, t triangle, d diamond
	Color     string // legible on light and on dark backgrounds, such as #3b82d6
}

// Panel is one plot with logarithmic axes: a size (x) and a measure (y).
type Panel struct {
	Title  string
	Of     string // what the x axis counts, such as users
	Unit   string // of the y axis
	Series []Series
}

// Series are the points of one contender in a plot.
type Series struct {
	Column
	Points []Point
}

// Point is one figure in a plot.
type Point struct{ X, Y float64 }

// Sizes in pixels.
const (
	panelWidth, panelHeight   = 320.0, 250.0
	plotLeft, plotTop         = 64.0, 34.0
	plotWidth, plotHeight     = 222.0, 168.0
	legendHeight, panelsInRow = 34.0, 3
)

// style is what all plots have in common. The color of text follows the reader's preference.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #6e7681 }
.title { font-weight: 600 }
.grid { stroke: #808080; stroke-opacity: 0.3 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #c8c8c8 } }
</style>
`

// Draw draws panels as SVG, below a legend of those of the columns that they have.
func Draw(columns []Column, panels []Panel) []byte {
	rows := (len(panels) + panelsInRow - 1) / panelsInRow
	width, height := panelWidth*float64(min(len(panels), panelsInRow)), legendHeight+panelHeight*float64(rows)
	var b strings.Builder
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n%s", width,
		height, width, height, style)
	x := plotLeft
	for _, c := range columns {
		if hasColumn(panels, c) {
			b.WriteString(mark(c, x, 18))
			fmt.Fprintf(&b, `<text x="%.0f" y="22">%s</text>`+"\n", x+10, html.EscapeString(c.Title))
			x += 130
		}
	}
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%.0f %.0f)">`+"\n",
			panelWidth*float64(i%panelsInRow), legendHeight+panelHeight*float64(i/panelsInRow))
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func hasColumn(panels []Panel, c Column) bool {
	for _, p := range panels {
		for _, s := range p.Series {
			if s.Column == c {
				return true
			}
		}
	}
	return false
}

func (p *Panel) draw(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="title" x="12" y="20">%s</text>`+"\n", html.EscapeString(p.Title))
	x, y := p.axes()
	for _, at := range x.ticks() {
		left := plotLeft + x.place(at)*plotWidth
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.0f" y2="%.0f"/>`,
			left, left, plotTop, plotTop+plotHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
			left, plotTop+plotHeight+16, Grouped(at))
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
		plotLeft+plotWidth/2, plotTop+plotHeight+32, html.EscapeString(p.Of))
	for _, at := range y.ticks() {
		top := plotTop + (1-y.place(at))*plotHeight
		fmt.Fprintf(b, `<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`,
			plotLeft, plotLeft+plotWidth, top, top)
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-6, top+4, p.label(at))
	}
	for _, s := range p.Series {
		var line []string
		var marks strings.Builder
		for _, at := range s.Points {
			left, top := plotLeft+x.place(at.X)*plotWidth, plotTop+(1-y.place(at.Y))*plotHeight
			line = append(line, fmt.Sprintf("%.1f,%.1f", left, top))
			marks.WriteString(mark(s.Column, left, top))
		}
		fmt.Fprintf(b, `<polyline class="line" stroke="%s" points="%s"/>%s`+"\n",
			s.Color, strings.Join(line, " "), marks.String())
	}
}

// label formats a value of the y axis.
func (p *Panel) label(v float64) string {
	switch p.Unit {
	case "ms":
		if v >= 1000 {
			return Grouped(v/1000) + " s"
		}
	case "/s":
		return trimmed(v) + "/s"
	}
	return trimmed(v) + " " + p.Unit
}

func trimmed(v float64) string {
	if v >= 1 {
		return Grouped(v)
	}
	return fmt.Sprintf("%g", v)
}

// mark draws a point of a contender. Shapes differ for readers who cannot distinguish the colors.
func mark(c Column, x, y float64) string {
	switch c.Mark {
	case 's':
		return fmt.Sprintf(`<rect fill="%s" x="%.1f" y="%.1f" width="7" height="7"/>`, c.Color, x-3.5, y-3.5)
	case 't':
		return fmt.Sprintf(`<path fill="%s" d="M%.1f %.1fl4.5 8h-9z"/>`, c.Color, x, y-5)
	case 'd':
		return fmt.Sprintf(`<path fill="%s" d="M%.1f %.1fl5 5l-5 5l-5 -5z"/>`, c.Color, x, y-5)
	}
	return fmt.Sprintf(`<circle fill="%s" cx="%.1f" cy="%.1f" r="4"/>`, c.Color, x, y)
}

// axis is a logarithmic axis.
type axis struct{ least, most float64 }

// axes returns axes that contain all points. The y axis covers whole powers of ten.
func (p *Panel) axes() (x, y axis) {
	x, y = axis{math.Inf(1), 0}, axis{math.Inf(1), 0}
	for _, s := range p.Series {
		for _, at := range s.Points {
			x.least, x.most = min(x.least, at.X), max(x.most, at.X)
			y.least, y.most = min(y.least, at.Y), max(y.most, at.Y)
		}
	}
	if x.least == x.most {
		x = axis{x.least / 10, x.most * 10}
	}
	y = axis{math.Pow(10, math.Floor(math.Log10(y.least))), math.Pow(10, math.Ceil(math.Log10(y.most)))}
	if y.least == y.most {
		y.most *= 10
	}
	return x, y
}

// place returns the position of a value on the axis, from 0 to 1.
func (a axis) place(v float64) float64 {
	return math.Log10(v/a.least) / math.Log10(a.most/a.least)
}

// ticks returns the powers of ten on the axis.
func (a axis) ticks() (all []float64) {
	for power := math.Ceil(math.Log10(a.least) - 1e-9); power <= math.Log10(a.most)+1e-9; power++ {
		all = append(all, math.Pow(10, power))
	}
	return all
}
