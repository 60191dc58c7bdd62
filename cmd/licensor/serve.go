package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/server"
)

// serving holds the arguments of the command serve.
type serving struct {
	serverFlags
	where        databaseFlags
	secrets      secretsKey
	budget, keep string
}

func serveCommand() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve Microsoft Graph from a database",
		Long: `Serve serves Microsoft Graph under /v1.0 and /beta, its own operations under /licensor/v1, and the token endpoints under
/{tenant}/oauth2/v2.0, until it is stopped (Ctrl-C or SIGTERM). Create the database with licensor init.

Other machines can reach it only over https: with a certificate of yours (--tls-cert, --tls-key), with one of a
local authority, which is created once and kept in the folder tls next to the database (--tls self-signed), or
through a proxy that terminates TLS.`,
		Example: "  licensor serve --data /var/lib/licensor/licensor.db --listen 127.0.0.1:8080\n" +
			"  licensor serve --database postgres://licensor@db1,db2/licensor\n" +
			"  licensor serve --listen :8443 --tls self-signed --tls-name graph.microsoft.com --tls-name " +
			"login.microsoftonline.com",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	s.registerAll(cmd)
	return cmd
}

// registerAll registers the flags of serve.
func (s *serving) registerAll(cmd *cobra.Command) {
	s.register(cmd)
	s.where.register(cmd)
	s.secrets.register(cmd)
	f, o := cmd.Flags(), &s.options
	f.BoolVar(&o.Development, "development", false, "for tests: serve /licensor/v1/development, which "+
		"moves the clock, makes requests fail and issues tokens for any user")
	registerMemory(f, o, &s.budget)
	f.DurationVar(&o.RotateKeys, "rotate-keys", server.UsualRotation,
		"age at which the key that signs tokens is replaced by a new one, at least 1h; 0 for never (see licensor keys)")
	f.StringVar(&s.keep, "keep-log", "400d",
		"how long commits are kept, at least 7d, or forever; older delta links are answered 410")
	f.IntVar(&o.KeepDays, "keep-days", 0, "number of days for which a snapshot of each day is kept, so that ?at= and "+
		"costs of the past can be answered; not more than --keep-log (default 30)")
	f.StringVar(&o.ArchiveLog, "archive-log", "",
		"folder to archive removed commits in, as a compressed file for each tenant and whole day (UTC)")
	f.StringVar(&o.BackupDir, "backup-dir", "", "folder to write regular backups of all tenants to; see licensor restore")
	f.DurationVar(&o.BackupEvery, "backup-every", 0, "interval between backups, with --backup-dir (default 24h)")
	f.IntVar(&o.BackupKeep, "backup-keep", 0, "number of backups to keep, with --backup-dir (default 7)")
	f.StringArrayVar(&o.Operators, "operator", nil, "application, as TENANT/CLIENT-ID, that may back up all tenants "+
		"and the signing keys (see licensor backup); may be repeated")
	f.StringArrayVar(&o.Origins, "cors-origin", nil, "origin of web pages that may call the server, such as "+
		"https://admin.contoso.com or http://localhost:*; may be repeated")
}

func (s *serving) run(cmd *cobra.Command) error {
	o := &s.options
	if err := setMemory(o, s.budget); err != nil { // before anything asks for the limit
		return err
	}
	at, err := s.where.read()
	if err != nil {
		return err
	}
	if err := s.read(func() (string, error) { return besideData(at.name) }); err != nil {
		return err
	}
	o.RotateKeys = orNever(o.RotateKeys)
	if o.KeepLog, err = parseKeepLog(s.keep); err != nil {
		return err
	}
	srv, err := openFounded(cmd.Context(), *o, at, s.secrets)
	if err != nil {
		return err
	}
	err = srv.ListenAndServe(cmd.Context(), &s.at, func(root string) {
		log := logger(cmd.Context())
		howToTrust(cmd.OutOrStdout(), &s.at.Security)
		s.secrets.warnPlain(log)
		if o.Development {
			log.Warn("the development options are on: callers with Directory.ReadWrite.All can act as any user, and " +
				"move the clock")
		}
		log.Info("serving", "address", root, "database", srv.Database())
	})
	return errors.Join(err, srv.Close(context.WithoutCancel(cmd.Context())))
}

// parseKeepLog reads --keep-log.
func parseKeepLog(text string) (time.Duration, error) {
	keep, err := parseKeep("--keep-log", text, "a number of days, 7d or more, a time such as 200h, or forever")
	if err == nil && keep >= 0 && keep < server.LeastKeepLog {
		err = usage(fmt.Errorf("--keep-log is %s: delta links are valid for 7 days, so it is at least 7d, or "+
			"forever", text))
	}
	return keep, err
}

// besideData returns the folder of the local authority: it lies next to the file of the database.
func besideData(name database.Name) (string, error) {
	path, isFile := name.IsFile()
	if !isFile {
		return "", usage(errors.New("--tls self-signed keeps its authority next to the file of the database: with " +
			"PostgreSQL, name a folder for it with --tls-dir"))
	}
	return filepath.Join(filepath.Dir(path), "tls"), nil
}

// openFounded opens a database that `licensor init` has created. It does not create one, so that a
// mistyped name is an error instead of an empty directory.
func openFounded(
	ctx context.Context, options server.Options, at place, secrets secretsKey,
) (*server.Server, error) {
	if err := at.mustExist(ctx, "name it with --data, or create one with `licensor init`"); err != nil {
		return nil, err
	}
	s, err := openServer(ctx, at.options(options), secrets)
	if err != nil {
		return nil, err
	}
	founded, err := s.Tenants().Any(ctx)
	if err == nil && !founded {
		err = fmt.Errorf("the database %s has no tenant yet: create one with `licensor init`", s.Database())
	}
	if err != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}
