package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"licensor/internal/signins"
)

// signInCollector reports how many sign-ins were recorded.
type signInCollector struct{ recorder *signins.Recorder }

var signInsDesc = prometheus.NewDesc("licensor_sign_ins_total", "Sign-ins since the start: those that were written, "+
	"and those that were dropped because there were more in a second than are kept.", []string{"outcome"}, nil)

func (c signInCollector) Describe(ch chan<- *prometheus.Desc) { ch <- signInsDesc }

func (c signInCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.recorder.Stats()
	for outcome, n := range map[string]int64{"written": stats.Written, "dropped": stats.Dropped} {
		ch <- prometheus.MustNewConstMetric(signInsDesc, prometheus.CounterValue, float64(n), outcome)
	}
}
