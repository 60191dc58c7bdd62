package clock

import (
	"testing"
	"time"
)

func TestAClockGoesOnFromWhereItIsSet(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	c := New(func() time.Time { return base })
	if got := c.Now(); !got.Equal(base) {
		t.Errorf("shows %s before it is set, want %s", got, base)
	}
	for _, set := range []time.Time{base.AddDate(0, 1, 0), base.AddDate(-1, 0, 0)} {
		c.Set(set)
		if got := c.Now(); !got.Equal(set) {
			t.Errorf("shows %s, want %s", got, set)
		}
		base = base.Add(time.Minute)
		if got, want := c.Now(), set.Add(time.Minute); !got.Equal(want) {
			t.Errorf("shows %s a minute later, want %s", got, want)
		}
	}
}
