package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// swapping holds the arguments of the command swap.
type swapping struct {
	trying
	from, to               string
	groups, users, disable []string
	where                  string
}

func swapCommand() *cobra.Command {
	var s swapping
	cmd := &cobra.Command{
		Use:   "swap --from PRODUCT --to PRODUCT",
		Short: "Put one product in the place of another",
		Long: `Swap replaces a product by another one, for all groups and users that have it, or for those that --group, --user and --filter
select. Service plans that are disabled stay disabled, also in another tier of their service, unless --disable lists those of
the new product. No user is without a license in between, and all changes are one commit. It prints what would become of users
first, and asks. If something is in the way, such as missing seats, it says what, changes nothing, and its exit code is 4.`,
		Example: "  licensor swap --from STANDARDPACK --to ENTERPRISEPACK --group Sales --info demo.json\n" +
			"  licensor swap --from STANDARDPACK --to SPE_E3 --filter \"department eq 'Sales'\" --disable TEAMS1 --yes",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&s.from, "from", "", "id or part number of the product to replace")
	f.StringVar(&s.to, "to", "", "id or part number of the new product")
	f.StringArrayVar(&s.groups, "group", nil, "id or displayName of a group that has the product; can be repeated")
	f.StringArrayVar(&s.users, "user", nil, "id or userPrincipalName of a user who has it directly; can be repeated")
	f.StringVar(&s.where, "filter", "", "users who have it directly, as $filter of Graph: \"department eq 'Sales'\"")
	f.StringSliceVar(&s.disable, "disable", nil, "service plan of the new product to disable; can be repeated")
	_ = cmd.MarkFlagRequired("from") // they exist
	_ = cmd.MarkFlagRequired("to")
	s.registerApplying(cmd)
	s.complete(cmd, map[string]completer{
		"from": completeProducts, "to": completeProducts, "group": completeGroups, "user": completeUsers,
	})
	return cmd
}

// proposed is a change set that the server proposes, with its preview or what prevents it.
type proposed struct {
	Requests  []json.RawMessage
	Obstacles []obstacle
	Skipped   []skippedRows
	Left      int
	Preview   json.RawMessage
}

// obstacle is something that prevents a swap.
type obstacle struct {
	Kind, Text string
	Count      int `json:"users@odata.count"`
	Users      []namedUser
	GroupCount int `json:"groups@odata.count"`
	Groups     []struct{ DisplayName string }
}

type namedUser struct{ UserPrincipalName string }

func (s *swapping) run(cmd *cobra.Command) error {
	return s.print(cmd, func(out *printer) error {
		return s.use(cmd, func(ctx context.Context, c *connection) error {
			body, err := s.body(ctx, c, cmd.Flags().Changed("filter"))
			if err != nil {
				return err
			}
			var p proposed
			raw, err := c.ask(ctx, http.MethodPost, "/licensor/v1/swaps", body, &p)
			if err != nil {
				return err
			}
			if len(p.Obstacles) > 0 {
				if err := p.printObstacles(out, raw); err != nil {
					return err
				}
				return damaged(fmt.Errorf("nothing was changed, because of %d obstacles", len(p.Obstacles)))
			}
			return s.propose(cmd, out, c, &p)
		})
	})
}

// body returns the request. A filter that is given is sent even if it is empty, so that a variable
// of a script without a value does not select all users.
func (s *swapping) body(ctx context.Context, c *connection, filtered bool) ([]byte, error) {
	body := map[string]any{"from": s.from, "to": s.to}
	if len(s.groups) > 0 {
		var ids []string
		for _, key := range s.groups {
			group, err := findGroup(ctx, c, key)
			if err != nil {
				return nil, err
			}
			ids = append(ids, group.ID)
		}
		body["groups"] = ids
	}
	if len(s.users) > 0 {
		body["users"] = s.users
	}
	if filtered {
		body["filter"] = s.where
	}
	if len(s.disable) > 0 {
		body["plans"] = s.disable
	}
	return json.Marshal(body)
}

// propose shows what a proposed change set would do, asks, and applies it.
func (t *trying) propose(cmd *cobra.Command, out *printer, c *connection, p *proposed) error {
	var shown tried
	if err := json.Unmarshal(p.Preview, &shown); err != nil {
		return fmt.Errorf("the server's preview cannot be read: %w", err)
	}
	t.applies = true
	if out.format == tables.Text {
		fmt.Fprintf(out, "%d requests.\n", len(p.Requests))
		if err := t.show(cmd.Context(), out, c, p.Preview, &shown); err != nil {
			return err
		}
	}
	return t.make(cmd, out, c, &shown)
}

// maxNamed is how many names of users and groups a line has at most.
const maxNamed = 3

func (p *proposed) printObstacles(out *printer, raw json.RawMessage) error {
	if out.format == tables.JSON {
		return writeJSON(out, raw)
	}
	t := out.table(
		tables.Column{Title: "IN THE WAY", Name: "kind", Whole: true},
		tables.Column{Title: "USERS", Name: "users", Right: true},
		tables.Column{Title: "WHY", Name: "text"},
		tables.Column{Title: "FOR", Name: "names"},
	)
	for i := range p.Obstacles {
		o := &p.Obstacles[i]
		var names []string
		for _, g := range o.Groups {
			names = append(names, "group "+g.DisplayName)
		}
		for _, u := range o.Users {
			names = append(names, u.UserPrincipalName)
		}
		kind := tables.Cell{Value: o.Kind, Sign: tables.Bad}
		if err := t.Row(nil, kind, o.Count, o.Text, firstNames(names, o.Count+o.GroupCount)); err != nil {
			return err
		}
	}
	return t.End(false)
}
