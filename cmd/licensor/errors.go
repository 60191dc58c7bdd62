package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/licensing"
)

// listingErrors holds the arguments of the command errors.
type listingErrors struct {
	reading
	kinds, skus, groups          []string
	department, location         string
	since, before, filter, order string
	summary                      bool
	past                         past
}

func errorsCommand() *cobra.Command {
	var e listingErrors
	cmd := &cobra.Command{
		Use:   "errors",
		Short: "List users with license errors, why, and how to resolve them",
		Long: `Errors lists the licenses that users should have and lack, each with the reason and what would resolve the error.
The flags select errors; those that are given must all fit. --filter takes any condition of licenseErrors over
error, skuId, group, since, department and usageLocation.

With --summary, errors are counted by kind, product and group, and it says which one remedy resolves how many. That
is what a preview of it shows, if it is exact; otherwise, fewer may be resolved.`,
		Example: "  licensor errors --info demo.json\n" +
			"  licensor errors --error CountViolation --sku ENTERPRISEPACK --order since\n" +
			"  licensor errors --group Sales --since 7d --csv -o errors.csv --limit 0\n" +
			"  licensor errors --summary",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&e.kinds, "error", nil, "kind of error, such as CountViolation; can be repeated")
	f.StringSliceVar(&e.skus, "sku", nil, "id or part number of a product; can be repeated")
	f.StringArrayVar(&e.groups, "group", nil, "id or displayName of the group that the license comes from; can be repeated")
	f.StringVar(&e.since, "since", "", "errors that began then or later: a time, a date, or how long ago, such as 7d")
	f.StringVar(&e.before, "before", "", "errors that began before then")
	f.StringVar(&e.department, "department", "", "department of the users")
	f.StringVar(&e.location, "usage-location", "", "usageLocation of the users, such as DE")
	f.StringVar(&e.filter, "filter", "", "a further condition, such as \"startsWith(department,'Sales')\"")
	f.StringVar(&e.order, "order", "", "order of the users: since or displayName, with \" desc\" for the reverse")
	f.BoolVar(&e.summary, "summary", false, "count the errors instead of listing them")
	e.past.register(cmd)
	e.register(cmd, "users", 50)
	e.complete(cmd, map[string]completer{"group": completeGroups, "sku": completeProducts})
	completeWords(cmd, "error", errorKinds()...)
	completeWords(cmd, "order", "since", "since desc", "displayName", "displayName desc")
	cmd.MarkFlagsMutuallyExclusive("summary", "order")
	cmd.MarkFlagsMutuallyExclusive("summary", "limit")
	return cmd
}

// errorKinds returns the kinds of license errors.
func errorKinds() (kinds []string) {
	for kind := licensing.NoViolation + 1; int(kind) < licensing.Violations; kind++ {
		kinds = append(kinds, kind.String())
	}
	return kinds
}

func (e *listingErrors) run(cmd *cobra.Command) error {
	query := url.Values{}
	times, err := e.times()
	if err = errors.Join(err, e.past.set(query)); err != nil {
		return err
	}
	return e.print(cmd, func(out *printer) error {
		return e.use(cmd, func(ctx context.Context, c *connection) error {
			filter, err := e.condition(ctx, c, times)
			if err != nil {
				return err
			}
			if filter != "" {
				query.Set("$filter", filter)
			}
			if e.summary {
				return printSummary(ctx, out, c, query)
			}
			if e.order != "" {
				query.Set("$orderby", e.order)
			}
			return out.list(ctx, c, e.limit, list{
				path: "/licensor/v1/licenseErrors", query: query, columns: errorColumns, row: printExplained,
				none: "There are no license errors.",
			})
		})
	})
}

// times returns the conditions on when errors began.
func (e *listingErrors) times() (all []string, err error) {
	for _, limit := range []struct{ flag, text, operator string }{{"--since", e.since, "ge"}, {"--before", e.before, "lt"}} {
		if limit.text == "" {
			continue
		}
		at, err := parseTime(limit.flag, limit.text)
		if err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf("since %s %s", limit.operator, at.Format(time.RFC3339)))
	}
	return all, nil
}

// condition returns the $filter that the flags stand for.
func (e *listingErrors) condition(ctx context.Context, c *connection, all []string) (string, error) {
	add := func(property string, values []string) {
		if len(values) > 0 {
			all = append(all, property+" in ("+strings.Join(values, ",")+")")
		}
	}
	var kinds, skus, groups []string
	for _, kind := range e.kinds {
		kinds = append(kinds, quoted(kind))
	}
	for _, key := range e.skus {
		id, err := findProduct(ctx, c, key)
		if err != nil {
			return "", err
		}
		skus = append(skus, quoted(id))
	}
	for _, key := range e.groups {
		group, err := findGroup(ctx, c, key)
		if err != nil {
			return "", err
		}
		groups = append(groups, quoted(group.ID))
	}
	add("error", kinds)
	add("skuId", skus)
	add("group", groups)
	for _, is := range [][2]string{{"department", e.department}, {"usageLocation", e.location}} {
		if is[1] != "" {
			all = append(all, is[0]+" eq "+quoted(is[1]))
		}
	}
	if e.filter != "" {
		all = append(all, "("+e.filter+")")
	}
	return strings.Join(all, " and "), nil
}
