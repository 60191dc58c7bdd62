package query

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// Order is the order of a column of texts or times. Rows without a value come first, and rows with
// equal values are in the order of their ordinals; descending, all of this is reversed.
type Order struct {
	Column     int
	Descending bool
	// Moved has the keys of rows whose values have changed since the list began.
	Moved map[uint32]string
}

// Place is the position of a row in an order. Key is "=" and its folded text or its time, or empty
// for a row without a value.
type Place struct {
	Key string
	Row uint32
}

// position is a comparable form of a Place: a time is a number, so that it need not be formatted
// for comparison.
type position struct {
	text string
	time int64
	row  uint32
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.time, q.time), strings.Compare(p.text, q.text), cmp.Compare(p.row, q.row))
}

// ordering reads positions of rows.
type ordering struct {
	Order
	table *column.Table
	times bool
}

func (o *Order) of(t *column.Table) *ordering {
	return &ordering{*o, t, t.Schema().Columns[o.Column].Kind == column.KindTime}
}

func (o *ordering) at(row uint32) position {
	if len(o.Moved) > 0 {
		if key, ok := o.Moved[row]; ok {
			return o.position(Place{key, row})
		}
	}
	if o.times {
		return position{time: o.table.Time(row, o.Column), row: row}
	}
	return position{text: o.table.Folded(row, o.Column), row: row}
}

func (o *ordering) position(p Place) position {
	text := strings.TrimPrefix(p.Key, "=")
	if o.times {
		at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		if err != nil {
			return position{row: p.Row}
		}
		return position{time: column.TimeOf(at), row: p.Row}
	}
	return position{text: text, row: p.Row}
}

func (o *ordering) place(p position) Place {
	switch {
	case p.time != 0:
		return Place{"=" + fold.Text(column.AsTime(p.time).Format(time.RFC3339)), p.row}
	case p.text != "":
		return Place{"=" + p.text, p.row}
	}
	return Place{Row: p.row}
}

// First returns the first n of some rows in an order, in one pass over the columns: those after a
// place, or with nil from the beginning, and only rows below a number.
func (o *Order) First(t *column.Table, rows *Rows, after *Place, below uint32, n int) []Place {
	by := o.of(t)
	h := &nearest{descending: o.Descending, list: make([]position, 0, n+1)}
	var from position
	if after != nil {
		from = by.position(*after)
	}
	for row := range rows.all {
		if row >= below {
			break
		}
		p := by.at(row)
		if after != nil && !h.before(from, p) || len(h.list) == n && !h.before(p, h.list[0]) {
			continue
		}
		if heap.Push(h, p); len(h.list) > n {
			heap.Pop(h)
		}
	}
	slices.SortFunc(h.list, func(a, b position) int {
		if h.before(a, b) {
			return -1
		}
		return 1
	})
	places := make([]Place, len(h.list))
	for i, p := range h.list {
		places[i] = by.place(p)
	}
	return places
}

// nearest is a heap of the rows that come first so far, with the last of them on top.
type nearest struct {
	descending bool
	list       []position
}

// before reports whether a comes before b. No two rows are at the same position.
func (h *nearest) before(a, b position) bool {
	if h.descending {
		return a.compare(b) > 0
	}
	return a.compare(b) < 0
}

func (h *nearest) Len() int           { return len(h.list) }
func (h *nearest) Less(i, j int) bool { return h.before(h.list[j], h.list[i]) }
func (h *nearest) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *nearest) Push(p any)         { h.list = append(h.list, p.(position)) }

func (h *nearest) Pop() any {
	last := len(h.list) - 1
	p := h.list[last]
	h.list = h.list[:last]
	return p
}
