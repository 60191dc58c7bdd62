package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/archive"
	"licensor/internal/export"
	"licensor/internal/store"
)

// exporting holds the arguments of the command export.
type exporting struct {
	connecting
	to, format, archive string
	tables, tenants     []string
	force, quiet, json  bool
}

func exportCommand() *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Export tenants as CSV, JSON lines or a SQLite database",
		Long: `Export writes tenants for other programs, each as of one commit: users, groups, memberships, owners, managers,
subscriptions, the licenses of groups, the states of the licenses of users, settings and commits. It has no passwords
and no secrets, and no applications.

--to names a folder, which gets a folder for each tenant with a file for each table, or a file that ends with .db,
which becomes a SQLite database with a table for each. Cells of CSV that a spreadsheet would take for formulas get an
apostrophe. The JSON lines can be imported: with ` + "`licensor import --exact`" + ` an empty tenant becomes the same.

With PostgreSQL a server may run meanwhile. A file must not be open in a server: stop it, export a copy, or get the
export from the server (--server, --info). A server exports the tenant of the application that logs in, into one file
that --to names, or to the standard output if it is -: JSON lines, or one table as CSV.

An export can be interrupted at any time, and leaves nothing then.`,
		Example: "  licensor export --to licensor-export.db\n" +
			"  licensor export --to export --format csv --table users --table states\n" +
			"  licensor export --to export --format jsonl --tenant 5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11\n" +
			"  licensor export --to users.csv --format csv --table users --info demo.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	}
	e.registerLogin(cmd)
	f := cmd.Flags()
	f.StringVar(&e.to, "to", "", "folder, or file that ends with .db; with --server a file")
	f.StringVar(&e.format, "format", "", "of the files in a folder: jsonl, csv; jsonl by default")
	f.StringArrayVar(&e.tables, "table", nil, "table to export, may be repeated: "+strings.Join(export.Tables(), ", ")+
		"; by default all, or with JSON lines all that can be imported")
	f.StringArrayVar(&e.tenants, "tenant", nil, "id of a tenant, may be repeated; all by default; with "+
		"--server, id or domain of the tenant of the application that logs in")
	f.StringVar(&e.archive, "archive-log", "", "folder of archived commits, for the table commits")
	f.BoolVar(&e.force, "force", false, "replace an earlier export, never a database of licensor; other files in a "+
		"folder stay")
	f.BoolVar(&e.quiet, "quiet", false, "show no progress")
	f.BoolVar(&e.json, "json", false, "print JSON; show no progress")
	_ = cmd.MarkFlagRequired("to") // the flag exists
	completeWords(cmd, "table", export.Tables()...)
	completeWords(cmd, "format", string(export.FormatJSONLines), string(export.FormatCSV))
	return cmd
}

// isDatabase reports whether the target is a file.
func (e *exporting) isDatabase() bool { return strings.HasSuffix(e.to, ".db") }

// options reads the flags, except those of tenants.
func (e *exporting) options() (o export.FilesOptions, err error) {
	o = export.FilesOptions{Tables: e.tables, Force: e.force, Format: export.Format(e.format)}
	for _, name := range e.tables {
		if !slices.Contains(export.Tables(), name) {
			return o, usage(fmt.Errorf("--table: %w", &export.UnknownTableError{Name: name}))
		}
	}
	switch {
	case e.to == "":
		return o, usage(errors.New("--to is empty: name a folder, or a file that ends with .db"))
	case e.isDatabase() && e.format != "":
		return o, usage(fmt.Errorf("--format %s is for a folder, and %s is a file", e.format, e.to))
	case e.format == "":
		o.Format = export.FormatJSONLines
	case o.Format != export.FormatJSONLines && o.Format != export.FormatCSV:
		return o, usage(fmt.Errorf("--format is %q: it must be jsonl or csv, and a SQLite database has a name that "+
			"ends with .db", e.format))
	}
	if o.Tables == nil {
		if o.Tables = export.Tables(); o.Format == export.FormatJSONLines && !e.isDatabase() {
			o.Tables = export.Importable()
		}
	}
	if e.archive != "" {
		folder, err := archive.Open(e.archive)
		if err != nil {
			return o, usage(fmt.Errorf("--archive-log: %w", err))
		}
		o.Archive = &folder
	}
	return o, nil
}

func (e *exporting) run(cmd *cobra.Command) error {
	if len(e.tenants) > 0 {
		e.tenant = e.tenants[0]
	}
	login, err := e.login()
	if err != nil {
		return err
	}
	if login.Graph != "" {
		return e.fetch(cmd, login)
	}
	return e.read(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// read exports tenants of a database.
func (e *exporting) read(ctx context.Context, out, progress io.Writer) error {
	o, err := e.options()
	if err != nil {
		return err
	}
	if o.Tenants, err = tenantIDs(e.tenants); err != nil {
		return err
	}
	if err := export.Replaceable(e.to); err != nil {
		return err
	}
	at, err := e.where.read()
	if err != nil {
		return err
	}
	s, err := at.openShared(ctx, "name it with --data")
	if err != nil {
		return err
	}
	done, err := e.export(ctx, s, o, progress)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if e.json {
		return writeJSON(out, map[string]any{"to": e.to, "tenants": done})
	}
	for _, one := range done {
		if _, err := fmt.Fprintf(out, "tenant %s was exported as of commit %d\n", one.ID, one.Seq); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporting) export(
	ctx context.Context, s store.Store, o export.FilesOptions, progress io.Writer,
) ([]export.Exported, error) {
	var err error
	if o.Tenants == nil {
		if o.Tenants, err = publishedTenants(ctx, s); err != nil {
			return nil, err
		}
	}
	shown := newProgress(progress, e.quiet || e.json)
	defer shown.end()
	o.Progress = func(p export.Progress) {
		shown.at("exporting tenant "+p.Tenant.String(), min(1, float64(p.Done)/float64(p.Total)), p.Done)
	}
	write := export.ToFolder
	if e.isDatabase() {
		write = export.ToDatabase
	}
	done, err := write(ctx, e.to, s, o)
	switch {
	case errors.Is(err, export.ErrExist):
		return nil, usage(fmt.Errorf("%s exists: choose another name, or replace an earlier export with --force", e.to))
	case ctx.Err() != nil && err != nil:
		return nil, fmt.Errorf("stopped; nothing was exported: %w", ctx.Err())
	}
	return done, err
}

// publishedTenants returns the tenants that have commits.
func publishedTenants(ctx context.Context, s store.Store) (ids []uuid.UUID, err error) {
	all, err := s.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range all {
		place, err := s.Place(ctx, id)
		if err != nil {
			return nil, err
		}
		if place.Seq > 0 { // otherwise its creation, or a copy of it, has not ended
			ids = append(ids, id)
		}
	}
	return ids, nil
}
