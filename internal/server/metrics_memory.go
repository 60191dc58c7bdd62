package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"licensor/internal/memory"
)

// memoryCollector reports how much of the memory budget requests use.
type memoryCollector struct{ budget *memory.Budget }

var (
	memoryDesc   = prometheus.NewDesc("licensor_memory_reserved_bytes", "Memory that requests under way have reserved.", nil, nil)
	budgetDesc   = prometheus.NewDesc("licensor_memory_budget_bytes", "Memory that requests under way may reserve together; a tenant half of it, and a caller three quarters of that.", nil, nil)
	refusedDesc  = prometheus.NewDesc("licensor_memory_refused_total", "Requests refused for want of memory, by whose share was used up: the tenant's, the caller's, that of all, or the process's limit.", []string{"cause"}, nil)
	headroomDesc = prometheus.NewDesc("licensor_memory_headroom_bytes", "Memory until nothing large is begun any more; negative when it is so.", nil, nil)
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
