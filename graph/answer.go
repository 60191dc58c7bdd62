package graph

import (
	"net/http"
	"strconv"
	"sync"
)

// buffers hold answers while they are written.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 8<<10)
	return &b
}}

// maxKept is the largest buffer that goes back to the pool.
const maxKept = 1 << 20

// begin answers an empty buffer to append the body of the answer to; send takes it back.
func (r *request) begin() []byte {
	r.buffer = buffers.Get().(*[]byte)
	return (*r.buffer)[:0]
}

// send answers with a status and a body of JSON.
func (r *request) send(status int, body []byte) error {
	if err := r.fault; err != nil {
		r.fault = nil
		return err
	}
	return r.sendAs(status, "application/json;odata.metadata="+r.metadata+";odata.streaming=true;IEEE754Compatible=false;charset=utf-8", body)
}

// sendAs answers with a status and a body that was begun with begin.
func (r *request) sendAs(status int, contentType string, body []byte) error {
	r.chargeWork()
	h := r.headers()
	h.Set("Content-Type", contentType)
	if h["Vary"] == nil {
		h["Vary"] = onEncoding
	} else {
		h["Vary"] = append(h["Vary"], onEncoding...)
	}
	if len(body) > worthCompressing && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		r.writeCompressed(status, body)
	} else {
		r.work.Rest() // a caller may take the answer slowly
		h.Set("Content-Length", strconv.Itoa(len(body)))
		r.w.WriteHeader(status)
		_, _ = r.w.Write(body) // who does not listen any more needs no answer
	}
	if cap(body) <= maxKept {
		*r.buffer = body
		buffers.Put(r.buffer)
	}
	r.buffer = nil
	return nil
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

// Headers whose value is always the same. Names are written as net/http keeps them, which saves making them so.
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

// fail answers with a problem (P10), unless an answer has begun.
func (r *request) fail(p *Problem) {
	if r.sent {
		return
	}
	for name, value := range p.Header {
		r.w.Header().Set(name, value)
	}
	b := append(r.begin(), `{"error":{"code":`...)
	b = appendText(b, p.Code)
	b = appendText(appendName(b, "message"), p.Message)
	if d := p.Detail; d != nil {
		b = append(appendName(b, "details"), '[', '{')
		b = appendText(appendName(b, "code"), d.Code)
		b = appendTextOrNull(appendName(b, "target"), d.Target)
		b = append(appendText(appendName(b, "message"), d.Message), '}', ']')
	}
	b = append(appendName(b, "innerError"), `{"date":"`...)
	b = append(r.now.UTC().AppendFormat(b, "2006-01-02T15:04:05"), '"')
	b = appendText(appendName(b, "request-id"), r.id)
	b = appendText(appendName(b, "client-request-id"), r.clientID)
	_ = r.send(p.Status, append(b, "}}}"...))
}
