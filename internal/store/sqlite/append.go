package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"licensor/internal/store"
)

// statements are the statements that are worth preparing.
type statements struct {
	one, page, hasMoved                    *sql.Stmt // of the reader
	advance, commit, upsert, discard, move *sql.Stmt // of the writer
	newest, rewrite, count                 *sql.Stmt // of the writer, too
}

const (
	advance = "UPDATE tenant SET seq = ?2, chain = ?3 WHERE number = ?1 AND seq = ?4 AND chain IS ?5 " +
		"AND epoch = ?6 AND frozen IS NULL"
	commit   = "INSERT " + commitOf
	refill   = "INSERT OR REPLACE " + commitOf
	commitOf = `INTO commits (tenant, seq, at, actor, operation, format, effects, chain, sum)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`
	newest  = "SELECT coalesce(max(ordinal), -1) FROM object WHERE tenant = ?1 AND kind = ?2"
	count   = "UPDATE lineage SET record = ?1"
	discard = "DELETE FROM object WHERE tenant = ?1 AND kind = ?2 AND ordinal = ?3"
	upsert  = `INSERT INTO object (tenant, kind, ordinal, id, deleted, document, sum, seq, user_principal_name, display_name, mail, created)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ` + upnOf + ", " + nameOf + ", " + mailOf + ", " + createdOf + `)
		ON CONFLICT DO UPDATE SET id = excluded.id, deleted = excluded.deleted, document = excluded.document, sum = excluded.sum, seq = excluded.seq,
			user_principal_name = excluded.user_principal_name, display_name = excluded.display_name, mail = excluded.mail, created = excluded.created`
	// rewrite does not set the columns of a row. An upsert sets all of them, and updates every
	// index, whether or not they change.
	rewrite = "UPDATE object SET id = ?4, deleted = ?5, document = ?6, sum = ?7, seq = ?8 WHERE tenant = ?1 " +
		"AND kind = ?2 AND ordinal = ?3"
	// move records the columns of a row that ?6 will change. A trigger would do the same, but make
	// every row half as expensive again.
	move = `INSERT INTO moved (tenant, kind, ordinal, seq, user_principal_name, display_name, mail, created)
		SELECT o.tenant, o.kind, o.ordinal, t.seq, o.user_principal_name, o.display_name, o.mail, o.created
		FROM object AS o JOIN tenant AS t ON t.number = o.tenant WHERE o.tenant = ?1 AND o.kind = ?2 AND o.ordinal = ?3 AND (
			o.user_principal_name IS NOT ` + upnOf + " OR o.display_name IS NOT " + nameOf + " OR o.mail IS NOT " + mailOf + " OR o.created IS NOT " + createdOf + ")"

	// The values of the columns, from a document.
	upnOf = "CASE json_type(?6, '$.userPrincipalName') WHEN 'text' " +
		"THEN fold(json_extract(?6, '$.userPrincipalName')) END"
	nameOf    = "CASE json_type(?6, '$.displayName') WHEN 'text' THEN fold(json_extract(?6, '$.displayName')) END"
	mailOf    = "CASE json_type(?6, '$.mail') WHEN 'text' THEN fold(json_extract(?6, '$.mail')) END"
	createdOf = "CASE json_type(?6, '$.createdDateTime') WHEN 'text' " +
		"THEN fold(json_extract(?6, '$.createdDateTime')) END"
)

// prepare prepares the statements. This also shows whether all tables exist.
func (s *Store) prepare(ctx context.Context) error {
	for _, p := range []struct {
		to   **sql.Stmt
		db   *sql.DB
		text string
	}{
		{&s.say.one, s.reader, one},
		{&s.say.page, s.reader, page},
		{&s.say.hasMoved, s.reader, hasMoved},
		{&s.say.advance, s.writer, advance},
		{&s.say.commit, s.writer, commit},
		{&s.say.upsert, s.writer, upsert},
		{&s.say.discard, s.writer, discard},
		{&s.say.move, s.writer, move},
		{&s.say.newest, s.writer, newest},
		{&s.say.rewrite, s.writer, rewrite},
		{&s.say.count, s.writer, count},
	} {
		stmt, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.to = stmt
	}
	var err error
	s.loads, err = prepareAll(ctx, s.reader)
	return err
}

// Append implements store.Store. A batch of a thousand rows takes about 0.1 ms a row, one of ten
// thousand half of that: the indexes of names are expensive, and the more rows are written at once,
// the more of them share a page.
func (s *Store) Append(
	ctx context.Context, tenant uuid.UUID, at store.Place, commits []store.Commit, objects []store.Object,
) error {
	if err := at.Check(commits); err != nil {
		return err
	}
	number, err := s.tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return s.fail("append to tenant "+tenant.String(), s.write(ctx, func(tx *sql.Tx) error {
		if err := s.advance(tx, tenant, number, at, commits); err != nil {
			return err
		}
		if err := addCommits(tx.Stmt(s.say.commit), number, commits); err != nil {
			return err
		}
		return s.putObjects(tx, number, objects)
	}))
}

