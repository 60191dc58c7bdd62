package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/backup"
	"licensor/internal/database"
	"licensor/internal/server"
)

// backing holds the arguments of the command backup.
type backing struct {
	connecting
	to, only                              string
	withoutSecrets, force, quiet, jsonOut bool
}

func backupCommand() *cobra.Command {
	var b backing
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Back up all tenants, or one, into a file",
		Long: `Backup writes each tenant as of one commit, even while it is changed, then reads the file back and compares it before
the file gets its name. With PostgreSQL, servers can be running. A SQLite file can be opened by one process only: get
the backup from its server, with --server and an application of a tenant, or let the server make the backups (licensor
serve --backup-dir). A server gives an application its own tenant, without secrets, unless it is an operator of that
server (licensor serve --operator).

The file contains the commits, the rows with the hashes of passwords, the newest snapshot of each tenant, and the
secrets of the installation as they are stored: encrypted if there is a --secrets-key-file. Sign-in sessions and
refresh tokens are not included. Only the owner of the file can read it. To restore it, use licensor restore.

Instead of the flags for a server, you can set the environment variables LICENSOR_SERVER, LICENSOR_TENANT,
LICENSOR_CLIENT_ID and LICENSOR_CLIENT_SECRET. This is better for a secret, since others on the machine can see the flags.`,
		Example: "  licensor backup --to licensor.backup --database postgres://licensor@db1,db2/licensor\n" +
			"  licensor backup --to contoso.backup --tenant 5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11 --without-secrets\n" +
			"  licensor backup --to licensor.backup --server https://licensor.example.com --tenant contoso.example " +
			"--client-id …",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	b.registerServer(cmd, "id of the tenant to back up, all by default; with --server, id or domain of the tenant "+
		"of the application that logs in")
	f := cmd.Flags()
	f.StringVar(&b.to, "to", "", "file to write")
	f.StringVar(&b.only, "only", "", "id of the tenant to back up, with --server; by default all that the "+
		"application may back up")
	f.BoolVar(&b.withoutSecrets, "without-secrets", false, "leave out the secrets of the installation: its signing keys")
	f.BoolVar(&b.force, "force", false, "replace the file if it exists, unless it is a database of licensor")
	f.BoolVar(&b.quiet, "quiet", false, "show no progress")
	f.BoolVar(&b.jsonOut, "json", false, "print the summary as JSON; show no progress")
	_ = cmd.MarkFlagRequired("to") // the flag exists
	return cmd
}

func (b *backing) run(cmd *cobra.Command) error {
	login, err := b.login()
	if err != nil {
		return err
	}
	shown := newProgress(cmd.ErrOrStderr(), b.quiet || b.jsonOut)
	report := func(p backup.Progress) { shown.at(p.Doing, p.Part, p.Rows) }
	var contents *backup.Contents
	if login.Graph == "" {
		contents, err = b.read(cmd.Context(), report)
	} else {
		contents, err = b.fetch(cmd.Context(), login, report)
	}
	shown.end()
	if err != nil {
		return inTheWay(err)
	}
	if login.Graph != "" && len(contents.Secrets) == 0 && !b.withoutSecrets {
		logger(cmd.Context()).Warn("the server has left out its secrets, such as the signing keys: the application " +
			"is not one of its operators (licensor serve --operator)")
	}
	return b.print(cmd.OutOrStdout(), contents)
}

// fetch gets a backup from a server.
func (b *backing) fetch(
	ctx context.Context, login server.Login, report func(backup.Progress),
) (contents *backup.Contents, err error) {
	if _, err := oneTenant("--only", b.only); err != nil {
		return nil, err
	}
	if err := backup.MayReplace(b.to, b.force); err != nil {
		return nil, err
	}
	c, err := openRemote(ctx, login)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	if b.only != "" {
		query.Set("tenant", b.only)
	}
	if b.withoutSecrets {
		query.Set("withoutSecrets", "true")
	}
	err = c.stream(ctx, "/licensor/v1/backup?"+query.Encode(), func(body io.Reader) error {
		contents, err = backup.Fetch(ctx, b.to, body, b.force, report)
		return err
	})
	return contents, errors.Join(err, c.close())
}

// read makes a backup of a database.
func (b *backing) read(ctx context.Context, report func(backup.Progress)) (*backup.Contents, error) {
	if b.only != "" {
		return nil, usage(errors.New("--only is for a server: with a database, name the tenant with --tenant"))
	}
	only, err := oneTenant("--tenant", b.tenant)
	if err != nil {
		return nil, err
	}
	at, err := b.where.read()
	if err != nil {
		return nil, err
	}
	if err := backup.MayReplace(b.to, b.force); err != nil {
		return nil, err
	}
	s, err := at.openShared(ctx, "name it with --data")
	if _, isFile := at.name.IsFile(); err != nil && isFile {
		return nil, fmt.Errorf("%w (a backup of the file that a server uses comes from the server: --server, or "+
			"`licensor serve --backup-dir`)", err)
	} else if err != nil {
		return nil, err
	}
	contents, err := backup.ToFile(ctx, b.to, s, backup.Options{
		Tenants: only, WithoutSecrets: b.withoutSecrets, Program: version(), Progress: report,
	}, b.force)
	return contents, errors.Join(err, s.Close())
}

// openShared opens a database that exists, also one that a server of PostgreSQL uses.
func (p place) openShared(ctx context.Context, remedy string) (database.Store, error) {
	opening := p.opening(ctx)
	opening.Shared = true
	return p.openWith(ctx, remedy, opening)
}

// inTheWay says what helps when the file exists.
func inTheWay(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return usage(fmt.Errorf("%w: choose another name, or replace it with --force", err))
	}
	return err
}

// savedTenant is a tenant in the output of backup and restore.
type savedTenant struct {
	Tenant  uuid.UUID `json:"tenant"`
	Commit  uint64    `json:"commit"` // that it is as of
	Chain   string    `json:"chain"`
	Commits int64     `json:"commits"`
	Rows    int64     `json:"rows"`
}

func savedTenants(tenants []backup.Tenant) []savedTenant {
	list := []savedTenant{}
	for _, t := range tenants {
		list = append(list, savedTenant{t.ID, t.Seq, fmt.Sprintf("%x", t.Chain), t.Commits, t.Rows})
	}
	return list
}

// savedFile is a backup in the output of backup and restore.
type savedFile struct {
	File    string        `json:"file"`
	At      time.Time     `json:"at"`
	Program string        `json:"program"`
	Bytes   int64         `json:"bytes"`
	Secrets int           `json:"secrets"`
	Tenants []savedTenant `json:"tenants"`
}

func (b *backing) print(out io.Writer, c *backup.Contents) error {
	file := savedFile{b.to, c.At, c.Program, c.Bytes, len(c.Secrets), savedTenants(c.Tenants)}
	if b.jsonOut {
		return writeJSON(out, file)
	}
	return file.print(out, "backed up")
}

// manyTenants is how many tenants are listed.
const manyTenants = 20

func (f savedFile) print(out io.Writer, verb string) error {
	for i, t := range f.Tenants {
		line := fmt.Sprintf("tenant %s: %s as of commit %d (%d commits, %d rows)",
			t.Tenant, verb, t.Commit, t.Commits, t.Rows)
		if i == manyTenants {
			line = fmt.Sprintf("and %d more tenants", len(f.Tenants)-manyTenants)
		}
		if _, err := fmt.Fprintln(out, line); err != nil || i == manyTenants {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s: %d tenants, %d secrets, %d bytes\n", f.File, len(f.Tenants), f.Secrets, f.Bytes)
	return err
}
