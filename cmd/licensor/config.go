package main

import (
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"licensor/internal/server"
	"licensor/internal/tables"
)

// setting is a setting of the commands that work on a tenant.
type setting struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Source  string `json:"source"` // flag, environment, file or default, and its name
}

func configCommand() *cobra.Command {
	var c reading
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show what is set, and where it is set",
		Long: `Config prints the settings with which commands find their tenant, and where each comes from: a flag, an environment
variable, the file of --info, or the default. It takes the flags of those commands, and does not connect. Secrets are not
printed. Config serve prints the settings of licensor serve.`,
		Example: "  licensor config\n" +
			"  licensor config --info demo.json --json\n" +
			"  licensor config serve --listen :8443",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := c.settings(cmd)
			if err != nil {
				return err
			}
			return c.print(cmd, func(out *printer) error { return printSettings(out, all) })
		},
	}
	c.registerForms(cmd)
	c.connecting.register(cmd)
	cmd.AddCommand(configServeCommand())
	return cmd
}

func printSettings(out *printer, all []setting) error {
	t := out.table(
		tables.Column{Title: "SETTING", Name: "setting", Whole: true}, tables.Column{Title: "VALUE", Name: "value"},
		tables.Column{Title: "SOURCE", Name: "source"},
	)
	for _, s := range all {
		if err := t.Row(s, s.Setting, s.Value, s.Source); err != nil {
			return err
		}
	}
	return t.End(false)
}

// hidden stands for a secret that is set.
const hidden = "(set)"

// settings returns the settings as open reads them.
func (c *connecting) settings(cmd *cobra.Command) (all []setting, err error) {
	login, err := c.login()
	if err != nil {
		return nil, err
	}
	var file server.Login
	if c.info != "" {
		if file, err = readInfo(c.info); err != nil {
			return nil, err
		}
	}
	add := func(name, value, fromFile, flag, variable string) {
		source := "default"
		switch {
		case value == "":
			value, source = "", "not set"
		case fromFile != "":
			source = "file " + c.info
		case c.info == "" && cmd.Flags().Changed(flag):
			source = "flag --" + flag
		case variable != "" && os.Getenv(variable) != "":
			source = "environment " + variable
		}
		all = append(all, setting{name, value, source})
	}
	if login.Graph != "" {
		add("server", withoutPassword(login.Graph), file.Graph, "server", "LICENSOR_SERVER")
		add("authority", withoutPassword(login.Authority), file.Authority, "", "")
		add("certificate", login.CA, file.CA, "", "")
		add("tenant", login.TenantID, file.TenantID, "tenant", "LICENSOR_TENANT")
		add("client id", login.ClientID, file.ClientID, "client-id", "LICENSOR_CLIENT_ID")
		add("client secret", mask(login.ClientSecret), file.ClientSecret, "client-secret", "LICENSOR_CLIENT_SECRET")
	} else if err := c.databaseSettings(add); err != nil {
		return nil, err
	}
	return append(all, inEnvironment("NO_COLOR", "TERM", "GOMEMLIMIT", "SSL_CERT_FILE", "PGPASSFILE", "PGSSLMODE")...), nil
}

// inEnvironment returns those of some environment variables that are set.
func inEnvironment(names ...string) (all []setting) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			all = append(all, setting{name, value, "environment " + name})
		}
	}
	return all
}

func (c *connecting) databaseSettings(add func(name, value, fromFile, flag, variable string)) error {
	at, err := c.where.read()
	if err != nil {
		return err
	}
	key, err := c.secrets.read()
	if err != nil {
		return err
	}
	if path, isFile := at.name.IsFile(); isFile {
		if whole, err := filepath.Abs(path); err == nil {
			path = whole
		}
		flag := "data"
		if c.where.database != "" {
			flag = "database"
		}
		add("database", path, "", flag, databaseVariable)
	} else {
		add("database", at.name.String(), "", "database", databaseVariable)
		add("database wait", at.wait.String(), "", "database-wait", "")
	}
	tenant := c.tenant
	orEnvironment(&tenant, "LICENSOR_TENANT")
	add("tenant", tenant, "", "tenant", "LICENSOR_TENANT")
	add("secrets key", mask(string(key)), "", "secrets-key-file", secretsVariable)
	return nil
}

func mask(secret string) string {
	if secret == "" {
		return ""
	}
	return hidden
}

// withoutPassword hides the password in an address.
func withoutPassword(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}
