package postgres

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// parse parses a URL in the form of libpq
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING). What it omits is
// taken from libpq's environment variables and password file. Connections are encrypted and the
// server's certificate is verified, unless the URL or PGSSLMODE says otherwise or all hosts are
// this machine.
func parse(text string) (*pgxpool.Config, error) {
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return nil, errors.New("the URL of a database begins with postgres://, as in " +
			"postgres://user@host:5432/database")
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, withoutSecrets(err)
	}
	_, options, _ := strings.Cut(text, "?")
	if os.Getenv("PGSSLMODE") == "" && !strings.Contains(options, "sslmode=") && !isLocal(config.ConnConfig) {
		separator := "?"
		if strings.Contains(text, "?") {
			separator = "&"
		}
		if config, err = pgxpool.ParseConfig(text + separator + "sslmode=verify-full"); err != nil {
			return nil, withoutSecrets(err)
		}
	}
	if !strings.Contains(options, "pool_max_conns=") {
		config.MaxConns = defaultConnections
	}
	c := config.ConnConfig
	c.ConnectTimeout = connectWait
	c.DialFunc = dial
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	if _, ok := c.RuntimeParams["application_name"]; !ok {
		c.RuntimeParams["application_name"] = "licensor"
	}
	return config, nil
}

// withoutSecrets says why a URL cannot be parsed without repeating it, since its password may be
// anywhere in it.
func withoutSecrets(err error) error {
	why := "it has the form postgres://user:password@host:5432/database?option=value, with %40 for @ and %2F for / " +
		"in the password"
	if e := (*pgconn.ParseConfigError)(nil); errors.As(err, &e) && errors.Unwrap(e) != nil {
		inner := errors.Unwrap(e)
		isURL, isNumber := errors.As(inner, new(*url.Error)), errors.As(inner, new(*strconv.NumError))
		if !isURL && !isNumber {
			why = inner.Error()
		}
	}
	return fmt.Errorf("the URL of the database cannot be read: %s", why)
}

// isLocal reports whether all hosts are this machine.
func isLocal(config *pgx.ConnConfig) bool {
	names := []string{config.Host}
	for _, other := range config.Fallbacks {
		names = append(names, other.Host)
	}
	return !slices.ContainsFunc(names, func(host string) bool {
		ip := net.ParseIP(host)
		return !strings.HasPrefix(host, "/") && host != "localhost" && (ip == nil || !ip.IsLoopback())
	})
}

// Name returns how messages call the database that a URL names: its hosts and its name, without the
// role and the password. It returns an error when the URL is not valid.
func Name(of string) (string, error) {
	config, err := parse(of)
	if err != nil {
		return "", err
	}
	return nameOf(config.ConnConfig), nil
}

// nameOf returns the name of a database for errors: its hosts and its name.
func nameOf(config *pgx.ConnConfig) string {
	var names []string
	for _, h := range hostsOf(config) {
		names = append(names, h.name)
	}
	return strings.Join(names, ",") + "/" + config.Database
}
