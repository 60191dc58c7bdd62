package database

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"licensor/internal/store/postgres"
)

// Name names a database. The zero value names none.
type Name struct {
	file string
	url  string // of PostgreSQL, with all that it needs to connect
	text string // of the URL, for messages
}

// Forms are the forms of names, for messages.
const Forms = "sqlite:FILE or postgres://user@host/database"

// Parse reads a name in one of the Forms. Errors do not have the password of a URL.
func Parse(text string) (Name, error) {
	scheme, rest, found := strings.Cut(text, ":")
	switch {
	case !found:
		return Name{}, fmt.Errorf("has no scheme: give %s", Forms)
	case scheme == "sqlite" && rest == "":
		return Name{}, errors.New("does not name a file: give sqlite:FILE")
	case scheme == "sqlite":
		return File(rest), nil
	case scheme == "postgres", scheme == "postgresql":
		called, err := postgres.Name(text)
		return Name{url: text, text: "postgres://" + called}, err
	}
	return Name{}, fmt.Errorf("has the unknown scheme %q: give %s", scheme+":", Forms)
}

// File returns the name of a database in a file of SQLite.
func File(path string) Name { return Name{file: path} }

// IsFile reports whether the database is a file, and returns its path.
func (n Name) IsFile() (path string, ok bool) { return n.file, n.file != "" }

// URL returns the URL of a PostgreSQL database, with its password.
func (n Name) URL() string { return n.url }

// String returns how messages call the database. It does not have the password.
func (n Name) String() string {
	if n.file != "" {
		return n.file
	}
	return n.text
}

// Flag returns the flag that names the database, for messages that say how to continue. The
// password is left out.
func (n Name) Flag() string {
	if n.file != "" {
		return "--data " + n.file
	}
	u, err := url.Parse(n.url)
	if err != nil { // pgx reads some that net/url does not
		return "--database " + n.text
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	if query.Has("password") {
		query.Del("password")
		u.RawQuery = query.Encode()
	}
	return "--database " + u.String()
}
