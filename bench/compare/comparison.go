package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"licensor/bench/load"
	"licensor/bench/process"
	"licensor/bench/report"
)

// Names of the contenders in the figures.
const (
	before     = "before"
	ours       = "ours"
	postgreSQL = "PostgreSQL"
	pocketBase = "PocketBase"
	bareName   = "bare"
)

// comparison is one run with one number of users.
type comparison struct {
	options
	people     *population
	began      time.Time
	versions   []*licensor
	database   *postgres
	contenders []*contender
	servers    []*process.Server
	figures    []report.Figure
}

// contender is a server that answers questions.
type contender struct {
	name   string
	server *process.Server
	path   func(*question, int) string
	// pages returns the paths of the pages of the list of all users.
	pages func(ctx context.Context, top int) ([]string, error)
	// change returns a request that changes one property of one user.
	change func(id, value string) (method, path, body string)
	// renew gets a new token; it may be nil.
	renew func(context.Context) error
	keeps bool // it may cache results until the next change
}

func (c *comparison) log(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6s  "+format+"\n", append([]any{time.Since(c.began).Round(time.Second)}, args...)...)
}

// wanted reports whether a row is selected by -only.
func (c *comparison) wanted(row string) bool {
	return slices.ContainsFunc(strings.Split(c.only, ","), func(part string) bool { return strings.Contains(row, part) })
}

func (c *comparison) add(row, contender string, o *load.Outcome) {
	f := report.Figure{
		Time: c.began.UTC().Format(time.RFC3339), Size: c.users, Row: row, Contender: contender, Note: o.Note,
	}
	if f.Requests = len(o.Times); f.Requests > 0 {
		f.P50, f.P99, f.Rate = milliseconds(o.Percentile(50)), milliseconds(o.Percentile(99)), o.Rate()
	}
	c.figures = append(c.figures, f)
	c.log("%-28s %-10s %6d requests, p50 %10.3f ms, p99 %10.3f ms, %8.0f/s %s", row,
		contender, f.Requests, f.P50, f.P99, f.Rate, f.Note)
}

