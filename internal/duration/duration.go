// Package duration parses and formats durations in the form of ISO 8601 and Graph: PT30S, PT1H30M,
// P30D.
package duration

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"licensor/internal/excerpt"
)

// durations matches Edm.Duration without a sign, and weeks: P30D, PT1H30M, PT0.5S. Years and months
// are not accepted, because their length varies.
var durations = regexp.MustCompile(`^P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

var durationUnits = []float64{7 * 24 * 3600, 24 * 3600, 3600, 60, 1}

// Parse parses a duration in the form that Graph writes (ISO 8601).
func Parse(text string) (time.Duration, error) {
	parts := durations.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0,
			fmt.Errorf("'%s' is not a duration. Write it as ISO 8601 has it: PT30S, PT1H30M, P30D",
				excerpt.Of(text, 100))
	}
	seconds := 0.0
	for i, part := range parts[1:] {
		if part != "" {
			n, err := strconv.ParseFloat(part, 64)
			if err != nil {
				return 0, err
			}
			seconds += n * durationUnits[i]
		}
	}
	if seconds > math.MaxInt64/float64(time.Second) {
		return 0, fmt.Errorf("'%s' is longer than 292 years", excerpt.Of(text, 100))
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), nil
}

// Text formats a duration.
func Text(d time.Duration) string {
	text := []byte("PT")
	hours, minutes, rest := d/time.Hour, d%time.Hour/time.Minute, d%time.Minute
	if d < 0 { // which Parse refuses
		hours, minutes, rest = 0, 0, d
	}
	if hours > 0 {
		text = append(strconv.AppendInt(text, int64(hours), 10), 'H')
	}
	if minutes > 0 {
		text = append(strconv.AppendInt(text, int64(minutes), 10), 'M')
	}
	if rest != 0 || hours+minutes == 0 {
		text = append(strconv.AppendFloat(text, rest.Seconds(), 'f', -1, 64), 'S')
	}
	return string(text)
}
