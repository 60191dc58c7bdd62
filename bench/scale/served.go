package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"licensor/bench/load"
	"licensor/bench/process"
)

// serving is the real program with a database.
type serving struct {
	*process.Server
	ready time.Duration // from the start of the program
}

// serve starts the program without limits of requests, and waits until it is ready.
func (s *scale) serve(ctx context.Context, h *house, more ...string) (*serving, error) {
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--limit-application", "0", "--limit-tenant", "0", "--log-format", "json"}, h.flags()...)
	command := exec.CommandContext(ctx, s.program, append(args, more...)...)
	said, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	p, err := process.Launch(command)
	if err != nil {
		return nil, err
	}
	var last string
	for lines := bufio.NewScanner(said); p.Address == "" && lines.Scan(); {
		var line struct{ Msg, Address string }
		last = lines.Text()
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			p.Address = strings.TrimPrefix(line.Address, "http://")
		}
	}
	if p.Address == "" {
		return nil, errors.Join(fmt.Errorf("licensor serve did not start: %s", last), p.Stop())
	}
	go io.Copy(io.Discard, said) // ends with the process
	v := &serving{Server: p}
	_, err = v.ask(ctx, load.Request("GET", p.Address, "/readyz", "", ""))
	v.ready = time.Since(start)
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return v, nil
}

// ask sends one request over a connection of its own and returns how long it took.
func (v *serving) ask(ctx context.Context, request []byte) (time.Duration, error) {
	c := load.Connection{Address: v.Address}
	defer c.Close()
	start := time.Now()
	_, err := c.Ask(ctx, request)
	return time.Since(start), err
}

// oneUser returns a request for a user of a tenant, all of which have one with each number.
func (v *serving) oneUser(n int, token string) []byte {
	return load.Request("GET", v.Address, fmt.Sprintf("/v1.0/users/%s", id('u', n)), token, "")
}

// served measures the real program: changes over HTTP, and starts with what they leave to replay.
func (s *scale) served(ctx context.Context, h *house, users int) error {
	tokens, err := h.openTokens(ctx, 3)
	if err != nil {
		return err
	}
	v, err := s.serve(ctx, h)
	if err != nil {
		return err
	}
	err = s.changesOverHTTP(ctx, h, v, users, tokens[0])
	if err = errors.Join(err, v.Kill()); err != nil { // so that no snapshot is taken
		return err
	}
	if h.name == onPostgres {
		time.Sleep(lease) // until the database lets another server take over
	}
	return s.cold(ctx, h, tokens)
}

// plenty returns a number of requests that callers do not come to the end of.
func (s *scale) plenty(callers int) int { return 100 + int(s.time.Seconds()*float64(2000+150*callers)) }

// lease is how long a server on PostgreSQL that was killed keeps others out, and a second more.
const lease = 11 * time.Second

func (s *scale) changesOverHTTP(ctx context.Context, h *house, v *serving, users int, token string) error {
	if _, err := v.ask(ctx, v.oneUser(1, token)); err != nil { // loads the tenant
		return err
	}
	for _, callers := range []int{1, batch} {
		l := load.Load{Callers: callers, Time: s.time}
		for n := range s.plenty(callers) {
			body := fmt.Sprintf(`{"officeLocation":"Desk %d-%d"}`, s.began.UnixNano(), changed.Add(1))
			l.Requests = append(l.Requests, load.Request("PATCH", v.Address,
				fmt.Sprintf("/v1.0/users/%s", id('u', n*7919%users)), token, body))
		}
		o, err := load.Put(ctx, v.Address, l)
		if err != nil {
			return err
		}
		s.add(fmt.Sprintf("http-change-%d", callers), h.name, o)
	}
	return nil
}

// cold measures how soon the program is ready, the first answers of tenants that are not loaded,
// and reads of another tenant before and while the large one is loaded.
func (s *scale) cold(ctx context.Context, h *house, tokens []string) (err error) {
	v, err := s.serve(ctx, h)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Stop()) }()
	s.addValue("ready", h.name, v.ready.Seconds())
	took, err := v.ask(ctx, v.oneUser(1, tokens[1]))
	if err != nil {
		return err
	}
	s.addValue("cold-small", h.name, took.Seconds())
	calm, stop := context.WithTimeout(ctx, s.time)
	before, err := v.watch(calm, tokens[2])
	stop()
	if err != nil {
		return err
	}
	s.add("others-before", h.name, before)
	var meanwhile *load.Outcome
	var failed error
	var wait sync.WaitGroup
	loading, stop := context.WithCancel(ctx)
	wait.Go(func() { meanwhile, failed = v.watch(loading, tokens[2]) })
	took, err = v.ask(ctx, v.oneUser(1, tokens[0]))
	stop()
	wait.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	s.addValue("cold-all", h.name, took.Seconds())
	s.add("others-meanwhile", h.name, meanwhile)
	resident, err := v.Resident()
	s.addValue("resident", h.name, float64(resident)/(1<<20))
	return err
}

// watch reads a user of a tenant every 2 ms until the context ends. The time of a request begins
// when it is due, so that a late one delays those behind it.
func (v *serving) watch(until context.Context, token string) (*load.Outcome, error) {
	c := load.Connection{Address: v.Address}
	defer c.Close()
	o := &load.Outcome{Callers: 1}
	for due := time.Now(); until.Err() == nil || len(o.Times) == 0; due = due.Add(2 * time.Millisecond) {
		time.Sleep(time.Until(due))
		if _, err := c.Ask(context.WithoutCancel(until), v.oneUser(len(o.Times)%smallTenant, token)); err != nil {
			return nil, err
		}
		o.Times = append(o.Times, time.Since(due))
	}
	slices.Sort(o.Times)
	return o, nil
}
