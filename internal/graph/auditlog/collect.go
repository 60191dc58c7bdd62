package auditlog

import (
	"math"
	"strconv"

	"licensor/internal/audit"
	"licensor/internal/graph/own"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// Collect answers GET /licensor/v1/audit (docs/spec/audit.md U28): the entries of the commits
// after one, the oldest first, for programs that collect them. The last page has the commit to
// continue after.
func Collect(r *wire.Request) error {
	if err := r.Allow("after", "$top", "$skiptoken"); err != nil {
		return err
	}
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	query.Descending = false
	if query.From == nil {
		after, err := afterOf(r)
		if err != nil {
			return err
		}
		query.From = &audit.Place{Commit: after + 1}
	}
	page, err := query.Read(r.Context(), r.Tenant, r.Image)
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "audit")
	if page.Next != nil {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), nextLink(r, query, page.Next))
	}
	b = jsontext.AppendInt(jsontext.AppendName(b, "after"), int(query.UpTo))
	entries := ownEntries{failures: own.ExplainFailures(r)}
	b, err = wire.AppendRows(r, append(jsontext.AppendName(b, "value"), '['), wire.SourceOf(page.Entries), entries.append)
	if err == nil {
		err = entries.err
	}
	if err != nil {
		return err
	}
	return r.Send(200, append(b, "]}"...))
}

// afterOf reads the commit after which the entries begin.
func afterOf(r *wire.Request) (uint64, error) {
	text := r.Value("after")
	if text == "" {
		return 0, nil
	}
	after, err := strconv.ParseUint(text, 10, 64)
	if err != nil || after > math.MaxInt64-1 {
		return 0, problem.Refuse("after is '%s': it must be the number of a commit, such as the value of after in a "+
			"response.", problem.Clip(text))
	}
	return after, nil
}

// ownEntries writes entries with what only we say of them. err is the first error.
type ownEntries struct {
	failures *own.Failures
	err      error
}

func (o *ownEntries) append(b []byte, e audit.Entry) []byte {
	b = jsontext.AppendInt(jsontext.AppendName(append(b, '{'), "commit"), int(e.Commit.Seq))
	b = jsontext.AppendText(jsontext.AppendName(b, "operation"), e.Commit.Operation)
	b = jsontext.AppendText(jsontext.AppendName(b, "actor"), e.Commit.Actor)
	b = append(jsontext.AppendName(b, "failures"), '[')
	for i, f := range e.Failures() {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "error"), f.Error.String())
		b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), f.SKUID)
		b = jsontext.AppendName(jsontext.AppendInt(jsontext.AppendName(b, "users"), f.Users), "explained")
		var err error
		if b, err = o.failures.Append(b, &f); err != nil && o.err == nil {
			o.err = err
		}
		b = append(b, '}')
	}
	b = append(b, ']')
	for i := range Fields.All {
		f := &Fields.All[i]
		b = f.Write(jsontext.AppendName(b, f.Name), &e)
	}
	return append(b, '}')
}
