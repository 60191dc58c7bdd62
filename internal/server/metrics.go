package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"licensor/internal/engine"
	"licensor/internal/gate"
	"licensor/internal/memory"
	"licensor/internal/signins"
)

// metrics are the metrics at /metrics: requests, the program, and each tenant.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(tenants *engine.Tenants, recorder *signins.Recorder, budget *memory.Budget) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "licensor_http_requests_total", Help: "Requests answered, by method and status code.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "licensor_http_request_duration_seconds", Help: "Duration of requests, by method.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method"}),
	}
	m.registry.MustRegister(m.requests, m.duration,
		tenantCollector{tenants}, loadCollector{tenants}, signInCollector{recorder}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if budget != nil {
		m.registry.MustRegister(memoryCollector{budget})
	}
	return m
}

func (m *metrics) count(h http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.requests, promhttp.InstrumentHandlerDuration(m.duration, h))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// watch adds the connections of a gate.
func (m *metrics) watch(g *gate.Gate) { m.registry.MustRegister(gateCollector{g}) }

// gateCollector reads the connections on demand.
type gateCollector struct{ gate *gate.Gate }

var (
	connectionsDesc = prometheus.NewDesc("licensor_connections", "Open connections, by state. Those that wait are "+
		"not served yet.", []string{"state"}, nil)
	closedDesc = prometheus.NewDesc("licensor_connections_closed_total",
		"Connections closed because of the limit on connections, by state.", []string{"state"}, nil)
)

func (c gateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- connectionsDesc
	ch <- closedDesc
}

func (c gateCollector) Collect(ch chan<- prometheus.Metric) {
	open, ended := c.gate.Count()
	for state, n := range map[string]int{"idle": open.Idle, "active": open.Active, "waiting": open.Waiting} {
		ch <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, float64(n), state)
	}
	for state, n := range map[string]int64{"idle": ended.GaveWay, "active": ended.Cut, "waiting": ended.Refused} {
		ch <- prometheus.MustNewConstMetric(closedDesc, prometheus.CounterValue, float64(n), state)
	}
}

// tenantCollector reads the tenants on demand.
type tenantCollector struct{ tenants *engine.Tenants }

func tenantDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("licensor_"+name, help, append([]string{"tenant"}, labels...), nil)
}

var (
	usersDesc     = tenantDesc("users", "Users that are not deleted.")
	inErrorDesc   = tenantDesc("users_in_error", "Users with at least one license in error.")
	sequenceDesc  = tenantDesc("commit_sequence", "Number of the last commit.")
	commandsDesc  = tenantDesc("commands_total", "Commands since the start, by outcome.", "outcome")
	batchesDesc   = tenantDesc("batches_total", "Transactions since the start. Each has one or more commits.")
	seatsDesc     = tenantDesc("sku_units", "Seats of a SKU, by state.", "skuPartNumber", "state")
	consumersDesc = tenantDesc("sku_consumed_units", "Users that have a license for a SKU.", "skuPartNumber")
)

func (c tenantCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		usersDesc, inErrorDesc, sequenceDesc, commandsDesc, batchesDesc, seatsDesc, consumersDesc,
	} {
		ch <- d
	}
}

func (c tenantCollector) Collect(ch chan<- prometheus.Metric) {
	for _, t := range c.tenants.Loaded() {
		collect(ch, t)
	}
}

func collect(ch chan<- prometheus.Metric, t *engine.Tenant) {
	id, img, stats := t.ID().String(), t.Image(), t.Stats()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{id}, labels...)...)
	}
	counter := func(d *prometheus.Desc, value int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue,
			float64(value), append([]string{id}, labels...)...)
	}
	gauge(usersDesc, float64(img.Licensing.Everybody().GetCardinality()))
	gauge(inErrorDesc, float64(img.Licensing.InError().GetCardinality()))
	gauge(sequenceDesc, float64(img.Seq))
	counter(commandsDesc, stats.Commits, "committed")
	counter(commandsDesc, stats.Unchanged, "unchanged")
	counter(commandsDesc, stats.Rejected, "rejected")
	counter(batchesDesc, stats.Batches)
	for _, s := range img.Licensing.SKUs() {
		name := s.SKUID.String()
		if s.Product != nil {
			name = s.Product.SKUPartNumber
		}
		gauge(seatsDesc, float64(s.Units.Enabled), name, "enabled")
		gauge(seatsDesc, float64(s.Units.Warning), name, "warning")
		gauge(seatsDesc, float64(s.Units.Suspended), name, "suspended")
		gauge(seatsDesc, float64(s.Units.LockedOut), name, "lockedOut")
		gauge(consumersDesc, float64(s.Consumed), name)
	}
}
