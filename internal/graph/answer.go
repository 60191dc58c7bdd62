package graph

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
const maxKept = 4 * streamFrom

// answering is how far the answer to a request has come. Copies of the request share it.
type answering struct {
	buffer    *[]byte
	sent      bool        // the headers at least are complete
	fault     error       // met while the body of the answer was written; takes the answer's place
	streaming bool        // some of the body is with the caller
	z         *compressor // of an answer that is sent while it is made; nil when it is not compressed
	charge    throttle.Charge
}

// begin returns an empty buffer to append the body of the answer to; send takes it back.
func (r *request) begin() []byte {
	r.buffer = buffers.Get().(*[]byte)
	return (*r.buffer)[:0]
}

// send answers with a status and a body of JSON, or with the rest of the body when more has sent
// the beginning.
func (r *request) send(status int, body []byte) error {
	if err := r.failed(); err != nil {
		return err
	}
	if r.streaming {
		return r.endStream(body)
	}
	return r.sendAs(status, r.jsonType(), body)
}

// failed returns what went wrong while the body was written, once.
func (r *request) failed() error {
	err := r.fault
	r.fault = nil
	return err
}

func (r *request) jsonType() string {
	return "application/json;odata.metadata=" + r.metadata + ";odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
}

// sendAs answers with a status and a whole body.
func (r *request) sendAs(status int, contentType string, body []byte) error {
	h := r.contentHeaders(contentType)
	if len(body) > worthCompressing && r.compresses() {
		r.writeCompressed(status, body)
	} else {
		r.work.Rest() // a caller may take the answer slowly
		h.Set("Content-Length", strconv.Itoa(len(body)))
		r.w.WriteHeader(status)
		_, _ = r.w.Write(body) // who does not listen any more needs no answer
	}
	r.giveBack(body)
	return nil
}

func (r *request) contentHeaders(contentType string) http.Header {
	r.charge.Work(r.work.Spent(), r.now, r.w.Header())
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
func (r *request) giveBack(body []byte) {
	if r.buffer != nil && cap(body) <= maxKept {
		*r.buffer = body
		buffers.Put(r.buffer)
	}
	r.buffer = nil
}

// sendChanged answers with a body, or to a change with 204 where the caller prefers that (P6).
func (r *request) sendChanged(status int, body []byte) error {
	if !r.minimal || r.Method == http.MethodGet {
		return r.send(status, body)
	}
	r.w.Header().Set("Preference-Applied", "return=minimal")
	if created := r.w.Header().Get("Location"); created != "" && status == http.StatusCreated {
		r.w.Header().Set("OData-EntityId", created)
	}
	return r.sendNothing()
}

// sendNothing answers 204.
func (r *request) sendNothing() error {
	r.headers()
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// sendText answers with a plain text, as /$count does.
func (r *request) sendText(text string) error {
	r.headers().Set("Content-Type", "text/plain")
	_, _ = r.w.Write([]byte(text))
	return nil
}

// diagnostic is what x-ms-ags-diagnostic says of the server. Clients show it in their logs.
const diagnostic = `{"ServerInfo":{"DataCenter":"Local","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"Licensor"}}`

// Headers whose value is always the same. Names are written as net/http keeps them, which saves
// making them so.
var (
	odataVersion  = []string{"4.0"}
	serverInfo    = []string{diagnostic}
	notToBeCached = []string{"no-cache"}
	onEncoding    = []string{"Accept-Encoding"}
)

// headers sets those that every answer has (P4).
func (r *request) headers() http.Header {
	r.sent = true
	h := r.w.Header()
	h["Odata-Version"], h["X-Ms-Ags-Diagnostic"], h["Cache-Control"] = odataVersion, serverInfo, notToBeCached
	h["Request-Id"] = []string{r.id}
	h["Client-Request-Id"] = []string{r.clientID}
	h["Date"] = []string{r.now.UTC().Format(http.TimeFormat)}
	return h
}

// fail answers with a problem (P10), unless there is an answer. One that has begun must not look
// like a whole one: the connection ends.
func (r *request) fail(p *problem.Problem) {
	if r.streaming && !r.startAgain() {
		panic(http.ErrAbortHandler)
	}
	if r.sent {
		return
	}
	for name, value := range p.Header {
		r.w.Header().Set(name, value)
	}
	b := append(r.begin(), `{"error":{"code":`...)
	b = jsontext.AppendText(b, p.Code)
	b = jsontext.AppendText(jsontext.AppendName(b, "message"), p.Message)
	if d := p.Detail; d != nil {
		b = append(jsontext.AppendName(b, "details"), '[', '{')
		b = jsontext.AppendText(jsontext.AppendName(b, "code"), d.Code)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "target"), d.Target)
		b = append(jsontext.AppendText(jsontext.AppendName(b, "message"), d.Message), '}', ']')
	}
	b = append(jsontext.AppendName(b, "innerError"), `{"date":"`...)
	b = append(r.now.UTC().AppendFormat(b, "2006-01-02T15:04:05"), '"')
	b = jsontext.AppendText(jsontext.AppendName(b, "request-id"), r.id)
	b = jsontext.AppendText(jsontext.AppendName(b, "client-request-id"), r.clientID)
	_ = r.send(p.Status, append(b, "}}}"...))
}

// appendNext parts an element of a list from the one before.
func appendNext(b []byte) []byte {
	if b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}
