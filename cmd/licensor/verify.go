package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/verify"
)

// verifying holds the arguments of the command verify.
type verifying struct {
	where                  databaseFlags
	tenants                []string
	archive                string
	deep, fix, quiet, json bool

	out     io.Writer
	damages int64 // found
	fixed   int64
	list    []verify.Damage // the first of them
}

func verifyCommand() *cobra.Command {
	var v verifying
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Examine whether the stored data is whole",
		Long: `Verify replays the log of each tenant and compares the result with the snapshots, the rows and the claimed names; it
checks all sums and the chain of the log. With --deep it also derives the licenses of all users again. Each damage is
a line with the tenant, the table, the key, and what helps; after 1,000 lines the others are only counted.

With PostgreSQL a server may run meanwhile. A file must not be open in a server. Verify changes nothing without --fix
and can be interrupted at any time: then it prints what it has examined. The exit code is 4 if there is damage, and 1
if not everything was examined.`,
		Example: "  licensor verify\n" +
			"  licensor verify --deep --archive-log archive --database postgres://licensor@db1,db2/licensor",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v.out = cmd.OutOrStdout()
			return v.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	v.where.register(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&v.tenants, "tenant", nil, "id of a tenant, may be repeated; all by default")
	f.BoolVar(&v.deep, "deep", false, "derive the licenses of all users again, too")
	f.BoolVar(&v.fix, "fix", false, "replace the character U+0000 in texts of users and groups by U+FFFD")
	f.StringVar(&v.archive, "archive-log", "", "folder of archived commits, to examine them, too")
	f.BoolVar(&v.quiet, "quiet", false, "show no progress")
	f.BoolVar(&v.json, "json", false, "print JSON; show no progress")
	return cmd
}

// maxDamages is the maximum number of damages that are listed.
const maxDamages = 1000

// verifiedTenant is the outcome for a tenant.
type verifiedTenant struct {
	Tenant   uuid.UUID `json:"tenant"`
	Complete bool      `json:"complete"` // everything was examined
	Commits  int64     `json:"commits"`
	Rows     int64     `json:"rows"`
	Damages  int64     `json:"damages"`
	Fixed    int64     `json:"fixed"`
	Stale    int64     `json:"stale"` // users whose licenses would change if they were reprocessed
}

func (v *verifying) run(ctx context.Context, progress io.Writer) error {
	o := verify.Options{Deep: v.deep, Report: v.report}
	if v.archive != "" {
		folder, err := archive.Open(v.archive)
		if err != nil {
			return usage(fmt.Errorf("--archive-log: %w", err))
		}
		o.Archive = &folder
	}
	ids, err := tenantIDs(v.tenants)
	if err != nil {
		return err
	}
	at, err := v.where.read()
	if err != nil {
		return err
	}
	s, err := at.openShared(ctx, "name it with --data")
	if err != nil {
		return err
	}
	shown := newProgress(progress, v.quiet || v.json)
	o.Progress = shown.at
	done, err := v.all(ctx, s, ids, o)
	shown.end()
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted: %w", err)
	}
	if err := errors.Join(err, s.Close(), v.print(done)); err != nil {
		return err
	}
	if left := v.damages - v.fixed; left > 0 {
		return damaged(fmt.Errorf("%d damages were found", left))
	}
	return nil
}

// report shows a damage.
func (v *verifying) report(d verify.Damage) {
	v.damages++
	switch {
	case v.damages > maxDamages:
	case v.json:
		v.list = append(v.list, d)
	default:
		fmt.Fprintln(v.out, d)
	}
}

// all returns what was examined, also with an error.
func (v *verifying) all(
	ctx context.Context, s store.Store, ids []uuid.UUID, o verify.Options,
) (done []verifiedTenant, err error) {
	if ids == nil {
		if ids, err = publishedTenants(ctx, s); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		one, err := v.one(ctx, s, id, o)
		if one.Complete || one.Commits+one.Rows+one.Damages > 0 {
			done = append(done, one)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (v *verifying) one(
	ctx context.Context, s store.Store, id uuid.UUID, o verify.Options,
) (one verifiedTenant, err error) {
	r, err := verify.Tenant(ctx, s, id, o)
	one = verifiedTenant{id, err == nil, r.Commits, r.Rows, r.Damages, 0, r.Stale}
	if err != nil {
		return one, fmt.Errorf("verify tenant %s: %w", id, err)
	}
	if v.fix && !(r.Users.IsEmpty() && r.Groups.IsEmpty()) {
		one.Fixed, err = replaceNUL(ctx, s, id, r.Users, r.Groups)
		v.fixed += one.Fixed
		if err != nil {
			return one, fmt.Errorf("fix the texts of tenant %s: %w", id, err)
		}
	}
	return one, nil
}

// fixedAtOnce is how many objects are changed in one commit.
const fixedAtOnce = 1000

// replaceNUL returns how many objects it has fixed, also with an error.
func replaceNUL(
	ctx context.Context, s store.Store, id uuid.UUID, users, groups *roaring.Bitmap,
) (fixed int64, err error) {
	tenants, err := engine.Open(ctx, s, engine.Options{Log: logger(ctx)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, tenants.Close(context.WithoutCancel(ctx))) }()
	t, err := tenants.Tenant(ctx, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	for some := range slices.Chunk(users.ToArray(), fixedAtOnce) {
		if _, err := t.Do(ctx, "system", tenant.ReplaceNUL{Users: some}); err != nil {
			return fixed, err
		}
		fixed += int64(len(some))
	}
	for some := range slices.Chunk(groups.ToArray(), fixedAtOnce) {
		if _, err := t.Do(ctx, "system", tenant.ReplaceNUL{Groups: some}); err != nil {
			return fixed, err
		}
		fixed += int64(len(some))
	}
	return fixed, nil
}

func (v *verifying) print(done []verifiedTenant) error {
	if v.json {
		return writeJSON(v.out, struct {
			Tenants []verifiedTenant `json:"tenants"`
			Damages []verify.Damage  `json:"damages"`
		}{slices.Concat([]verifiedTenant{}, done), slices.Concat([]verify.Damage{}, v.list)})
	}
	if more := v.damages - maxDamages; more > 0 {
		fmt.Fprintf(v.out, "%d more damages are not listed\n", more)
	}
	for _, one := range done {
		only := "only "
		if one.Complete {
			only = ""
		}
		text := fmt.Sprintf("tenant %s: %s%d commits and %d rows were examined, %d damages", one.Tenant, only,
			one.Commits, one.Rows, one.Damages)
		if one.Fixed > 0 {
			text += fmt.Sprintf(", %d of them fixed", one.Fixed)
		}
		if one.Stale > 0 {
			text += fmt.Sprintf("; the licenses of %d users would change if they were reprocessed", one.Stale)
		}
		if _, err := fmt.Fprintln(v.out, text); err != nil {
			return err
		}
	}
	return nil
}
