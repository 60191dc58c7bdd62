package changes

import (
	"context"
	"fmt"
	"net/http"

	"licensor/internal/engine"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
)

// Operations returns the operations on change sets.
func (all *Previews) Operations() []wire.Operation {
	const previews = route.Own + "/previews"
	return []wire.Operation{
		{Method: "GET", Path: route.Own + "/licenseErrors/summary", Need: identity.ReadErrors, Do: summarize},
		{Method: "POST", Path: previews, Need: identity.Preview, Do: all.create},
		{Method: "GET", Path: route.Own + differencePath, Need: identity.ReadErrors, Do: difference},
		{Method: "GET", Path: previews + "/{preview}", Need: identity.Preview, Do: all.show},
		{Method: "GET", Path: previews + "/{preview}/users", Need: identity.Preview, Do: all.users},
		{Method: "POST", Path: previews + "/{preview}/apply", Need: identity.Preview, Do: all.apply},
		{Method: "POST", Path: route.Own + "/checks", Need: identity.Preview, Do: check},
		{Method: "POST", Path: route.Own + "/swaps", Need: identity.Preview, Do: all.swap},
		{Method: "POST", Path: route.Own + "/drift/cleanups", Need: identity.Preview, Do: all.cleanUp},
		{Method: "POST", Path: route.Own + "/log/{commit}/undo", Need: identity.Preview, Do: all.undo},
	}
}

// create answers POST /licensor/v1/previews (C4): it runs a change set on a draft, and keeps the
// result.
func (all *Previews) create(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	s, err := readSet(r, nil)
	if err != nil {
		return err
	}
	return all.try(r, s)
}

// Instead answers a request that prefers a preview (C8): a change set of this request alone.
func (all *Previews) Instead(r *wire.Request) error {
	if !r.Op.Changes {
		return wire.NoChange(r)
	}
	if _, err := r.Check(identity.Preview, identity.RelationOther); err != nil {
		return err
	}
	body, err := r.ReadBody(wire.JSONType, wire.MaxBody)
	if err != nil {
		return err
	}
	one := request{id: "1", sent: []byte(`"1"`), method: r.Method, url: r.URL, header: http.Header{}, body: body}
	for _, name := range keptHeaders {
		if values := r.Header.Values(name); len(values) > 0 {
			one.header[name] = values
		}
	}
	r.W.Header().Set("Preference-Applied", wire.PreferPreview)
	r.Root = r.Origin + route.Own
	return all.try(r, &set{requests: []request{one}, bytes: int64(len(body)) + requestBytes})
}

// try runs a change set, keeps the result and answers with it.
func (all *Previews) try(r *wire.Request, s *set) error {
	p, err := tried(r, s)
	if err != nil {
		return err
	}
	if err := all.keep(r, p); err != nil {
		return err
	}
	return p.send(r)
}

// tried runs a change set on a draft.
func tried(r *wire.Request, s *set) (*preview, error) {
	r.Work.Doing("trying the changes")
	p := &preview{id: r.NewID(), set: s}
	trial := &run{set: s, outer: r, seed: p.id}
	err := p.rehearse(r, func(ctx context.Context, in *engine.Rehearsal) error { return trial.on(ctx, in, false) })
	if err != nil {
		return nil, err
	}
	p.answers = trial.answers
	return p, p.compare(r)
}

// rehearse executes requests on a draft.
func (p *preview) rehearse(r *wire.Request, do func(context.Context, *engine.Rehearsal) error) (err error) {
	p.before, p.after, err = r.Tenant.Rehearse(r.Context(), r.By(), do)
	return err
}

// compare finds what becomes of users.
func (p *preview) compare(r *wire.Request) (err error) {
	r.Work.Doing("comparing who holds what")
	p.outcome, err = outcome.Compare(p.before.Licensing, p.after.Licensing, r.Work.Pace)
	return err
}

// show answers GET /licensor/v1/previews/{id}.
func (all *Previews) show(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	p, err := all.get(r)
	if err != nil {
		return err
	}
	return p.send(r)
}

func (p *preview) send(r *wire.Request) error {
	b, err := p.appendAll(r, r.AppendHead(r.Begin(), "previews/$entity"))
	if err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

// appendAll writes the preview, within an object.
func (p *preview) appendAll(r *wire.Request, b []byte) ([]byte, error) {
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), p.id)
	b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(p.before.Seq))
	b = jsontext.AppendTime(jsontext.AppendName(b, "createdDateTime"), p.made)
	b = jsontext.AppendTime(jsontext.AppendName(b, "expirationDateTime"), p.expires)
	return p.appendResult(r, b)
}

// appendResult writes what the requests answer, and what becomes of users, products and groups.
func (p *preview) appendResult(r *wire.Request, b []byte) ([]byte, error) {
	b = jsontext.AppendInt(jsontext.AppendName(b, "failedRequests"), failures(p.answers))
	b, err := appendEach(r, b, "responses", p.answers, answer.append)
	if err != nil {
		return b, err
	}
	if b, err = p.appendSums(r, b); err != nil {
		return b, err
	}
	groups := groupsOf(p.outcome)
	b, err = appendEach(r, b, "groups", groups[:min(len(groups), maxGroups)], func(g *groupOutcome, b []byte) []byte {
		return g.append(b, p)
	})
	if err == nil && len(groups) > maxGroups {
		b = jsontext.AppendInt(jsontext.AppendName(b, "groups@odata.count"), len(groups))
	}
	return b, err
}

// appendSums writes what becomes of users and products.
func (p *preview) appendSums(r *wire.Request, b []byte) ([]byte, error) {
	b = append(jsontext.AppendName(b, "users"), '{')
	for _, kind := range outcome.Kinds {
		n := p.outcome.Users(outcome.OfKind(kind)).GetCardinality()
		b = jsontext.AppendInt(jsontext.AppendName(b, kind.String()), int(n))
	}
	return appendEach(r, append(b, '}'), "products", p.products(tenant.DateOf(r.Now)), productOutcome.append)
}

// maxGroups is the maximum number of groups in a preview: those with the most users.
const maxGroups = 1000

// appendEach writes a member that is a list, and sends its beginning if it is long.
func appendEach[T any](
	r *wire.Request, b []byte, name string, list []T, write func(T, []byte) []byte,
) (_ []byte, err error) {
	b = append(jsontext.AppendName(b, name), '[')
	for _, item := range list {
		if b, err = r.More(write(item, wire.AppendNext(b))); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func failures(answers []answer) (n int) {
	for i := range answers {
		if answers[i].failed() {
			n++
		}
	}
	return n
}

func (a answer) append(b []byte) []byte {
	b = append(append(b, `{"id":`...), a.id...)
	b = jsontext.AppendInt(jsontext.AppendName(b, "status"), a.status)
	if a.failed() {
		b = jsontext.AppendText(append(jsontext.AppendName(b, "error"), `{"code":`...), a.code)
		return append(jsontext.AppendText(jsontext.AppendName(b, "message"), a.message), "}}"...)
	}
	if a.made != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "made"), a.made)
	}
	return append(b, '}')
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", (bytes+1<<20-1)>>20) }
