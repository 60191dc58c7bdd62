package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"licensor/internal/server"
)

// connecting holds the flags that select a tenant: on a server, or in a database that the command
// opens itself. Both ways use HTTP and the same API, so commands work the same in either.
type connecting struct {
	where                          databaseFlags
	server, info                   string
	tenant, clientID, clientSecret string
	secrets                        secretsKey
}

const connectingHelp = `

The tenant is on a server (--server, or --info with a file that ` + "`licensor demo --info`" + ` writes), or in a database (--data, --database)
that no server has open. Instead of the flags for a server, you can set the environment variables LICENSOR_SERVER, LICENSOR_TENANT,
LICENSOR_CLIENT_ID and LICENSOR_CLIENT_SECRET. This is better for a secret, since others on the machine can see the flags.`

func (c *connecting) register(cmd *cobra.Command) {
	cmd.Long += connectingHelp
	c.registerServer(cmd, "id or domain of the tenant; with a database only needed if there are several")
	c.secrets.register(cmd)
}

// registerServer registers the flags that name a database or a server, and log in there.
func (c *connecting) registerServer(cmd *cobra.Command, tenant string) {
	cmd.Flags().StringVar(&c.tenant, "tenant", "", tenant)
	c.registerLogin(cmd)
}

// registerLogin is registerServer without the flag for the tenant.
func (c *connecting) registerLogin(cmd *cobra.Command) {
	f := cmd.Flags()
	c.where.register(cmd)
	f.StringVar(&c.server, "server", "", "scheme and host of a server, such as http://127.0.0.1:8080, instead of a database")
	f.StringVar(&c.info, "info", "", "JSON file with the address and the credentials, instead of the flags for them")
	f.StringVar(&c.clientID, "client-id", "", "client id of the application to log in as, with --server")
	f.StringVar(&c.clientSecret, "client-secret", "", "secret of that application, with --server")
	cmd.MarkFlagsMutuallyExclusive("data", "server", "info")
	cmd.MarkFlagsMutuallyExclusive("database", "server", "info")
}

// connection is a connection to a tenant's API.
type connection struct {
	root   string // scheme and host
	client *http.Client
	tokens oauth2.TokenSource // nil on a database
	close  func() error
}

// open connects as the flags and the environment say. The caller must close the connection.
func (c *connecting) open(cmd *cobra.Command) (*connection, error) {
	login, err := c.login()
	if err != nil {
		return nil, err
	}
	if login.Graph != "" {
		return openRemote(cmd.Context(), login)
	}
	at, err := c.where.read()
	if err != nil {
		return nil, err
	}
	orEnvironment(&c.tenant, "LICENSOR_TENANT")
	return openLocal(cmd.Context(), at, c.tenant, c.secrets)
}

// login returns how to log in at a server, as the flags and the environment say; Graph is empty if
// they name no server.
func (c *connecting) login() (login server.Login, err error) {
	login = server.Login{Graph: c.server, TenantID: c.tenant, ClientID: c.clientID, ClientSecret: c.clientSecret}
	if c.info != "" {
		if login, err = readInfo(c.info); err != nil {
			return login, err
		}
	}
	if !c.where.isGiven() {
		orEnvironment(&login.Graph, "LICENSOR_SERVER")
	}
	if login.Graph == "" {
		if c.clientID != "" || c.clientSecret != "" {
			return login, usage(errors.New("--client-id and --client-secret are for a server: add --server"))
		}
		return server.Login{}, nil
	}
	orEnvironment(&login.TenantID, "LICENSOR_TENANT")
	orEnvironment(&login.ClientID, "LICENSOR_CLIENT_ID")
	orEnvironment(&login.ClientSecret, "LICENSOR_CLIENT_SECRET")
	return login, nil
}

func orEnvironment(value *string, name string) {
	if *value == "" {
		*value = os.Getenv(name)
	}
}

func readInfo(path string) (login server.Login, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return login, fmt.Errorf("read the credentials: %w", err)
	}
	if err := json.Unmarshal(data, &login); err != nil {
		return login, fmt.Errorf("%s is not what `licensor demo --info` writes: %w", path, err)
	}
	if login.Graph == "" {
		return login, fmt.Errorf("%s does not name the server: it has no \"graph\"", path)
	}
	return login, nil
}

// openRemote connects to a server. It gets the first token immediately, so that wrong credentials
// are reported before any work is done.
func openRemote(ctx context.Context, login server.Login) (*connection, error) {
	for _, need := range []struct{ value, flag, variable string }{
		{login.TenantID, "--tenant", "LICENSOR_TENANT"},
		{login.ClientID, "--client-id", "LICENSOR_CLIENT_ID"},
		{login.ClientSecret, "--client-secret", "LICENSOR_CLIENT_SECRET"},
	} {
		if need.value == "" {
			return nil, usage(fmt.Errorf("to log in at %s, %s or %s must be given",
				login.Graph, need.flag, need.variable))
		}
	}
	root := strings.TrimSuffix(login.Graph, "/")
	authority := strings.TrimSuffix(login.Authority, "/")
	if authority == "" {
		authority = root
	}
	if err := checkRoot(root); err != nil {
		return nil, err
	}
	base, err := transportTo(login)
	if err != nil {
		return nil, err
	}
	grant := clientcredentials.Config{
		ClientID: login.ClientID, ClientSecret: login.ClientSecret,
		TokenURL:  authority + "/" + url.PathEscape(login.TenantID) + "/oauth2/v2.0/token",
		Scopes:    []string{"https://graph.microsoft.com/.default"},
		AuthStyle: oauth2.AuthStyleInParams,
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: base, Timeout: server.RequestTime})
	tokens := grant.TokenSource(ctx)
	c := &connection{
		root:   root,
		tokens: tokens,
		client: &http.Client{Transport: &oauth2.Transport{Source: tokens, Base: base}, Timeout: server.RequestTime},
		close:  func() error { base.CloseIdleConnections(); return nil },
	}
	err = c.retry(ctx, func() error {
		_, err := tokens.Token()
		return tokenRefusal(err)
	})
	if err != nil {
		return nil, fmt.Errorf("log in at %s: %w", authority, err)
	}
	return c, nil
}

// transportTo returns a transport that trusts the certificate of a server.
func transportTo(login server.Login) (*http.Transport, error) {
	trust, err := server.Trusting(login.CA)
	if err != nil {
		return nil, err
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	if trust != nil {
		base.TLSClientConfig = &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}
	}
	return base, nil
}

func checkRoot(root string) error {
	scheme, host, ok := strings.Cut(root, "://")
	if !ok || scheme != "http" && scheme != "https" || host == "" || strings.ContainsAny(host, "/?#@") {
		return usage(fmt.Errorf("%q is not the address of a server: give scheme and host only, such as "+
			"http://127.0.0.1:8080", root))
	}
	return nil
}

// importPieces is the number of pieces that an import writes in one commit when this process owns
// the database.
const importPieces = 10

// openLocal opens a database, which this process owns until the connection is closed.
func openLocal(ctx context.Context, at place, tenant string, secrets secretsKey) (*connection, error) {
	if err := at.mustExist(ctx,
		"name it with --data, create one with `licensor init`, or use --server"); err != nil {
		return nil, err
	}
	s, err := openServer(ctx, at.options(server.Options{}), secrets)
	if err != nil {
		return nil, fmt.Errorf("%w, or use --server for one that a server runs on", err)
	}
	stop := func() error { return s.Close(context.WithoutCancel(ctx)) }
	client, err := s.Operate(ctx, tenant, importPieces)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return &connection{root: server.LocalRoot, client: client, close: stop}, nil
}
