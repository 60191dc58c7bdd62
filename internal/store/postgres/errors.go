package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"licensor/internal/store"
)

// The error codes that are handled
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeReadOnly      = "25006"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeUnique        = "23505"
	codeDiskFull      = "53100"
	codeManyConns     = "53300"
	codeNoColumn      = "42703"
	codeNoRights      = "42501"
)

// remedies say how to fix errors, by code.
var remedies = map[string]struct {
	kind   error
	remedy string
}{
	codeDiskFull: {store.ErrFull, "make room on the disk of the database; nothing was lost and nothing need be " +
		"restarted"},
	codeManyConns: {store.ErrUnavailable, "the database has no connection left: raise its max_connections, or lower " +
		"pool_max_conns in the URL"},
	codeReadOnly: {store.ErrUnavailable, "the database can only be read now: it is a standby, or " +
		"default_transaction_read_only is on; " +
		"name all hosts in the URL, so that the one that can be written is found"},
	codeNoRights: {store.ErrUnavailable, "give the role the rights that it had: GRANT SELECT, INSERT, UPDATE, " +
		"DELETE ON ALL TABLES IN SCHEMA licensor TO …"},
	"42P01": {store.ErrUnavailable, "a table of the schema licensor is missing: restore the database from a backup"},
	"57014": {store.ErrUnavailable, "an administrator or a timeout of the server has canceled the statement; " +
		"nothing was changed"},
	"53200": {store.ErrUnavailable, "the server has no memory left"},
	"XX001": {store.ErrDamaged, "restore the database from a backup"},
	"XX002": {store.ErrDamaged, "rebuild the index with REINDEX, and check the disk"},
}

// unsentError is an error of a statement that was certainly not sent.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// refused reports whether the server has responded that it did not execute the statement, so
// nothing of it was done. Errors that end the connection do not tell, since they may have come
// after the commit; nor do those of a pooler that has lost the server, or internal errors of the
// server.
func refused(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || !strings.EqualFold(e.SeverityUnlocalized, "ERROR") {
		return false
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "XX", "58":
		return false
	case "57":
		return e.Code == "57014" // canceled before the commit
	}
	return e.Code != "40003"
}

// unsent reports whether an error occurred before anything was sent.
func unsent(err error) bool {
	var e unsentError
	return errors.As(err, &e) || pgconn.SafeToRetry(err)
}

// repeatable reports whether a statement that was not executed may succeed the next time.
func repeatable(err error) bool {
	code := codeOf(err)
	return refused(err) && (code == codeSerialization || code == codeDeadlock)
}

func codeOf(err error) string {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// known are the errors of stores, which need no further explanation.
var known = []error{
	store.ErrConflict, store.ErrFrozen, store.ErrExists, store.ErrNotFound, store.ErrQuery,
	store.ErrFull, store.ErrDamaged, store.ErrUnavailable, store.ErrUnknown,
}

// fail returns an error that says what failed and, if the database is the cause, how to fix it.
// Errors of callers, such as that of their context, are returned as they are.
func (s *Store) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = s.explain(doing, err)
	if errors.Is(err, store.ErrDamaged) {
		s.NoteDamage(err)
	}
	return err
}

func (s *Store) explain(doing string, err error) error {
	if told := (*toldError)(nil); errors.As(err, &told) {
		return err
	}
	for _, kind := range known {
		if errors.Is(err, kind) {
			return fmt.Errorf("database %s: %s: %w", s.name, doing, err)
		}
	}
	if why := s.unconnected(err); why != "" {
		return &toldError{
			fmt.Sprintf("database %s: %s: %s", s.name, store.ErrUnavailable, why),
			errors.Join(store.ErrUnavailable, err),
		}
	}
	e := (*pgconn.PgError)(nil)
	switch help, ok := remedies[codeOf(err)]; {
	case ok:
		return fmt.Errorf("database %s: %s: %w: %s (%w)", s.name, doing, help.kind, help.remedy, err)
	case errors.As(err, &e) && refused(err), isCallers(err):
		return fmt.Errorf("database %s: %s: %w", s.name, doing, err)
	}
	return fmt.Errorf("database %s: %s: %w: %w", s.name, doing, store.ErrUnavailable, err)
}

// toldError says what is wrong and what helps in place of an error.
type toldError struct {
	text string
	err  error
}

func (e *toldError) Error() string { return e.text }
func (e *toldError) Unwrap() error { return e.err }

// unconnected says why there is no connection, and how to fix it; "" if that is not the reason, or
// if the caller has given up. One attempt may have failed in several ways, such as with encryption
// and without: the answer of the server counts.
func (s *Store) unconnected(err error) string {
	failed, server := (*pgconn.ConnectError)(nil), (*pgconn.PgError)(nil)
	if !errors.As(err, &failed) || errors.Is(err, context.Canceled) {
		return ""
	}
	role, database := quoted(failed.Config.User), quoted(failed.Config.Database)
	if !errors.As(err, &server) {
		return reason(net.JoinHostPort(failed.Config.Host, strconv.Itoa(int(failed.Config.Port))), err)
	}
	help := ""
	switch server.Code {
	case "3D000":
		help = "create it with CREATE DATABASE " + database + ", or name another one"
	case "28P01":
		help = "correct the role " + role + " or its password, in the URL, PGPASSWORD or PGPASSFILE"
	case "28000":
		help = "create the role with CREATE ROLE " + role + " LOGIN, name another one, or let it in by pg_hba.conf"
	case "42501":
		help = "GRANT CONNECT ON DATABASE " + database + " TO " + role
	case codeManyConns:
		help = remedies[codeManyConns].remedy
	default:
		return fmt.Sprintf("%s (%s)", server.Message, server.Code)
	}
	return fmt.Sprintf("%s: %s (%s)", server.Message, help, server.Code)
}

// callersError is an error in what a caller has passed, not of the database.
type callersError struct{ error }

func (e callersError) Unwrap() error { return e.error }

func isCallers(err error) bool {
	var e callersError
	return errors.As(err, &e)
}

func (s *Store) damaged(what string) error {
	return fmt.Errorf("database %s: %s: %w: restore it from a backup", s.name, what, store.ErrDamaged)
}
