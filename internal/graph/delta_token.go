package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/directory"

	"github.com/google/uuid"

	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
)

// deltaToken is a client's position in the changes of users or groups, and its initial query: later
// requests need not repeat it (P41). A round has the changes after one commit, up to the last
// commit when the round began.
type deltaToken struct {
	after uint64 // 0: the round shows all objects
	upTo  uint64 // 0: the round has not begun
	count uint32 // of all ordinals when a round with all objects began
	place int64  // ordinal of the last object shown; -1 at first
	// member is the place of the last member shown of that object, a group with too many for one
	// page; -1 if all of it was shown.
	member   int64
	selected []string    // $select
	ids      []uuid.UUID // of $filter; nil: all
}

// latest is the $deltatoken that requests only future changes.
const latest = "latest"

// maxDeltaIDs is the maximum number of objects in a $filter (P41).
const maxDeltaIDs = 50

// askedToken returns the token of the request: an initial one if it has none.
func askedToken(r *wire.Request, of directory.Type) (deltaToken, error) {
	asked := deltaToken{place: -1, member: -1, selected: r.Options.Select}
	if r.Options.Filter != nil {
		var err error
		if asked.ids, err = idsOf(r.Options.Filter); err != nil {
			return deltaToken{}, err
		}
	}
	text := r.Options.DeltaToken
	if text != "" && r.Options.SkipToken != "" {
		return deltaToken{}, problem.Refuse("A request has a $deltatoken or a $skiptoken, not both. Use the " +
			"@odata.nextLink or @odata.deltaLink of a response unchanged.")
	}
	if text += r.Options.SkipToken; text == "" {
		return asked, nil
	}
	if strings.EqualFold(r.Options.DeltaToken, latest) {
		asked.after = r.Image.Seq
		return asked, nil
	}
	t, ok := readDeltaToken(text, deltaSeal(r, of))
	if !ok {
		return deltaToken{}, &problem.ResponseError{
			Status: http.StatusBadRequest, Code: problem.CodeBroken,
			Message: "The token is not valid for this delta query. Use the @odata.nextLink or @odata.deltaLink of a " +
				"response unchanged, or start again without it.",
		}
	}
	if r.Options.Select != nil && !slices.Equal(t.selected, asked.selected) ||
		r.Options.Filter != nil && !slices.Equal(t.ids, asked.ids) {
		return deltaToken{}, problem.Refuse("The token comes from a request with another $select or $filter. Leave " +
			"them out, since the token knows them, or start again without it.")
	}
	return t, nil
}

// idsOf parses a $filter that names objects by their ids, which is the only supported form.
func idsOf(filter *odata.Filter) ([]uuid.UUID, error) {
	terms := []odata.Node{filter.Root}
	if or, ok := filter.Root.(*odata.Logic); ok && or.Op == odata.OpOr {
		terms = or.Args
	}
	if len(terms) > maxDeltaIDs {
		return nil, problem.Unsupported("The filter names %d objects; at most %d are possible.",
			len(terms), maxDeltaIDs)
	}
	ids := make([]uuid.UUID, 0, len(terms))
	for _, term := range terms {
		id, ok := idIn(term)
		if !ok {
			return nil, problem.Unsupported("The filter has something else at position %d: changes can only be "+
				"filtered by id eq '{id}', or several of these joined by 'or'.", filter.Column(term))
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// idIn returns the id of a term: id eq '…'.
func idIn(term odata.Node) (uuid.UUID, bool) {
	c, ok := term.(*odata.Compare)
	if !ok || c.Op != odata.OpEq {
		return uuid.Nil, false
	}
	path, isPath := c.Left.(*odata.Path)
	literal, isLiteral := c.Right.(*odata.Literal)
	if !isPath || !isLiteral || !fold.Equal(path.String(), "id") {
		return uuid.Nil, false
	}
	switch value := literal.Value.(type) {
	case uuid.UUID:
		return value, true
	case string:
		return guid.Parse(value)
	}
	return uuid.Nil, false
}

// deltaSeal returns the prefix of the checksum of a token, which is valid for one tenant and one
// kind of objects. It detects mistakes only: a forged token reveals nothing that its caller could
// not see without.
func deltaSeal(r *wire.Request, of directory.Type) []byte {
	return append(r.Life(), byte(of))
}

const sealSize = 8

// text encodes the token.
func (t deltaToken) text(seal []byte) string {
	var b []byte
	for _, n := range []uint64{
		t.after, t.upTo, uint64(t.count), uint64(t.place + 1), uint64(t.member + 1), uint64(len(t.ids)),
	} {
		b = binary.AppendUvarint(b, n)
	}
	for _, id := range t.ids {
		b = append(b, id[:]...)
	}
	b = append(b, strings.Join(t.selected, ",")...)
	return sealed(seal, b)
}

func sealed(seal, token []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(sum(seal, token), token...))
}

func sum(seal, token []byte) []byte {
	h := sha256.New()
	h.Write(seal)
	h.Write(token)
	return h.Sum(nil)[:sealSize]
}

func readDeltaToken(text string, seal []byte) (deltaToken, bool) {
	b, ok := wire.DecodeToken(text)
	if !ok || len(b) < sealSize || !slices.Equal(b[:sealSize], sum(seal, b[sealSize:])) {
		return deltaToken{}, false
	}
	b = b[sealSize:]
	var numbers [6]uint64
	for i := range numbers {
		value, n := binary.Uvarint(b)
		if n <= 0 || value > math.MaxInt64 {
			return deltaToken{}, false
		}
		numbers[i], b = value, b[n:]
	}
	t := deltaToken{
		after: numbers[0], upTo: numbers[1], count: uint32(numbers[2]),
		place: int64(numbers[3]) - 1, member: int64(numbers[4]) - 1,
	}
	ids := numbers[5]
	if ids > maxDeltaIDs || len(b) < int(ids)*len(uuid.UUID{}) || t.upTo > 0 && t.after > t.upTo ||
		t.place > math.MaxUint32 || t.place < 0 && t.member >= 0 {
		return deltaToken{}, false
	}
	for range ids {
		t.ids, b = append(t.ids, uuid.UUID(b[:16])), b[16:]
	}
	if len(b) > 0 {
		t.selected = strings.Split(string(b), ",")
	}
	return t, true
}

// startAgain returns the URL of the same changes from the beginning.
func (t deltaToken) startAgain(address string) string {
	var options []string
	if t.selected != nil {
		options = append(options, "$select="+strings.Join(t.selected, ","))
	}
	if t.ids != nil {
		terms := make([]string, len(t.ids))
		for i, id := range t.ids {
			terms[i] = "id eq '" + id.String() + "'"
		}
		options = append(options, "$filter="+url.PathEscape(strings.Join(terms, " or ")))
	}
	if options == nil {
		return address
	}
	return address + "?" + strings.Join(options, "&")
}
