package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// reprocessing holds the arguments of the command reprocess.
type reprocessing struct {
	connecting
	users, groups []string
	inError, all  bool
	limit         int
	failOnErrors  bool
	quiet, json   bool
}

func reprocessCommand() *cobra.Command {
	var re reprocessing
	cmd := &cobra.Command{
		Use:   "reprocess",
		Short: "Process group licenses again, and report the remaining errors",
		Long: `Reprocess processes again, in one step, all licenses that users should have through groups: the users named by
id or userPrincipalName, the members of groups, all users with errors, or the whole tenant. It prints how many
were fixed. For each remaining license error it prints the reason and how to fix it.

Remaining errors do not make the command fail, unless --fail-on-errors is given: then its exit code is 3.`,
		Example: "  licensor reprocess --user ann@contoso.example --user ben@contoso.example\n" +
			"  licensor reprocess --group 5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11\n" +
			"  licensor reprocess --in-error --limit 0 --json | jq -r '.value[].userPrincipalName'\n" +
			"  licensor reprocess --all --fail-on-errors --info demo.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return re.run(cmd) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&re.users, "user", nil, "id or userPrincipalName of a user; can be repeated")
	f.StringArrayVar(&re.groups, "group", nil, "id of a group, for all its members; can be repeated")
	f.BoolVar(&re.inError, "in-error", false, "all users with license errors")
	f.BoolVar(&re.all, "all", false, "all users of the tenant")
	f.IntVar(&re.limit, "limit", 50, "maximum number of users with errors to print; 0 for all")
	f.BoolVar(&re.failOnErrors, "fail-on-errors", false, "exit with code 3 if errors remain")
	f.BoolVar(&re.quiet, "quiet", false, "show no progress")
	f.BoolVar(&re.json, "json", false, "print the result as JSON; show no progress")
	cmd.MarkFlagsMutuallyExclusive("user", "group", "in-error", "all")
	cmd.MarkFlagsOneRequired("user", "group", "in-error", "all")
	re.register(cmd)
	return cmd
}

// reprocessed is the API's response to a reprocessing, with the reasons of as many pages as
// requested.
type reprocessed struct {
	Processed    int               `json:"processed"`
	Fixed        int               `json:"fixed"`
	NewlyInError int               `json:"newlyInError"`
	StillInError map[string]int    `json:"stillInError"` // users, by error; one with several errors counts for each
	Value        []json.RawMessage `json:"value"`
	More         bool              `json:"more"` // some users in error are not in Value
}

// reasonsPage is a page of users in error.
type reasonsPage struct {
	reprocessed
	NextLink string `json:"@odata.nextLink"`
}

func (re *reprocessing) run(cmd *cobra.Command) error {
	if re.limit < 0 {
		return usage(fmt.Errorf("--limit is %d; give the maximum number of users to print, or 0 for all", re.limit))
	}
	c, err := re.open(cmd)
	if err != nil {
		return err
	}
	spinner := newProgress(cmd.ErrOrStderr(), re.quiet || re.json)
	spinner.at("reprocessing", -1, 0)
	outcome, err := re.ask(cmd.Context(), c)
	spinner.end()
	if err = errors.Join(err, c.close()); err != nil {
		return err
	}
	if re.json {
		err = writeJSON(cmd.OutOrStdout(), outcome)
	} else {
		err = outcome.print(cmd.OutOrStdout())
	}
	if err == nil && re.failOnErrors && len(outcome.Value) > 0 {
		return partly(errors.New("license errors remain"))
	}
	return err
}

// ask starts the reprocessing and collects the reasons, following the links from page to page.
func (re *reprocessing) ask(ctx context.Context, c *connection) (*reprocessed, error) {
	body, err := json.Marshal(re.body())
	if err != nil {
		return nil, err
	}
	var first reasonsPage
	if err := c.do(ctx, http.MethodPost, "/licensor/v1/reprocess", "application/json", body, &first); err != nil {
		return nil, err
	}
	outcome, next := &first.reprocessed, first.NextLink
	for next != "" && (re.limit == 0 || len(outcome.Value) < re.limit) {
		path, err := localPath(next)
		if err != nil {
			return nil, err
		}
		var page reasonsPage
		if err := c.get(ctx, path, &page); err != nil {
			return nil, err
		}
		outcome.Value, next = append(outcome.Value, page.Value...), page.NextLink
	}
	outcome.More = next != ""
	if re.limit > 0 && len(outcome.Value) > re.limit {
		outcome.Value, outcome.More = outcome.Value[:re.limit], true
	}
	return outcome, nil
}

func (re *reprocessing) body() map[string]any {
	switch {
	case len(re.users) > 0:
		return map[string]any{"users": re.users}
	case len(re.groups) > 0:
		return map[string]any{"groups": re.groups}
	case re.inError:
		return map[string]any{"inError": true}
	}
	return map[string]any{"all": true}
}

// explained is a user in error, with the reasons.
type explained struct {
	UserPrincipalName string
	Reasons           []struct {
		SKUID            string
		SKUPartNumber    string
		AssignedByGroup  string
		GroupDisplayName string
		Error            string
		Text             string
		Remedies         []struct{ Text string }
	}
}

func (r *reprocessed) print(w io.Writer) error {
	fmt.Fprintf(w, "%d users processed: %d fixed, %d with new errors.\n", r.Processed, r.Fixed, r.NewlyInError)
	if len(r.Value) == 0 {
		fmt.Fprintln(w, "There are no license errors.")
		return nil
	}
	var counts []string
	for _, name := range slices.Sorted(maps.Keys(r.StillInError)) {
		counts = append(counts, fmt.Sprintf("%d %s", r.StillInError[name], name))
	}
	if len(counts) > 0 {
		fmt.Fprintf(w, "Users with errors: %s.\n", strings.Join(counts, ", "))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tLICENSE\tFROM\tERROR\tREASON AND REMEDY")
	for _, raw := range r.Value {
		var user explained
		if err := json.Unmarshal(raw, &user); err != nil {
			return fmt.Errorf("the server's reasons cannot be read: %w", err)
		}
		user.print(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if r.More {
		fmt.Fprintf(w, "\nThere are more; these are the first %d users. --limit 0 prints all.\n", len(r.Value))
	}
	return nil
}

// print writes a line for each license in error, and one below it for each remedy.
func (u *explained) print(table io.Writer) {
	name := u.UserPrincipalName
	for _, reason := range u.Reasons {
		from := firstOf(reason.GroupDisplayName, reason.AssignedByGroup, "direct")
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", name, firstOf(reason.SKUPartNumber, reason.SKUID), from, reason.Error, reason.Text)
		for _, remedy := range reason.Remedies {
			fmt.Fprintf(table, "\t\t\t\t→ %s\n", remedy.Text)
		}
		name = ""
	}
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
