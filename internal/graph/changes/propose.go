package changes

import (
	"encoding/json"
	"fmt"
	"net/http"

	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// builder builds a change set.
type builder struct {
	r   *wire.Request
	set *set
}

func newBuilder(r *wire.Request) *builder { return &builder{r, &set{}} }

// add adds a request.
func (b *builder) add(method, path string, body []byte) error {
	id := fmt.Sprintf(`"%d"`, len(b.set.requests)+1)
	one := request{id: id[1 : len(id)-1], sent: json.RawMessage(id), method: method, body: body}
	bytes := int64(len(body)+len(path)) + requestBytes
	if err := b.r.Share.More(b.r.Context(), setMemory*bytes); err != nil {
		return err
	}
	b.set.bytes += bytes
	var err error
	if one.url, err = addressOf(one.id, path); err != nil {
		return err
	}
	if err := one.setHeader(nil); err != nil {
		return err
	}
	b.set.requests = append(b.set.requests, one)
	return nil
}

// propose runs a change set that was made for the caller, and answers with its requests and, unless
// something prevents it, its preview, which is kept.
func (all *Previews) propose(
	r *wire.Request, context string, changes *set,
	prevents func(*preview) ([]*obstacle, error), more func([]byte) []byte,
) error {
	p, err := tried(r, changes)
	if err != nil {
		return err
	}
	obstacles, err := prevents(p)
	if err != nil {
		return err
	}
	if len(obstacles) == 0 {
		if err := all.keep(r, p); err != nil {
			return err
		}
	}
	b := more(r.AppendHead(r.Begin(), context))
	b, err = appendEach(r, b, "requests", changes.requests, request.append)
	if err != nil {
		return err
	}
	b, err = appendEach(r, b, "obstacles", obstacles, func(o *obstacle, b []byte) []byte { return o.append(b, p) })
	if err != nil {
		return err
	}
	b = jsontext.AppendName(b, "preview")
	if len(obstacles) > 0 {
		return r.Send(http.StatusOK, append(b, "null}"...))
	}
	if b, err = p.appendAll(r, append(b, '{')); err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, "}}"...))
}

// append writes a request as a change set has it.
func (one request) append(b []byte) []byte {
	b = append(append(b, `{"id":`...), one.sent...)
	b = jsontext.AppendText(jsontext.AppendName(b, "method"), one.method)
	b = jsontext.AppendText(jsontext.AppendName(b, "url"), one.url.Path)
	if one.body != nil {
		b = append(jsontext.AppendName(b, "body"), one.body...)
	}
	return append(b, '}')
}
