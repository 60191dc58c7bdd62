package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"licensor/internal/durable"
	"licensor/internal/export"
	"licensor/internal/server"
)

// fetch gets an export of one tenant from a server, as one file.
func (e *exporting) fetch(cmd *cobra.Command, login server.Login) error {
	query, err := e.query()
	if err != nil {
		return err
	}
	if e.to != "-" {
		if err := e.mayReplace(); err != nil {
			return err
		}
	}
	c, err := openRemote(cmd.Context(), login)
	if err != nil {
		return err
	}
	shown := newProgress(cmd.ErrOrStderr(), e.quiet || e.json)
	shown.at("exporting", -1, 0)
	bytes, err := e.save(cmd.Context(), c, query, cmd.OutOrStdout())
	shown.end()
	if err = errors.Join(err, c.close()); err != nil || e.to == "-" {
		return err
	}
	if e.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"to": e.to, "bytes": bytes})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", e.to, bytes)
	return err
}

// save writes what the server sends into the file, or the standard output. The file exists as a
// whole or not at all.
func (e *exporting) save(ctx context.Context, c *connection, query url.Values, out io.Writer) (n int64, err error) {
	into := func(w io.Writer) error {
		return c.stream(ctx, "/licensor/v1/export?"+query.Encode(), func(body io.Reader) error {
			n, err = io.Copy(w, body)
			return err
		})
	}
	if e.to == "-" {
		return n, into(out)
	}
	err = durable.Replace(e.to, into)
	if err != nil {
		err = fmt.Errorf("nothing was exported: %w", err)
	}
	return n, err
}

// query returns the query of the request.
func (e *exporting) query() (url.Values, error) {
	switch {
	case e.to == "":
		return nil, usage(errors.New("--to is empty: name a file, or - for the standard output"))
	case e.isDatabase():
		return nil, usage(errors.New("a server exports JSON lines or CSV: name a file that does not end with .db"))
	case e.archive != "":
		return nil, usage(errors.New("--archive-log is for a database, not for a server"))
	case len(e.tenants) > 1:
		return nil, usage(errors.New("a server exports one tenant: give --tenant once"))
	case e.format == string(export.FormatCSV) && len(e.tables) != 1:
		return nil, usage(errors.New("a server exports one table as CSV: name it with --table"))
	}
	o, err := e.options()
	if err != nil {
		return nil, err
	}
	return url.Values{"format": {string(o.Format)}, "table": e.tables}, nil
}

// mayReplace refuses to replace a file without --force, and a database.
func (e *exporting) mayReplace() error {
	if err := durable.Replaceable(e.to); err != nil {
		return err
	}
	switch info, err := os.Stat(e.to); {
	case err != nil:
		return nil // writing says what is wrong
	case info.IsDir():
		return usage(fmt.Errorf("%s is a folder: a server exports into one file", e.to))
	case info.Mode().IsRegular() && !e.force:
		return usage(fmt.Errorf("%s exists: choose another name, or replace it with --force", e.to))
	}
	return nil
}
