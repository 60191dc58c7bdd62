package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"licensor/bench/load"
)

// mostRequests is the maximum number of requests per question and contender.
const mostRequests = 1000

// conditions measures the questions with conditions, and compares the number of objects that each
// contender returns.
func (c *comparison) conditions(ctx context.Context) error {
	for _, q := range c.people.questions() {
		if !c.wanted(q.name) {
			continue
		}
		outcomes := make([]*load.Outcome, len(c.contenders))
		var reference *load.Outcome
		for n, contender := range c.contenders {
			var err error
			if outcomes[n], err = c.ask(ctx, contender, q); err != nil {
				return fmt.Errorf("%s, %s: %w", q.name, contender.name, err)
			}
			if contender.name == ours {
				reference = outcomes[n]
			}
		}
		for n, contender := range c.contenders {
			if i, differs := differing(reference, outcomes[n]); differs {
				outcomes[n].Note = fmt.Sprintf("request %d finds %v, ours %v",
					i, outcomes[n].Answers[i], reference.Answers[i])
			}
			c.add(q.name, contender.name, outcomes[n])
		}
	}
	return nil
}

func (c *comparison) ask(ctx context.Context, to *contender, q *question) (*load.Outcome, error) {
	if err := to.refresh(ctx); err != nil {
		return nil, err
	}
	l := load.Load{Callers: c.callers, Most: mostRequests, Time: c.time}
	for i := range min(q.values, mostRequests) {
		l.Requests = append(l.Requests, load.Request("GET", to.server.Address, to.path(q, i), to.server.Token, ""))
	}
	if to.keeps { // no result of the row before may be reused
		change, done := c.changing(to)
		defer done()
		if err := change(ctx, 0); err != nil {
			return nil, err
		}
		if q.same {
			l.Before = change
		}
	}
	return load.Put(ctx, to.server.Address, l)
}

// refresh gets a new token if tokens of the contender expire soon.
func (c *contender) refresh(ctx context.Context) error {
	if c.renew == nil {
		return nil
	}
	return c.renew(ctx)
}

// changed counts the changes of this run, so that all are different.
var changed atomic.Int64

// changeRequest returns a request that gives a user a value that no user had before.
func (c *comparison) changeRequest(of *contender) []byte {
	n := changed.Add(1)
	value := fmt.Sprintf("Desk %d-%d", c.began.UnixNano(), n)
	method, path, body := of.change(personID(int(n*7919)%c.users), value)
	return load.Request(method, of.server.Address, path, of.server.Token, body)
}

// changing returns a function that changes a user, so that cached results are no longer valid. Call
// done at the end.
func (c *comparison) changing(of *contender) (change func(context.Context, int) error, done func()) {
	connections := make([]load.Connection, c.callers)
	for i := range connections {
		connections[i].Address = of.server.Address
	}
	change = func(ctx context.Context, caller int) error {
		_, err := connections[caller].Ask(ctx, c.changeRequest(of))
		return err
	}
	return change, func() {
		for i := range connections {
			connections[i].Close()
		}
	}
}

// lists measures pages of all users, and a bare handler that writes the same bytes.
func (c *comparison) lists(ctx context.Context) error {
	if !c.wanted("page-") {
		return nil
	}
	paths := map[string]map[int][]string{}
	for _, contender := range c.contenders {
		if err := contender.refresh(ctx); err != nil {
			return err
		}
		paths[contender.name] = map[int][]string{}
		for _, top := range []int{100, 999} {
			var err error
			if paths[contender.name][top], err = contender.pages(ctx, top); err != nil {
				return fmt.Errorf("pages of %d, %s: %w", top, contender.name, err)
			}
		}
	}
	bare, err := c.bare(ctx, paths[ours])
	if err != nil {
		return err
	}
	for _, row := range []struct {
		name       string
		top, pages int
	}{{"page-100-first", 100, 1}, {"page-100", 100, mostPages}, {"page-999", 999, mostPages}} {
		asked := append(slices.Clone(c.contenders), bare)
		if err := c.inTurns(ctx, row.name, asked, func(of *contender) load.Load {
			list := []string{fmt.Sprintf("/page-%d.json", row.top)}
			if of != bare {
				all := paths[of.name][row.top]
				list = all[:min(len(all), row.pages)]
			}
			l := load.Load{Callers: c.callers, Cycle: true, Time: c.time}
			for _, path := range list {
				l.Requests = append(l.Requests, load.Request("GET", of.server.Address, path, of.server.Token, ""))
			}
			return l
		}); err != nil {
			return err
		}
	}
	return nil
}

