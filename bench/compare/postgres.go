package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"licensor/bench/process"
)

// postgres is a PostgreSQL cluster with a Unix socket in its folder.
type postgres struct {
	folder string
	*process.Server
}

func (p *postgres) cluster() string { return filepath.Join(p.folder, "cluster") }

// sockets returns the folder of the socket.
func (p *postgres) sockets() string { return p.folder }

func (p *postgres) connectionString() string {
	return "host=" + p.sockets() + " user=compare dbname=postgres sslmode=disable"
}

// command prepares one of PostgreSQL's programs, as the user postgres if this program runs as root:
// PostgreSQL refuses to run as root.
func (p *postgres) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := postgresProgram(name)
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(ctx, path, args...)
	child.Dir = p.folder
	if os.Getuid() != 0 {
		return child, nil
	}
	uid, gid, err := postgresUser()
	if err != nil {
		return nil, err
	}
	asUser(child, uid, gid)
	return child, nil
}

// postgresProgram finds a program in PATH or in Debian's folder for servers.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return path, nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL is not installed: %s is missing (apt-get install postgresql)", name)
	}
	return found[len(found)-1], nil
}

func postgresUser() (uid, gid int, err error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(account.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(account.Gid)
	return uid, gid, err
}

func (p *postgres) load(ctx context.Context, people *population) (map[string]time.Duration, error) {
	return once(p.folder, func() (map[string]time.Duration, error) {
		if err := p.found(ctx); err != nil {
			return nil, err
		}
		if err := p.start(ctx); err != nil {
			return nil, err
		}
		start := time.Now()
		err := p.fill(ctx, people)
		return map[string]time.Duration{"all": time.Since(start)}, errors.Join(err, p.Stop())
	})
}

func (p *postgres) found(ctx context.Context) error {
	if uid, gid, err := postgresUser(); os.Getuid() == 0 {
		if err == nil {
			err = os.Chown(p.folder, uid, gid)
		}
		if err != nil {
			return err
		}
	}
	child, err := p.command(ctx, "initdb", "--pgdata", p.cluster(), "--username", "compare", "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
	if err != nil {
		return err
	}
	return process.RunQuietly(child, nil)
}

// start runs the server with default settings except shared_buffers.
func (p *postgres) start(ctx context.Context) error {
	child, err := p.command(ctx, "postgres", "-D", p.cluster(), "-c", "listen_addresses=", "-c", "unix_socket_directories="+p.sockets(),
		"-c", "shared_buffers=1GB", "-c", "logging_collector=off")
	if err != nil {
		return err
	}
	var said process.LastLines
	child.Stderr = &said
	if p.Server, err = process.Launch(child); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		connection, err := pgx.Connect(ctx, p.connectionString())
		if err == nil {
			return connection.Close(ctx)
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return errors.Join(fmt.Errorf("PostgreSQL did not start: %w\n%s", err, said.Text), p.Stop())
		}
	}
}

// fill copies the population into tables and creates the indexes.
func (p *postgres) fill(ctx context.Context, people *population) error {
	db, err := pgx.Connect(ctx, p.connectionString())
	if err != nil {
		return err
	}
	defer db.Close(ctx) // everything is committed
	if _, err := db.Exec(ctx, postgresTables()); err != nil {
		return err
	}
	for table, rows := range map[string]iter.Seq[[]any]{
		"people": personRows(people), "memberships": membershipRows(people), "licenses": licenseRows(people),
	} {
		next, stop := iter.Pull(rows)
		source := pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next()
			return row, nil
		})
		_, err := db.CopyFrom(ctx, pgx.Identifier{table}, postgresColumns[table], source)
		stop()
		if err != nil {
			return fmt.Errorf("fill %s: %w", table, err)
		}
	}
	for _, statement := range postgresIndexes() {
		if _, err := db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

var postgresColumns = map[string][]string{
	"people":      append(lowered(textProperties[:]), "number", "id", "accountenabled", "createddatetime", "proxyaddresses", "proxyaddresseslower"),
	"memberships": {"person", "team"},
	"licenses":    {"person", "sku"},
}

func lowered(names []string) (all []string) {
	for _, name := range names {
		all = append(all, strings.ToLower(name))
	}
	return all
}

func postgresTables() string {
	return "CREATE TABLE people (number integer, id uuid, accountEnabled boolean, createdDateTime timestamptz, " +
		"proxyAddresses text[], proxyAddressesLower text[], " + strings.Join(textProperties[:], " text, ") + " text);" +
		"CREATE TABLE memberships (person integer, team uuid);" +
		"CREATE TABLE licenses (person integer, sku uuid);"
}

func postgresIndexes() []string {
	all := []string{
		"ALTER TABLE people ADD PRIMARY KEY (number)",
		"CREATE UNIQUE INDEX ON people (id)",
		"CREATE INDEX ON people (accountEnabled)",
		"CREATE INDEX ON people (createdDateTime)",
		"CREATE INDEX ON people USING gin (proxyAddressesLower)",
		"CREATE INDEX ON people USING gin (to_tsvector('simple', displayName))",
		"ALTER TABLE memberships ADD PRIMARY KEY (person, team)",
		"CREATE INDEX ON memberships (team, person)",
		"ALTER TABLE licenses ADD PRIMARY KEY (person, sku)",
		"CREATE INDEX ON licenses (sku, person)",
	}
	for _, name := range textProperties {
		all = append(all, "CREATE INDEX ON people (lower("+name+") text_pattern_ops)")
	}
	return append(all, "CREATE INDEX ON people (lower(displayName), number)", "VACUUM ANALYZE", "CHECKPOINT")
}

func personRows(p *population) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for one := range p.people() {
			row := make([]any, 0, len(one.text)+6)
			for _, text := range one.text {
				row = append(row, text)
			}
			folded := slices.Clone(one.proxyAddresses)
			for i := range folded {
				folded[i] = strings.ToLower(folded[i])
			}
			if !yield(append(row, one.number, one.id, one.accountEnabled, one.created, one.proxyAddresses, folded)) {
				return
			}
		}
	}
}

func membershipRows(p *population) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for one := range p.people() {
			for _, g := range one.groups {
				if !yield([]any{one.number, groupID(g)}) {
					return
				}
			}
		}
	}
}

func licenseRows(p *population) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for one := range p.people() {
			for _, sku := range one.licenses() {
				if !yield([]any{one.number, sku}) {
					return
				}
			}
		}
	}
}
