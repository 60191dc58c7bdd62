package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"licensor/internal/durable"
	"licensor/internal/tables"
)

// printing holds the flags that say in which form a command prints its results, and where.
type printing struct {
	limit     int
	json, csv bool
	to        string
}

// register registers the flags of a command that prints a list of what is named, by default up to a
// number of rows.
func (p *printing) register(cmd *cobra.Command, named string, limit int) {
	p.registerLimit(cmd, named, limit)
	p.registerForms(cmd)
}

func (p *printing) registerLimit(cmd *cobra.Command, named string, limit int) {
	cmd.Flags().IntVar(&p.limit, "limit", limit, "maximum number of "+named+" to print; 0 for all")
}

// registerForms registers the flags of a command that prints a table of any length.
func (p *printing) registerForms(cmd *cobra.Command) {
	p.registerJSON(cmd)
	cmd.Flags().BoolVar(&p.csv, "csv", false,
		"print CSV; cells that a spreadsheet would take for formulas get an apostrophe")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
}

func (p *printing) registerJSON(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&p.json, "json", false, "print JSON")
	f.StringVarP(&p.to, "output", "o", "", "file to write instead of the standard output; it is replaced if it exists, "+
		"when everything is written")
}

// printer is where a command prints, in which form, and how it looks there.
type printer struct {
	io.Writer
	complaints io.Writer
	format     tables.Format
	look       tables.Look
}

// print prints with do. The file of --output gets its content only if do succeeds, or finds
// something.
func (p *printing) print(cmd *cobra.Command, do func(out *printer) error) error {
	if p.limit < 0 {
		return usage(fmt.Errorf("--limit is %d; give the maximum number of rows to print, or 0 for all", p.limit))
	}
	out := &printer{Writer: cmd.OutOrStdout(), complaints: cmd.ErrOrStderr()}
	switch {
	case p.json:
		out.format = tables.JSON
	case p.csv:
		out.format = tables.CSV
	}
	if p.to == "" || p.to == "-" {
		out.look = tables.LookOf(out.Writer, os.Getenv)
		return do(out)
	}
	var found error
	err := durable.Replace(p.to, func(w io.Writer) error {
		out.Writer = w
		err := do(out)
		if code := exitCode(err); err != nil && (code == exitPartial || code == exitDamaged) {
			found, err = err, nil
		}
		return err
	})
	return errors.Join(err, found)
}

// table begins a table.
func (out *printer) table(columns ...tables.Column) *tables.Writer {
	return tables.NewWriter(out, out.format, out.look, columns...)
}

// end ends a table of a list, and mentions that there are more rows.
func (out *printer) end(t *tables.Writer, more bool) error {
	err := t.End(more)
	if err == nil && more {
		switch out.format {
		case tables.Text:
			_, err = fmt.Fprintln(out, "\nThere are more; --limit 0 prints all.")
		case tables.CSV:
			fmt.Fprintln(out.complaints, "There are more rows; --limit 0 prints all.")
		}
	}
	return err
}

// value prints one value: as JSON, or with text.
func (out *printer) value(value any, text func() error) error {
	if out.format == tables.JSON {
		return writeJSON(out, value)
	}
	return text()
}

// reading holds the flags of a command that prints what it reads.
type reading struct {
	connecting
	printing
}

// register registers the flags of a command that prints a list of what is named.
func (r *reading) register(cmd *cobra.Command, named string, limit int) {
	r.printing.register(cmd, named, limit)
	r.connecting.register(cmd)
}

// list is a list of the API, and the table that it is printed as.
type list struct {
	path    string
	query   url.Values
	columns []tables.Column
	row     func(t *tables.Writer, row json.RawMessage) error
	none    string // is printed if there are no rows
}

// rows returns what prints the rows of a list, which have the type T.
func rows[T any](
	add func(t *tables.Writer, raw json.RawMessage, row *T) error,
) func(*tables.Writer, json.RawMessage) error {
	return func(t *tables.Writer, raw json.RawMessage) error {
		var row T
		if err := json.Unmarshal(raw, &row); err != nil {
			return fmt.Errorf("a row of the response cannot be read: %w", err)
		}
		return add(t, raw, &row)
	}
}

// list reads a list and prints it.
func (out *printer) list(ctx context.Context, c *connection, limit int, l list) error {
	t := out.table(l.columns...)
	t.None = l.none
	more, err := c.pages(ctx, l.path, l.query, limit, func(raw json.RawMessage) error { return l.row(t, raw) })
	if err != nil {
		return err
	}
	return out.end(t, more)
}

// printList connects, reads a list and prints it.
func (r *reading) printList(cmd *cobra.Command, l list) error {
	return r.print(cmd, func(out *printer) error {
		return r.use(cmd, func(ctx context.Context, c *connection) error { return out.list(ctx, c, r.limit, l) })
	})
}