// write runs do in a transaction of the writer. ctx limits the wait for the writer only. What has
// begun ends by itself, since an interrupted commit might have happened or not.
func (s *Store) write(ctx context.Context, do func(tx *sql.Tx) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := do(tx); err != nil {
		return err
	}
	if s.say.count == nil { // there is no schema yet
		return tx.Commit()
	}
	next := s.line.next(s.session)
	if _, err := tx.Stmt(s.say.count).Exec(next.record()); err != nil {
		return err
	}
	if err := s.Intact(); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return s.lost(err)
	}
	s.line = next
	err = s.Intact() // the data may have been written to a deleted file
	if err == nil {
		err = s.claim()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnknown, err)
	}
	s.acknowledge()
	s.merge(context.WithoutCancel(ctx), conn)
	return nil
}

// lost adds to the error of a failed commit that the transaction may exist after a restart, unless
// SQLite has reported that there was no room or that it had to wait: then nothing was written.
func (s *Store) lost(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == codes.SQLITE_BUSY || isFull(e.Code())) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnknown, err)
}

// advance updates the tenant's row, which fails unless its log ends at the place.
func (s *Store) advance(tx *sql.Tx, tenant uuid.UUID, number int64, at store.Place, commits []store.Commit) error {
	after := at.After(commits)
	advanced, err := affected(tx.Stmt(s.say.advance).Exec(
		number, int64(after.Seq), chainOf(after.Chain), int64(at.Seq), chainOf(at.Chain), int64(at.Epoch)))
	if advanced || err != nil {
		return err
	}
	why, err := s.frozen(tenant, tx.QueryRow(findFrozen, tenant[:]))
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound): // a row that is lost shows when the log is read
		return err
	case why != "":
		return fmt.Errorf("%w: %s", store.ErrFrozen, why)
	}
	return fmt.Errorf("the log no longer ends at commit %d: %w", at.Seq, store.ErrConflict)
}

func addCommits(insert *sql.Stmt, number int64, commits []store.Commit) error {
	for i := range commits {
		c := &commits[i]
		_, err := insert.Exec(number, int64(c.Seq), c.At.UnixMilli(), c.Actor, c.Operation,
			int64(c.Format), bytesOf(c.Effects), chainOf(c.Chain), c.Sum())
		if err != nil {
			return fmt.Errorf("commit %d: %w", c.Seq, err)
		}
	}
	return nil
}

// chainOf returns a chain as it is stored: NULL if there is none.
func chainOf(chain store.Chain) any {
	if chain == (store.Chain{}) {
		return nil
	}
	return chain[:]
}

func (s *Store) putObjects(tx *sql.Tx, number int64, objects []store.Object) error {
	p := putting{number, tx.Stmt(s.say.move), tx.Stmt(s.say.rewrite), tx.Stmt(s.say.upsert)}
	discard := tx.Stmt(s.say.discard)
	newest, err := s.newest(tx, number, objects)
	if err != nil {
		return err
	}
	for i := range objects {
		o := &objects[i]
		var err error
		if o.Purged {
			_, err = discard.Exec(number, int64(o.Kind), int64(o.Ordinal))
		} else {
			last, known := newest[o.Kind]
			err = p.put(o, known && int64(o.Ordinal) > last)
		}
		if err != nil {
			return fmt.Errorf("object %d of kind %d: %w", o.Ordinal, o.Kind, err)
		}
	}
	return nil
}

// manyObjects is the number of rows from which it is worth determining which of them are new.
const manyObjects = 16

// newest returns the last ordinal of each kind if there are many objects. Rows after it are new and
// cannot have moved; looking for moves of them would be a quarter of the time of an import.
func (s *Store) newest(tx *sql.Tx, number int64, objects []store.Object) (map[store.Kind]int64, error) {
	if len(objects) < manyObjects {
		return nil, nil
	}
	last := map[store.Kind]int64{}
	for i := range objects {
		kind := objects[i].Kind
		if _, ok := last[kind]; ok {
			continue
		}
		var ordinal int64
		if err := tx.Stmt(s.say.newest).QueryRow(number, int64(kind)).Scan(&ordinal); err != nil {
			return nil, err
		}
		last[kind] = ordinal
	}
	return last, nil
}

// putting has the statements that write rows of a tenant.
type putting struct {
	number                int64
	move, rewrite, upsert *sql.Stmt
}

// rowArgs are the values that a row is written with.
func rowArgs(number int64, o *store.Object) ([]any, error) {
	if !bytes.HasPrefix(o.Document, []byte("{")) {
		return nil, fmt.Errorf("its document is not a JSON object: %.40q", o.Document)
	}
	var deleted any
	if !o.Deleted.IsZero() {
		deleted = o.Deleted.Unix()
	}
	return []any{
		number, int64(o.Kind), int64(o.Ordinal), o.ID[:],
		deleted, string(o.Document), o.Sum(), int64(o.Seq),
	}, nil
}

// put writes a row. Most existing rows keep the texts in their columns, so that only the row itself
// is written.
func (p putting) put(o *store.Object, isNew bool) error {
	args, err := rowArgs(p.number, o)
	if err != nil {
		return err
	}
	if !isNew {
		// Its parameters have the same numbers as those of the others.
		if moved, err := affected(p.move.Exec(args[:6]...)); err != nil {
			return err
		} else if !moved {
			if there, err := affected(p.rewrite.Exec(args...)); there || err != nil {
				return err
			}
		}
	}
	_, err = p.upsert.Exec(args...)
	return err
}

func affected(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// bytesOf returns an empty slice for nil, for columns that must not be NULL.
func bytesOf(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
