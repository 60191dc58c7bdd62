package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/server"
)

// defaultData is the database if none is given.
const defaultData = "licensor.db"

// serverFlags are the flags of the commands that serve.
type serverFlags struct {
	at      server.Listening
	options server.Options
	clock   string
}

func (s *serverFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.at.Address, "listen", "127.0.0.1:8080", "address and port to listen on; port 0 picks a free one")
	f.StringVar(&s.at.PublicURL, "public-url", "", "scheme and host that clients use, if there is a proxy")
	f.BoolVar(&s.at.InsecureHTTP, "insecure-http", false,
		"serve plain HTTP on an address that others can reach: only behind a proxy that terminates TLS")
	f.IntVar(&s.at.MaxConnections, "max-connections", 10_000,
		"maximum number of connections; for new ones, those that have been idle longest are closed")
	f.IntVar(&s.at.MaxPerAddress, "max-connections-per-address", 1_000,
		"maximum number of connections from one address (with IPv6, from one /64), at most half of all; "+
			"a --trusted-proxy has no such limit")
	f.StringArrayVar(&s.options.TrustedProxies, "trusted-proxy", nil,
		"address or range, such as 10.0.0.0/8, of a proxy whose X-Forwarded-For is trusted; can be repeated")
	f.IntVar(&s.options.ApplicationLimit, "limit-application", server.UsualApplicationLimit,
		"resource units that an application may use in 10 seconds, computed as in Graph "+
			"(reading an object costs 1, a list 2 or more); requests without a token may use a tenth "+
			"of it per address. 0: no limit")
	f.IntVar(&s.options.TenantLimit, "limit-tenant", server.UsualTenantLimit,
		"resource units that all applications of a tenant may use in 10 seconds. 0: no limit")
	registerSecurity(cmd, &s.at.Security)
	cmd.MarkFlagsMutuallyExclusive("insecure-http", "tls")
	cmd.MarkFlagsMutuallyExclusive("insecure-http", "tls-cert")
	f.StringVar(&s.clock, "clock", "", "initial time of the clock, such as 2026-01-31T12:00:00Z, for tests")
	f.StringArrayVar(&s.options.Faults, "fault", nil, "requests that fail, for tests: 'POST "+
		"/groups/*/assignLicense=429;retryAfter=2;times=3', "+
		"optionally with ;latency=2s and ;probability=0.1; can be repeated")
	f.DurationVar(&s.options.Latency, "latency", 0, "additional duration of every request, for tests")
	f.DurationVar(&s.options.GroupProcessing, "group-processing", 0,
		"delay until the members of a group get its licenses, for tests; 0: before the response")
	f.StringVar(&s.options.Record, "record", "",
		"file that gets the least permissions that requests would have needed, as JSON, for tests")
}

func registerSecurity(cmd *cobra.Command, s *server.Security) {
	f := cmd.Flags()
	f.StringVar(&s.Kind, "tls", "", "serve https: self-signed creates a local certificate authority, once, and a "+
		"certificate")
	f.StringVar(&s.Folder, "tls-dir", "", "folder of the local authority, with --tls self-signed")
	f.StringArrayVar(&s.Names, "tls-name", nil, "additional name of the certificate, such as "+
		"graph.microsoft.com, with --tls self-signed; can be repeated")
	f.StringVar(&s.CertFile, "tls-cert", "", "serve https with this certificate (PEM); it is read again when the file changes")
	f.StringVar(&s.KeyFile, "tls-key", "", "the certificate's key (PEM)")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsMutuallyExclusive("tls", "tls-cert")
}

// read checks the flags before anything is created. Folder returns the folder of the local
// authority unless --tls-dir is set.
func (s *serverFlags) read(folder func() (string, error)) error {
	if s.clock != "" {
		at, err := time.Parse(time.RFC3339, s.clock)
		if err != nil {
			return usage(fmt.Errorf("--clock is %q; write a time as 2026-01-31T12:00:00Z", s.clock))
		}
		s.options.Clock = at
	}
	s.options.PublicURL = s.at.PublicURL
	s.options.ApplicationLimit = orNever(s.options.ApplicationLimit)
	s.options.TenantLimit = orNever(s.options.TenantLimit)
	return s.at.Prepare(folder)
}

// orNever converts 0 in a flag, which means none, to the value that means none in the options,
// where 0 means the default.
func orNever[T int | time.Duration](flag T) T {
	if flag == 0 {
		return -1
	}
	return flag
}

// flagOf maps options whose errors are found late to their flags.
var flagOf = map[string]string{
	"Options.Data": "--data", "Options.RotateKeys": "--rotate-keys", "Options.KeepLog": "--keep-log", "Options.KeepDays": "--keep-days", "Options.ArchiveLog": "--archive-log", "Options.BackupDir": "--backup-dir", "Options.BackupEvery": "--backup-every", "Options.BackupKeep": "--backup-keep", "Options.Database": "--database", "Options.Pin": "--pin", "Options.TrustedProxies": "--trusted-proxy", "Options.Operators": "--operator", "Options.PublicURL": "--public-url", "Options.Origins": "--cors-origin",
	"Options.Loading": "--loading",
	"Options.Clock":   "--clock", "Options.Faults": "--fault", "Options.Latency": "--latency", "Options.GroupProcessing": "--group-processing", "Options.Record": "--record",
	"Tenant.Name": "--organization", "Tenant.Domain": "--domain", "Tenant.Country": "--country", "Tenant.Admin": "--admin",
	"Tenant.Application": "--application",
}

// inFlags converts an error of an option to one that names the flag. An option that does not fit
// the database or its file is a failure rather than wrong usage. Errors about files, keys and times
// name these themselves.
func inFlags(err error) error {
	wrong, ok := errors.AsType[*server.OptionError](err)
	switch {
	case !ok:
		return err
	case wrong.Err != nil && wrong.Type == "Options":
		return explainSealed(wrong.Err)
	}
	if flag := flagOf[wrong.Type+"."+wrong.Option]; flag != "" {
		err = fmt.Errorf("%s %s", flag, wrong.Problem)
	}
	if wrong.Err != nil {
		return err
	}
	return usage(err)
}

// forTests are the options that need --development.
var forTests = []string{"Clock", "Faults", "Latency", "GroupProcessing", "Record"}

// openServer opens a database with the key for its secrets.
func openServer(ctx context.Context, options server.Options, secrets secretsKey) (*server.Server, error) {
	return openBy(ctx, server.Open, options, secrets)
}

// openBy is openServer with another function than server.Open. Its errors name flags instead of
// options.
func openBy(
	ctx context.Context, open func(context.Context, server.Options) (*server.Server, error),
	options server.Options, secrets secretsKey,
) (*server.Server, error) {
	var err error
	if options.SecretsKey, err = secrets.read(); err != nil {
		return nil, err
	}
	options.Log = logger(ctx)
	s, err := open(ctx, options)
	wrong, ok := errors.AsType[*server.OptionError](err)
	if ok && !options.Development && slices.Contains(forTests, wrong.Option) {
		return nil, usage(errors.New("--clock, --fault, --latency and --group-processing are for tests: " +
			"add --development, which makes the server unsafe for any other use"))
	}
	return s, inFlags(err)
}
