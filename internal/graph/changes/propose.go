package changes

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/graph/own"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
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

// assign adds a change of the licenses of a user or a group.
func (b *builder) assign(ordinal uint32, group bool, add []licensing.Assign, remove []uuid.UUID) error {
	path := "/groups/"
	if group {
		path += b.r.Image.Directory.GroupID(ordinal).String()
	} else {
		path = "/users/" + b.r.Image.Directory.UserID(ordinal).String()
	}
	return b.add(http.MethodPost, path+"/assignLicense", own.AssignBody(add, remove))
}

// propose runs a change set that was made for the caller, and answers with its requests and its
// preview. The preview is kept if fits says so, which may write more into the response.
func (all *Previews) propose(
	r *wire.Request, context string, changes *set, fits func(p *preview, b []byte) (bool, []byte, error),
) error {
	p, err := tried(r, changes)
	if err != nil {
		return err
	}
	kept, more, err := fits(p, nil)
	if err == nil && kept {
		err = all.keep(r, p)
	}
	if err != nil {
		return err
	}
	b, err := appendEach(r, r.AppendHead(r.Begin(), context), "requests", changes.requests, request.append)
	if err != nil {
		return err
	}
	b = jsontext.AppendName(append(b, more...), "preview")
	if !kept {
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
