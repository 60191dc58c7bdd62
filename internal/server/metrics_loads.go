package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"licensor/internal/engine"
)

// loadCollector reports which tenants are in memory.
type loadCollector struct{ tenants *engine.Tenants }

var (
	loadedDesc   = prometheus.NewDesc("licensor_tenants_loaded", "Tenants that are in memory.", nil, nil)
	loadedBytes  = prometheus.NewDesc("licensor_tenants_loaded_bytes", "Approximate memory of the loaded tenants.", nil, nil)
	loadsDesc    = prometheus.NewDesc("licensor_tenant_loads_total", "Tenants read from the database.", nil, nil)
	dropsDesc    = prometheus.NewDesc("licensor_tenant_drops_total", "Tenants removed from memory because others needed it.", nil, nil)
	loadTimeDesc = prometheus.NewDesc("licensor_tenant_load_seconds_total", "Total duration of loading tenants.", nil, nil)
)

func (c loadCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{loadedDesc, loadedBytes, loadsDesc, dropsDesc, loadTimeDesc} {
		ch <- d
	}
}

func (c loadCollector) Collect(ch chan<- prometheus.Metric) {
	stats := c.tenants.LoadStats()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, value)
	}
	send(loadedDesc, prometheus.GaugeValue, float64(stats.Loaded))
	send(loadedBytes, prometheus.GaugeValue, float64(stats.Bytes))
	send(loadsDesc, prometheus.CounterValue, float64(stats.Loads))
	send(dropsDesc, prometheus.CounterValue, float64(stats.Drops))
	send(loadTimeDesc, prometheus.CounterValue, stats.LoadingIn.Seconds())
}
