package changes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/outcome"
)

// What a check may find. A request that fails is always found.
const (
	findRequest = "request"
	findFail    = "fail"
	findShort   = "short"
	findLose    = "lose"
)

var findings = []string{findFail, findShort, findLose}

// finding is something that a check has found.
type finding struct {
	kind    string
	skuID   uuid.UUID // Nil: of a request
	request string    // the id of the request, as JSON
	users   *roaring.Bitmap
	text    string
}

// check answers POST /licensor/v1/checks (C11): it runs a change set on a draft, and reports users
// who would be in error or lose a license, and products that would be short. Nothing is kept.
func check(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	var failOn []string
	s, err := readSet(r, map[string]any{"failOn": &failOn})
	if err != nil {
		return err
	}
	if failOn == nil {
		failOn = findings
	}
	for _, kind := range failOn {
		if !slices.Contains(findings, kind) {
			return problem.Refuse("failOn has '%s': it is a list of 'fail', 'short' and 'lose'.", problem.Clip(kind))
		}
	}
	p, err := tried(r, s)
	if err != nil {
		return err
	}
	found := p.findings(failOn)
	b := jsontext.AppendBool(jsontext.AppendName(r.AppendHead(r.Begin(), "checks/$entity"), "passed"), len(found) == 0)
	b, err = appendEach(r, b, "findings", found, func(f finding, b []byte) []byte { return f.append(b, p) })
	if err == nil {
		b, err = p.appendResult(r, b)
	}
	if err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

func (p *preview) findings(failOn []string) (list []finding) {
	for i := range p.answers {
		if a := &p.answers[i]; a.failed() {
			list = append(list, finding{
				kind: findRequest, request: string(a.id), text: fmt.Sprintf("%d %s: %s", a.status, a.code, a.message),
			})
		}
	}
	for _, product := range productsOf(p.outcome) {
		name := product.name()
		if name == "" {
			name = product.after.SKUID.String()
		}
		add := func(kind string, users *roaring.Bitmap, text string) {
			if slices.Contains(failOn, kind) {
				list = append(list, finding{kind: kind, skuID: product.after.SKUID, users: users, text: text})
			}
		}
		if n := product.users.count(outcome.Fail); n > 0 {
			add(findFail, product.users[outcome.Fail], fmt.Sprintf("%s would be in error for %d users", name, n))
		}
		if n := product.after.waiting.GetCardinality(); n > product.before.waiting.GetCardinality() {
			add(findShort, product.after.waiting,
				fmt.Sprintf("%s would be short: %d users would wait for a seat", name, n))
		}
		if n := product.users.count(outcome.Lose); n > 0 {
			add(findLose, product.users[outcome.Lose], fmt.Sprintf("%d users would lose %s", n, name))
		}
	}
	return list
}

// maxShown is the maximum number of users that a finding names.
const maxShown = 20

func (f finding) append(b []byte, p *preview) []byte {
	b = jsontext.AppendText(append(b, `{"kind":`...), f.kind)
	if f.users == nil {
		b = append(jsontext.AppendName(b, "request"), f.request...)
		return append(jsontext.AppendText(jsontext.AppendName(b, "text"), strings.TrimSpace(f.text)), '}')
	}
	b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), f.skuID)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), p.partNumber(f.skuID))
	b = jsontext.AppendText(jsontext.AppendName(b, "text"), f.text)
	b = jsontext.AppendInt(jsontext.AppendName(b, "users@odata.count"), int(f.users.GetCardinality()))
	users, _ := wire.Page{After: -1, Limit: maxShown}.Of(f.users)
	b = jsontext.AppendList(jsontext.AppendName(b, "users"), users, func(b []byte, user uint32) []byte {
		return append(p.appendUser(append(b, '{'), user), '}')
	})
	return append(b, '}')
}
