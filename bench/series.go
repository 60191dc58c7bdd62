package main

import (
	"slices"
	"time"
)

// series is the measurements of one operation, by round.
type series []time.Duration

func (s *series) add(d time.Duration) { *s = append(*s, d) }

func (s series) median() time.Duration {
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted[len(sorted)/2].Round(10 * time.Microsecond)
}

// ratio returns the median of the rounds' ratios: how many times longer this one took than the
// other in the same round.
func (s series) ratio(other series) float64 {
	ratios := make([]float64, len(s))
	for i := range s {
		ratios[i] = float64(s[i]) / float64(other[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}
