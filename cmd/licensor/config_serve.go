package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"licensor/internal/engine"
	"licensor/internal/server"
)

// configServeCommand shows the settings with which serve would run.
func configServeCommand() *cobra.Command {
	var s serving
	var forms printing
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show the settings of `licensor serve`, and where they are set",
		Long: `Config serve takes the flags of licensor serve, and prints all its settings with their values, and where each comes
from: a flag, an environment variable, or the default. There is no configuration file. Nothing is opened. Passwords and keys
are not printed.`,
		Example: "  licensor config serve\n" +
			"  licensor config serve --listen :8443 --tls self-signed --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := s.settings(cmd)
			if err != nil {
				return err
			}
			return forms.print(cmd, func(out *printer) error { return printSettings(out, all) })
		},
	}
	s.registerAll(cmd)
	forms.registerForms(cmd)
	return cmd
}

// settings returns the settings of serve, by the names of their flags.
func (s *serving) settings(cmd *cobra.Command) (all []setting, err error) {
	at, err := s.where.read()
	if err != nil {
		return nil, err
	}
	if _, err := s.secrets.read(); err != nil {
		return nil, err
	}
	others := []string{"json", "csv", "output", "help", "data"} // not those of serve, or together with another
	add := func(f *pflag.Flag) {
		if !slices.Contains(others, f.Name) {
			all = append(all, settingOf(f))
		}
	}
	cmd.InheritedFlags().VisitAll(add)
	cmd.LocalFlags().VisitAll(add)
	for i := range all {
		if all[i].Setting == "database" {
			all[i] = s.databaseSetting(cmd, at)
		}
	}
	return append(all, inEnvironment("SSL_CERT_FILE", "PGPASSFILE", "PGSSLMODE")...), nil
}

// variables are the environment variables that stand for flags, and whether their values are
// secret.
var variables = map[string]struct {
	name   string
	secret bool
}{
	"secrets-key-file": {secretsVariable, true},
	"memory":           {"GOMEMLIMIT", false},
}

// usual are the defaults of flags that do not have theirs as a value, because they depend on other
// flags.
var usual = map[string]string{
	"keep-days":    strconv.Itoa(engine.UsualKeepDays),
	"backup-every": server.UsualBackupEvery.String(),
	"backup-keep":  strconv.Itoa(server.UsualBackupKeep),
}

// settingOf returns what a flag or the environment variable in place of it is set to.
func settingOf(f *pflag.Flag) setting {
	value := f.Value.String()
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = strings.Join(list.GetSlice(), ", ")
	}
	variable := variables[f.Name]
	fromEnvironment := os.Getenv(variable.name)
	switch {
	case f.Changed:
		return setting{f.Name, withoutPassword(value), "flag --" + f.Name}
	case variable.name != "" && fromEnvironment != "":
		if variable.secret {
			fromEnvironment = hidden
		}
		return setting{f.Name, fromEnvironment, "environment " + variable.name}
	case usual[f.Name] != "":
		return setting{f.Name, usual[f.Name], "default"}
	case value == "":
		return setting{f.Name, "", "not set"}
	}
	return setting{f.Name, value, "default"}
}

// databaseSetting returns which database is served, without the password.
func (s *serving) databaseSetting(cmd *cobra.Command, at place) setting {
	value, source := at.name.String(), "default"
	if path, isFile := at.name.IsFile(); isFile {
		value = path
		if whole, err := filepath.Abs(path); err == nil {
			value = whole
		}
	}
	switch {
	case cmd.Flags().Changed("data"):
		source = "flag --data"
	case cmd.Flags().Changed("database"):
		source = "flag --database"
	case os.Getenv(databaseVariable) != "":
		source = "environment " + databaseVariable
	}
	return setting{"database", value, source}
}
