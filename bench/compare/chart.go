package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// panel is one plot with logarithmic axes: the number of users (x) and a measure (y).
type panel struct {
	title, unit string
	series      []series
}

type series struct {
	column
	points []point
}

type point struct{ x, y float64 }

// Sizes in pixels.
const (
	panelWidth, panelHeight   = 320.0, 250.0
	plotLeft, plotTop         = 64.0, 34.0
	plotWidth, plotHeight     = 222.0, 168.0
	legendHeight, panelsInRow = 34.0, 3
)

// style uses colors that are legible on light and on dark backgrounds. The color of text follows
// the reader's preference.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #6e7681 }
.title { font-weight: 600 }
.grid { stroke: #808080; stroke-opacity: 0.3 }
.line { fill: none; stroke-width: 2 }
.before { stroke: #8a8f98; fill: #8a8f98 } .ours { stroke: #d6336c; fill: #d6336c }
.postgres { stroke: #3b82d6; fill: #3b82d6 } .pocket { stroke: #c98a0c; fill: #c98a0c }
.line.before, .line.ours, .line.postgres, .line.pocket { fill: none }
@media (prefers-color-scheme: dark) { text { fill: #c8c8c8 } }
</style>
`

// drawPanels draws panels as SVG, below a legend of the contenders.
func drawPanels(panels []panel) []byte {
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
			fmt.Fprintf(&b, `<text x="%.0f" y="22">%s</text>`+"\n", x+10, html.EscapeString(c.title))
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

func hasColumn(panels []panel, c column) bool {
	for _, p := range panels {
		for _, s := range p.series {
			if s.column == c {
				return true
			}
		}
	}
	return false
}

func (p *panel) draw(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="title" x="12" y="20">%s</text>`+"\n", html.EscapeString(p.title))
	x, y := p.axes()
	for _, at := range x.ticks() {
		left := plotLeft + x.place(at)*plotWidth
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.0f" y2="%.0f"/>`,
			left, left, plotTop, plotTop+plotHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle">%s</text>`+"\n",
			left, plotTop+plotHeight+16, grouped(at))
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle">users</text>`+"\n",
		plotLeft+plotWidth/2, plotTop+plotHeight+32)
	for _, at := range y.ticks() {
		top := plotTop + (1-y.place(at))*plotHeight
		fmt.Fprintf(b, `<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`,
			plotLeft, plotLeft+plotWidth, top, top)
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-6, top+4, p.label(at))
	}
	for _, s := range p.series {
		var line []string
		var marks strings.Builder
		for _, at := range s.points {
			left, top := plotLeft+x.place(at.x)*plotWidth, plotTop+(1-y.place(at.y))*plotHeight
			line = append(line, fmt.Sprintf("%.1f,%.1f", left, top))
			marks.WriteString(mark(s.column, left, top))
		}
		fmt.Fprintf(b, `<polyline class="line %s" points="%s"/>%s`+"\n", s.class, strings.Join(line, " "), marks.String())
	}
}

// label formats a value of the y axis.
func (p *panel) label(v float64) string {
	switch p.unit {
	case "ms":
		if v >= 1000 {
			return grouped(v/1000) + " s"
		}
	case "/s":
		return trimmed(v) + "/s"
	}
	return trimmed(v) + " " + p.unit
}

func trimmed(v float64) string {
	if v >= 1 {
		return grouped(v)
	}
	return fmt.Sprintf("%g", v)
}

// mark draws a point of a contender. Shapes differ for readers who cannot distinguish the colors.
func mark(c column, x, y float64) string {
	switch c.mark {
	case 's':
		return fmt.Sprintf(`<rect class="%s" x="%.1f" y="%.1f" width="7" height="7"/>`, c.class, x-3.5, y-3.5)
	case 't':
		return fmt.Sprintf(`<path class="%s" d="M%.1f %.1fl4.5 8h-9z"/>`, c.class, x, y-5)
	case 'd':
		return fmt.Sprintf(`<path class="%s" d="M%.1f %.1fl5 5l-5 5l-5 -5z"/>`, c.class, x, y-5)
	}
	return fmt.Sprintf(`<circle class="%s" cx="%.1f" cy="%.1f" r="4"/>`, c.class, x, y)
}

// axis is a logarithmic axis.
type axis struct{ least, most float64 }

// axes returns axes that contain all points. The y axis covers whole powers of ten.
func (p *panel) axes() (x, y axis) {
	x, y = axis{math.Inf(1), 0}, axis{math.Inf(1), 0}
	for _, s := range p.series {
		for _, at := range s.points {
			x.least, x.most = min(x.least, at.x), max(x.most, at.x)
			y.least, y.most = min(y.least, at.y), max(y.most, at.y)
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
