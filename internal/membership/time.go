package membership

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// shift is what is added to system.now, or subtracted from it (D38).
type shift struct {
	years, months, days, seconds int // all of them negative after -minus
}

var durations = regexp.MustCompile(
	`^(?i)P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$`)

// parseShift parses a duration of ISO 8601 in whole numbers and in any letter case: P1Y2M, PT12H.
func parseShift(text string) (shift, bool) {
	found := durations.FindStringSubmatch(text)
	if last := text[max(0, len(text)-1):]; found == nil || strings.EqualFold(last, "P") || strings.EqualFold(last, "T") {
		return shift{}, false
	}
	var n [8]int
	for i, part := range found[1:] {
		n[i], _ = strconv.Atoi(part) // an absent part is 0
	}
	return shift{n[0], n[1], 7*n[2] + n[3], 3600*n[4] + 60*n[5] + n[6]}, true
}

func (s shift) negated() shift { return shift{-s.years, -s.months, -s.days, -s.seconds} }

// from returns a time that is shifted. Years and months are those of the calendar; a day that the
// month does not have is its last.
func (s shift) from(t time.Time) time.Time {
	t = t.UTC()
	first := time.Date(t.Year()+s.years, t.Month()+time.Month(s.months), 1, 0, 0, 0, 0, time.UTC)
	days := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	day := min(t.Day(), days)
	return time.Date(first.Year(), first.Month(), day+s.days, t.Hour(), t.Minute(), t.Second()+s.seconds, 0, time.UTC)
}

// parseTime parses a DateTimeOffset; the seconds may be missing.
func parseTime(text string) (time.Time, bool) {
	text = strings.ToUpper(text)
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC().Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}
