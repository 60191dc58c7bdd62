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
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/graph/changes"
	"licensor/internal/guid"
	"licensor/internal/server"
	"licensor/internal/tables"
)

// trying holds the arguments of the commands preview, apply and check.
type trying struct {
	reading
	filter string
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
	cmd.Flags().StringVar(&t.filter, "filter", "", "print only these users, by outcome, skuId and group: "+
		"\"outcome eq 'lose'\"")
	t.register(cmd, "users", 50)
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
	t.registerApplying(cmd)
	return cmd
}

// registerApplying registers the flags of a command that makes changes after it has shown them.
func (t *trying) registerApplying(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.yes, "yes", false, "do not ask")
	t.registerLimit(cmd, "users", 20)
	t.registerJSON(cmd)
	t.connecting.register(cmd)
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
	cmd.Flags().StringSliceVar(&t.failOn, "fail-on", []string{"fail", "short", "lose"}, "what counts as a finding")
	t.registerForms(cmd)
	t.connecting.register(cmd)
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
		Before, After        productUse
		Currency             string // "": the product has no price
		Users                outcomes
	}
	Changed bool
	Commit  int
}

// productUse says how seats of a product are used, and what they cost.
type productUse struct {
	Seats, Held, Unassigned, Waiting int
	HeldPerMonth, WaitingPerMonth    string
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
		Remedies []remedyText
	}
}

func (t *trying) preview(cmd *cobra.Command, name string) error {
	set, err := readSet(cmd, name)
	if err != nil {
		return err
	}
	return t.print(cmd, func(out *printer) error {
		return t.use(cmd, func(ctx context.Context, c *connection) error {
			var p tried
			raw, err := c.ask(ctx, http.MethodPost, "/licensor/v1/previews", set, &p)
			if err != nil {
				return err
			}
			return t.show(ctx, out, c, raw, &p)
		})
	})
}

// show prints a preview.
func (t *trying) show(ctx context.Context, out *printer, c *connection, raw json.RawMessage, p *tried) error {
	users := out.table(previewColumns...)
	users.Member("preview", raw)
	if out.format == tables.Text {
		if err := p.print(out); err != nil {
			return err
		}
		if p.Users != (outcomes{}) {
			fmt.Fprintln(out)
			users.None = "No user has such an outcome."
		}
	}
	query := url.Values{}
	if t.filter != "" {
		query.Set("$filter", t.filter)
	}
	path := "/licensor/v1/previews/" + url.PathEscape(p.ID) + "/users"
	more, err := c.pages(ctx, path, query, t.limit, func(row json.RawMessage) error {
		return printPreviewed(users, row)
	})
	if err != nil {
		return err
	}
	if err := out.end(users, more); err != nil {
		return err
	}
	if out.format == tables.Text && c.root != server.LocalRoot && !t.applies && p.FailedRequests == 0 {
		_, err = fmt.Fprintf(out, "\nThe preview is kept for 15 minutes: licensor apply %s\n", p.ID)
	}
	return err
}

func (t *trying) apply(cmd *cobra.Command, what string) (err error) {
	var set []byte
	_, kept := guid.Parse(what)
	if !kept {
		if set, err = readSet(cmd, what); err != nil {
			return err
		}
	}
	t.applies = true
	return t.print(cmd, func(out *printer) error {
		return t.use(cmd, func(ctx context.Context, c *connection) error {
			method, path := http.MethodPost, "/licensor/v1/previews"
			if kept {
				method, path = http.MethodGet, path+"/"+url.PathEscape(what)
			}
			var p tried
			raw, err := c.ask(ctx, method, path, set, &p)
			if err != nil {
				return err
			}
			if out.format == tables.Text {
				if err := t.show(ctx, out, c, raw, &p); err != nil {
					return err
				}
			}
			return t.make(cmd, out, c, &p)
		})
	})
}

// make applies a preview, after it has asked.
func (t *trying) make(cmd *cobra.Command, out *printer, c *connection, p *tried) error {
	if p.FailedRequests > 0 {
		return fmt.Errorf("%d requests would fail, so nothing is changed", p.FailedRequests)
	}
	if err := t.confirm(cmd); err != nil {
		return err
	}
	result, err := c.ask(cmd.Context(), http.MethodPost, "/licensor/v1/previews/"+p.ID+"/apply", nil, p)
	if err != nil {
		return err
	}
	return out.value(result, func() error {
		if !p.Changed {
			_, err := fmt.Fprintln(out, "\nNothing had to be changed.")
			return err
		}
		_, err := fmt.Fprintf(out, "\nDone: commit %d.\n", p.Commit)
		return err
	})
}

// confirm asks whether to make the changes, unless --yes says so.
func (t *trying) confirm(cmd *cobra.Command) error {
	if t.yes {
		return nil
	}
	if t.to != "" {
		return usage(errors.New("with --output, the preview would not be seen before it is applied: add --yes"))
	}
	return confirm(cmd)
}

// confirm asks at the terminal whether to make the changes that were printed.
func confirm(cmd *cobra.Command) error {
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

func (t *trying) check(cmd *cobra.Command, name string) error {
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
	return t.print(cmd, func(out *printer) error {
		var found tried
		var raw json.RawMessage
		err := t.use(cmd, func(ctx context.Context, c *connection) (err error) {
			raw, err = c.ask(ctx, http.MethodPost, "/licensor/v1/checks", text, &found)
			return err
		})
		if err == nil {
			err = printFindings(out, raw, &found)
		}
		if err == nil && !found.Passed {
			return damaged(fmt.Errorf("%d findings", len(found.Findings)))
		}
		return err
	})
}
