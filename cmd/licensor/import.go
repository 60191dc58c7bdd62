package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/importing"
)

// importFlags holds the arguments of the command import.
type importFlags struct {
	connecting
	kind, onError        string
	restart, quiet, json bool
	exact                bool
}

func importCommand() *cobra.Command {
	var im importFlags
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Import users, groups, memberships and subscriptions from files",
		Long: `Import reads exports of another directory and adds their rows. A row that cannot be imported is reported
with its file, line and reason; the others are imported.

JSON is a list, {"value": [list]} as in responses of Microsoft Graph, or objects, best one per line: then a broken
one does not prevent reading the others. CSV has a header
with Graph's property names (userPrincipalName, accountEnabled, …), and commas, semicolons or tabs between the
cells. The values of a list, such as proxyAddresses, are separated by semicolons; empty cells are ignored.
Memberships have group (an id) and member (an id or userPrincipalName). Subscriptions have skuId and
totalLicenses, or are Graph's subscribedSkus. The name - is the standard input.

The content of a file is determined by its name and its properties, or by --kind. Users are imported first,
then groups, members and subscriptions.

The JSON lines of ` + "`licensor export`" + ` are read, too. With --exact, licenses are not evaluated but get the states of
the export, so an empty tenant becomes the same.

If an import is interrupted, run the same command again: a file is recognized by its kind, name and content,
and rows that were imported or refused before are skipped. With --restart all rows are sent, and those whose
object is there already are only counted. Put corrected rows into a new file. The standard input is always
imported from the beginning.`,
		Example: "  licensor import users.json groups.json members.csv subscriptions.csv\n" +
			"  licensor import --kind users --on-error stop export.csv\n" +
			"  licensor import --exact export/5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11/*.jsonl\n" +
			"  curl -s … | licensor import --server http://127.0.0.1:8080 --tenant contoso.example --kind groups -",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return im.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVar(&im.kind, "kind", "", "content of the files: users, groups, members or subscriptions")
	f.StringVar(&im.onError, "on-error", "skip", "what to do if a row is refused: skip it, or stop (the "+
		"rows sent together with it, up to 1,000, are still imported)")
	f.BoolVar(&im.exact, "exact", false, "import an export as it is: with the states of licenses, which are not evaluated, "+
		"and with relations of deleted objects")
	f.BoolVar(&im.restart, "restart", false, "send every row, including those that an interrupted import has processed; "+
		"what is there already is counted, and not refused")
	f.BoolVar(&im.quiet, "quiet", false, "show no progress")
	f.BoolVar(&im.json, "json", false, "print the summary, with the refused rows, as JSON; show no progress")
	im.register(cmd)
	return cmd
}

// maxShown is the maximum number of refused rows of a file that are printed.
const maxShown = 20

func (im *importFlags) run(cmd *cobra.Command, names []string) error {
	if im.onError != "skip" && im.onError != "stop" {
		return usage(fmt.Errorf("--on-error is %q: it must be skip or stop", im.onError))
	}
	files, err := importing.Open(names, importing.Kind(im.kind), cmd.InOrStdin())
	defer importing.Close(files)
	if wrong, ok := errors.AsType[*importing.MisuseError](err); ok {
		if wrong.OfKind {
			err = fmt.Errorf("%w (--kind)", err)
		}
		return usage(err)
	}
	if err != nil {
		return err
	}
	if err := im.fits(files); err != nil {
		return err
	}
	defer collectLess()()
	c, err := im.open(cmd)
	if err != nil {
		return err
	}
	defer context.AfterFunc(cmd.Context(), func() {
		if w := cmd.ErrOrStderr(); isTerminal(w) {
			fmt.Fprintln(w, "\nstopping once the rows in progress are imported; the next Ctrl-C stops immediately")
		}
	})()
	results, err := im.all(cmd, c, files)
	err = errors.Join(err, c.close())
	if e := im.summarize(cmd.OutOrStdout(), results); e != nil {
		return errors.Join(err, e)
	}
	return im.verdict(results, err)
}

// fits refuses the states of licenses in an import that evaluates them.
func (im *importFlags) fits(files []*importing.File) error {
	for _, f := range files {
		if f.Kind == importing.KindStates && !im.exact {
			return usage(fmt.Errorf("%s has the states of licenses: add --exact to import them as they are, or leave "+
				"the file out to have licenses evaluated", f.Name))
		}
	}
	return nil
}

