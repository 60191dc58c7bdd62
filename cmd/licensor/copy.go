package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/copying"
	"licensor/internal/database"
	"licensor/internal/server"
	"licensor/internal/store"
)

// targetVariable is the environment variable that names the target of a copy.
const targetVariable = "LICENSOR_TARGET"

// copyingFlags hold the arguments of the command copy.
type copyingFlags struct {
	from, to, tenant          string
	finish, unfreeze, discard bool
	force, quiet, jsonOut     bool
	wait                      time.Duration
	allowLoss                 bool
}

func copyCommand() *cobra.Command {
	var c copyingFlags
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy tenants from one database to another, such as from SQLite to PostgreSQL",
		Long: `Copy copies tenants to another database. With PostgreSQL, servers can use the source meanwhile; a SQLite file can be
opened by one process only. Run it as often as you like: each time it copies what has changed since the last time,
also after it was interrupted or killed. Servers of the target cannot see the tenants yet.

With --finish, each tenant is frozen while the last changes are copied: for these seconds changes are answered 503.
Then chains, rows and counts are compared, and the target's servers can see the tenant. It stays frozen in the source,
so start servers with the target now. If the command fails before that, the source accepts changes again. If it is
killed, run it again, or unfreeze the tenants with --unfreeze. Sign-in sessions are not copied.`,
		Example: "  licensor copy --from sqlite:licensor.db --to postgres://licensor@db1,db2/licensor\n" +
			"  licensor copy --from sqlite:licensor.db --to postgres://licensor@db1,db2/licensor --finish\n" +
			"  licensor copy --from postgres://licensor@db1,db2/licensor --unfreeze",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&c.from, "from", "", "database to copy from: "+database.Forms+"; or set "+databaseVariable)
	f.StringVar(&c.to, "to", "", "database to copy to; or set "+targetVariable)
	f.StringVar(&c.tenant, "tenant", "", "id of a tenant; all by default")
	f.BoolVar(&c.finish, "finish", false,
		"freeze the source, copy the last changes, and move the tenants to the target")
	f.BoolVar(&c.unfreeze, "unfreeze", false, "only let the source accept changes again, after a copy that was killed")
	f.BoolVar(&c.discard, "discard", false, "only remove what an unfinished copy or restore left in the target")
	f.BoolVar(&c.force, "force", false,
		"with --unfreeze: also tenants that were moved, which then accept changes in two places")
	f.DurationVar(&c.wait, "database-wait", server.UsualDatabaseWait,
		"how long to wait for a PostgreSQL database that does not answer")
	f.BoolVar(&c.allowLoss, "allow-data-loss", false,
		"use databases that lack acknowledged changes, or would after a failover")
	f.BoolVar(&c.quiet, "quiet", false, "show no progress")
	f.BoolVar(&c.jsonOut, "json", false, "print the summary as JSON; show no progress")
	cmd.MarkFlagsMutuallyExclusive("finish", "unfreeze", "discard")
	return cmd
}

func (c *copyingFlags) run(cmd *cobra.Command) error {
	only, err := oneTenant("--tenant", c.tenant)
	if err != nil {
		return err
	}
	switch {
	case c.force && !c.unfreeze:
		return usage(errors.New("--force requires --unfreeze"))
	case c.unfreeze:
		return c.thaw(cmd, only)
	case c.discard:
		return c.remove(cmd, only)
	}
	from, err := c.name("--from", c.from, databaseVariable)
	if err != nil {
		return err
	}
	to, err := c.name("--to", c.to, targetVariable)
	if err != nil {
		return err
	}
	if from.String() == to.String() {
		return usage(fmt.Errorf("--from and --to are both %s", from))
	}
	shown := newProgress(cmd.ErrOrStderr(), c.quiet || c.jsonOut)
	defer shown.end()
	done, err := c.between(cmd.Context(), from, to, copying.Options{
		To: to.String(), Tenants: only, Finish: c.finish, Log: logger(cmd.Context()),
		Progress: func(p copying.Progress) { shown.at(p.Doing, p.Part, p.Rows) },
	})
	shown.end()
	if printed := c.print(cmd.OutOrStdout(), done); err == nil {
		err = printed
	}
	return err
}

