package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/engine"
	"licensor/internal/tenant"
)

// migrating holds the arguments of the commands of migrate.
type migrating struct {
	where databaseFlags
	json  bool
}

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring a database to the schema and format of this version",
		Long: `Migrate upgrades a PostgreSQL database without downtime. First, migrate up adds what the new version needs, so that
both versions can use the database. Then replace the servers. Then migrate finalize lets them write what only the new
version can read. A SQLite file is upgraded when the new version opens it.

Migrate status fails, after it has shown the state, if a newer version has written the database, which this one cannot
use.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		migrateStep("status", "Show the schema and format of a database, and those that this version knows",
			(*migrating).status),
		migrateStep("up", "Bring a database to the schema of this version", (*migrating).up),
		migrateStep("finalize", "Write the format of this version from now on, when all servers read it",
			(*migrating).finalize),
	)
	return cmd
}

func migrateStep(
	name, short string, do func(m *migrating, ctx context.Context, at place, out io.Writer) error,
) *cobra.Command {
	var m migrating
	cmd := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		Example: "  licensor migrate " + name + " --database postgres://licensor@db1,db2/licensor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := m.where.read()
			if err != nil {
				return err
			}
			if path, isFile := at.name.IsFile(); isFile { // it would be made
				if err := database.MustExist(cmd.Context(), database.File(path), "name it with --data",
					at.opening(cmd.Context())); err != nil {
					return err
				}
			}
			return do(&m, cmd.Context(), at, cmd.OutOrStdout())
		},
	}
	m.where.register(cmd)
	cmd.Flags().BoolVar(&m.json, "json", false, "print JSON")
	return cmd
}

// status is the state of a database.
type status struct {
	Database string        `json:"database"`
	Schema   numbers       `json:"schema"`
	Format   numbers       `json:"format"` // in which commits are written; 0 when that is up to the program
	Tenants  []tenantStore `json:"tenants"`
}

type numbers struct {
	Found int `json:"found"`
	Known int `json:"known"`
}

type tenantStore struct {
	Tenant uuid.UUID `json:"tenant"`
	Format uint32    `json:"format"` // of the last commit
}

func (m *migrating) status(ctx context.Context, at place, out io.Writer) error {
	now, err := stateOf(ctx, at)
	if err != nil {
		return err
	}
	if m.json {
		err = writeJSON(out, now)
	} else {
		now.print(out)
	}
	if err != nil {
		return err
	}
	return now.tooNew(ctx, at)
}

func (now *status) print(out io.Writer) {
	fmt.Fprintf(out, "database %s\nschema   %d; this version needs %d%s\n", now.Database, now.Schema.Found,
		now.Schema.Known, remedy(now.Schema, "run `licensor migrate up`"))
	if now.Format.Found > 0 {
		fmt.Fprintf(out, "format   %d is written; this version knows %d%s\n", now.Format.Found, now.Format.Known,
			remedy(now.Format, "run `licensor migrate finalize` when all servers have it"))
	}
	for _, t := range now.Tenants {
		fmt.Fprintf(out, "tenant   %s has format %d\n", t.Tenant, t.Format)
	}
}

// tooNew returns an error if a newer version has written the database, so that this one cannot use
// it. It has both numbers, and the version if that is stored.
func (now *status) tooNew(ctx context.Context, at place) error {
	if now.Schema.Found > now.Schema.Known {
		o := at.opening(ctx)
		o.Shared = true
		s, err := database.Open(ctx, at.name, o)
		if err != nil {
			return err
		}
		return s.Close() // it was migrated back meanwhile
	}
	found := now.Format.Found
	for _, t := range now.Tenants {
		found = max(found, int(t.Format))
	}
	if found > now.Format.Known {
		return fmt.Errorf("the database %s has commits in format %d, and this version knows formats up to %d: run the "+
			"version that wrote it or a newer one", now.Database, found, now.Format.Known)
	}
	return nil
}

// remedy says how to fix a version that is not the newest.
func remedy(v numbers, how string) string {
	switch {
	case v.Found == 0:
		return ": run `licensor init`"
	case v.Found < v.Known:
		return ": " + how
	case v.Found > v.Known:
		return ": a newer version of Licensor has written it"
	}
	return ""
}

// stateOf returns the state of a database, which it does not change. What tenants have is known
// only when the schema is the one of this version.
func stateOf(ctx context.Context, at place) (now status, err error) {
	now.Database, now.Tenants, now.Format.Known = at.name.String(), []tenantStore{}, tenant.Format
	now.Schema.Found, now.Schema.Known, err = database.Schema(ctx, at.name, at.opening(ctx))
	if err != nil || now.Schema.Found != now.Schema.Known {
		return now, err
	}
	o := at.opening(ctx)
	o.Shared = true
	s, err := database.Open(ctx, at.name, o)
	if err != nil {
		return now, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	written, err := database.Written(ctx, s)
	if err != nil {
		return now, err
	}
	now.Format.Found = int(written)
	ids, err := s.Tenants(ctx)
	if err != nil {
		return now, err
	}
	for _, id := range ids {
		format, err := engine.FormatOf(ctx, s, id)
		if err != nil {
			return now, fmt.Errorf("tenant %s: %w", id, err)
		}
		now.Tenants = append(now.Tenants, tenantStore{id, format})
	}
	return now, nil
}

func (m *migrating) up(ctx context.Context, at place, out io.Writer) error {
	from, to, err := database.Migrate(ctx, at.name, at.opening(ctx))
	switch {
	case err != nil:
		return err
	case m.json:
		return writeJSON(out, map[string]int{"from": from, "to": to})
	case from == to:
		fmt.Fprintf(out, "The database %s has schema %d already.\n", at.name, to)
	default:
		fmt.Fprintf(out, "The database %s has schema %d now; it had %d.\n", at.name, to, from)
	}
	return nil
}

func (m *migrating) finalize(ctx context.Context, at place, out io.Writer) error {
	o := at.opening(ctx)
	o.Shared = true
	s, err := database.Open(ctx, at.name, o)
	if err != nil {
		return err
	}
	from, err := database.Finalize(ctx, s)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if m.json {
		return writeJSON(out, map[string]uint32{"from": from, "to": tenant.Format})
	}
	if from == tenant.Format {
		fmt.Fprintf(out, "Commits are written in format %d already.\n", from)
	} else {
		fmt.Fprintf(out, "Commits are written in format %d from now on; it was %d.\n", tenant.Format, from)
	}
	return nil
}