// all imports the files one after the other. After an error, the results cover what was imported
// before it.
func (im *importFlags) all(
	cmd *cobra.Command, c *connection, files []*importing.File,
) (results []*importing.Result, err error) {
	for _, f := range files {
		result, err := im.one(cmd, c, f)
		results = append(results, result)
		if err != nil {
			return results, fmt.Errorf("%s: %w", f.Name, err)
		}
		if im.onError == "stop" && result.Refused > 0 {
			return results, nil
		}
	}
	return results, nil
}

// one imports a file, and prints its progress and the first refused rows.
func (im *importFlags) one(cmd *cobra.Command, c *connection, f *importing.File) (*importing.Result, error) {
	out := newProgress(cmd.ErrOrStderr(), im.quiet || im.json)
	defer out.end()
	o := importing.Options{Restart: im.restart, Stop: im.onError == "stop", Exact: im.exact, Local: c.tokens == nil}
	o.Progress = func(read int64, rows int) {
		part := -1.0
		if f.Size > 0 {
			part = float64(read) / float64(f.Size)
		}
		out.at(f.Name, part, int64(rows))
	}
	if im.json {
		return importing.Import(cmd.Context(), c, f, o)
	}
	o.Note = func(text string) { out.say(f.Name + ": " + text) }
	refused := 0
	o.Refused = func(fault importing.Fault) {
		if refused++; refused <= maxShown {
			out.say(fmt.Sprintf("%s:%d: %s", f.Name, fault.Line, fault.Message))
		} else if refused == maxShown+1 {
			o.Note(fmt.Sprintf("more rows are refused; --json lists the first %d", importing.MaxFaults))
		}
	}
	return importing.Import(cmd.Context(), c, f, o)
}

// stopTime is how long an import that was interrupted waits for the response to what it has sent.
const stopTime = 30 * time.Second

// Import implements importing.API. When ctx ends, it waits for the response, since that is the only
// report of refused rows. In this process it also sends no more lines.
func (c *connection) Import(ctx context.Context, query url.Values, lines []byte, response any) error {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopTime, cancel) })()
	path := "/licensor/v1/import?" + query.Encode()
	return c.retry(ctx, func() error {
		var body io.Reader = bytes.NewReader(lines)
		if c.tokens == nil {
			body = &endingLines{ctx: ctx, lines: lines}
		}
		answer, err := c.sendBody(patient, http.MethodPost, path, "application/x-ndjson", body, len(lines))
		if err != nil {
			return err
		}
		return json.Unmarshal(answer, response)
	})
}

// endingLines reads lines until a context ends, and then to the end of the line.
type endingLines struct {
	ctx   context.Context
	lines []byte
	at    int
}

// Read implements io.Reader.
func (l *endingLines) Read(b []byte) (int, error) {
	end := len(l.lines)
	if l.ctx.Err() != nil {
		end = l.lineEnd()
	}
	if l.at == end {
		return 0, io.EOF
	}
	n := copy(b, l.lines[l.at:end])
	l.at += n
	return n, nil
}

// lineEnd returns the end of the line of which a part has been read, or the place if there is none.
func (l *endingLines) lineEnd() int {
	if l.at == 0 || l.lines[l.at-1] == '\n' {
		return l.at
	}
	if n := bytes.IndexByte(l.lines[l.at:], '\n'); n >= 0 {
		return l.at + n + 1
	}
	return len(l.lines)
}

// summarize prints the summary.
func (im *importFlags) summarize(w io.Writer, results []*importing.Result) error {
	if im.json {
		return writeJSON(w, struct {
			Files []*importing.Result `json:"files"`
		}{results})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FILE\tKIND\tROWS\tIMPORTED\tSKIPPED\tREFUSED")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\n", r.File, r.Kind, r.Rows, r.Imported, r.Skipped, r.Refused)
	}
	return table.Flush()
}

func (im *importFlags) verdict(results []*importing.Result, err error) error {
	refused := 0
	for _, r := range results {
		refused += r.Refused
	}
	switch {
	case errors.Is(err, context.Canceled) && im.restart:
		return fmt.Errorf("stopped; the same command begins again: %w", err)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("stopped; the same command continues from here: %w", err)
	case err != nil:
		return err
	case refused > 0 && im.onError == "stop":
		return partly(fmt.Errorf("stopped, because %d rows were refused", refused))
	case refused > 0:
		return partly(fmt.Errorf("%d rows were refused", refused))
	}
	return nil
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
