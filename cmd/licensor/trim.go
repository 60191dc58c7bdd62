package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/memory"
	"licensor/internal/server"
	"licensor/internal/store"
)

// trimming holds the arguments of the command trim.
type trimming struct {
	where            databaseFlags
	keep, tenant     string
	archive          string
	dry, force, json bool
}

func trimCommand() *cobra.Command {
	var t trimming
	cmd := &cobra.Command{
		Use:   "trim",
		Short: "Remove old commits from the logs of tenants",
		Long: `Trim removes commits that are older than --keep from the log of every tenant, or of one, as licensor serve --keep-log
does every hour. The state of the tenants stays the same, but older delta links are answered 410, and the audit log no
longer has the removed changes; unlike trim, a server keeps those that the audit log still shows. If the last snapshot
of a tenant is older than that, it takes a new one first. With PostgreSQL, servers can be running. You can interrupt
the command at any time.`,
		Example: "  licensor trim --keep 30d --dry-run\n" +
			"  licensor trim --keep 90d --database postgres://licensor@db1,db2/licensor",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	t.where.register(cmd)
	f := cmd.Flags()
	f.StringVar(&t.keep, "keep", "", "how long commits are kept, such as 90d; at least 7d without --force")
	f.StringVar(&t.tenant, "tenant", "", "id of a tenant; all by default")
	f.StringVar(&t.archive, "archive-log", "",
		"folder to archive removed commits in, as a compressed file for each tenant and day; then only the commits of "+
			"whole days (UTC) are removed, and those of today never")
	f.BoolVar(&t.dry, "dry-run", false, "only show what would be removed")
	f.BoolVar(&t.force, "force", false, "allow less than 7 days: delta links that should still be valid are answered 410")
	f.BoolVar(&t.json, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("keep") // the flag exists
	return cmd
}

// parseKeep reads how long something is kept: days, another duration, or forever, which is
// negative. The error says what is wanted.
func parseKeep(flag, text, want string) (time.Duration, error) {
	if text == "forever" {
		return -1, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, usage(fmt.Errorf("%s is %q: it must be %s; 0 is not allowed", flag, text, want))
}

// trimmedTenant is the outcome for a tenant.
type trimmedTenant struct {
	Tenant  uuid.UUID  `json:"tenant"`
	Removed uint64     `json:"removed"`
	First   uint64     `json:"first"` // commit that is kept
	Since   *time.Time `json:"since"` // its time; null if there is none
}

func (t *trimming) run(ctx context.Context, out io.Writer) error {
	keep, err := parseKeep("--keep", t.keep, "a number of days such as 90d, or a time such as 200h")
	if err != nil {
		return err
	}
	switch {
	case keep < 0:
		return usage(errors.New("--keep is forever, which removes nothing"))
	case keep < server.LeastKeepLog && !t.force:
		return usage(fmt.Errorf("--keep is %s: delta links are valid for 7 days, so it is at least 7d, or any time "+
			"with --force, which answers older ones 410", t.keep))
	}
	only, err := oneTenant("--tenant", t.tenant)
	if err != nil {
		return err
	}
	what := engine.Trimming{Keep: keep, Load: true, Dry: t.dry}
	if t.archive != "" {
		if what.Archive, err = archive.Open(t.archive); err != nil {
			return usage(fmt.Errorf("--archive-log: %w", err))
		}
	}
	at, err := t.where.read()
	if err != nil {
		return err
	}
	opening := at.opening(ctx)
	opening.Shared = true
	s, err := at.openWith(ctx, "name it with --data", opening)
	if err != nil {
		return err
	}
	done, err := trimAll(ctx, s, only, what)
	if e := s.Close(); err == nil {
		err = e
	}
	if e := t.print(out, done); err == nil {
		err = e
	}
	return err
}

// trimAll trims the tenants, or all if there are none. It returns what was removed up to the first
// error.
func trimAll(
	ctx context.Context, s store.Store, ids []uuid.UUID, what engine.Trimming,
) (list []trimmedTenant, err error) {
	limit, err := memory.SetLimit()
	if err != nil {
		return nil, err
	}
	tenants, err := engine.Open(ctx, s, engine.Options{Log: logger(ctx), Memory: limit / 2})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tenants.Close(context.WithoutCancel(ctx))) }()
	if ids == nil {
		if ids, err = tenants.IDs(ctx); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		done, err := tenants.Trim(ctx, id, what)
		if err != nil {
			return list, fmt.Errorf("trim tenant %s: %w", id, err)
		}
		one := trimmedTenant{Tenant: id, Removed: done.Commits, First: done.Kept}
		if !done.Since.IsZero() {
			one.Since = &done.Since
		}
		list = append(list, one)
	}
	return list, nil
}

// sayDays says which day the commits that are kept begin with, since only whole days are archived.
func (t *trimming) sayDays(out io.Writer) error {
	keep, err := parseKeep("--keep", t.keep, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Only whole days are archived: the commits of %s (UTC) and later are kept.\n",
		time.Now().Add(-keep).UTC().Format(time.DateOnly))
	return err
}

func (t *trimming) print(out io.Writer, done []trimmedTenant) error {
	if t.json {
		return writeJSON(out, map[string]any{"dryRun": t.dry, "tenants": done})
	}
	verb := "were removed"
	if t.dry {
		verb = "would be removed"
	}
	if t.archive != "" {
		if err := t.sayDays(out); err != nil {
			return err
		}
	}
	for _, one := range done {
		since := "no commits remain"
		if one.Since != nil {
			since = fmt.Sprintf("the first that is kept is %d, of %s", one.First, one.Since.Format(time.RFC3339))
		}
		_, err := fmt.Fprintf(out, "tenant %s: %d commits %s; %s\n", one.Tenant, one.Removed, verb, since)
		if err != nil {
			return err
		}
	}
	return nil
}
