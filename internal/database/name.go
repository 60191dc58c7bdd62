package database

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
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
	case !found || !isScheme.MatchString(scheme): // it may be a part of a password
		return Name{}, fmt.Errorf("has no scheme: give %s", Forms)
	case scheme == "sqlite" && rest == "":
		return Name{}, errors.New("does not name a file: give sqlite:FILE")
	case scheme == "sqlite":
		return File(rest), CheckFile(rest)
	case scheme == "postgres", scheme == "postgresql":
		called, err := postgres.Name(text)
		return Name{url: text, text: "postgres://" + called}, err
	}
	return Name{}, fmt.Errorf("has the unknown scheme %q: give %s", scheme+":", Forms)
}

var isScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// CheckFile returns an error for a file whose name is the URL of a database. It does not repeat it:
// it may have a password.
func CheckFile(path string) error {
	for _, begin := range []string{"postgres:/", "postgresql:/"} {
		if strings.HasPrefix(strings.ToLower(path), begin) {
			return errors.New("is the URL of a database, not a file: give it as --database URL, or as the option " +
				"Database")
		}
	}
	if strings.Contains(path, "://") {
		return errors.New("is a URL, not a file: give the path of the file, or " + Forms + " as --database")
	}
	return nil
}

var passwords = regexp.MustCompile("(?i)(postgres(?:ql)?:/+[^\\s:/@\"'`]*:)[^\\s\"'`]*@|(password=)[^\\s&\"'`]+")

// WithoutPasswords returns a text, such as an error that repeats what was given in the wrong place,
// without the passwords in URLs of databases.
func WithoutPasswords(text string) string {
	return passwords.ReplaceAllStringFunc(text, func(found string) string {
		parts := passwords.FindStringSubmatch(found)
		if parts[1] != "" {
			return parts[1] + "…@"
		}
		return parts[2] + "…"
	})
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
	for _, secret := range []string{"password", "sslpassword"} {
		if query.Has(secret) {
			query.Del(secret)
			u.RawQuery = query.Encode()
		}
	}
	return "--database " + u.String()
}
