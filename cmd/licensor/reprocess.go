package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// reprocessing holds the arguments of the command reprocess.
type reprocessing struct {
	reading
	users, groups []string
	inError, all  bool
	failOnErrors  bool
	quiet         bool
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
	f.BoolVar(&re.failOnErrors, "fail-on-errors", false, "exit with code 3 if errors remain")
	f.BoolVar(&re.quiet, "quiet", false, "show no progress")
	cmd.MarkFlagsMutuallyExclusive("user", "group", "in-error", "all")
	cmd.MarkFlagsOneRequired("user", "group", "in-error", "all")
	re.register(cmd, "users with errors", 50)
	re.complete(cmd, map[string]completer{"user": completeUsers, "group": completeGroups})
	return cmd
}

// reprocessed is the API's response to a reprocessing, with the first page of reasons.
type reprocessed struct {
	page
	Processed    int
	Fixed        int
	NewlyInError int
	StillInError map[string]int // users, by error; one with several errors counts for each
}

func (re *reprocessing) run(cmd *cobra.Command) error {
	body, err := json.Marshal(re.body())
	if err != nil {
		return err
	}
	return re.print(cmd, func(out *printer) error {
		return re.use(cmd, func(ctx context.Context, c *connection) error {
			spinner := newProgress(cmd.ErrOrStderr(), re.quiet || re.json)
			spinner.at("reprocessing", -1, 0)
			var r reprocessed
			_, err := c.ask(ctx, http.MethodPost, "/licensor/v1/reprocess", body, &r)
			if spinner.end(); err != nil {
				return err
			}
			if err := re.show(ctx, out, c, &r); err != nil {
				return err
			}
			if re.failOnErrors && len(r.Value) > 0 {
				return partly(errors.New("license errors remain"))
			}
			return nil
		})
	})
}

// show prints the result, and the reasons of as many users as wanted.
func (re *reprocessing) show(ctx context.Context, out *printer, c *connection, r *reprocessed) error {
	if out.format == tables.Text {
		if err := r.print(out); err != nil {
			return err
		}
	}
	t := out.table(errorColumns...)
	t.Member("processed", r.Processed)
	t.Member("fixed", r.Fixed)
	t.Member("newlyInError", r.NewlyInError)
	t.Member("stillInError", r.StillInError)
	t.None = "There are no license errors."
	more, err := c.follow(ctx, r.page, re.limit, func(row json.RawMessage) error { return printExplained(t, row) })
	if err != nil {
		return err
	}
	return out.end(t, more)
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

// print prints the counts.
func (r *reprocessed) print(out *printer) error {
	_, err := fmt.Fprintf(out, "%d users processed: %d fixed, %d with new errors.\n",
		r.Processed, r.Fixed, r.NewlyInError)
	var counts []string
	for _, name := range slices.Sorted(maps.Keys(r.StillInError)) {
		counts = append(counts, fmt.Sprintf("%d %s", r.StillInError[name], name))
	}
	if err == nil && len(counts) > 0 {
		_, err = fmt.Fprintf(out, "Users with errors: %s.\n\n", strings.Join(counts, ", "))
	}
	return err
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
