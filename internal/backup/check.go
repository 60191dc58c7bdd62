package backup

import (
	"bytes"
	"fmt"

	"licensor/internal/store"
)

// tenantCheck checks the records of a tenant, and has a summary of those read so far.
type tenantCheck struct {
	pieces        *pieceReader
	begun         tenantRecord
	names         map[string]bool // of parts
	saved         bool            // whether there is a snapshot
	snapshot      uint64          // the commit that it is of; 0 when that is not known
	last          store.Commit
	commits, rows *digest
	key           store.RowKey // of the last row
	seq           uint64       // the newest commit of a row
	claims        int64
}

func newTenantCheck(pieces *pieceReader, t tenantRecord) *tenantCheck {
	return &tenantCheck{pieces: pieces, begun: t, names: map[string]bool{}, commits: newDigest(), rows: newDigest()}
}

func (t *tenantCheck) damaged(format string, args ...any) error {
	return t.pieces.damaged(fmt.Sprintf("tenant %s: ", t.begun.ID) + fmt.Sprintf(format, args...))
}

func (in *reader) parts(content []byte) error {
	records, err := decode[[]partRecord](in.pieces, content)
	if err != nil {
		return err
	}
	parts := make([]store.Part, len(records))
	for i, r := range records {
		in.now.names[r.Name] = true
		parts[i] = store.Part{Name: r.Name, Data: r.Data}
	}
	return in.to.parts(parts)
}

func (in *reader) manifest(content []byte) error {
	r, err := decode[manifestRecord](in.pieces, content)
	if err != nil {
		return err
	}
	for _, name := range append([]string{r.Head}, r.Parts...) {
		if !in.now.names[name] {
			return in.now.damaged("its snapshot lacks the part %s", name)
		}
	}
	in.now.saved, in.now.snapshot = true, r.Seq
	return in.to.manifest(store.Manifest{Name: store.NewestManifest, Seq: r.Seq, Head: r.Head, Parts: r.Parts})
}

func (in *reader) commits(content []byte) error {
	records, err := decode[[]commitRecord](in.pieces, content)
	if err != nil {
		return err
	}
	commits := make([]store.Commit, len(records))
	for i, r := range records {
		commits[i] = r.commit()
		if err := in.now.commit(&commits[i]); err != nil {
			return err
		}
		in.contents.Format = max(in.contents.Format, r.Format)
	}
	in.advance(len(commits))
	return in.to.commits(commits)
}

// commit checks that a commit continues the log. Commits of early formats have no chain, and the
// chain before the first one is not known when the log was trimmed.
func (t *tenantCheck) commit(c *store.Commit) error {
	want := t.begun.LogFloor
	if t.commits.n > 0 {
		want = t.last.Seq + 1
	}
	linked := t.commits.n > 0 || want == 1
	switch {
	case c.Seq != want:
		return t.damaged("found commit %d, want %d", c.Seq, want)
	case c.Chain == store.Chain{} && t.last.Chain != store.Chain{},
		c.Chain != store.Chain{} && linked && c.Chain != c.Link(t.last.Chain):
		return t.damaged("commit %d does not continue the chain of the log", c.Seq)
	}
	t.commits.commit(c)
	t.last = store.Commit{Seq: c.Seq, Chain: c.Chain}
	return nil
}

func (in *reader) rows(content []byte) error {
	records, err := decode[[]rowRecord](in.pieces, content)
	if err != nil {
		return err
	}
	rows := make([]store.Object, len(records))
	for i, r := range records {
		rows[i] = r.object()
		if err := in.now.row(&rows[i]); err != nil {
			return err
		}
	}
	in.advance(len(rows))
	return in.to.rows(rows)
}

func (t *tenantCheck) row(o *store.Object) error {
	switch {
	case o.RowKey().Compare(t.key) <= 0:
		return t.damaged("the row of object %d of kind %d is not in order", o.Ordinal, o.Kind)
	case !bytes.HasPrefix(o.Document, []byte("{")):
		return t.damaged("the document of object %d of kind %d is not a JSON object", o.Ordinal, o.Kind)
	}
	t.key, t.seq = o.RowKey(), max(t.seq, o.Seq)
	t.rows.row(o)
	return nil
}

func (in *reader) claims(content []byte) error {
	names, err := decode[[]string](in.pieces, content)
	if err != nil {
		return err
	}
	in.now.claims += int64(len(names))
	return in.to.claims(names)
}

// done compares the records read so far with the totals that the backup has for the tenant.
func (in *reader) done(content []byte) error {
	t, err := decode[Tenant](in.pieces, content)
	if err != nil {
		return err
	}
	c := in.now
	ends := c.last
	if c.commits.n == 0 {
		ends = store.Commit{Seq: c.begun.LogFloor - 1, Chain: t.Chain}
	}
	switch {
	case t.ID != c.begun.ID || t.LogFloor != c.begun.LogFloor || t.LogFloor == 0 || t.Seq == 0:
		return c.damaged("it ends as another tenant, %s with commits from %d to %d", t.ID, t.LogFloor, t.Seq)
	case ends.Seq != t.Seq || ends.Chain != t.Chain:
		return c.damaged("its log ends at commit %d with the chain %x, and should end at commit %d with %x",
			ends.Seq, ends.Chain, t.Seq, t.Chain)
	case c.seq > t.Seq:
		return c.damaged("a row is of commit %d, and the log ends at commit %d", c.seq, t.Seq)
	case c.snapshot > t.Seq || c.snapshot > 0 && c.snapshot+1 < t.LogFloor:
		return c.damaged("its snapshot is of commit %d, and its log has commits %d to %d",
			c.snapshot, t.LogFloor, t.Seq)
	case !c.saved && t.LogFloor > 1:
		return c.damaged("its log begins with commit %d, and there is no snapshot", t.LogFloor)
	case t.Commits != c.commits.n || t.CommitSum != c.commits.sum():
		return c.damaged("its %d commits are not the %d that were written", c.commits.n, t.Commits)
	case t.Rows != c.rows.n || t.RowSum != c.rows.sum():
		return c.damaged("its %d rows are not the %d that were written", c.rows.n, t.Rows)
	case t.Claims != c.claims:
		return c.damaged("it has %d names, and should have %d", c.claims, t.Claims)
	}
	if in.seen[t.ID] {
		return c.damaged("duplicate tenant")
	}
	in.seen[t.ID] = true
	in.contents.Tenants, in.now = append(in.contents.Tenants, t), nil
	return in.to.done(t)
}
