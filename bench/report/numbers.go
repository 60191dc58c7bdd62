package report

import (
	"math"
	"strconv"
)

// InTime formats milliseconds.
func InTime(ms float64) string {
	switch {
	case ms >= 10_000:
		return Significant(ms/1000) + " s"
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	}
	return Significant(ms) + " ms"
}

// Significant formats a number with two Significant digits, or without decimals.
func Significant(v float64) string {
	switch {
	case v >= 10:
		return Grouped(v)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 0.1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// Grouped formats a whole number with commas.
func Grouped(v float64) string {
	text := strconv.FormatInt(int64(math.Round(v)), 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
