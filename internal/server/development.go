package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"licensor/internal/clock"
	"licensor/internal/engine"
	"licensor/internal/graph/devkit"
)

// development has what only a server for tests of programs offers. Anyone who can use it can act as
// anyone.
type development struct {
	moved *clock.Clock
	graph *devkit.Kit
}

// newDevelopment starts its clock at the real time.
func newDevelopment(now *func() time.Time) *development {
	d := &development{moved: clock.New(*now)}
	*now = d.moved.Now
	return d
}

// open prepares it for the existing tenants, and sets the clock.
func (d *development) open(ctx context.Context, s *Server) error {
	if d == nil {
		return nil
	}
	d.graph = devkit.New(d.moved, s.tenants.Loaded)
	d.graph.Forgetting(s.forget)
	last := d.moved.Now()                                     // the clock may have been ahead when the server last ran
	err := s.tenants.Each(ctx, func(t *engine.Tenant) error { // they stay loaded: there is no bound of memory
		last = later(last, t.Image().At)
		return nil
	})
	if err != nil {
		return err
	}
	at := s.settings.Clock
	if at.IsZero() {
		at = last
	}
	if err := d.graph.SetClock(at); err != nil {
		return unusable("Options", "Clock", at.UTC().Format(time.RFC3339), err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// served returns the part that the API needs.
func (d *development) served() *devkit.Kit {
	if d == nil {
		return nil
	}
	return d.graph
}

// Hinder activates the faults and delays of the options for development. From then on the server
// can be reset to its present state.
func (s *Server) Hinder(ctx context.Context) error {
	if err := s.hinder(); err != nil {
		return err
	}
	return s.development.graph.Keep(ctx)
}

func (s *Server) hinder() error {
	for _, f := range s.settings.faults {
		if err := s.development.graph.AddFault(f); err != nil {
			return err
		}
	}
	s.development.graph.SetGroupProcessing(s.settings.GroupProcessing)
	return nil
}

// never is after the time at which any ticket expires.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// forget brings the authority back to how it started when the server is reset.
func (s *Server) forget(ctx context.Context) error {
	s.logins.Forget()
	if _, err := s.store.DropTickets(ctx, never); err != nil {
		return err
	}
	return s.hinder()
}

// parseFault reads "METHOD /path=STATUS;name=value…". The method is optional, and so is the status
// if there is a latency.
func parseFault(text string) (f devkit.Fault, err error) {
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

func setFault(f *devkit.Fault, name, value string) (err error) {
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

// recordEvery is how often the file of permissions is written at most.
const recordEvery = time.Second

// record writes the permissions that requests would have needed until the context ends, and then
// once more.
func (s *Server) record(ctx context.Context, file string) {
	written := -1
	write := func() error {
		document, version := s.development.graph.Permissions()
		if version == written {
			return nil
		}
		if err := ReplaceFile(file, document, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		written = version
		return nil
	}
	const failed = "the permissions could not be recorded; will retry"
	s.again(ctx, recordEvery, failed, write)
	if err := write(); err != nil {
		s.settings.Log.Error(failed, "error", err)
	}
}
