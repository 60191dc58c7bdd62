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

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

func demoCommand() *cobra.Command {
	var at serving
	var data, info string
	var limits limiting
	var dev development
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve an invented tenant, after showing a license that fails and is put right",
		Long: "Demo makes a tenant with 200 people, 12 groups and a dozen real products, in which every kind of license error occurs.\n" +
			"It plays a short story against its own server, printing each call and its answer, and then goes on serving.\n\n" +
			"The tenant is thrown away at the end, unless --data says where to keep it. The local authority that --tls self-signed makes is\n" +
			"kept, in the folder licensor/ca with the user's settings, so that clients must be told to trust it just once.",
		Example: "  licensor demo\n" +
			"  licensor demo --listen 127.0.0.1:0 --info demo.json   # for scripts: the address and credentials as JSON\n" +
			"  licensor demo --tls self-signed                       # for clients that insist on https",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := at.prepare(userAuthority); err != nil {
				return err
			}
			path, cleanUp, err := demoData(data)
			if err != nil {
				return err
			}
			defer cleanUp()
			s, err := openService(cmd.Context(), path, serviceOptions{publicURL: at.publicURL, origins: localOrigins, limits: limits.limits(), development: &dev})
			if err != nil {
				return err
			}
			err = s.demo(cmd.Context(), cmd.OutOrStdout(), &at, info)
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	at.register(cmd, "127.0.0.1:8080")
	limits.register(cmd)
	dev.register(cmd, true)
	cmd.Flags().StringVar(&data, "data", "", "a file to keep the tenant in, which must not be there yet")
	cmd.Flags().StringVar(&info, "info", "", "a file to write address and credentials to, as JSON")
	return cmd
}

// userAuthority is where the demo keeps its local authority: with the user, so that who trusts it once need not for the next demo.
func userAuthority() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "licensor", "ca"), err
}

// localOrigins are those of pages that somebody who tries things out serves on the same machine.
var localOrigins = []string{"http://localhost:*", "http://127.0.0.1:*", "https://localhost:*"}

// demoData returns where the demo's database is to be, and what to do about it at the end.
func demoData(kept string) (path string, cleanUp func(), err error) {
	if kept != "" {
		if _, err := os.Stat(kept); err == nil {
			return "", nil, fmt.Errorf("%s is there already. Look at it with `licensor serve --data %s`, or name another file", kept, kept)
		}
		return kept, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "licensor-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	return filepath.Join(dir, defaultData), func() {
		if err := os.RemoveAll(dir); err != nil {
			slog.Warn("the demo's folder could not be removed", "folder", dir, "error", err)
		}
	}, nil
}

// demo serves, makes the tenant and plays the story at the same time, and goes on serving.
func (s *service) demo(ctx context.Context, out io.Writer, at *serving, info string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	login, err := s.demoTenant(ctx)
	if err != nil {
		return err
	}
	login.CA = at.secure.authority()
	told := make(chan struct{})
	err = s.listenAndServe(ctx, at, func(root string) {
		login.Graph, login.Authority = root, root
		go func() {
			defer close(told)
			if err := s.present(ctx, out, login, at, info); err != nil && ctx.Err() == nil {
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

// demoTenant makes the tenant, with an administrator, an application with a secret and one for programs that people sign in to.
func (s *service) demoTenant(ctx context.Context) (credentials, error) {
	login, err := s.found(ctx, founding{
		name: "Contoso", domain: demoDomain, country: "DE", admin: "admin", application: "Demo application", keepPassword: true, firstParty: true,
	})
	if err != nil {
		return login, err
	}
	t, _ := s.tenants.ByDomain(demoDomain)
	app := directory.Client{
		Application: directory.Application{
			ID: uuid.New(), AppID: uuid.New(), DisplayName: "Demo client", CreatedDateTime: s.now().UTC().Truncate(time.Second),
			PublicClient: true, Redirects: directory.Redirects{Public: []string{"http://localhost"}},
		},
		Principal: directory.ServicePrincipal{ID: uuid.New()},
	}
	login.PublicClientID = app.AppID.String()
	_, err = t.Do(ctx, author, tenant.SetClient{Client: app})
	return login, err
}

// demoUser is the one of the people who can sign in, as somebody without a role.
const demoUser = "clara.jung@" + demoDomain

// present shows the tenant and how to go on.
func (s *service) present(ctx context.Context, out io.Writer, login credentials, at *serving, info string) error {
	trust, err := at.secure.trust()
	if err != nil {
		return err
	}
	c, err := newStory(ctx, out, login, trust)
	if err != nil {
		return err
	}
	if err := c.tell(); err != nil {
		return fmt.Errorf("the demo's story came out otherwise than it should: %w", err)
	}
	if err := s.development.start(); err != nil {
		return err
	}
	t, _ := s.tenants.ByDomain(demoDomain)
	login.UserName = demoUser
	if login.UserPassword, err = setPassword(ctx, t, demoUser, false); err != nil {
		return err
	}
	if info != "" {
		if err := writeInfo(info, login); err != nil {
			return err
		}
	}
	at.secure.howToTrust(out)
	return goOn.Execute(out, login)
}

var goOn = template.Must(template.New("").Funcs(template.FuncMap{"word": shellWord}).Parse(`
{{- define "curl"}}curl -s{{if .CA}} --cacert {{word .CA}}{{end}}{{end}}
{{- define "call"}}{{template "curl" .}} -H "Authorization: Bearer $token"{{end}}
Serving Microsoft Graph at {{.Graph}} (Ctrl-C ends it). Go on with:

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

// writeInfo writes the file at once, so that who waits for it never reads half of it.
func writeInfo(path string, login credentials) error {
	data, err := json.MarshalIndent(login, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
