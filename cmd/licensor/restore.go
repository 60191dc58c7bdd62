package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/backup"
	"licensor/internal/database"
)

// restoring holds the arguments of the command restore.
type restoring struct {
	where                 databaseFlags
	tenant, as            string
	check, quiet, jsonOut bool
}

func restoreCommand() *cobra.Command {
	var r restoring
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Restore a backup into an empty database",
		Long: `Restore reads a file that licensor backup wrote into a database without tenants: a SQLite file, which it creates, or a
PostgreSQL database. It reads the whole backup before it writes anything, and reads back what it has written before
a server can use it. If it fails, it removes what it has written. If it is killed, run it again with the same backup.

With --as, the tenant gets another id, for a copy next to the original: neither accepts the tokens of the other.`,
		Example: "  licensor restore licensor.backup --data licensor.db\n" +
			"  licensor restore licensor.backup --check\n" +
			"  licensor restore licensor.backup --tenant 5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11 \\\n" +
			"    --as 0b9c6a52-1f0e-4d7b-8f31-7c2d9e5a4b60 --database postgres://licensor@test/licensor",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
	}
	r.where.register(cmd)
	f := cmd.Flags()
	f.StringVar(&r.tenant, "tenant", "", "id of a tenant of the backup; all by default")
	f.StringVar(&r.as, "as", "", "new id of the tenant")
	f.BoolVar(&r.check, "check", false, "only read the backup and show what it contains")
	f.BoolVar(&r.quiet, "quiet", false, "show no progress")
	f.BoolVar(&r.jsonOut, "json", false, "print the summary as JSON; show no progress")
	return cmd
}

func (r *restoring) run(cmd *cobra.Command, name string) error {
	only, err := oneTenant("--tenant", r.tenant)
	if err != nil {
		return err
	}
	as, err := oneTenant("--as", r.as)
	if err != nil {
		return err
	}
	at, err := r.where.read()
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	shown := newProgress(cmd.ErrOrStderr(), r.quiet || r.jsonOut)
	defer shown.end()
	o := backup.RestoreOptions{
		Tenants: only, Log: logger(cmd.Context()),
		Progress: func(p backup.Progress) { shown.at(p.Doing, p.Part, p.Rows) },
	}
	if as != nil {
		o.As = as[0]
	}
	// Before the database is opened, which creates one that does not exist.
	if o.Checked, err = backup.Check(cmd.Context(), file, o.Progress); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	done := savedFile{
		name, o.Checked.At, o.Checked.Program, o.Checked.Bytes, len(o.Checked.Secrets), savedTenants(o.Checked.Tenants),
	}
	verb := "backed up"
	if !r.check {
		verb = "restored"
		if done.Tenants, err = restoreInto(cmd.Context(), at, file, o); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	shown.end()
	if r.jsonOut {
		return writeJSON(cmd.OutOrStdout(), done)
	}
	return done.print(cmd.OutOrStdout(), verb)
}

// restoreInto restores a backup that was checked.
func restoreInto(
	ctx context.Context, at place, file *os.File, o backup.RestoreOptions,
) (tenants []savedTenant, err error) {
	opening := at.opening(ctx)
	opening.Create = true
	s, err := database.Open(ctx, at.name, opening)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAfter(ctx, s, err)) }()
	restored, err := backup.Restore(ctx, s, file, o)
	if err != nil {
		return nil, err
	}
	for _, claim := range restored.Contested {
		logger(ctx).Warn("two tenants of the backup claim the same name, because they were backed up at different "+
			"moments; the first one keeps it", "name", claim.Name, "tenant", claim.Tenant)
	}
	tenants = savedTenants(restored.Tenants)
	if o.As != uuid.Nil {
		tenants[0].Tenant = o.As
	}
	return tenants, nil
}

// closeAfter closes a database that a command was to fill. If that has failed, a file without
// tenants that it has made is removed.
func closeAfter(ctx context.Context, s database.Store, err error) error {
	if err != nil {
		return database.CloseUnused(ctx, s)
	}
	return s.Close()
}
