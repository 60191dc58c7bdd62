package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"licensor/internal/memory"
)

// memoryCollector reports how much of the memory budget requests use.
type memoryCollector struct{ budget *memory.Budget }

var (
	memoryDesc = prometheus.NewDesc("licensor_memory_reserved_bytes", "Memory reserved by requests in progress.", nil, nil)
	budgetDesc = prometheus.NewDesc("licensor_memory_budget_bytes", "Memory that requests in progress may reserve "+
		"in total. The requests of a tenant may reserve half of it, and those of a caller three quarters of that.",
		nil, nil)
	refusedDesc = prometheus.NewDesc("licensor_memory_refused_total", "Requests refused because memory was used "+
		"up, by whose: the share of the tenant or of the caller, the total, or the limit of the process.",
		[]string{"cause"}, nil)
	headroomDesc = prometheus.NewDesc("licensor_memory_headroom_bytes",
		"Memory left before large requests are refused. Negative while they are.", nil, nil)
)

func (c memoryCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{memoryDesc, budgetDesc, refusedDesc, headroomDesc} {
		ch <- d
	}
}

func (c memoryCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.budget.Stats()
	gauge := func(d *prometheus.Desc, n int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	gauge(memoryDesc, stats.Used)
	gauge(budgetDesc, stats.Size)
	gauge(headroomDesc, stats.Room)
	for cause, n := range stats.Refused {
		ch <- prometheus.MustNewConstMetric(refusedDesc,
			prometheus.CounterValue, float64(n), memory.Cause(cause).String())
	}
}
