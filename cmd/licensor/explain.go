package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// explaining holds the arguments of the command explain.
type explaining struct {
	reading
	plan string
	past past
}

func explainCommand() *cobra.Command {
	var e explaining
	cmd := &cobra.Command{
		Use:   "explain USER",
		Short: "Explain which licenses a user has or lacks, and why",
		Long: `Explain prints for each license that a user has or should have where it comes from, its state, and for an error its
reason and what would resolve it. USER is an id or a userPrincipalName.

With --plan, it says why the user has or lacks a service plan: which product has it, whether it is disabled there,
or what is in the way.`,
		Example: "  licensor explain ann@contoso.example --info demo.json\n" +
			"  licensor explain ann@contoso.example --plan SHAREPOINTENTERPRISE",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&e.plan, "plan", "", "id or name of a service plan")
	e.past.register(cmd)
	e.registerForms(cmd)
	e.connecting.register(cmd)
	e.complete(cmd, map[string]completer{"": completeUsers})
	return cmd
}

// explainedUser is a user with all licenses, and why the user has or lacks a service plan.
type explainedUser struct {
	explained
	ServicePlan *struct {
		ServicePlanID, ServicePlanName, Text string

		Sources []struct {
			SKUID, SKUPartNumber, AssignedByGroup, GroupDisplayName, State, Error, Cause string
		}
	}
}

func (e *explaining) run(cmd *cobra.Command, user string) error {
	query := url.Values{}
	if e.plan != "" {
		query.Set("servicePlan", e.plan)
	}
	if err := e.past.set(query); err != nil {
		return err
	}
	path := "/licensor/v1" + userPath(user) + "/explain?" + query.Encode()
	return e.print(cmd, func(out *printer) error {
		return e.use(cmd, func(ctx context.Context, c *connection) error {
			var u explainedUser
			raw, err := c.ask(ctx, http.MethodGet, path, nil, &u)
			if isMissing(err) {
				return fmt.Errorf("there is no user %q: give the id or userPrincipalName of a user", user)
			}
			if err != nil {
				return err
			}
			return out.value(raw, func() error { return u.print(out) })
		})
	})
}

var licenseColumns = []tables.Column{
	{Title: "LICENSE", Name: "product"},
	{Title: "FROM", Name: "from"},
	{Title: "STATE", Name: "state"},
	{Title: "ERROR", Name: "error"},
	{Title: "SINCE", Name: "since", Whole: true, Extra: true},
	{Title: "REASON AND REMEDY", Name: "reason", Below: true, Notes: "remedies"},
}

func (u *explainedUser) print(out *printer) error {
	if out.format == tables.Text {
		fmt.Fprintf(out, "%s, %s (%s)\n", tables.OneLine(u.DisplayName), tables.OneLine(u.UserPrincipalName), u.ID)
		if p := u.ServicePlan; p != nil {
			fmt.Fprintln(out, p.Text)
		}
		fmt.Fprintln(out)
	}
	t := out.table(licenseColumns...)
	if u.ServicePlan != nil {
		return u.printPlan(t)
	}
	t.None = "The user has no licenses."
	for i := range u.Reasons {
		r := &u.Reasons[i]
		if err := r.print(t, r.cells()...); err != nil {
			return err
		}
	}
	return t.End(false)
}

// printPlan prints where a service plan comes from, or could, with the reasons of errors.
func (u *explainedUser) printPlan(t *tables.Writer) error {
	t.None = "No license of the user has it."
	for _, s := range u.ServicePlan.Sources {
		r := reasonOf{
			SKUID: s.SKUID, SKUPartNumber: s.SKUPartNumber, AssignedByGroup: s.AssignedByGroup,
			GroupDisplayName: s.GroupDisplayName, State: s.State, Error: s.Error, Text: s.Cause,
		}
		for _, other := range u.Reasons {
			if other.SKUID == s.SKUID && other.AssignedByGroup == s.AssignedByGroup {
				r = other
			}
		}
		if err := r.print(t, r.cells()...); err != nil {
			return err
		}
	}
	return t.End(false)
}
