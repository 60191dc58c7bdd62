package changes

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/outcome"
	"licensor/internal/turns"
)

// apply answers POST /licensor/v1/previews/{id}/apply (C9): it makes the change set one commit, if
// the result is the one that was shown. The caller needs the permission of each request.
func (all *Previews) apply(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	p, err := all.get(r)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(p.answers, func(a answer) bool { return a.failed() }); at >= 0 {
		return problem.Conflict("%d of the requests would fail, so the change set cannot be applied. The first is "+
			"'%s': %s", failures(p.answers), problem.Clip(p.set.requests[at].id), p.answers[at].message)
	}
	r.Work.Doing("applying the changes")
	if err := r.Share.More(r.Context(), touchedBytes*int64(p.touched())+setMemory*p.set.bytes); err != nil {
		return err
	}
	if err := all.begin(p); err != nil {
		return err
	}
	made := &run{set: p.set, outer: r, seed: p.id, hashes: map[[32]byte]string{}}
	done, err := r.Tenant.Together(r.Context(), r.By(), func(ctx context.Context, in *engine.Rehearsal) error {
		if err := made.on(ctx, in, true); err != nil {
			return err
		}
		return p.same(ctx, made, in)
	})
	all.end(r, p, err)
	if err != nil {
		return err
	}
	b := jsontext.AppendBool(jsontext.AppendName(r.AppendHead(r.Begin(), "previews/apply"), "changed"), done.Changed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(done.Image.Seq))
	if b, err = p.appendResult(r, b); err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

// same returns an error if the result of the change set is not the one that the preview has shown
// (C10).
func (p *preview) same(ctx context.Context, applied *run, in *engine.Rehearsal) error {
	var list []string
	for i := range applied.answers {
		is, was := &applied.answers[i], &p.answers[i]
		if is.status == http.StatusForbidden {
			return &problem.ResponseError{
				Status: is.status, Code: is.code,
				Message: fmt.Sprintf("Request '%s': %s", problem.Clip(p.set.requests[i].id), is.message),
			}
		}
		if is.status != was.status || is.code != was.code {
			list = append(list, fmt.Sprintf("request '%s' would answer %d, and not %d: %s",
				problem.Clip(p.set.requests[i].id), is.status, was.status, is.message))
		}
	}
	if in.Base() != p.before {
		now, err := outcome.Compare(in.Base().Licensing, in.Image().Licensing, func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return turns.Of(ctx).Pace()
		})
		if err != nil {
			return err
		}
		list = append(list, p.differences(now, in)...)
	}
	if len(list) == 0 {
		return nil
	}
	more := ""
	if len(list) > maxDifferences {
		more = fmt.Sprintf("; and %d more", len(list)-maxDifferences)
		list = list[:maxDifferences]
	}
	return problem.Conflict("Nothing was changed, because the result would not be the one that was shown: %s%s. "+
		"Make a new preview.", strings.Join(list, "; "), more)
}

// maxDifferences is the maximum number of differences that a response names.
const maxDifferences = 10

// differences says which users would have another result now.
func (p *preview) differences(now *outcome.Outcome, in *engine.Rehearsal) (list []string) {
	for user := range roaring.Values(p.outcome.Differing(now)) {
		if len(list) > maxDifferences {
			list = append(list, "")
			continue
		}
		name := in.Image().UserNamed(user).Principal
		list = append(list, fmt.Sprintf("%s would have (%s), and not (%s)",
			name, p.text(now.Rows(user)), p.text(p.outcome.Rows(user))))
	}
	return list
}

// text says what happens to a user.
func (p *preview) text(rows []outcome.Row) string {
	if len(rows) == 0 {
		return "no change"
	}
	var parts []string
	for i := range rows {
		text := rows[i].Kind.String() + " " + p.partNumber(rows[i].SKUID)
		for _, s := range rows[i].After.Sources {
			if s.State != "" {
				text += ", " + s.State + " " + s.Error.String()
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
