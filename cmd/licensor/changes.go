package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/graph/changes"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/server"
)

// trying holds the arguments of the commands preview, apply and check.
type trying struct {
	connecting
	limit  int
	filter string
	json   bool
	csv    bool
	yes    bool
	failOn []string
	// applies means that the preview is applied afterwards.
	applies bool
}

const changeSetHelp = `

A change set is what $batch of Microsoft Graph takes: {"requests":[{"id","method","url","body"},…]}, up to 10,000 requests that
create, change or delete users and groups, assign licenses, or change members, subscriptions, settings and the catalog.
Later requests name what an earlier one makes by $ and its id. "-" reads it from standard input.`

func previewCommand() *cobra.Command {
	var t trying
	cmd := &cobra.Command{
		Use:   "preview FILE|-",
		Short: "Show what changes would do, without making them",
		Long: `Preview executes the requests of a change set on a draft of the tenant, and prints what each would answer and who would
gain, lose or fail to get which product. Nothing is changed. On a server, the preview is kept for 15 minutes and can be applied.` + changeSetHelp,
		Example: "  licensor preview changes.json --info demo.json\n" +
			"  licensor preview changes.json --filter \"outcome eq 'lose'\" --limit 0 --csv > losers.csv",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.preview(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&t.limit, "limit", 50, "maximum number of users to print; 0 for all")
	f.StringVar(&t.filter, "filter", "", "print only these users, by outcome, skuId and group: \"outcome eq 'lose'\"")
	f.BoolVar(&t.json, "json", false, "print the preview as JSON, with the users in \"rows\"")
	f.BoolVar(&t.csv, "csv", false, "print the users as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	t.register(cmd)
	return cmd
}

func applyCommand() *cobra.Command {
	var t trying
	cmd := &cobra.Command{
		Use:   "apply PREVIEW|FILE|-",
		Short: "Make changes as one step, after showing what they do",
		Long: `Apply makes the requests of a change set, or of a preview that the server keeps, one commit: all of them, or none. It prints the
preview first and asks. If the result would not be the one that was shown, nothing is changed.` + changeSetHelp,
		Example: "  licensor apply changes.json --info demo.json\n" +
			"  licensor apply --yes 8a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.apply(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&t.limit, "limit", 20, "maximum number of users to print; 0 for all")
	f.BoolVar(&t.json, "json", false, "print the result as JSON")
	f.BoolVar(&t.yes, "yes", false, "do not ask")
	t.register(cmd)
	return cmd
}

func checkCommand() *cobra.Command {
	var t trying
	cmd := &cobra.Command{
		Use:   "check FILE|-",
		Short: "Check what changes would do, for pipelines",
		Long: `Check executes the requests of a change set on a draft of the tenant. Its exit code is 4 if a request would fail, users would be
in an error, a product would be short of seats, or users would lose a license; --fail-on selects some of these.` + changeSetHelp,
		Example: "  licensor check changes.json --fail-on fail,short --info demo.json",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return t.check(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&t.failOn, "fail-on", []string{"fail", "short", "lose"}, "what counts as a finding")
	f.BoolVar(&t.json, "json", false, "print the findings as JSON")
	t.register(cmd)
	return cmd
}

// readSet reads a change set from a file or standard input.
func readSet(cmd *cobra.Command, name string) ([]byte, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the change set: %w", err)
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, changes.MaxSet+1))
	if err == nil && len(text) > changes.MaxSet {
		err = fmt.Errorf("it is larger than the %d MB allowed", changes.MaxSet>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("read the change set %s: %w", name, err)
	}
	return text, nil
}

// tried is a preview, or a check, as the API returns it.
type tried struct {
	ID             string
	Passed         bool
	Findings       []struct{ Kind, Text string }
	FailedRequests int
	Responses      []struct {
		ID     json.RawMessage
		Status int
		Error  *struct{ Code, Message string }
	}
	Users    outcomes
	Products []struct {
		SKUID, SKUPartNumber string
		Before, After        struct{ Seats, Held, Unassigned, Waiting int }
		Users                outcomes
	}
	Changed bool
	Commit  int
}

type outcomes struct{ Gain, Lose, Fail, Clear, Change int }

// previewedUser is a row of a preview.
type previewedUser struct {
	UserPrincipalName, SKUID, SKUPartNumber, Outcome string
	After                                            struct {
		Sources []struct {
			State, Error    string
			AssignedByGroup *struct{ DisplayName string }
		}
	}
	Reasons []struct {
		Text     string
		Remedies []struct{ Text string }
	}
}

func (t *trying) preview(cmd *cobra.Command, name string) (err error) {
	if t.limit < 0 {
		return usage(fmt.Errorf("--limit is %d; give the maximum number of users to print, or 0 for all", t.limit))
	}
	set, err := readSet(cmd, name)
	if err != nil {
		return err
	}
	c, err := t.open(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var raw json.RawMessage
	if err := c.do(cmd.Context(), http.MethodPost, "/licensor/v1/previews", wire.JSONType, set, &raw); err != nil {
		return err
	}
	return t.show(cmd, c, raw)
}

// show prints a preview.
func (t *trying) show(cmd *cobra.Command, c *connection, raw json.RawMessage) error {
	var p tried
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("the server's preview cannot be read: %w", err)
	}
	rows, more, err := t.rows(cmd.Context(), c, p.ID)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if t.csv {
		return writeUsers(w, rows)
	}
	if t.json {
		return writeJSON(w, struct {
			Preview json.RawMessage   `json:"preview"`
			Rows    []json.RawMessage `json:"rows"`
			More    bool              `json:"more"`
		}{raw, rows, more})
	}
	p.print(w)
	if err := printUsers(w, rows); err != nil {
		return err
	}
	if more {
		fmt.Fprintf(w, "\nThere are more; --limit 0 prints all.\n")
	}
	if c.root != server.LocalRoot && !t.applies {
		fmt.Fprintf(w, "\nThe preview is kept for 15 minutes: licensor apply %s\n", p.ID)
	}
	return nil
}

// address returns the address of the users of a preview.
func (t *trying) address(id string) string {
	query := url.Values{}
	if t.filter != "" {
		query.Set("$filter", t.filter)
	}
	query.Set("$top", "999")
	if t.limit > 0 {
		query.Set("$top", strconv.Itoa(min(t.limit, 999)))
	}
	return "/licensor/v1/previews/" + url.PathEscape(id) + "/users?" + query.Encode()
}

// rows reads the users of a preview, as many as are printed.
func (t *trying) rows(ctx context.Context, c *connection, id string) (rows []json.RawMessage, more bool, err error) {
	next := t.address(id)
	for next != "" && (t.limit == 0 || len(rows) < t.limit) {
		var page struct {
			NextLink string `json:"@odata.nextLink"`
			Value    []json.RawMessage
		}
		if err := c.get(ctx, next, &page); err != nil {
			return nil, false, err
		}
		if rows, next = append(rows, page.Value...), page.NextLink; next != "" {
			if next, err = localPath(next); err != nil {
				return nil, false, err
			}
		}
	}
	return rows, next != "", nil
}

func (t *trying) apply(cmd *cobra.Command, what string) (err error) {
	var set []byte
	_, kept := guid.Parse(what)
	if !kept {
		if set, err = readSet(cmd, what); err != nil {
			return err
		}
	}
	c, err := t.open(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var raw json.RawMessage
	if kept {
		err = c.get(cmd.Context(), "/licensor/v1/previews/"+url.PathEscape(what), &raw)
	} else {
		err = c.do(cmd.Context(), http.MethodPost, "/licensor/v1/previews", wire.JSONType, set, &raw)
	}
	if err != nil {
		return err
	}
	var p tried
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("the server's preview cannot be read: %w", err)
	}
	if t.applies = true; !t.json {
		if err := t.show(cmd, c, raw); err != nil {
			return err
		}
	}
	if p.FailedRequests > 0 {
		return fmt.Errorf("%d requests would fail, so nothing is changed", p.FailedRequests)
	}
	if err := t.confirm(cmd); err != nil {
		return err
	}
	var result json.RawMessage
	if err := c.do(cmd.Context(), http.MethodPost, "/licensor/v1/previews/"+p.ID+"/apply", "", nil, &result); err != nil {
		return err
	}
	if t.json {
		return writeJSON(cmd.OutOrStdout(), result)
	}
	if err := json.Unmarshal(result, &p); err != nil {
		return fmt.Errorf("the server's result cannot be read: %w", err)
	}
	if !p.Changed {
		fmt.Fprintln(cmd.OutOrStdout(), "\nNothing had to be changed.")
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\nDone: commit %d.\n", p.Commit)
	return nil
}

// confirm asks whether to make the changes.
func (t *trying) confirm(cmd *cobra.Command) error {
	if t.yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		return usage(errors.New("the changes are not made without a confirmation: add --yes"))
	}
	fmt.Fprint(cmd.ErrOrStderr(), "\nMake these changes? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

func (t *trying) check(cmd *cobra.Command, name string) (err error) {
	text, err := readSet(cmd, name)
	if err != nil {
		return err
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(text, &set); err != nil {
		return fmt.Errorf("%s is not a change set: %w", name, err)
	}
	if set["failOn"], err = json.Marshal(t.failOn); err != nil {
		return err
	}
	if text, err = json.Marshal(set); err != nil {
		return err
	}
	c, err := t.open(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var raw json.RawMessage
	if err := c.do(cmd.Context(), http.MethodPost, "/licensor/v1/checks", wire.JSONType, text, &raw); err != nil {
		return err
	}
	var found tried
	if err := json.Unmarshal(raw, &found); err != nil {
		return fmt.Errorf("the server's findings cannot be read: %w", err)
	}
	w := cmd.OutOrStdout()
	if t.json {
		err = writeJSON(w, raw)
	} else {
		for _, f := range found.Findings {
			fmt.Fprintf(w, "%s: %s\n", f.Kind, f.Text)
		}
		if found.Passed {
			fmt.Fprintln(w, "Nothing is wrong with the result of these changes.")
		}
	}
	if err == nil && !found.Passed {
		return damaged(fmt.Errorf("%d findings", len(found.Findings)))
	}
	return err
}
