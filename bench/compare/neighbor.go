package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// greedy is how many callers ask the most expensive filters at once, and pause the time between two reads in the other tenant.
const (
	greedy = 16
	pause  = 50 * time.Millisecond
)

// asked counts the expensive requests of this run, so that all are different.
var asked atomic.Int64

// expensive returns a request for which each of a million users has to be looked at in several columns of texts, for the
// total and for the order.
func expensive(l *licensor) []byte {
	n := asked.Add(1)
	filter := fmt.Sprintf("endsWith(mail,'%[1]d.example') or endsWith(userPrincipalName,'%[1]d@%[2]s') or proxyAddresses/any(p:startsWith(p,'smtp:%[1]dx')) or not(endsWith(mail,'%[1]d.test'))",
		n, domain)
	return requestBytes("GET", l.address, "/v1.0/users?$top=100&$count=true&$orderby=displayName&$filter="+url.PathEscape(filter), l.token, "")
}

// neighbors measures reads of one user of a tenant while another tenant has all that it can ask evaluated. A read's time
// begins when it is due, so that a late one delays those behind it.
func (c *comparison) neighbors(ctx context.Context) error {
	if !c.wanted("neighbor") {
		return nil
	}
	for _, l := range c.versions {
		o, err := c.neighbor(ctx, l)
		if err != nil {
			return fmt.Errorf("neighbor, %s: %w", l.name, err)
		}
		c.add("neighbor", l.name, o)
	}
	return nil
}

func (c *comparison) neighbor(ctx context.Context, l *licensor) (*outcome, error) {
	if err := l.renew(ctx); err != nil {
		return nil, err
	}
	token, err := l.tokenFor(ctx, l.other)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	for range greedy {
		wait.Go(func() {
			caller := connection{address: l.address}
			defer caller.close()
			for ctx.Err() == nil {
				// The version before refuses what takes too long; whoever is refused asks again.
				_, _ = caller.ask(ctx, expensive(l))
			}
		})
	}
	reader := connection{address: l.address}
	defer reader.close()
	read := requestBytes("GET", l.address, "/v1.0/users/admin@other.example", token, "")
	o := &outcome{callers: 1, answers: map[int]size{}}
	time.Sleep(time.Second) // until all of them are at it
	for due, until := time.Now(), time.Now().Add(2*c.time); due.Before(until); due = due.Add(pause) {
		time.Sleep(time.Until(due))
		if _, err := reader.ask(ctx, read); err != nil {
			return failed(err)
		}
		o.times = append(o.times, time.Since(due))
	}
	slices.Sort(o.times)
	return o, nil
}
