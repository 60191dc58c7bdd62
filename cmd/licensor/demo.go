package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/directory"
	"licensor/internal/durable"
	"licensor/internal/server"
	"licensor/internal/tenant"
)

func demoCommand() *cobra.Command {
	var flags serverFlags
	var data, where, info string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a sample tenant, after showing a license error and how it is fixed",
		Long: `Demo creates a tenant with 200 people, 12 groups and a dozen real products, with every kind of license error.
It plays a short story against its own server, printing each request and its response, and then keeps serving.

The tenant is deleted at the end, unless --data or --database tells where to keep it. The local authority that
--tls self-signed creates is kept in the folder licensor/ca in the user's configuration folder, so clients must
trust it only once.`,
		Example: "  licensor demo\n" +
			"  licensor demo --listen 127.0.0.1:0 --info demo.json   # for scripts: the address and " +
			"credentials as JSON\n" +
			"  licensor demo --tls self-signed                       # for clients that require https",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.read(userAuthority); err != nil {
				return err
			}
			o := &flags.options
			o.Origins, o.Development = localOrigins, true
			cleanUp, err := demoData(o, data, where, logger(cmd.Context()))
			if err != nil {
				return err
			}
			defer cleanUp()
			if info != "" {
				if err := durable.Replaceable(info, o.Data); err != nil {
					return err
				}
			}
			// Faults and delays begin after the story.
			s, err := openBy(cmd.Context(), server.OpenUnhindered, *o, secretsKey{})
			if err != nil {
				return err
			}
			d := &demo{s, cmd.OutOrStdout(), &flags.at, info}
			err = d.serve(cmd.Context())
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&data, "data", "", "file to keep the tenant in, which must not exist yet")
	cmd.Flags().StringVar(&where, "database", "", "database to keep the tenant in, which must not have one yet: "+
		database.Forms)
	cmd.MarkFlagsMutuallyExclusive("data", "database")
	cmd.Flags().StringVar(&info, "info", "", "file to write the address and credentials to, as JSON")
	return cmd
}

// userAuthority is the folder of the demo's local authority. It belongs to the user, so that trust
// in it lasts for later demos.
func userAuthority() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "licensor", "ca"), err
}

// localOrigins are the origins of pages that are served on the same machine.
var localOrigins = []string{"http://localhost:*", "http://127.0.0.1:*", "https://localhost:*"}

