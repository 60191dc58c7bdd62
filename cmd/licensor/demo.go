package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/catalog"
)

func demoCommand() *cobra.Command {
	var at serving
	var data, info string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve an invented tenant, after showing a license that fails and is put right",
		Long: "Demo makes a tenant with 200 people, 12 groups and a dozen real products, in which every kind of license error occurs.\n" +
			"It plays a short story against its own server, printing each call and its answer, and then goes on serving.\n\n" +
			"The tenant is thrown away at the end, unless --data says where to keep it.",
		Example: "  licensor demo\n" +
			"  licensor demo --listen 127.0.0.1:0 --info demo.json   # for scripts: the address and credentials as JSON",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, cleanUp, err := demoData(data)
			if err != nil {
				return err
			}
			defer cleanUp()
			s, err := openService(cmd.Context(), path, serviceOptions{publicURL: at.publicURL, origins: localOrigins})
			if err != nil {
				return err
			}
			err = s.demo(cmd.Context(), cmd.OutOrStdout(), &at, info)
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	at.register(cmd, "127.0.0.1:8080")
	cmd.Flags().StringVar(&data, "data", "", "a file to keep the tenant in, which must not be there yet")
	cmd.Flags().StringVar(&info, "info", "", "a file to write address and credentials to, as JSON")
	return cmd
}

// localOrigins are those of pages that somebody who tries things out serves on the same machine.
var localOrigins = []string{"http://localhost:*", "http://127.0.0.1:*", "https://localhost:*"}

// demoData answers where the demo's database is to be, and what to do about it at the end.
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
	t, err := s.tenants.Create(ctx, uuid.New(), organization("Contoso", demoDomain, "DE", time.Now()), catalog.BuiltIn())
	if err != nil {
		return err
	}
	login, err := addApplication(ctx, t, "Demo application", allPermissions)
	if err != nil {
		return err
	}
	trust, err := at.keys.trust()
	if err != nil {
		return err
	}
	told := make(chan struct{})
	err = s.listenAndServe(ctx, at, func(root string) {
		login.Graph, login.Authority = root, root
		go func() {
			defer close(told)
			if err := present(ctx, out, login, trust, info); err != nil && ctx.Err() == nil {
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

// present shows the tenant and how to go on.
func present(ctx context.Context, out io.Writer, login credentials, trust *x509.CertPool, info string) error {
	c, err := newStory(ctx, out, login, trust)
	if err != nil {
		return err
	}
	if err := c.tell(); err != nil {
		return fmt.Errorf("the demo's story came out otherwise than it should: %w", err)
	}
	if info != "" {
		if err := writeInfo(info, login); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, goOn, login.Graph, login.Authority, login.TenantID, login.ClientID, login.ClientSecret)
	return nil
}

const goOn = `
Serving Microsoft Graph at %[1]s (Ctrl-C ends it). Go on with:

  tenant         %[3]s
  client id      %[4]s
  client secret  %[5]s

  token=$(curl -s %[2]s/%[3]s/oauth2/v2.0/token \
    -d grant_type=client_credentials -d client_id=%[4]s \
    -d client_secret=%[5]s -d scope=https://graph.microsoft.com/.default \
    | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

  curl -s -H "Authorization: Bearer $token" '%[1]s/v1.0/subscribedSkus?$select=skuPartNumber,consumedUnits,prepaidUnits'
  curl -s -H "Authorization: Bearer $token" '%[1]s/v1.0/users/clara.jung@contoso.example?$select=displayName,licenseAssignmentStates'
  curl -s -H "Authorization: Bearer $token" '%[1]s/licensor/v1/users/clara.jung@contoso.example/explain'
  curl -s -H "Authorization: Bearer $token" -X POST '%[1]s/v1.0/users/clara.jung@contoso.example/reprocessLicenseAssignment'
  curl -s -H "Authorization: Bearer $token" '%[1]s/licensor/v1/licenseErrors'
`

// writeInfo writes the file at once, so that who waits for it never reads half of it.
func writeInfo(path string, login credentials) error {
	data, err := json.MarshalIndent(login, "", "  ")
	if err != nil {
		return err
	}
	draft := path + ".new"
	if err := os.WriteFile(draft, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(draft, path)
}
