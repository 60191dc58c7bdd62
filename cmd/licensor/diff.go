package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// differing holds the arguments of the command diff.
type differing struct {
	reading
	from, to, filter string
}

func diffCommand() *cobra.Command {
	var d differing
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Show who gained and lost what between two times",
		Long: `Diff compares the tenant at two times: who gained, lost or failed to get which product in between, and how the seats of
products have changed. States are kept as long as licensor serve --keep-days says.`,
		Example: "  licensor diff --from 7d --info demo.json\n" +
			"  licensor diff --from 2026-01-01 --to 2026-02-01 --filter \"outcome eq 'lose'\" --csv --limit 0",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&d.from, "from", "", "the first time: a time, a date, or how long ago, such as 7d")
	f.StringVar(&d.to, "to", "", "the second time; now by default")
	f.StringVar(&d.filter, "filter", "", "print only these users, by outcome, skuId and group: \"outcome eq 'lose'\"")
	_ = cmd.MarkFlagRequired("from") // the flag exists
	d.register(cmd, "users", 50)
	return cmd
}

// difference is the first page of GET /licensor/v1/difference, whose rows are those of a preview.
type difference struct {
	page
	tried
	FromDateTime, ToDateTime string
}

// setSpan sets the times of --from and --to, if they are given.
func setSpan(query url.Values, from, to string) error {
	for _, end := range [][2]string{{"from", from}, {"to", to}} {
		if end[1] == "" {
			continue
		}
		at, err := parseTime("--"+end[0], end[1])
		if err != nil {
			return err
		}
		query.Set(end[0], at.Format(time.RFC3339))
	}
	return nil
}

func (d *differing) run(cmd *cobra.Command) error {
	query := url.Values{}
	if err := setSpan(query, d.from, d.to); err != nil {
		return err
	}
	if d.filter != "" {
		query.Set("$filter", d.filter)
	}
	return d.print(cmd, func(out *printer) error {
		return d.use(cmd, func(ctx context.Context, c *connection) error {
			var found difference
			path := listPath("/licensor/v1/difference", query, d.limit)
			raw, err := c.ask(ctx, http.MethodGet, path, nil, &found)
			if err != nil {
				return err
			}
			return d.show(ctx, out, c, raw, &found)
		})
	})
}

func (d *differing) show(
	ctx context.Context, out *printer, c *connection, raw json.RawMessage, found *difference,
) error {
	users := out.table(previewColumns...)
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil {
		return err
	}
	for _, member := range []string{"fromDateTime", "toDateTime", "users", "products"} {
		users.Member(member, sent[member])
	}
	if out.format == tables.Text {
		fmt.Fprintf(out, "From %s to %s.\n", found.FromDateTime, found.ToDateTime)
		if err := found.tried.print(out); err != nil {
			return err
		}
		if found.Users != (outcomes{}) {
			fmt.Fprintln(out)
			users.None = "No user has such an outcome."
		}
	}
	more, err := c.follow(ctx, found.page, d.limit, func(row json.RawMessage) error {
		return printPreviewed(users, row)
	})
	if err != nil {
		return err
	}
	return out.end(users, more)
}
