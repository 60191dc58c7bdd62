package catalog

import "fmt"

// Report lists what Read found in a file.
type Report struct {
	Rows     int       `json:"rows"`     // non-empty rows below the header
	Skipped  int       `json:"skipped"`  // rows that were skipped; each has its problem
	Problems []Problem `json:"problems"` // in the order of the file

	noted map[string]bool
}

// Problem is one mistake in the file, and how it was handled.
type Problem struct {
	Line int    `json:"line"` // counted from 1; the first line of a row of several lines
	Text string `json:"text"`
}

func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// note adds a problem that did not cost a row. The same text is noted for its first line only: a
// product of 80 plans repeats its stray space 80 times.
func (r *Report) note(line int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r.noted[text] {
		return
	}
	if r.noted == nil {
		r.noted = map[string]bool{}
	}
	r.noted[text] = true
	r.Problems = append(r.Problems, Problem{line, text})
}

// skip adds the problem because of which a row was skipped.
func (r *Report) skip(line int, format string, args ...any) {
	r.Skipped++
	r.Problems = append(r.Problems, Problem{line, "row skipped: " + fmt.Sprintf(format, args...)})
}