// name reads the name of a database.
func (c *copyingFlags) name(flag, text, variable string) (database.Name, error) {
	where := flag
	if text == "" {
		text, where = os.Getenv(variable), variable
	}
	if text == "" {
		return database.Name{}, usage(fmt.Errorf("%s is not given: name a database, %s", flag, database.Forms))
	}
	name, err := database.Parse(text)
	if err != nil {
		return name, usage(fmt.Errorf("%s %w", where, err))
	}
	return name, nil
}

// open opens a database that servers may use meanwhile.
func (c *copyingFlags) open(ctx context.Context, name database.Name, create bool) (database.Store, error) {
	o := database.Options{AllowDataLoss: c.allowLoss, Wait: c.wait, Log: logger(ctx), Shared: true, Create: create}
	if !create {
		if err := database.MustExist(ctx, name, "name the file of a database", o); err != nil {
			return nil, err
		}
	}
	return database.Open(ctx, name, o)
}

func (c *copyingFlags) between(
	ctx context.Context, from, to database.Name, o copying.Options,
) (done []copying.Tenant, err error) {
	source, err := c.open(ctx, from, false)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := c.open(ctx, to, true)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, closeAfter(ctx, target, err)) }()
	return copying.Copy(ctx, source, target, o)
}

func (c *copyingFlags) thaw(cmd *cobra.Command, only []uuid.UUID) error {
	return c.in(cmd.Context(), "--from", c.from, databaseVariable, func(s store.Store) error {
		thawed, err := copying.Unfreeze(cmd.Context(), s, only, c.force)
		if err != nil && !c.force {
			err = fmt.Errorf("%w; to unfreeze it anyway, add --force", err)
		}
		return errors.Join(c.list(cmd.OutOrStdout(), "accepts changes again", thawed), err)
	})
}

func (c *copyingFlags) remove(cmd *cobra.Command, only []uuid.UUID) error {
	return c.in(cmd.Context(), "--to", c.to, targetVariable, func(s store.Store) error {
		removed, err := copying.DiscardAll(cmd.Context(), s, only)
		return errors.Join(c.list(cmd.OutOrStdout(), "was removed", removed), err)
	})
}

// in does something in one of the databases.
func (c *copyingFlags) in(
	ctx context.Context, flag, text, variable string, do func(s store.Store) error,
) error {
	name, err := c.name(flag, text, variable)
	if err != nil {
		return err
	}
	s, err := c.open(ctx, name, false)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return errors.Join(do(s), s.Close())
}

func (c *copyingFlags) list(out io.Writer, verb string, tenants []uuid.UUID) error {
	if c.jsonOut {
		return writeJSON(out, map[string]any{"tenants": append([]uuid.UUID{}, tenants...)})
	}
	for _, id := range tenants {
		if _, err := fmt.Fprintf(out, "tenant %s %s\n", id, verb); err != nil {
			return err
		}
	}
	return nil
}

// copiedTenant is a tenant in the output.
type copiedTenant struct {
	Tenant   uuid.UUID `json:"tenant"`
	Commit   uint64    `json:"commit"` // up to which the target has it
	Chain    string    `json:"chain"`
	Commits  int64     `json:"commits"` // that were copied now
	Rows     int64     `json:"rows"`    // that were copied or removed now
	Finished bool      `json:"finished"`
	Frozen   float64   `json:"frozenSeconds"`
}

func (c *copyingFlags) print(out io.Writer, done []copying.Tenant) error {
	list := []copiedTenant{}
	for _, t := range done {
		list = append(list, copiedTenant{
			t.ID, t.Seq, fmt.Sprintf("%x", t.Chain), t.Commits, t.Rows, t.Finished, t.Frozen.Seconds(),
		})
	}
	if c.jsonOut {
		return writeJSON(out, map[string]any{"tenants": list})
	}
	for i, t := range list {
		state := "the source is still in use: finish with --finish"
		if t.Finished {
			state = "finished; the source is frozen, so start the servers with the target"
			if t.Frozen > 0 {
				state += fmt.Sprintf(" (changes were refused for %.1f s)", t.Frozen)
			}
		}
		line := fmt.Sprintf("tenant %s: %d commits and %d rows were copied, up to commit %d; %s",
			t.Tenant, t.Commits, t.Rows, t.Commit, state)
		if i == manyTenants {
			line = fmt.Sprintf("and %d more tenants", len(list)-manyTenants)
		}
		if _, err := fmt.Fprintln(out, line); err != nil || i == manyTenants {
			return err
		}
	}
	return nil
}
