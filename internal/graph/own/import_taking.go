package own

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"licensor/internal/engine"
	"licensor/internal/excerpt"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// taking commits the pieces of an import, in order, while the next ones are read. All waiting
// pieces share one commit, because larger commits cost less for each row. A commit is executed
// while the one before it is made durable, and refused if that fails.
type taking struct {
	r      *wire.Request
	series engine.Series
	ctx    context.Context
	like   tenant.Import // the commands, without their rows
	pieces chan importPiece
	most   int    // pieces in one commit
	close  func() // the pieces
	ended  chan struct{}
	failed error // valid once ended is closed

	rows, skipped, refused, existing int

	through  int64 // the last line that was committed
	problems []rowProblem
}

func startTaking(r *wire.Request, most int, like tenant.Import) *taking {
	t := &taking{
		r: r, ctx: turns.Apart(r.Context()), like: like,
		pieces: make(chan importPiece, most-1), most: most,
		ended: make(chan struct{}),
	}
	t.like.ID = r.Value("id")
	_, t.like.NoRoles = identity.WriteRoles.Check(r.Caller, identity.RelationOther)
	t.close = sync.OnceFunc(func() { close(t.pieces) })
	go t.run()
	return t
}

func (t *taking) run() {
	defer close(t.ended)
	finish := func() error { return nil } // the commit before
	for piece := range t.pieces {
		next := t.begin(t.gather(piece))
		if t.failed = finish(); t.failed != nil {
			_ = next() // it was refused, too, unless only the times of sign-ins could not be stored
			return
		}
		finish = next
	}
	t.failed = finish()
}

// gather returns a piece with those that wait after it.
func (t *taking) gather(piece importPiece) importPiece {
	for range t.most - 1 {
		select {
		case next, ok := <-t.pieces:
			if !ok {
				return piece
			}
			piece.rows, piece.problems = append(piece.rows, next.rows...), append(piece.problems, next.problems...)
			piece.unlisted += next.unlisted
		default:
			return piece
		}
	}
	return piece
}

// begin begins a commit. The function that it returns waits for its result, and adds it to that of
// the import.
func (t *taking) begin(piece importPiece) (finish func() error) {
	cmd := t.like
	cmd.Rows = piece.rows
	wait := t.r.Tenant.Begin(t.ctx, t.r.By(), cmd, &t.series)
	return func() error {
		done, err := wait()
		if err != nil {
			return err
		}
		return t.add(piece, done)
	}
}

func (t *taking) add(piece importPiece, done tenant.Done) error {
	if err := t.storeSeen(piece.rows, done); err != nil {
		return fmt.Errorf("store when imported users were last seen: %w", err)
	}
	if room := MaxProblems - len(t.problems); room > 0 {
		problems := piece.problems
		for _, p := range done.Rows {
			problems = append(problems, describeProblem(p.Line, p.Problem))
		}
		slices.SortFunc(problems, func(a, b rowProblem) int { return cmp.Compare(a.line, b.line) })
		t.problems = append(t.problems, problems[:min(len(problems), room)]...)
	}
	refused := len(piece.problems) + piece.unlisted
	t.rows += len(piece.rows) + refused
	t.skipped += done.Skipped
	t.existing += done.Existing
	t.refused += refused + len(done.Rows)
	if n := len(piece.rows); n > 0 {
		t.through = piece.rows[n-1].Line
	}
	return nil
}

// take passes a piece on, and reports whether more can be accepted.
func (t *taking) take(piece importPiece) bool {
	select {
	case t.pieces <- piece:
		return true
	case <-t.ended:
		return false
	}
}

// end waits until all pieces are committed, or returns an error. No more pieces are accepted
// afterwards. It may be called again.
func (t *taking) end() error {
	t.close()
	<-t.ended
	return t.failed
}

// soFar adds the result of the lines before to an error. They are skipped if they are sent again,
// so this is the only report of refused ones.
func (t *taking) soFar(err error) error {
	p, ok := problem.Of(err)
	if !ok || t.through == 0 {
		return err
	}
	told := *p
	told.Message += fmt.Sprintf(" Lines up to %d were read and committed before.", t.through)
	if t.refused > 0 {
		first := t.problems[0]
		told.Message += fmt.Sprintf(" %d of them were refused, the first of these, line %d, because: %s",
			t.refused, first.line, first.message)
	}
	return &told
}

// appendTo writes the result of all pieces.
func (t *taking) appendTo(b []byte) []byte {
	b = jsontext.AppendInt(jsontext.AppendName(b, "rows"), t.rows)
	b = jsontext.AppendInt(jsontext.AppendName(b, "skipped"), t.skipped)
	b = jsontext.AppendInt(jsontext.AppendName(b, "refused"), t.refused)
	b = jsontext.AppendInt(jsontext.AppendName(b, "existing"), t.existing)
	return append(jsontext.AppendList(jsontext.AppendName(b, "problems"), t.problems, appendRowProblem), '}')
}

// rowProblem is a refused line of an import.
type rowProblem struct {
	line    int64
	message string
}

// describeProblem does not keep the error, since it can have a value that is as long as a line.
func describeProblem(line int64, err error) rowProblem {
	return rowProblem{line, excerpt.Of(rowMessage(err), MaxMessage)}
}

func appendRowProblem(b []byte, p rowProblem) []byte {
	b = jsontext.AppendInt(append(b, `{"line":`...), int(p.line))
	return append(jsontext.AppendText(jsontext.AppendName(b, "message"), p.message), '}')
}
