package wire

import (
	"net/http"
	"strconv"
	"sync"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/throttle"
	"licensor/internal/jsontext"
)

// buffers hold answers while they are written.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 8<<10)
	return &b
}}

// maxKept is the largest buffer that goes back to the pool.
const maxKept = 4 * StreamFrom

// answering is how far the answer to a request has come. Copies of the request share it.
type answering struct {
	buffer    *[]byte
	sent      bool        // the headers at least are complete
	fault     error       // met while the body of the answer was written; takes the answer's place
	Streaming bool        // some of the body is with the caller
	z         *compressor // of an answer that is sent while it is made; nil when it is not compressed
	Charge    throttle.Charge
}

// Begin returns an empty buffer to append the body of the answer to; send takes it back.
func (r *Request) Begin() []byte {
	r.buffer = buffers.Get().(*[]byte)
	return (*r.buffer)[:0]
}

// Send answers with a status and a body of JSON, or with the rest of the body when more has sent
// the beginning.
func (r *Request) Send(status int, body []byte) error {
	if err := r.failed(); err != nil {
		return err
	}
	if r.Streaming {
		return r.endStream(body)
	}
	return r.SendAs(status, r.jsonType(), body)
}

// failed returns what went wrong while the body was written, once.
func (r *Request) failed() error {
	err := r.fault
	r.fault = nil
	return err
}

func (r *Request) jsonType() string {
	return "application/json;odata.metadata=" + r.Metadata + ";odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
}

// SendAs answers with a status and a whole body.
func (r *Request) SendAs(status int, contentType string, body []byte) error {
	h := r.contentHeaders(contentType)
	if len(body) > worthCompressing && r.compresses() {
		r.writeCompressed(status, body)
	} else {
		r.Work.Rest() // a caller may take the answer slowly
		h.Set("Content-Length", strconv.Itoa(len(body)))
		r.W.WriteHeader(status)
		_, _ = r.W.Write(body) // who does not listen any more needs no answer
	}
	r.giveBack(body)
	return nil
}

func (r *Request) contentHeaders(contentType string) http.Header {
	r.Charge.Work(r.Work.Spent(), r.Now, r.W.Header())
	h := r.headers()
	h.Set("Content-Type", contentType)
	if h["Vary"] == nil {
		h["Vary"] = onEncoding
	} else {
		h["Vary"] = append(h["Vary"], onEncoding...)
	}
	return h
}

// giveBack returns what begin has taken, with what has become of it.
func (r *Request) giveBack(body []byte) {
	if r.buffer != nil && cap(body) <= maxKept {
		*r.buffer = body
		buffers.Put(r.buffer)
	}
	r.buffer = nil
}

// SendChanged answers with a body, or to a change with 204 where the caller prefers that (P6).
func (r *Request) SendChanged(status int, body []byte) error {
	if !r.minimal || r.Method == http.MethodGet {
		return r.Send(status, body)
	}
	r.W.Header().Set("Preference-Applied", "return=minimal")
	if created := r.W.Header().Get("Location"); created != "" && status == http.StatusCreated {
		r.W.Header().Set("OData-EntityId", created)
	}
	return r.SendNothing()
}

// SendNothing answers 204.
func (r *Request) SendNothing() error {
	r.headers()
	r.W.WriteHeader(http.StatusNoContent)
	return nil
}

// SendText answers with a plain text, as /$count does.
func (r *Request) SendText(text string) error {
	r.headers().Set("Content-Type", "text/plain")
	_, _ = r.W.Write([]byte(text))
	return nil
}

// Diagnostic is what x-ms-ags-diagnostic says of the server. Clients show it in their logs.
const Diagnostic = `{"ServerInfo":{"DataCenter":"Local","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"Licensor"}}`

// Headers whose value is always the same. Names are written as net/http keeps them, which saves
// making them so.
var (
	odataVersion  = []string{"4.0"}
	serverInfo    = []string{Diagnostic}
	notToBeCached = []string{"no-cache"}
	onEncoding    = []string{"Accept-Encoding"}
)

// headers sets those that every answer has (P4).
func (r *Request) headers() http.Header {
	r.sent = true
	h := r.W.Header()
	h["Odata-Version"], h["X-Ms-Ags-Diagnostic"], h["Cache-Control"] = odataVersion, serverInfo, notToBeCached
	h["Request-Id"] = []string{r.ID}
	h["Client-Request-Id"] = []string{r.ClientID}
	h["Date"] = []string{r.Now.UTC().Format(http.TimeFormat)}
	return h
}

// Fail answers with a problem (P10), unless there is an answer. One that has begun must not look
// like a whole one: the connection ends.
func (r *Request) Fail(p *problem.Error) {
	if r.Streaming && !r.StartAgain() {
		panic(http.ErrAbortHandler)
	}
	if r.sent {
		return
	}
	for name, value := range p.Header {
		r.W.Header().Set(name, value)
	}
	b := append(r.Begin(), `{"error":{"code":`...)
	b = jsontext.AppendText(b, p.Code)
	b = jsontext.AppendText(jsontext.AppendName(b, "message"), p.Message)
	if d := p.Detail; d != nil {
		b = append(jsontext.AppendName(b, "details"), '[', '{')
		b = jsontext.AppendText(jsontext.AppendName(b, "code"), d.Code)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "target"), d.Target)
		b = append(jsontext.AppendText(jsontext.AppendName(b, "message"), d.Message), '}', ']')
	}
	b = append(jsontext.AppendName(b, "innerError"), `{"date":"`...)
	b = append(r.Now.UTC().AppendFormat(b, "2006-01-02T15:04:05"), '"')
	b = jsontext.AppendText(jsontext.AppendName(b, "request-id"), r.ID)
	b = jsontext.AppendText(jsontext.AppendName(b, "client-request-id"), r.ClientID)
	_ = r.Send(p.Status, append(b, "}}}"...))
}

// AppendNext parts an element of a list from the one before.
func AppendNext(b []byte) []byte {
	if b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}

// AppendComma parts the elements of a list.
func AppendComma(b []byte, first *bool) []byte {
	if *first {
		*first = false
		return b
	}
	return append(b, ',')
}
