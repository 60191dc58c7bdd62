package own

import (
	"mime"
	"strconv"
	"strings"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// CSVType is the type of a table as CSV.
const CSVType = "text/csv"

// WantsTable reports whether the caller wants CSV and not the other form of a response. Of the
// format, if there is one, and the header Accept (RFC 9110), the format decides.
func WantsTable(r *wire.Request, format, other, otherType string) (bool, error) {
	kind, _, _ := strings.Cut(strings.ToLower(format), ";")
	switch kind {
	case "":
		return accepts(r.Header.Values("Accept"), otherType), nil
	case "csv", CSVType:
		return true, nil
	case other, otherType:
		return false, nil
	}
	return false, problem.Refuse("format is '%s': it must be %s or csv.", problem.Clip(format), other)
}

// accepts reports whether a caller accepts CSV, and prefers it to another type. Of two with the
// same weight, it is the first.
func accepts(headers []string, otherType string) bool {
	table, other := 0.0, 0.0
	first := false // CSV is before the other type
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		switch kind {
		case CSVType:
			table, first = weight, other == 0
		case otherType:
			other = weight
		}
	}
	return table > other || table > 0 && table == other && first
}
