package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/catalog"
)

// serving is how a server is reached.
type serving struct {
	listen    string
	publicURL string
	keys      keyPair
}

func (s *serving) register(cmd *cobra.Command, listen string) {
	cmd.Flags().StringVar(&s.listen, "listen", listen, "address and port to listen on; port 0 picks a free one")
	cmd.Flags().StringVar(&s.publicURL, "public-url", "", "scheme and host that clients use, when a proxy stands in between")
	s.keys.register(cmd)
}

func serveCommand() *cobra.Command {
	var at serving
	var data, name, domain, country string
	var origins []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve Microsoft Graph from a database",
		Long: "Serve answers Microsoft Graph under /v1.0 and /beta, its own operations under /licensor/v1, and tokens under\n" +
			"/{tenant}/oauth2/v2.0/token, until it is told to stop (Ctrl-C, or SIGTERM).\n\n" +
			"A database that is not there is made, with a first tenant and an application that may do everything. Its secret is\n" +
			"printed then, and never again.",
		Example: "  licensor serve --data /var/lib/licensor/licensor.db --listen 127.0.0.1:8080\n" +
			"  licensor serve --organization 'Contoso' --domain contoso.example --country DE",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := openService(cmd.Context(), data, serviceOptions{publicURL: at.publicURL, origins: origins})
			if err != nil {
				return err
			}
			err = s.firstTenant(cmd.Context(), cmd.OutOrStdout(), name, domain, country)
			if err == nil {
				err = s.listenAndServe(cmd.Context(), &at, func(root string) {
					slog.Info("serving", "address", root, "data", data, "tenants", len(s.tenants.List()))
				})
			}
			return errors.Join(err, s.Close(context.WithoutCancel(cmd.Context())))
		},
	}
	at.register(cmd, "127.0.0.1:8080")
	cmd.Flags().StringVar(&data, "data", defaultData, "the database, a file")
	cmd.Flags().StringArrayVar(&origins, "cors-origin", nil, "origin of pages whose browsers may call, such as https://admin.contoso.com or http://localhost:*; may be repeated")
	cmd.Flags().StringVar(&name, "organization", "My organization", "name of the first tenant, when the database is new")
	cmd.Flags().StringVar(&domain, "domain", "licensor.example", "domain of the first tenant's user principal names, when the database is new")
	cmd.Flags().StringVar(&country, "country", "US", "country of the first tenant (two letters), when the database is new")
	return cmd
}

// firstTenant makes a tenant where there is none, and tells how to log in.
func (s *service) firstTenant(ctx context.Context, out io.Writer, name, domain, country string) error {
	if len(s.tenants.List()) > 0 {
		return nil
	}
	t, err := s.tenants.Create(ctx, uuid.New(), organization(name, domain, country, time.Now()), catalog.BuiltIn())
	if err != nil {
		return err
	}
	c, err := addApplication(ctx, t, "First application", allPermissions)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A tenant and an application were made. The secret is not shown again.\n\n"+
		"  tenant         %s\n  client id      %s\n  client secret  %s\n\n", c.TenantID, c.ClientID, c.ClientSecret)
	return nil
}

// Bounds of a connection, so that nobody can hold one, or the server, for ever.
const (
	headerTime   = 10 * time.Second
	requestTime  = 2 * time.Minute
	idleTime     = 2 * time.Minute
	maxHeader    = 64 << 10
	shutdownTime = 20 * time.Second
)

// tidyTime is how often what was deleted long ago is removed for good.
const tidyTime = time.Hour

// listenAndServe answers requests until the context ends, then lets those under way finish. Listening is told the root address.
func (s *service) listenAndServe(ctx context.Context, at *serving, listening func(root string)) error {
	security, err := at.keys.config()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", at.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", at.listen, err)
	}
	server := &http.Server{
		Handler: s.handler, TLSConfig: security, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	tidied := make(chan struct{})
	tidying, stopTidying := context.WithCancel(ctx)
	go func() {
		defer close(tidied)
		s.tenants.Tidy(tidying, tidyTime)
	}()
	defer func() {
		stopTidying()
		<-tidied
	}()
	ended := make(chan error, 1)
	scheme, serve := "http", func() error { return server.Serve(listener) }
	if security != nil {
		scheme, serve = "https", func() error { return server.ServeTLS(listener, "", "") }
	}
	go func() { ended <- serve() }()
	listening(scheme + "://" + listener.Addr().String())
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	slog.Info("stopping: no new requests, those under way are finished")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err = server.Shutdown(stop)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}
