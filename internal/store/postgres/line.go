package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// line is what is known of a connection besides what pgx knows.
type line struct {
	open   atomic.Bool
	warned bool              // the server has warned since the last statement began
	mode   pgx.QueryExecMode // how statements are sent
	dial   pgconn.DialFunc
}

// lineKey is where a connection has its line.
const lineKey = "licensor"

// prepareLine gives a connection that is about to be made its line.
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

// dialOnce keeps pgx from asking the server to cancel the statement of a connection that is given
// up. A commit that waits for a standby would become visible by that, although no standby has it.
func (l *line) dialOnce(ctx context.Context, network, address string) (net.Conn, error) {
	if l.open.Load() {
		return nil, errors.New("statements are not canceled")
	}
	return l.dial(ctx, network, address)
}

// notice hears what the server says in addition to its answers. The code 01000 is that of a commit
// whose wait for the standby was canceled, which then has success as its answer
// (https://www.postgresql.org/docs/current/warm-standby.html, "Synchronous Replication").
func (l *line) notice(_ *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.Code == "01000" {
		l.warned = true
	}
}

// lookAtLine finds out whether statements can be prepared, which saves planning them each time. A
// pooler in between, such as PgBouncer in transaction mode, may carry out the next statement on
// another connection, where it is not prepared. It gives away by the process id it has made up.
func lookAtLine(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid); err != nil {
		return err
	}
	if pid == conn.PgConn().PID() {
		lineOf(conn).mode = pgx.QueryExecModeCacheStatement
	}
	return nil
}
