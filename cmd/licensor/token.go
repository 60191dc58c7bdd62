package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"licensor/internal/identity"
	"licensor/internal/server"
)

// minting holds the arguments of the command token.
type minting struct{ server.Minting }

func tokenCommand() *cobra.Command {
	var from connecting
	var m minting
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Create an access token of any kind, for tests",
		Long: `Token prints an access token, which may be invalid on purpose. It is signed with the key of a database, or
created by a server with the development options (` + "`licensor demo`, or `licensor serve --development`" + `).

Without --user it is a token of an application: --client selects the application (by default the first),
--permission sets its permissions (by default those that it has). With --user it is a token of a signed-in user:
--scope sets what the client may do for the user. --role adds directory roles to those of the user or application.`,
		Example: "  licensor token --data licensor.db\n" +
			"  licensor token --info demo.json --user ann@contoso.example --scope User.ReadWrite.All --role 'License " +
			"Administrator'\n" +
			"  licensor token --info demo.json --expired",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := from.open(cmd)
			if err != nil {
				return err
			}
			token, err := m.mint(cmd.Context(), c)
			if err = errors.Join(err, c.close()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		},
	}
	from.register(cmd)
	m.register(cmd)
	return cmd
}

func (m *minting) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.Authority, "authority", "", "scheme and host of the token's issuer (by default the server's; "+
		"with --data http://127.0.0.1:8080)")
	f.StringVar(&m.Audience, "audience", "", "the service that the token is for (by default Microsoft Graph)")
	f.StringVar(&m.Client, "client", "", "client id of the application (by default the first one); with --user, of "+
		"the client that acts for the user")
	f.StringSliceVar(&m.Permissions, "permission", nil, "application permissions, such as User.Read.All")
	f.StringVar(&m.User, "user", "", "id or userPrincipalName of a signed-in user")
	f.StringSliceVar(&m.Scopes, "scope", nil, "delegated permissions, with --user")
	f.StringSliceVar(&m.Roles, "role", nil, "directory roles by name or template id, in addition to those in the directory")
	f.BoolVar(&m.Personal, "personal", false, "a token of a personal account, which licensing operations refuse")
	f.DurationVar(&m.Lifetime, "lifetime", identity.Lifetime, "how long the token is valid")
	f.BoolVar(&m.Expired, "expired", false, "a token that is no longer valid")
	cmd.MarkFlagsMutuallyExclusive("user", "permission")
}

// mint gets the token, from a server or from the API in this process.
func (m *minting) mint(ctx context.Context, c *connection) (string, error) {
	if m.Authority == "" && c.root == server.LocalRoot {
		m.Authority = "http://127.0.0.1:8080"
	}
	body, err := json.Marshal(m.Minting)
	if err != nil {
		return "", err
	}
	var made struct{ AccessToken string }
	err = c.do(ctx, http.MethodPost, "/licensor/v1/development/tokens", "application/json", body, &made)
	if e, ok := errors.AsType[*refusalError](err); ok && e.status == http.StatusNotFound {
		return "", fmt.Errorf("the server does not create tokens for tests: start it with --development (%w)", err)
	}
	return made.AccessToken, err
}
