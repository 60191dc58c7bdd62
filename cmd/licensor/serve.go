package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/memory"
)

func serveCommand() *cobra.Command {
	var at serving
	var data string
	var origins []string
	var secrets secretsKey
	var rotateAfter time.Duration
	var limits limiting
	var dev development
	var acceptLoss bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve Microsoft Graph from a database",
		Long: "Serve answers Microsoft Graph under /v1.0 and /beta, its own operations under /licensor/v1, and tokens under\n" +
			"/{tenant}/oauth2/v2.0, until it is told to stop (Ctrl-C, or SIGTERM). `licensor init` makes the database.\n\n" +
			"Others reach it only over https: with a certificate that you have (--tls-cert, --tls-key), with one of a local authority\n" +
			"that is made once and kept in the folder tls beside the database (--tls self-signed), or through a proxy that ends TLS.",
		Example: "  licensor serve --data /var/lib/licensor/licensor.db --listen 127.0.0.1:8080\n" +
			"  licensor serve --listen :8443 --tls self-signed --tls-name graph.microsoft.com --tls-name login.microsoftonline.com",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			limit, err := memory.SetLimit() // before anything asks what it is
			if err != nil {
				return err
			}
			if err := at.prepare(func() (string, error) { return filepath.Join(filepath.Dir(data), "tls"), nil }); err != nil {
				return err
			}
			s, err := openFounded(cmd.Context(), data, serviceOptions{
				memory:  limit,
				secrets: secrets, acceptLoss: acceptLoss, publicURL: at.publicURL, origins: origins, rotateAfter: rotateAfter, limits: limits.limits(), development: &dev,
			})
			if err != nil {
				return err
			}
			err = s.listenAndServe(cmd.Context(), &at, func(root string) {
				at.secure.howToTrust(cmd.OutOrStdout())
				secrets.warnPlain()
				dev.warn()
				slog.Info("serving", "address", root, "data", data, "tenants", len(s.tenants.List()))
			})
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	at.register(cmd, "127.0.0.1:8080")
	limits.register(cmd)
	dev.register(cmd, false)
	cmd.Flags().StringVar(&data, "data", defaultData, "the database, a file")
	cmd.Flags().BoolVar(&acceptLoss, "allow-data-loss", false, "go on with a database that lacks changes which were acknowledged, such as one whose log is gone; once is enough")
	secrets.register(cmd)
	cmd.Flags().DurationVar(&rotateAfter, "rotate-keys", 90*24*time.Hour, "age at which the key that signs tokens is replaced by a new one; 0 for never (see licensor keys)")
	cmd.Flags().StringArrayVar(&origins, "cors-origin", nil, "origin of pages whose browsers may call, such as https://admin.contoso.com or http://localhost:*; may be repeated")
	return cmd
}

// openFounded opens a database that `licensor init` has made. It makes none: whoever mistypes its name is told so, instead of finding
// nobody there.
func openFounded(ctx context.Context, path string, options serviceOptions) (*service, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database %s: say with --data where it is, or make one with `licensor init`", path)
	}
	s, err := openService(ctx, path, options)
	if err != nil {
		return nil, err
	}
	if len(s.tenants.List()) == 0 {
		err := fmt.Errorf("the database %s has no tenant yet: make one with `licensor init`", path)
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}
