package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/engine"
	"licensor/internal/server"
)

func initCommand() *cobra.Command {
	var where databaseFlags
	var f server.Founding
	var add, asJSON bool
	var secrets secretsKey
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create a database with a tenant and an administrator",
		Long: `Init creates a database with a tenant and its first user, an administrator with the role Global Administrator.
The administrator's password is generated and printed once, and must be changed at the first sign-in. With
--application, an application is created too, and its secret is printed in the same way.

If the database has a tenant already, nothing is changed. To create another tenant in it, use --add.`,
		Example: "  licensor init --data licensor.db --organization Contoso --domain contoso.example --country DE\n" +
			"  licensor init --domain contoso.example --application 'Deployment' --json > secrets.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := where.read()
			if err != nil {
				return err
			}
			login, err := initialize(cmd.Context(), at, secrets, f, add)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(login)
			}
			printLogin(cmd.OutOrStdout(), login, at.name)
			return nil
		},
	}
	flags := cmd.Flags()
	where.register(cmd)
	secrets.register(cmd)
	flags.StringVar(&f.Name, "organization", "My organization", "name of the tenant")
	flags.StringVar(&f.Domain, "domain", "licensor.example", "domain of its user principal names")
	flags.StringVar(&f.Country, "country", "US", "its country (two letters)")
	flags.StringVar(&f.Admin, "admin", "admin", "user principal name of the administrator, with the domain or without")
	flags.StringVar(&f.Application, "application", "", "name of an application to create, with all permissions")
	flags.BoolVar(&f.FirstParty, "first-party-clients", false,
		"let users sign in with the Azure CLI, Azure PowerShell, Microsoft Graph PowerShell and Graph Explorer")
	flags.BoolVar(&add, "add", false, "add a tenant to a database that has one already")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// initialize creates a tenant in the database. It also creates the database, unless the tenant is
// added to an existing one.
func initialize(
	ctx context.Context, at place, secrets secretsKey, f server.Founding, add bool,
) (login server.Login, err error) {
	if err := f.Complete(); err != nil {
		return login, inFlags(err)
	}
	if add {
		if err := at.mustExist(ctx, "name the database to add the tenant to with --data"); err != nil {
			return login, err
		}
	}
	s, err := openServer(ctx, at.options(server.Options{}), secrets)
	if err != nil {
		return login, err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	err = s.Tenants().Each(ctx, func(t *engine.Tenant) error {
		if domain := t.Image().Organization.DefaultDomain(); !add && !(server.Unfinished(t) && domain == f.Domain) {
			return fmt.Errorf("the database %s has a tenant already, %s: name another one with --data or "+
				"--database, or add a tenant with --add", s.Database(), domain)
		}
		return nil
	})
	if err != nil {
		return login, err
	}
	login, err = s.Found(ctx, f)
	return login, inFlags(err)
}

// printLogin prints the credentials, which are not shown again.
func printLogin(out io.Writer, login server.Login, name database.Name) {
	fmt.Fprintf(out, "The tenant %s was created. The following is not shown again.\n\n"+
		"  tenant         %s\n  administrator  %s\n  password       %s   (must be changed at the first sign-in)\n",
		login.Domain, login.TenantID, login.AdminName, login.AdminPassword)
	if login.ClientID != "" {
		fmt.Fprintf(out, "  client id      %s\n  client secret  %s\n", login.ClientID, login.ClientSecret)
	}
	flag, value, _ := strings.Cut(name.Flag(), " ")
	fmt.Fprintf(out, "\nNext: licensor serve %s %s\n", flag, shellWord(value))
}
