package graph

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"licensor/internal/graph/problem"
)

// durations are Edm.Duration without a sign, and weeks: P30D, PT1H30M, PT0.5S. Years and months are
// none: they are not always as long.
var durations = regexp.MustCompile(`^P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

var durationUnits = []float64{7 * 24 * 3600, 24 * 3600, 3600, 60, 1}

// parseDuration reads a duration as Graph writes them (ISO 8601).
func parseDuration(text string) (time.Duration, error) {
	parts := durations.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, fmt.Errorf("'%s' is no duration. Write it as ISO 8601 has it: PT30S, PT1H30M, P30D", problem.Clip(text))
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
		return 0, fmt.Errorf("'%s' is longer than 292 years", problem.Clip(text))
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), nil
}

// appendDuration writes a duration as ISO 8601 has it.
func appendDuration(b []byte, d time.Duration) []byte {
	b = append(b, `"PT`...)
	hours, minutes, rest := d/time.Hour, d%time.Hour/time.Minute, d%time.Minute
	if hours > 0 {
		b = append(strconv.AppendInt(b, int64(hours), 10), 'H')
	}
	if minutes > 0 {
		b = append(strconv.AppendInt(b, int64(minutes), 10), 'M')
	}
	if rest > 0 || hours+minutes == 0 {
		b = append(strconv.AppendFloat(b, rest.Seconds(), 'f', -1, 64), 'S')
	}
	return append(b, '"')
}
