package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/durable"
)

// examineDatabase makes the checks of a database. Without a connection, it cannot be opened.
func (d *doctor) examineDatabase(cmd *cobra.Command) (*connection, error) {
	at, err := d.where.read()
	if err != nil {
		return nil, err
	}
	d.good("configuration", "the database %s", at.name)
	if path, isFile := at.name.IsFile(); isFile {
		d.examineFile(path)
		d.examineAuthority(filepath.Join(filepath.Dir(path), "tls", "ca.pem"))
	} else {
		d.examineDatabaseClock(cmd.Context(), at)
		d.note("disk", "examine it on the machine of the database",
			"how much room there is is not known: PostgreSQL does not say it")
	}
	if key, err := d.secrets.read(); err == nil && key == nil {
		d.note("secrets", "encrypt them: licensor keys --help", "the signing keys may be stored unencrypted")
	}
	c, err := d.open(cmd)
	if err != nil {
		d.find("database", "see the message; for a database that a server uses, examine the server with --server or --info",
			"it cannot be opened: %v", err)
		return nil, nil
	}
	d.good("database", "it can be opened, and its last snapshot and the changes after it be read")
	return c, nil
}

// examineDatabaseClock compares the clock of the database's machine with that of this one. The
// database is not changed, and another process may serve it.
func (d *doctor) examineDatabaseClock(ctx context.Context, at place) {
	how := at.opening(ctx)
	how.Shared = true
	s, err := at.openWith(ctx, "create one with `licensor init`", how)
	if err != nil {
		return // another check says so
	}
	defer s.Close()
	skew, within, known, err := database.Skew(ctx, s, d.now)
	switch {
	case err != nil:
		d.find("clock", "see the message", "that of the database cannot be read: %v", err)
	case known:
		d.compareClocks("the database", skew, within)
	}
}

// leastFree is the room that a database should have at least: a change of all users may need that.
const leastFree = 1 << 30

// examineFile looks at the file of a database, and at the room on its disk.
func (d *doctor) examineFile(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return // opening it says why
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		d.find("file", "chmod 600 "+shellWord(path), "other users of this machine may open it: its mode is %o", mode)
	}
	free, ok := durable.Free(filepath.Dir(path))
	switch wanted := max(leastFree, info.Size()); {
	case !ok:
		d.note("disk", "", "how much room there is is not known")
	case free < wanted:
		d.find("disk", "free some, or move the database to a larger disk",
			"there are %d MB left, and there should be %d MB: as much as the database has, and at least 1 GB",
			free>>20, wanted>>20)
	default:
		d.good("disk", "%d GB are free", free>>30)
	}
}

// examineAuthority reads the certificate of the local authority, if there is one.
func (d *doctor) examineAuthority(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return // there is none
	}
	block, _ := pem.Decode(text)
	if block == nil {
		d.find("certificate", "remove the folder, so that `licensor serve --tls self-signed` makes a new authority",
			"%s has no certificate", path)
		return
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		d.find("certificate", "remove the folder, so that `licensor serve --tls self-signed` makes a new authority",
			"%s cannot be read: %v", path, err)
		return
	}
	d.examineExpiry("of the local authority", certificate,
		"remove the folder "+filepath.Dir(path)+", so that `licensor serve --tls self-signed` makes a new one")
}
