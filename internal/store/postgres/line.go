package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// line is what is known about a connection, in addition to what pgx knows.
type line struct {
	open   atomic.Bool
	warned bool              // the server has sent a warning since the last statement began
	mode   pgx.QueryExecMode // how statements are sent
	dial   pgconn.DialFunc
}

// lineKey is the key of a connection's line in its custom data.
const lineKey = "licensor"

// prepareLine adds a line to a connection that is about to be opened.
func prepareLine(config *pgx.ConnConfig) {
	l := &line{dial: config.DialFunc, mode: pgx.QueryExecModeCacheDescribe}
	config.DialFunc = l.dialOnce
	config.OnNotice = l.notice
	config.AfterConnect = func(_ context.Context, conn *pgconn.PgConn) error {
		conn.CustomData()[lineKey] = l
		l.open.Store(true)
		return nil
	}
}

func lineOf(conn *pgx.Conn) *line {
	l, _ := conn.PgConn().CustomData()[lineKey].(*line)
	return l
}

// dialOnce prevents pgx from asking the server to cancel the statement of a connection that is
// closed. A commit that waits for a standby would become visible by that, although no standby has
// it.
func (l *line) dialOnce(ctx context.Context, network, address string) (net.Conn, error) {
	if l.open.Load() {
		return nil, errors.New("statements are not canceled")
	}
	return l.dial(ctx, network, address)
}

// notice receives the messages of the server. A commit whose wait for the standby was canceled
// reports success, with a warning that has the code 01000
// (https://www.postgresql.org/docs/current/warm-standby.html, "Synchronous Replication").
func (l *line) notice(_ *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.Code == "01000" {
		l.warned = true
	}
}

// examine makes the server compress large values with lz4, if it can, as long as the connection is
// open: with its default it spends a quarter of its processor time for an import on that. Behind a
// pooler this changes nothing, since the connection to the server will be that of others.
const examine = `SELECT pg_backend_pid(), (SELECT set_config(name, 'lz4', false) FROM pg_settings
	WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals) AND pg_backend_pid() = $1)`

// examineLine determines whether statements can be prepared, so that they are not planned each
// time. Behind a pooler, such as PgBouncer in transaction mode, the next statement may be executed
// on another connection, where it is not prepared. A pooler is recognized by the process id that it
// makes up.
func examineLine(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	var compression *string
	told := int32(conn.PgConn().PID())
	if err := conn.QueryRow(ctx, examine, pgx.QueryExecModeExec, told).Scan(&pid, &compression); err != nil {
		return err
	}
	if pid == conn.PgConn().PID() {
		lineOf(conn).mode = pgx.QueryExecModeCacheStatement
	}
	return nil
}
