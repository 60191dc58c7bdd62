package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

func usersCommand() *cobra.Command {
	var f finding
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List users and their licenses",
		Long: `Users lists the users that satisfy a condition of Graph, with their licenses. --search finds a text in displayName,
userPrincipalName and mail.`,
		Example: "  licensor users --info demo.json\n" +
			"  licensor users --filter \"department eq 'Sales' and assignedLicenses/$count eq 0\"\n" +
			"  licensor users --search ann --select id,userPrincipalName,city --csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			const usual = "id,userPrincipalName,displayName,department,usageLocation,accountEnabled,assignedLicenses"
			l := list{
				path: "/v1.0/users", query: f.query(usual, "displayName", "userPrincipalName", "mail"),
				columns: userColumns, none: "No user was found.",
			}
			return f.print(cmd, func(out *printer) error {
				return f.use(cmd, func(ctx context.Context, c *connection) error {
					if len(f.selected) > 0 {
						return out.list(ctx, c, f.limit, f.selection(l))
					}
					names, err := readNames(ctx, c)
					if err != nil {
						return err
					}
					l.row = rows(names.printUser)
					return out.list(ctx, c, f.limit, l)
				})
			})
		},
	}
	f.register(cmd, "users")
	return cmd
}

var userColumns = []tables.Column{
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "NAME", Name: "displayName"},
	{Title: "DEPARTMENT", Name: "department", Extra: true},
	{Title: "LOCATION", Name: "usageLocation", Whole: true},
	{Title: "ENABLED", Name: "accountEnabled", Whole: true},
	{Title: "LICENSES", Name: "licenses"},
	{Title: "ID", Name: "id", Whole: true, Extra: true},
}

// listedUser is a user with the properties that are printed.
type listedUser struct {
	ID, UserPrincipalName, DisplayName string

	Department, UsageLocation *string
	AccountEnabled            *bool
	AssignedLicenses          []assigned
}

func (n skuNames) printUser(t *tables.Writer, raw json.RawMessage, u *listedUser) error {
	enabled := tables.Cell{}
	if u.AccountEnabled != nil {
		enabled.Value = *u.AccountEnabled
		if !*u.AccountEnabled {
			enabled.Sign = tables.Warning
		}
	}
	return t.Row(raw, u.UserPrincipalName, u.DisplayName, u.Department, u.UsageLocation, enabled,
		n.join(u.AssignedLicenses), u.ID)
}
