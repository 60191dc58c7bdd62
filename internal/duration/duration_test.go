package duration

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, again string
		want        time.Duration
	}{
		{"PT1H", "", time.Hour},
		{"PT0S", "", 0},
		{"PT5S", "", 5 * time.Second},
		{"PT0.25S", "", 250 * time.Millisecond},
		{"PT1H30M1.5S", "", 90*time.Minute + 1500*time.Millisecond},
		{"PT90M", "PT1H30M", 90 * time.Minute},
		{"P30D", "PT720H", 30 * 24 * time.Hour},
		{"P2W", "PT336H", 14 * 24 * time.Hour},
		{"P1DT1H", "PT25H", 25 * time.Hour},
	} {
		got, err := Parse(test.text)
		if err != nil || got != test.want {
			t.Errorf("%s is %s, %v; want %s", test.text, got, err, test.want)
		}
		if test.again == "" {
			test.again = test.text
		}
		if again := Text(got); again != test.again {
			t.Errorf("%s is written as %s, want %s", test.text, again, test.again)
		}
	}
	for _, text := range []string{"", "P", "PT", "1h", "PT1", "P1M", "P1Y", "-PT1H", "P1H", "PT1D", "PT1H ", "pt1h", "P99999W99999DT999999H1S1M", "PT1.S"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
