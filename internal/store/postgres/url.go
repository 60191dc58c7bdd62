package postgres

import (
	"errors"
	"net"
	"net/url"
	"os"
	"regexp"
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
	if err := checkForm(text); err != nil {
		return nil, err
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

// checkForm returns an error for a URL in which a password may be taken for something else, such as
// a part of the host, which messages have. It repeats nothing of the URL but the names of options.
func checkForm(text string) error {
	_, rest, _ := strings.Cut(text, "://")
	rest, options, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if strings.Count(authority, "@") > 1 || strings.ContainsAny(path, "@?") || strings.Contains(text, "#") {
		return unreadable("an @, #, / or ? is where none can be: escape @ in passwords as %40, # as %23, / as %2F " +
			"and ? as %3F")
	}
	if options == "" {
		return checkOption("PGSSLMODE", "sslmode", os.Getenv("PGSSLMODE"))
	}
	for option := range strings.SplitSeq(options, "&") {
		name, value, found := strings.Cut(option, "=")
		if !found || !optionName.MatchString(name) {
			return unreadable("an option is not of the form name=value: escape ? in passwords as %3F, and & as %26")
		}
		value, err := url.QueryUnescape(value)
		if err != nil {
			return unreadable("the option " + name + " has a % that does not begin an escape: write %25")
		}
		if err := checkOption("the option "+name, name, value); err != nil {
			return err
		}
	}
	return nil
}

var optionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// optionForms has what is allowed as the value of an option.
var optionForms = map[string]struct {
	want string
	is   *regexp.Regexp
}{
	"sslmode": {
		"disable, allow, prefer, require, verify-ca or verify-full",
		regexp.MustCompile(`^(disable|allow|prefer|require|verify-ca|verify-full)$`),
	},
	"target_session_attrs": {
		"any, read-write, read-only, primary, standby or prefer-standby",
		regexp.MustCompile(`^(any|read-write|read-only|primary|standby|prefer-standby)$`),
	},
	"channel_binding":               {"disable, prefer or require", regexp.MustCompile(`^(disable|prefer|require|)$`)},
	"connect_timeout":               {"a number of seconds", regexp.MustCompile(`^[0-9]{1,9}$`)},
	"pool_max_conns":                {"a number, 1 or more", regexp.MustCompile(`^0*[1-9][0-9]{0,8}$`)},
	"pool_min_conns":                {"a number, 0 or more", regexp.MustCompile(`^[0-9]{1,9}$`)},
	"pool_min_idle_conns":           {"a number, 0 or more", regexp.MustCompile(`^[0-9]{1,9}$`)},
	"pool_max_conn_lifetime":        {"a duration, such as 1h", aDuration},
	"pool_max_conn_idle_time":       {"a duration, such as 30m", aDuration},
	"pool_health_check_period":      {"a duration, such as 1m", aDuration},
	"pool_max_conn_lifetime_jitter": {"a duration, such as 1m", aDuration},
}

var aDuration = regexp.MustCompile(`^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`)

// checkOption returns an error for a value that an option cannot have. The value is not repeated:
// it may be a part of a password.
func checkOption(called, name, value string) error {
	if form, known := optionForms[name]; known && value != "" && !form.is.MatchString(value) {
		return unreadable(called + " has a value that it cannot have: it must be " + form.want)
	}
	return nil
}

func unreadable(why string) error {
	return errors.New("the URL of the database cannot be read: " + why)
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
			why = quotation.ReplaceAllString(inner.Error(), "…")
		}
	}
	return unreadable(why)
}

// quotation is what an error repeats of a URL.
var quotation = regexp.MustCompile(`"[^"]*"?`)

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
