package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"licensor/internal/backup"
	"licensor/internal/database"
)

// backing holds the arguments of the command backup.
type backing struct {
	where                                 databaseFlags
	to, tenant                            string
	withoutSecrets, force, quiet, jsonOut bool
}

func backupCommand() *cobra.Command {
	var b backing
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Back up all tenants, or one, into a file",
		Long: `Backup writes each tenant as of one commit, even while it is changed, then reads the file back and compares it before
the file gets its name. With PostgreSQL, servers can be running. A SQLite file can be opened by one process only: let
its server make the backups (licensor serve --backup-dir).

The file contains the commits, the rows with the hashes of passwords, the newest snapshot of each tenant, and the
secrets of the installation as they are stored: encrypted if there is a --secrets-key-file. Sign-in sessions and
refresh tokens are not included. Only the owner of the file can read it. To restore it, use licensor restore.`,
		Example: "  licensor backup --to licensor.backup --database postgres://licensor@db1,db2/licensor\n" +
			"  licensor backup --to contoso.backup --tenant 5a1f0d4e-3c6b-4b8e-9a52-0f6e4e7d2c11 --without-secrets",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd) },
	}
	b.where.register(cmd)
	f := cmd.Flags()
	f.StringVar(&b.to, "to", "", "file to write")
	f.StringVar(&b.tenant, "tenant", "", "id of a tenant; all by default")
	f.BoolVar(&b.withoutSecrets, "without-secrets", false, "leave out the secrets of the installation: its signing keys")
	f.BoolVar(&b.force, "force", false, "replace the file if it exists")
	f.BoolVar(&b.quiet, "quiet", false, "show no progress")
	f.BoolVar(&b.jsonOut, "json", false, "print the summary as JSON; show no progress")
	_ = cmd.MarkFlagRequired("to") // the flag exists
	return cmd
}

func (b *backing) run(cmd *cobra.Command) error {
	only, err := oneTenant("--tenant", b.tenant)
	if err != nil {
		return err
	}
	at, err := b.where.read()
	if err != nil {
		return err
	}
	s, err := at.openShared(cmd.Context(), "name it with --data")
	if _, isFile := at.name.IsFile(); err != nil && isFile {
		return fmt.Errorf("%w (a server makes backups of its file with `licensor serve --backup-dir`)", err)
	} else if err != nil {
		return err
	}
	shown := newParts(cmd.ErrOrStderr(), b.quiet || b.jsonOut)
	contents, err := backup.ToFile(cmd.Context(), b.to, s, backup.Options{
		Tenants: only, WithoutSecrets: b.withoutSecrets, Program: version(),
		Progress: func(p backup.Progress) { shown.at(p.Doing, p.Part, p.Rows) },
	}, b.force)
	shown.end()
	if err = errors.Join(inTheWay(err), s.Close()); err != nil {
		return err
	}
	return b.print(cmd.OutOrStdout(), contents)
}

// openShared opens a database that exists, also one that a server of PostgreSQL uses.
func (p place) openShared(ctx context.Context, remedy string) (database.Store, error) {
	opening := p.opening()
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
