package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/database"
	"licensor/internal/server"
)

// databaseVariable is the environment variable that names the database.
const databaseVariable = "LICENSOR_DATABASE"

// databaseFlags name the database of a command, and say how it is opened.
type databaseFlags struct {
	data, database string
	wait           time.Duration
	allowLoss      bool
	cmd            *cobra.Command
}

func (d *databaseFlags) register(cmd *cobra.Command) {
	d.cmd = cmd
	f := cmd.Flags()
	f.StringVar(&d.data, "data", defaultData, "database file: short for --database sqlite:FILE")
	f.StringVar(&d.database, "database", "", "database: "+database.Forms+"; or set "+databaseVariable+
		", which other users of the machine cannot see. Put passwords into PGPASSFILE")
	f.DurationVar(&d.wait, "database-wait", server.UsualDatabaseWait,
		"how long to wait for a PostgreSQL database that does not answer or is served by another process")
	f.BoolVar(&d.allowLoss, "allow-data-loss", false, "use a file from which acknowledged changes are missing, "+
		"for example because its log was removed (needed once), or PostgreSQL hosts whose commits do not wait for a "+
		"standby")
}

// isGiven reports whether a flag names the database.
func (d *databaseFlags) isGiven() bool {
	return d.cmd.Flags().Changed("data") || d.cmd.Flags().Changed("database")
}

// place is a database, and how it is opened.
type place struct {
	name      database.Name
	wait      time.Duration
	allowLoss bool
}

// read returns which database the flags and the environment name.
func (d *databaseFlags) read() (place, error) {
	p := place{wait: d.wait, allowLoss: d.allowLoss}
	byFile := d.cmd.Flags().Changed("data")
	text, where := d.database, "--database"
	switch {
	case d.cmd.Flags().Changed("database") && byFile:
		return p, usage(fmt.Errorf("--data and --database are both given: give one of --data FILE and --database %s",
			database.Forms))
	case byFile && d.data == "":
		return p, usage(errors.New("--data is empty: name the file of the database"))
	case !d.isGiven():
		text, where = os.Getenv(databaseVariable), databaseVariable
	}
	if err := database.CheckFile(d.data); byFile && err != nil {
		return p, usage(fmt.Errorf("--data %w", err))
	}
	if byFile || !d.isGiven() && text == "" {
		p.name = database.File(d.data)
		return p, nil
	}
	var err error
	if p.name, err = database.Parse(text); err != nil {
		return p, usage(fmt.Errorf("%s %w", where, err))
	}
	return p, nil
}

// options adds the database to the options of a server.
func (p place) options(o server.Options) server.Options {
	if path, isFile := p.name.IsFile(); isFile {
		o.Data = path
	} else {
		o.Database = p.name.URL()
	}
	o.DatabaseWait, o.AllowDataLoss = orNever(p.wait), p.allowLoss
	return o
}

// opening says how the database is opened without a server.
func (p place) opening(ctx context.Context) database.Options {
	return database.Options{AllowDataLoss: p.allowLoss, Wait: p.wait, Log: logger(ctx)}
}

// mustExist returns an error if the database does not exist; the remedy says what to do about that.
func (p place) mustExist(ctx context.Context, remedy string) error {
	return database.MustExist(ctx, p.name, remedy, p.opening(ctx))
}

// open opens a database that exists.
func (p place) open(ctx context.Context, remedy string) (database.Store, error) {
	return p.openWith(ctx, remedy, p.opening(ctx))
}

func (p place) openWith(ctx context.Context, remedy string, o database.Options) (database.Store, error) {
	if err := p.mustExist(ctx, remedy); err != nil {
		return nil, err
	}
	return database.Open(ctx, p.name, o)
}
