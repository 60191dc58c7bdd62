package postgres

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"licensor/internal/store"
)

// manyNew is the number of new rows of a kind from which they are copied. COPY writes them in three
// quarters of the time that the statement takes, and they are encoded while they are written.
const manyNew = 500

// The database ends the transaction of a program that has disappeared: when it is idle, or when
// keepalives for the connection, over which rows should come, get no answer for 8 s.
const beginCopy = "BEGIN" + beginIdle +
	"; SET LOCAL tcp_keepalives_idle = 4; SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 2"

const findNewest = "SELECT coalesce(max(ordinal), -1) FROM licensor.object WHERE tenant = $1 AND kind = $2"

// appendMany is Append of many rows. Those that are new are copied, in one transaction with the
// statement that appends the others and the commits.
func (s *Store) appendMany(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	return s.write(ctx, "append to tenant "+tenant.String(), func(ctx context.Context, c conn) error {
		fresh, others, err := c.divide(ctx, tenant, objects)
		if err != nil {
			return nothingDone(err)
		}
		rows, err := columnsOf(others)
		if err != nil {
			return callersError{err}
		}
		args := append(placeArgs(tenant, at, at.After(commits)), commitColumns(commits)...)
		text := appendOnly
		if len(others) > 0 {
			text, args = appendAll, append(args, rows.args()...)
		}
		applied, err := c.planned(len(others)).appendWith(ctx, text, args, &copying{tenant: tenant, rows: fresh})
		if err != nil || applied == 1 {
			return err
		}
		return c.whyNotAppended(ctx, tenant, at)
	})
}

// divide returns the rows of kinds with many that are new, each once, and the others. A row is new
// if its ordinal is later than all others of its kind. That is still so when the rows are appended:
// if others were added meanwhile, the tenant's row is no longer as it was, and nothing is appended.
// Behind a pooler none is copied: the database would not notice that the program has disappeared.
func (c conn) divide(
	ctx context.Context, tenant uuid.UUID, objects []store.Object,
) (fresh []*store.Object, others []store.Object, err error) {
	if c.line.mode != pgx.QueryExecModeCacheStatement {
		return nil, objects, nil
	}
	many := map[store.Kind]int{}
	for i := range objects {
		many[objects[i].Kind]++
	}
	newest := map[store.Kind]int64{}
	for kind, n := range many {
		if n < manyNew {
			continue
		}
		var last int64
		if err := c.row(ctx, findNewest, tenant, int16(kind)).Scan(&last); err != nil {
			return nil, nil, err
		}
		newest[kind] = last
	}
	for _, i := range lastOfEach(objects) {
		if last, ok := newest[objects[i].Kind]; ok && int64(objects[i].Ordinal) > last {
			fresh = append(fresh, &objects[i])
		} else {
			others = append(others, objects[i])
		}
	}
	return fresh, others, nil
}

// appendWith executes a statement that appends, and copies rows in the same transaction. It returns
// 0 if the log does not end at the place, and otherwise 1.
func (c conn) appendWith(ctx context.Context, text string, args []any, rows *copying) (applied int64, err error) {
	if len(rows.rows) == 0 {
		return c.exec(ctx, text, args...)
	}
	tx, err := c.BeginTx(ctx, pgx.TxOptions{BeginQuery: beginCopy})
	if err != nil {
		return 0, err
	}
	defer tx.Rollback(ctx) // does nothing after Commit
	if applied, err = c.exec(ctx, text, args...); err != nil || applied != 1 {
		return applied, err
	}
	_, err = tx.Conn().PgConn().CopyFrom(ctx, rows, copyRows)
	if bad := rows.bad.Load(); bad != nil {
		return 0, *bad
	}
	if err != nil {
		return 0, err
	}
	return 1, tx.Commit(ctx)
}

// copied are the columns of the table in the order in which rows are copied.
var copied = []string{
	"tenant", "kind", "ordinal", "id", "deleted", "seq", "sum", "purged",
	"user_principal_name", "display_name", "mail", "created", "document",
}

var copyRows = "COPY licensor.object (" + strings.Join(copied, ", ") + ") FROM STDIN (FORMAT binary)"

// copying reads as the data of COPY
// (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"). Another goroutine reads
// it, a little longer than the COPY if the connection breaks.
type copying struct {
	tenant uuid.UUID
	rows   []*store.Object
	next   int // row
	buffer []byte
	unread []byte // the end of buffer
	ended  bool
	bad    atomic.Pointer[callersError] // a row that cannot be stored
}

const (
	copyHead   = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" // no flags, no extension
	copyBuffer = 64 << 10
)

// Read implements io.Reader.
func (c *copying) Read(into []byte) (int, error) {
	if len(c.unread) == 0 {
		if c.ended {
			return 0, io.EOF
		}
		if err := c.fill(); err != nil {
			c.bad.Store(&callersError{err})
			return 0, err
		}
	}
	n := copy(into, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// fill encodes the next rows.
func (c *copying) fill() (err error) {
	b := c.buffer[:0]
	if c.next == 0 {
		b = append(b, copyHead...)
	}
	for c.next < len(c.rows) && len(b) < copyBuffer {
		if b, err = appendRow(b, c.tenant, c.rows[c.next]); err != nil {
			return err
		}
		c.next++
	}
	if c.ended = c.next == len(c.rows); c.ended {
		b = append(b, 0xff, 0xff)
	}
	c.buffer, c.unread = b, b
	return nil
}

// appendRow appends a row, with the values of columns.add.
func appendRow(b []byte, tenant uuid.UUID, o *store.Object) ([]byte, error) {
	v, err := valuesOf(o)
	if err != nil {
		return nil, err
	}
	b = slices.Grow(b, len(v.document)+512)
	b = binary.BigEndian.AppendUint16(b, uint16(len(copied)))
	b = appendField(b, tenant[:])
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, 2), uint16(o.Kind))
	b = appendField(appendNumber(b, int64(o.Ordinal)), o.ID[:])
	if v.deleted == nil {
		b = appendField(b, nil)
	} else {
		b = appendNumber(b, *v.deleted)
	}
	b = appendNumber(appendNumber(b, int64(o.Seq)), o.Sum())
	purged := byte(0)
	if o.Purged {
		purged = 1
	}
	b = append(binary.BigEndian.AppendUint32(b, 1), purged)
	for _, key := range v.keys {
		b = appendField(b, key)
	}
	return appendField(b, v.document), nil
}

// appendField appends a value, NULL for nil.
func appendField(b, value []byte) []byte {
	if value == nil {
		return append(b, 0xff, 0xff, 0xff, 0xff)
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

func appendNumber(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(n))
}