// demoData chooses the demo's database, and returns a function that cleans up at the end.
func demoData(o *server.Options, file, where string, log *slog.Logger) (cleanUp func(), err error) {
	if where != "" {
		name, err := database.Parse(where)
		if err != nil {
			return nil, usage(fmt.Errorf("--database %w", err))
		}
		var isFile bool
		if file, isFile = name.IsFile(); !isFile {
			o.Database = name.URL()
			return func() {}, nil
		}
	}
	if err := database.CheckFile(file); err != nil {
		return nil, usage(fmt.Errorf("--data %w", err))
	}
	if file != "" {
		if _, err := os.Stat(file); err == nil {
			return nil, fmt.Errorf("%s already exists. Serve it with `licensor serve --data %s`, or name "+
				"another file", file, file)
		}
		o.Data = file
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "licensor-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	o.Data = filepath.Join(dir, defaultData)
	return func() {
		if err := os.RemoveAll(dir); err != nil {
			log.Warn("the demo's folder could not be removed", "folder", dir, "error", err)
		}
	}, nil
}

// demo is a server with an invented tenant.
type demo struct {
	*server.Server
	out  io.Writer
	at   *server.Listening
	info string // file for address and credentials
}

// serve creates the tenant, starts the server, plays the story, and continues to serve.
func (d *demo) serve(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	login, err := d.tenant(ctx)
	if err != nil {
		return err
	}
	login.CA = d.at.Security.Authority()
	told := make(chan struct{})
	err = d.ListenAndServe(ctx, d.at, func(root string) {
		login.Graph, login.Authority = root, root
		go func() {
			defer close(told)
			if err := d.present(ctx, login); err != nil && ctx.Err() == nil {
				stop(err)
			}
		}()
	})
	if login.Graph != "" {
		<-told
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// tenant creates the tenant, with an administrator, an application with a secret and one for
// programs that sign users in.
func (d *demo) tenant(ctx context.Context) (server.Login, error) {
	if founded, err := d.Tenants().Any(ctx); err != nil {
		return server.Login{}, err
	} else if founded {
		return server.Login{}, fmt.Errorf("the database %s has a tenant already: name another one for the demo",
			d.Database())
	}
	login, err := d.Found(ctx, server.Founding{
		Name: "Contoso", Domain: demoDomain, Country: "DE", Admin: "admin",
		Application: "Demo application", KeepPassword: true, FirstParty: true,
	})
	if err != nil {
		return login, err
	}
	t, err := d.Tenants().ByDomain(ctx, demoDomain)
	if err != nil {
		return login, err
	}
	defer t.Release()
	app := directory.Client{
		Application: directory.Application{
			ID: uuid.New(), AppID: uuid.New(), DisplayName: "Demo client",
			CreatedDateTime: d.Now().UTC().Truncate(time.Second),
			PublicClient:    true, Redirects: directory.Redirects{Public: []string{"http://localhost"}},
		},
		Principal: directory.ServicePrincipal{ID: uuid.New()},
	}
	login.PublicClientID = app.AppID.String()
	_, err = t.Do(ctx, server.Author, tenant.SetClient{Client: app})
	return login, err
}

// demoUser is one of the people who can sign in, without a directory role.
const demoUser = "clara.jung@" + demoDomain

// present prints the tenant and the next steps.
func (d *demo) present(ctx context.Context, login server.Login) error {
	trust, err := d.at.Security.Trust()
	if err != nil {
		return err
	}
	c, err := newStory(ctx, d.out, login, trust)
	if err != nil {
		return err
	}
	if err := c.play(); err != nil {
		return fmt.Errorf("the demo had an unexpected result: %w", err)
	}
	t, err := d.Tenants().ByDomain(ctx, demoDomain)
	if err != nil {
		return err
	}
	defer t.Release()
	login.UserName = demoUser
	if login.UserPassword, err = d.ResetPassword(ctx, t, demoUser, false); err != nil {
		return err
	}
	if err := d.Hinder(ctx); err != nil {
		return err
	}
	if d.info != "" {
		if err := writeInfo(d.info, login); err != nil {
			return err
		}
	}
	howToTrust(d.out, &d.at.Security)
	return goOn.Execute(d.out, login)
}

var goOn = template.Must(template.New("").Funcs(template.FuncMap{"word": shellWord}).Parse(`
{{- define "curl"}}curl -s{{if .CA}} --cacert {{word .CA}}{{end}}{{end}}
{{- define "call"}}{{template "curl" .}} -H "Authorization: Bearer $token"{{end}}
Serving Microsoft Graph at {{.Graph}} (Ctrl-C ends it). Continue with:

  tenant         {{.TenantID}}
  client id      {{.ClientID}}
  client secret  {{.ClientSecret}}

  token=$({{template "curl" .}} {{.Authority}}/{{.TenantID}}/oauth2/v2.0/token \
    -d grant_type=client_credentials -d client_id={{.ClientID}} \
    -d client_secret={{.ClientSecret}} -d scope=https://graph.microsoft.com/.default \
    | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

  {{template "call" .}} '{{.Graph}}/v1.0/subscribedSkus?$select=skuPartNumber,consumedUnits,prepaidUnits'
  {{template "call" .}} '{{.Graph}}/v1.0/users/{{.UserName}}?$select=displayName,licenseAssignmentStates'
  {{template "call" .}} '{{.Graph}}/licensor/v1/users/{{.UserName}}/explain'
  {{template "call" .}} -X POST '{{.Graph}}/v1.0/users/{{.UserName}}/reprocessLicenseAssignment'
  {{template "call" .}} '{{.Graph}}/licensor/v1/licenseErrors'

People sign in to programs such as the client {{.PublicClientID}}, which has no secret:

  {{.AdminName}}  {{.AdminPassword}}   (Global Administrator)
  {{.UserName}}  {{.UserPassword}}

  {{template "curl" .}} {{.Authority}}/{{.TenantID}}/oauth2/v2.0/devicecode \
    -d client_id={{.PublicClientID}} -d scope=User.Read
`))

// writeInfo writes the file atomically, so that programs that wait for it never read half of it.
func writeInfo(path string, login server.Login) error {
	data, err := json.MarshalIndent(login, "", "  ")
	if err != nil {
		return err
	}
	if err := server.ReplaceFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
