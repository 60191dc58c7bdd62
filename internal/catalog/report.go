package catalog

import "fmt"

// Report says what Read met in a file.
type Report struct {
	Rows     int       `json:"rows"`     // rows below the header that are not empty
	Skipped  int       `json:"skipped"`  // rows of these of which nothing was taken; each has its problem
	Problems []Problem `json:"problems"` // in the order in which they were met

	noted map[string]bool
}

// Problem is one thing that was not as it should be, and what was done about it.
type Problem struct {
	Line int    `json:"line"` // counted from 1; where a row of several lines begins
	Text string `json:"text"`
}

func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// note adds a problem that did not cost a row. The same text is noted for its first line only: a
// product of 80 plans repeats its stray blank 80 times.
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

// skip adds the problem for which a row was left out.
func (r *Report) skip(line int, format string, args ...any) {
	r.Skipped++
	r.Problems = append(r.Problems, Problem{line, "row left out: " + fmt.Sprintf(format, args...)})
}