// turns is how many times each contender gets its turn in a row of rates.
const turns = 6

// inTurns measures a row in short turns, of which each round begins with another contender: the
// remains of a turn, such as pages that are still being written, and other work of the machine
// affect all contenders equally.
func (c *comparison) inTurns(
	ctx context.Context, row string, contenders []*contender, loadOf func(*contender) load.Load,
) error {
	sums := make([]*load.Outcome, len(contenders))
	for turn := range turns * len(contenders) {
		i := (turn + turn/len(contenders)) % len(contenders)
		of := contenders[i]
		if sums[i] != nil && sums[i].Note != "" {
			continue
		}
		if err := of.refresh(ctx); err != nil {
			return err
		}
		l := loadOf(of)
		l.Time /= turns
		o, err := load.Put(ctx, of.server.Address, l)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", row, of.name, err)
		}
		sums[i] = sums[i].And(o)
	}
	for i, of := range contenders {
		c.add(row, of.name, sums[i])
	}
	return nil
}

// bare starts the bare handler with the first pages of ours.
func (c *comparison) bare(ctx context.Context, paths map[int][]string) (*contender, error) {
	if err := os.MkdirAll(c.folder("bare"), 0o755); err != nil {
		return nil, err
	}
	for _, of := range c.contenders {
		if of.name != ours {
			continue
		}
		asks := load.Connection{Address: of.server.Address}
		defer asks.Close()
		for top, list := range paths {
			body, err := asks.Ask(ctx, load.Request("GET", of.server.Address, list[0], of.server.Token, ""))
			if err != nil {
				return nil, err
			}
			if err := os.WriteFile(filepath.Join(c.folder("bare"), fmt.Sprintf("page-%d.json", top)), body, 0o644); err != nil {
				return nil, err
			}
		}
	}
	s, err := startRole(ctx, "bare", c.options)
	if err != nil {
		return nil, err
	}
	c.servers = append(c.servers, s)
	return &contender{name: bareName, server: s}, nil
}

// changes measures changes of one property of one user, by one caller and by many.
func (c *comparison) changes(ctx context.Context) error {
	for _, callers := range []int{1, 64} {
		row := fmt.Sprintf("change-%d", callers)
		if !c.wanted(row) {
			continue
		}
		if err := c.inTurns(ctx, row, c.contenders, func(of *contender) load.Load {
			l := load.Load{Callers: callers, Time: c.time}
			for range 20_000 {
				l.Requests = append(l.Requests, c.changeRequest(of))
			}
			return l
		}); err != nil {
			return err
		}
	}
	return nil
}

// sizes measures the disk space after loading.
func (c *comparison) sizes(context.Context) error {
	folders := map[string]string{postgreSQL: c.folder("postgres"), pocketBase: c.folder("pocketbase")}
	for _, l := range c.versions {
		folders[l.name] = l.folder
	}
	for _, contender := range c.contenders {
		bytes, err := diskBytes(folders[contender.name])
		if err != nil {
			return err
		}
		c.addValue("disk", contender.name, float64(bytes)/(1<<20))
	}
	return nil
}

// resident measures the resident memory of the versions at the end.
func (c *comparison) resident(context.Context) error {
	for _, l := range c.versions {
		resident, err := l.Resident()
		if err != nil {
			return err
		}
		c.addValue("resident", l.name, float64(resident)/(1<<20))
	}
	return nil
}

// differing returns the index of a request to which two contenders responded differently.
func differing(a, b *load.Outcome) (request int, differs bool) {
	for i, one := range a.Answers {
		other, ok := b.Answers[i]
		if ok && (one.Objects != other.Objects || one.Total >= 0 && other.Total >= 0 && one.Total != other.Total) {
			return i, true
		}
	}
	return 0, false
}

// diskBytes returns the size of all files in a folder.
func diskBytes(folder string) (sum int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
