package wire

import (
	"net/http"
	"strconv"
	"sync"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/throttle"
	"licensor/internal/jsontext"
)

// buffers are buffers for responses.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 8<<10)
	return &b
}}

// maxKept is the maximum size of a buffer that is returned to the pool.
const maxKept = 4 * StreamFrom

// answering is the progress of the response to a request. Copies of the request share it.
type answering struct {
	buffer    *[]byte
	sent      bool        // the headers at least are complete
	fault     error       // occurred while the body of the response was written; replaces the response
	Streaming bool        // a part of the body was sent
	z         *compressor // of a streamed response; nil if it is not compressed
	Charge    throttle.Charge
}

// Begin returns an empty buffer for the body of the response, which send releases.
func (r *Request) Begin() []byte {
	r.buffer = buffers.Get().(*[]byte)
	return (*r.buffer)[:0]
}

// Send answers with a status and a JSON body, or with the rest of the body if more has sent the
// beginning.
func (r *Request) Send(status int, body []byte) error {
	if err := r.failed(); err != nil {
		return err
	}
	if r.Streaming {
		return r.endStream(body)
	}
	return r.SendAs(status, r.jsonType(), body)
}

// failed returns the error that occurred while the body was written, once.
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
		r.Work.Rest() // a caller may read the response slowly
		h.Set("Content-Length", strconv.Itoa(len(body)))
		r.W.WriteHeader(status)
		_, _ = r.W.Write(body) // a disconnected caller needs no response
	}
	r.giveBack(body)
	return nil
}

func (r *Request) contentHeaders(contentType string) http.Header {
	r.Charge.Work(r.Work.Spent(), r.Arrived, r.W.Header())
	h := r.headers()
	h.Set("Content-Type", contentType)
	if h["Vary"] == nil {
		h["Vary"] = onEncoding
	} else {
		h["Vary"] = append(h["Vary"], onEncoding...)
	}
	return h
}

// giveBack releases the buffer of Begin in its current state.
func (r *Request) giveBack(body []byte) {
	if r.buffer != nil && cap(body) <= maxKept {
		*r.buffer = body
		buffers.Put(r.buffer)
	}
	r.buffer = nil
}

// SendChanged answers with a body, or to a change with 204 if the caller prefers that (P6).
func (r *Request) SendChanged(status int, body []byte) error {
	if !r.minimal || !r.changes() {
		return r.Send(status, body)
	}
	if created := r.W.Header().Get("Location"); created != "" && status == http.StatusCreated {
		r.W.Header().Set("OData-EntityId", created)
	}
	return r.SendNothing()
}

// SendNothing answers 204. If a caller has asked for such responses to changes, it is told so (P6).
func (r *Request) SendNothing() error {
	h := r.headers()
	if r.minimal && r.changes() {
		h.Set("Preference-Applied", "return=minimal")
	}
	r.W.WriteHeader(http.StatusNoContent)
	return nil
}

// changes reports whether the method of the request is for changes.
func (r *Request) changes() bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// SendText answers with a plain text, as /$count does.
func (r *Request) SendText(text string) error {
	r.headers().Set("Content-Type", "text/plain")
	_, _ = r.W.Write([]byte(text))
	return nil
}

// Diagnostic is the value of x-ms-ags-diagnostic. Clients show it in their logs.
const Diagnostic = `{"ServerInfo":{"DataCenter":"Local","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"Licensor"}}`

// Headers with constant values. Names have the canonical form of net/http, which avoids
// conversions.
var (
	odataVersion  = []string{"4.0"}
	serverInfo    = []string{Diagnostic}
	notToBeCached = []string{"no-cache"}
	onEncoding    = []string{"Accept-Encoding"}
)

// headers sets the headers that every response has (P4).
func (r *Request) headers() http.Header {
	r.sent = true
	h := r.W.Header()
	h["Odata-Version"], h["X-Ms-Ags-Diagnostic"], h["Cache-Control"] = odataVersion, serverInfo, notToBeCached
	h["Request-Id"] = []string{r.ID}
	h["Client-Request-Id"] = []string{r.ClientID}
	h["Date"] = []string{r.Arrived.UTC().Format(http.TimeFormat)}
	return h
}

// Fail answers with a problem (P10), unless the response has been sent. A response that has begun
// must not look complete, so the connection is closed.
func (r *Request) Fail(p *problem.ResponseError) {
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
	b = append(r.Arrived.UTC().AppendFormat(b, "2006-01-02T15:04:05"), '"')
	b = jsontext.AppendText(jsontext.AppendName(b, "request-id"), r.ID)
	b = jsontext.AppendText(jsontext.AppendName(b, "client-request-id"), r.ClientID)
	_ = r.Send(p.Status, append(b, "}}}"...))
}

// AppendNext separates an element of a list from the previous one.
func AppendNext(b []byte) []byte {
	if b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}

// AppendComma separates the elements of a list.
func AppendComma(b []byte, first *bool) []byte {
	if *first {
		*first = false
		return b
	}
	return append(b, ',')
}
