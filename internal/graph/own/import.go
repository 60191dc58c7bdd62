package own

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// MaxProblems is the maximum number of refused lines that are listed; further ones are only
// counted.
const MaxProblems = 1000

// MaxMessage limits the message about one of them, which may repeat parts of the line.
const MaxMessage = 500

// Import answers POST /licensor/v1/import: a chunk of another directory's export, one object per
// line:
//
//	{"user": {"id": …, "userPrincipalName": …, "signInActivity": {…}, …}}
//	{"group": {"id": …, "displayName": …, …}}
//	{"member": {"group": "{id}", "member": "{id or userPrincipalName}"}}
//	{"subscription": {"skuId": …, "totalLicenses": …}}
//	{"owner": {"group": "{id}", "owner": "{id}"}}
//	{"manager": {"user": "{id}", "manager": "{id}"}}
//	{"license": {"group": "{id}", "skuId": …, "disabledPlans": [id…]}}
//	{"price": {"skuId": …, "amount": …, "currency": …, "period": …, "validFrom": …}}
//	{"settings": {"autoReprocess": true, …}}
//	{"state": {"user": "{id}", "skuId": …, "assignedByGroup": "{id}", "state": …, "error": …}}
//
// With ?exact=true the lines are those of an export: licenses are not evaluated but as the states
// say.
//
// Lines with errors are refused and reported, up to the first thousand; the others are imported.
// With ?existing=true, those whose object is there already are only counted.
// With ?id= lines up to the last one imported under that id are skipped, so that a chunk can be
// sent again; ?line= is the number of the chunk's first line that is not empty.
//
// The times of signInActivity are stored after the commit of their lines, and only move forward.
//
// Lines are read while earlier ones are committed, so a chunk has several commits. If it fails, the
// error reports how much was imported.
func Import(r *wire.Request) error {
	line, err := firstLine(r.Value("line"))
	if err != nil {
		return err
	}
	exact, err := readBool("exact", r.Value("exact"))
	if err != nil {
		return err
	}
	existing, err := readBool("existing", r.Value("existing"))
	if err != nil {
		return err
	}
	lines, err := lines(r, line)
	if err != nil {
		return err
	}
	if err := r.Share.More(r.Context(), importSize(r)); err != nil {
		return err
	}
	taking := startTaking(r, r.ImportPieces, tenant.Import{Exact: exact, Existing: existing})
	defer taking.end()
	err = readPieces(r, lines, exact, taking)
	if failed := taking.end(); failed != nil && (err == nil || r.Context().Err() == nil) {
		err = failed
	}
	if err != nil {
		return taking.soFar(err)
	}
	return r.Send(http.StatusOK, taking.appendTo(r.AppendHead(r.Begin(), "import/$entity")))
}

// maxFirstLine leaves room for counting.
const maxFirstLine = 1 << 53

func firstLine(text string) (int64, error) {
	if text == "" {
		return 1, nil
	}
	line, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || line < 1:
		return 0,
			problem.Refuse("line is '%s': it must be the number of the chunk's first line, 1 or more.",
				problem.Clip(text))
	case line > maxFirstLine:
		return 0, problem.Refuse("line is '%s': it must be the number of the chunk's first line, at most %d.",
			problem.Clip(text), int64(maxFirstLine))
	}
	return line, nil
}

// readPieces reads the lines and passes them on, piece by piece, until the body ends or a piece
// cannot be imported. Lines before an error are passed on, too.
func readPieces(r *wire.Request, lines *importLines, exact bool, to *taking) error {
	listed := 0
	for {
		part, end := lines.next()
		var broken error
		if end != nil && end != io.EOF {
			broken = wire.BodyProblem(end, MaxImport)
		}
		turn, err := r.Tenant.Turn(r.Context())
		if err != nil {
			// The sender of half a body may have disconnected, but may also wait for the reason.
			return cmp.Or(broken, err)
		}
		piece := readRows(r, part, exact, MaxProblems-listed)
		turn.End()
		listed += len(piece.problems)
		if taken := to.take(piece); end != nil || !taken {
			return broken
		}
	}
}

// importPiece has some lines: their commands, and the lines with errors.
type importPiece struct {
	rows     []tenant.ImportRow
	problems []rowProblem
	unlisted int // further lines with errors
}

// readRows parses the lines of a piece, except empty ones, on all processors. It lists at most the
// given number of those with errors.
func readRows(r *wire.Request, lines []line, exact bool, listed int) (piece importPiece) {
	var wait sync.WaitGroup
	var fault atomic.Pointer[any]
	for part := range slices.Chunk(lines, max(fewLines, len(lines)/runtime.GOMAXPROCS(0)+1)) {
		wait.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					fault.Store(&p)
				}
			}()
			rows := rowReader{exact: exact}
			for i := range part {
				part[i].read(r, &rows)
			}
		})
	}
	wait.Wait()
	if p := fault.Load(); p != nil {
		panic(*p) // here, where the handler of the request recovers from it
	}
	for i := range lines {
		switch l := &lines[i]; {
		case l.err == nil:
			l.row.Line = l.number
			piece.rows = append(piece.rows, l.row)
		case len(piece.problems) < listed:
			piece.problems = append(piece.problems, describeProblem(l.number, l.err))
		default:
			piece.unlisted++
		}
	}
	return piece
}

func (l *line) read(r *wire.Request, rows *rowReader) {
	if l.err != nil {
		return
	}
	if l.row, l.err = rows.read(l.text); l.err == nil {
		l.err = mayImport(r, l.row)
	}
}

// fewLines is the number of lines up to which one processor is as fast as several.
const fewLines = 64

// mayImport refuses the ids of roles, and groups that can have roles. The command checks additions
// to existing groups with roles, because it has their current state.
func mayImport(r *wire.Request, row tenant.ImportRow) error {
	switch {
	case row.User != nil:
		if err := checkSeen(row.User.Seen, r.Now); err != nil {
			return err
		}
		return noRole(r, row.User.ID)
	case row.Group != nil:
		if err := noRole(r, row.Group.ID); err != nil {
			return err
		}
		return r.MayCreate(row.Group.Patch)
	case row.Settings != nil:
		_, err := r.Check(identity.WriteSettings, identity.RelationOther)
		return err
	}
	return nil
}

// noRole refuses the id of a directory role, or of its template, for another object. The command
// checks all other ids.
func noRole(r *wire.Request, id uuid.UUID) error {
	_, isRole := identity.RoleByObjectID(r.Tenant.ID(), id)
	if _, isTemplate := identity.RoleByID(id); isRole || isTemplate {
		return &tenant.CommandError{
			Kind: tenant.ProblemTaken, Property: "id", Value: id.String(), Message: fmt.Sprintf(tenant.TakenText, "id"),
		}
	}
	return nil
}
