package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/clock"
	"licensor/internal/graph"
	"licensor/internal/tenant"
)

// development are the options for tests of others' programs. They are on only where somebody says so: whoever can use them can be anybody.
type development struct {
	on, demo                 bool
	clock                    string
	faults                   []string
	latency, groupProcessing time.Duration

	moved *clock.Clock
	graph *graph.Development // nil when they are off
}

// register adds the flags. The demo always has the options, a server by --development only.
func (d *development) register(cmd *cobra.Command, demo bool) {
	f := cmd.Flags()
	if d.on, d.demo = demo, demo; !demo {
		f.BoolVar(&d.on, "development", false, "for tests of programs: serve /licensor/v1/development, by which the clock is moved, requests fail and anybody's token is made")
	}
	f.StringVar(&d.clock, "clock", "", "the time to begin at, such as 2026-01-31T12:00:00Z, for tests")
	f.StringArrayVar(&d.faults, "fault", nil, "requests that are to fail, for tests: 'POST /groups/*/assignLicense=429;retryAfter=2;times=3', "+
		"with ;latency=2s and ;probability=0.1 besides; may be repeated")
	f.DurationVar(&d.latency, "latency", 0, "time that every request takes more, for tests")
	f.DurationVar(&d.groupProcessing, "group-processing", 0, "time after which the members of a group get its licenses, for tests; 0: with the answer")
}

// begin looks at what was asked for, and takes the time over from the real clock.
func (d *development) begin(now *func() time.Time) error {
	if d == nil {
		return nil
	}
	if !d.on {
		if d.clock != "" || len(d.faults) > 0 || d.latency != 0 || d.groupProcessing != 0 {
			return usage(errors.New("--clock, --fault, --latency and --group-processing are for tests of programs: add --development, which makes the server unfit for anything else"))
		}
		return nil
	}
	if d.groupProcessing < 0 {
		return usage(fmt.Errorf("--group-processing is %s; it is 0 or more", d.groupProcessing))
	}
	if _, err := d.rules(); err != nil {
		return usage(err)
	}
	if _, err := d.time(); err != nil {
		return usage(err)
	}
	d.moved = clock.New(*now)
	*now = d.moved.Now
	return nil
}

// open makes the options for the tenants there are, and sets the clock.
func (d *development) open(tenants *tenant.Tenants) error {
	if d == nil || !d.on {
		return nil
	}
	d.graph = graph.NewDevelopment(d.moved, tenants.List)
	at, err := d.time()
	if err != nil {
		return err
	}
	if d.clock == "" { // the clock may have been ahead when the server last ran
		at = d.moved.Now()
		for _, t := range tenants.List() {
			at = later(at, t.Image().At)
		}
	}
	if err := d.graph.SetClock(at); err != nil {
		return fmt.Errorf("--clock: %w", err)
	}
	if d.demo {
		return nil
	}
	return d.start()
}

// warn says of a server what it is.
func (d *development) warn() {
	if d.on {
		slog.Warn("the development options are on: whoever has Directory.ReadWrite.All can be anybody, and move the clock")
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// served is what the API gets.
func (d *development) served() *graph.Development {
	if d == nil {
		return nil
	}
	return d.graph
}

// start puts in force what requests are to meet: in a demo, once it has told its story.
func (d *development) start() error {
	if d == nil || d.graph == nil {
		return nil
	}
	rules, err := d.rules()
	if err != nil {
		return err
	}
	for _, f := range rules {
		if err := d.graph.AddFault(f); err != nil {
			return err
		}
	}
	d.graph.SetGroupProcessing(d.groupProcessing)
	return nil
}

func (d *development) time() (time.Time, error) {
	if d.clock == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, d.clock)
	if err != nil {
		return at, fmt.Errorf("--clock is %q; write a time as 2026-01-31T12:00:00Z", d.clock)
	}
	return at, nil
}

// rules are the faults that the flags ask for.
func (d *development) rules() ([]graph.Fault, error) {
	var list []graph.Fault
	if d.latency != 0 {
		list = append(list, graph.Fault{Path: "/**", Latency: d.latency})
	}
	for _, text := range d.faults {
		f, err := parseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault %q: %w", text, err)
		}
		list = append(list, f)
	}
	for _, f := range list {
		if err := f.Check(); err != nil {
			return nil, fmt.Errorf("a fault of %q cannot be: %w", f.Path, err)
		}
	}
	return list, nil
}

// parseFault reads "METHOD /path=STATUS;name=value…". The method can be left out, and the status when there is a latency.
func parseFault(text string) (f graph.Fault, err error) {
	target, what, ok := strings.Cut(text, "=")
	words := strings.Fields(target)
	if !ok || len(words) == 0 || len(words) > 2 {
		return f, errors.New("write it as 'POST /groups/*/assignLicense=429;retryAfter=2;times=3'")
	}
	if f.Path = words[len(words)-1]; len(words) == 2 {
		f.Method = strings.ToUpper(words[0])
	}
	for part := range strings.SplitSeq(what, ";") {
		name, value, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, value = "status", name
		}
		if err := setFault(&f, name, value); err != nil {
			return f, err
		}
	}
	return f, nil
}

func setFault(f *graph.Fault, name, value string) (err error) {
	switch name {
	case "status":
		f.Status, err = strconv.Atoi(value)
	case "retryAfter":
		f.RetryAfter, err = strconv.Atoi(value)
	case "times":
		f.Times, err = strconv.Atoi(value)
	case "latency":
		f.Latency, err = time.ParseDuration(value)
	case "probability":
		f.Probability, err = strconv.ParseFloat(value, 64)
	default:
		return fmt.Errorf("there is no %q: it has a status, and retryAfter, times, latency and probability", name)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be %q", name, value)
	}
	return nil
}