func (c *comparison) addValue(row, contender string, value float64) {
	c.figures = append(c.figures, report.Figure{
		Time: c.began.UTC().Format(time.RFC3339), Size: c.users, Row: row, Contender: contender, Value: value,
	})
	c.log("%-28s %-10s %.3f", row, contender, value)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// prepare loads the population into all contenders, unless an earlier run did.
func (c *comparison) prepare(ctx context.Context) error {
	files := c.folder("files")
	if err := writeFiles(files, c.people); err != nil {
		return err
	}
	for _, v := range []struct{ name, program string }{{before, c.before}, {ours, c.ours}} {
		program, err := filepath.Abs(v.program)
		if err != nil {
			return err
		}
		of, err := version(program)
		if err != nil {
			return err
		}
		l := &licensor{name: v.name, program: program, folder: c.folder(v.name + "-" + of)}
		c.versions = append(c.versions, l)
		c.log("load %s", v.name)
		took, err := l.load(ctx, c.people, files)
		if err != nil {
			return fmt.Errorf("load %s: %w", v.name, err)
		}
		c.addValue("import-users", v.name, took["users.json"].Seconds())
		c.addValue("import-members", v.name, took["members.csv"].Seconds())
	}
	return c.prepareOthers(ctx)
}

func (c *comparison) prepareOthers(ctx context.Context) error {
	c.log("load %s", postgreSQL)
	c.database = &postgres{folder: c.folder("postgres")}
	took, err := c.database.load(ctx, c.people)
	if err != nil {
		return fmt.Errorf("load %s: %w", postgreSQL, err)
	}
	c.addValue("load", postgreSQL, took["all"].Seconds())
	c.log("load %s", pocketBase)
	if took, err = loadPocketBase(ctx, c.folder("pocketbase"), c.options); err != nil {
		return fmt.Errorf("load %s: %w", pocketBase, err)
	}
	c.addValue("load", pocketBase, took["all"].Seconds())
	return nil
}

// starts measures the start time and the memory per user of each version.
func (c *comparison) starts(ctx context.Context) error {
	for _, l := range c.versions {
		if c.wanted("start") {
			took, err := l.startTime(ctx, 3)
			if err != nil {
				return err
			}
			c.addValue("start", l.name, took.Seconds())
		}
		if !c.wanted("memory") {
			continue
		}
		empty := &licensor{name: l.name, program: l.program, folder: l.folder + "-empty"}
		_, err := once(empty.folder, func() (map[string]time.Duration, error) {
			return nil, empty.found(ctx, "login.json", domain)
		})
		if err != nil {
			return err
		}
		if err := empty.readLogins(); err != nil {
			return err
		}
		none, err := empty.liveBytes(ctx)
		if err != nil {
			return err
		}
		all, err := l.liveBytes(ctx)
		if err != nil {
			return err
		}
		c.addValue("memory", l.name, float64(all-none)/float64(c.users))
	}
	return nil
}

// serve starts all contenders. They run side by side, but only one at a time gets requests.
func (c *comparison) serve(ctx context.Context) error {
	for _, l := range c.versions {
		if err := l.start(ctx); err != nil {
			return err
		}
		c.servers = append(c.servers, l.Server)
		c.contenders = append(c.contenders, l.contender())
	}
	if err := c.database.start(ctx); err != nil {
		return err
	}
	c.servers = append(c.servers, c.database.Server)
	for _, role := range []struct {
		role string
		join func(*process.Server) *contender
	}{{"postgres", c.overPostgres}, {"pocketbase", c.overPocketBase}} {
		s, err := startRole(ctx, role.role, c.options)
		if err != nil {
			return err
		}
		c.servers = append(c.servers, s)
		c.contenders = append(c.contenders, role.join(s))
	}
	return nil
}

// stop ends all servers, in the reverse order of their start.
func (c *comparison) stop() (err error) {
	for i := len(c.servers) - 1; i >= 0; i-- {
		err = errors.Join(err, c.servers[i].Stop())
	}
	c.servers = nil
	return err
}

func (l *licensor) contender() *contender {
	return &contender{
		name: l.name, server: l.Server, path: (*question).graphPath, renew: l.renew, keeps: true,
		pages: func(ctx context.Context, top int) ([]string, error) {
			if top == 100 {
				return l.pages(ctx, "/v1.0/users?$top=100", mostPages)
			}
			return l.pages(ctx, "/v1.0/users?$top=999&$select=id,displayName,userPrincipalName,assignedLicenses", mostPages)
		},
		change: func(id, value string) (string, string, string) {
			return "PATCH", "/v1.0/users/" + id, fmt.Sprintf(`{"officeLocation":%q}`, value)
		},
	}
}

// mostPages is the number of different pages that are requested.
const mostPages = 100

// wholePages returns the number of full pages, at most mostPages.
func (c *comparison) wholePages(top int) int { return max(1, min(mostPages, c.users/top)) }

func (c *comparison) overPostgres(s *process.Server) *contender {
	return &contender{
		name: postgreSQL, server: s, path: (*question).postgresPath,
		pages: func(_ context.Context, top int) (paths []string, _ error) {
			for n := range c.wholePages(top) {
				paths = append(paths, fmt.Sprintf("/page-%d?after=%d", top, n*top-1))
			}
			return paths, nil
		},
		change: func(id, value string) (string, string, string) {
			return "PATCH", "/users/" + id, fmt.Sprintf(`{"officeLocation":%q}`, value)
		},
	}
}

func (c *comparison) overPocketBase(s *process.Server) *contender {
	return &contender{
		name: pocketBase, server: s, path: (*question).pocketPath,
		pages: func(_ context.Context, top int) (paths []string, _ error) {
			fields := strings.Join(defaultFields, ",")
			if top != 100 {
				fields = "id,displayName,userPrincipalName,licenses"
			}
			for n := range c.wholePages(top) {
				paths = append(paths, fmt.Sprintf("%s?page=%d&perPage=%d&sort=@rowid&skipTotal=1&fields=%s", pocketRecords, n+1, top, fields))
			}
			return paths, nil
		},
		change: func(id, value string) (string, string, string) {
			return "PATCH", pocketRecords + "/" + id, fmt.Sprintf(`{"officeLocation":%q}`, value)
		},
	}
}
