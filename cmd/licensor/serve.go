package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"licensor/internal/server"
)

func serveCommand() *cobra.Command {
	var flags serverFlags
	var secrets secretsKey
	var budget string
	o := &flags.options
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve Microsoft Graph from a database",
		Long: "Serve answers Microsoft Graph under /v1.0 and /beta, its own operations under /licensor/v1, and " +
			"tokens under\n" +
			"/{tenant}/oauth2/v2.0, until it is told to stop (Ctrl-C, or SIGTERM). `licensor init` makes the " +
			"database.\n\n" +
			"Others reach it only over https: with a certificate that you have (--tls-cert, --tls-key), with one of " +
			"a local authority\n" +
			"that is made once and kept in the folder tls beside the database (--tls self-signed), or through a " +
			"proxy that ends TLS.",
		Example: "  licensor serve --data /var/lib/licensor/licensor.db --listen 127.0.0.1:8080\n" +
			"  licensor serve --listen :8443 --tls self-signed --tls-name graph.microsoft.com --tls-name " +
			"login.microsoftonline.com",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := setMemory(o, budget); err != nil { // before anything asks for the limit
				return err
			}
			besideData := func() (string, error) { return filepath.Join(filepath.Dir(o.Data), "tls"), nil }
			if err := flags.read(besideData); err != nil {
				return err
			}
			o.RotateKeys = orNever(o.RotateKeys)
			s, err := openFounded(cmd.Context(), *o, secrets)
			if err != nil {
				return err
			}
			err = s.ListenAndServe(cmd.Context(), &flags.at, func(root string) {
				howToTrust(cmd.OutOrStdout(), &flags.at.Security)
				secrets.warnPlain()
				if o.Development {
					slog.Warn("the development options are on: callers with Directory.ReadWrite.All can act as any " +
						"user, and move the clock")
				}
				slog.Info("serving", "address", root, "data", o.Data)
			})
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	flags.register(cmd)
	secrets.register(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.Development, "development", false, "for tests of programs: serve /licensor/v1/development, which "+
		"moves the clock, makes requests fail and issues tokens for any user")
	f.StringVar(&o.Data, "data", defaultData, "the database, a file")
	registerMemory(f, o, &budget)
	f.BoolVar(&o.AllowDataLoss, "allow-data-loss", false, "go on with a database that lacks changes which were "+
		"acknowledged, such as one whose log is gone; once is enough")
	f.DurationVar(&o.RotateKeys, "rotate-keys", server.UsualRotation,
		"age at which the key that signs tokens is replaced by a new one; 0 for never (see licensor keys)")
	f.StringArrayVar(&o.Origins, "cors-origin", nil, "origin of pages whose browsers may call, such as "+
		"https://admin.contoso.com or http://localhost:*; may be repeated")
	return cmd
}

// openFounded opens a database that `licensor init` has created. It does not create one, so that a
// mistyped name is an error instead of an empty directory.
func openFounded(ctx context.Context, options server.Options, secrets secretsKey) (*server.Server, error) {
	if err := mustExist(options.Data, "say with --data where it is, or make one with `licensor init`"); err != nil {
		return nil, err
	}
	s, err := openServer(ctx, options, secrets)
	if err != nil {
		return nil, err
	}
	founded, err := s.Tenants().Any(ctx)
	if err == nil && !founded {
		err = fmt.Errorf("the database %s has no tenant yet: make one with `licensor init`", options.Data)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}
