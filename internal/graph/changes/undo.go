package changes

import (
	"context"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/graph/undo"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// undo answers POST /licensor/v1/log/{commit}/undo (C15): the change set that brings back what a
// commit changed, its preview, which can be applied, and what stays different (C16).
func (all *Previews) undo(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	commit, err := r.Commit()
	if err != nil {
		return err
	}
	r.Work.Doing("undoing the commit")
	p := &preview{id: r.NewID()}
	var result *undo.Result
	err = p.rehearse(r, func(ctx context.Context, in *engine.Rehearsal) (err error) {
		p.set = &set{} // it may be another one when the draft begins again
		trial := &run{set: p.set, outer: r, seed: p.id}
		draft := &trialDraft{Rehearsal: in, running: trial.begin(ctx, in, false)}
		result, err = undo.Run(ctx, commit, draft, rightsOf(r.Caller), r.Work.Pace)
		p.answers = trial.answers
		return err
	})
	if err != nil {
		return err
	}
	if len(p.set.requests) > 0 {
		if err := p.compare(r); err != nil {
			return err
		}
		if err := all.keep(r, p); err != nil {
			return err
		}
	}
	return p.sendUndo(r, commit.Seq, result)
}

// rightsOf returns which former values a caller may see (C16).
func rightsOf(c *identity.Caller) undo.Rights {
	full := func(op identity.Operation) bool {
		access, err := op.Check(c, identity.RelationOther)
		return err == nil && access == identity.AccessFull
	}
	return undo.Rights{
		Users: full(identity.ReadUsers), Groups: full(identity.ReadGroups), Members: full(identity.ReadMembers),
	}
}

// trialDraft is an undo.Draft: it adds the requests that are not refused to a change set.
type trialDraft struct {
	*engine.Rehearsal
	*running
}

// undoRoom is what a change set must still be allowed to write for another request, in bytes.
const undoRoom = 1 << 20

// Full implements undo.Draft.
func (d *trialDraft) Full() string {
	switch {
	case len(d.requests) >= MaxRequests:
		return "A change set has at most " + strconv.Itoa(MaxRequests) + " requests."
	case d.Rehearsal.Bytes() > MaxCommit-undoRoom:
		return "A change set writes at most " + strconv.Itoa(MaxCommit>>20) + " MB."
	}
	return ""
}

// Try implements undo.Draft.
func (d *trialDraft) Try(_ context.Context, method, url string, body []byte) (refusal string, err error) {
	if refusal = d.Full(); refusal != "" {
		return refusal, nil
	}
	number := len(d.requests)
	id := strconv.Itoa(number + 1)
	one := request{id: id, sent: []byte(strconv.Quote(id)), method: method, body: body}
	if one.url, err = addressOf(id, url); err != nil {
		return "", err
	}
	if err := one.setHeader(nil); err != nil {
		return "", err
	}
	a, err := d.running.execute(&one, number)
	if err != nil {
		return "", err
	}
	if a.failed() {
		return a.message, nil
	}
	if d.Rehearsal.Bytes() > MaxCommit {
		return "", tooMuch()
	}
	d.requests = append(d.requests, one)
	d.set.bytes += int64(len(url)+len(body)) + requestBytes
	d.running.keep(&one, a)
	return "", nil
}

// sendUndo answers with the change set, its preview, and what stays different.
func (p *preview) sendUndo(r *wire.Request, commit uint64, result *undo.Result) error {
	b := r.AppendHead(r.Begin(), "log/undo")
	b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(commit))
	b, err := appendEach(r, b, "requests", p.set.requests, request.append)
	if err != nil {
		return err
	}
	if result.Count > len(result.Stays) {
		b = jsontext.AppendInt(jsontext.AppendName(b, "stays@odata.count"), result.Count)
	}
	if b, err = appendEach(r, b, "stays", result.Stays, appendStay); err != nil {
		return err
	}
	if b = jsontext.AppendName(b, "preview"); len(p.set.requests) == 0 {
		return r.Send(http.StatusOK, append(b, "null}"...))
	}
	if b, err = p.appendAll(r, append(b, '{')); err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, "}}"...))
}

// appendStay writes something that stays different.
func appendStay(s undo.Stay, b []byte) []byte {
	b = jsontext.AppendText(append(b, `{"type":`...), s.Type)
	b = appendIDOrNull(jsontext.AppendName(b, "id"), s.ID)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), s.Name)
	if s.Principal != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), s.Principal)
	}
	b = jsontext.AppendText(jsontext.AppendName(b, "what"), s.What)
	if s.SKUID != uuid.Nil {
		b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), s.SKUID)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), s.SKUName)
	}
	if s.Other != uuid.Nil {
		b = jsontext.AppendID(jsontext.AppendName(b, "relatedId"), s.Other)
	}
	return append(jsontext.AppendText(jsontext.AppendName(b, "why"), s.Why), '}')
}

func appendIDOrNull(b []byte, id uuid.UUID) []byte {
	if id == uuid.Nil {
		return append(b, "null"...)
	}
	return jsontext.AppendID(b, id)
}
