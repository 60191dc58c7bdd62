package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"licensor/internal/excerpt"

	"golang.org/x/oauth2"
)

// refusalError is a response with an error status.
type refusalError struct {
	request       string // method and path
	status        int
	code, message string
	id            string // request-id, which identifies the request in the server's log
	wait          time.Duration
}

func (e *refusalError) Error() string {
	text := fmt.Sprintf("%s: %d %s: %s", e.request, e.status, e.code, e.message)
	if e.status >= http.StatusInternalServerError && e.id != "" {
		text += " (request-id " + e.id + ")"
	}
	return text
}

// do sends a request and decodes the response into a value, unless that is nil. It retries when the
// server is busy.
func (c *connection) do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	return c.retry(ctx, func() error {
		answer, err := c.send(ctx, method, path, contentType, body)
		if err != nil || into == nil {
			return err
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return fmt.Errorf("%s %s sent a response that cannot be read: %w", method, path, err)
		}
		return nil
	})
}

func (c *connection) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

func (c *connection) send(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	return c.sendBody(ctx, method, path, contentType, bytes.NewReader(body), len(body))
}

func (c *connection) sendBody(
	ctx context.Context, method, path, contentType string, body io.Reader, length int,
) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.root+path, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(length)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if method == http.MethodGet {
		r.Header.Set("ConsistencyLevel", "eventual") // allows advanced conditions
	}
	response, err := c.client.Do(r)
	if err != nil {
		return nil, tokenRefusal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		plain, _, _ := strings.Cut(path, "?")
		return nil, newRefusal(method+" "+plain, response, answer)
	}
	return answer, nil
}

// longSilence is how long stream waits for the next data. The server waits less long for a reader.
const longSilence = 2 * time.Minute

// stream gets a response that may take long, and passes its body to take, once. It retries when the
// server is busy.
func (c *connection) stream(ctx context.Context, path string, take func(body io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(longSilence, func() {
		cancel(fmt.Errorf("the server has sent nothing for %s", longSilence))
	})
	defer silence.Stop()
	client := *c.client
	client.Timeout = 0
	err := c.retry(ctx, func() error {
		silence.Reset(longSilence + maxWait)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.root+path, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(r)
		if err != nil {
			return tokenRefusal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			answer, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // what has arrived of it is shown
			plain, _, _ := strings.Cut(path, "?")
			return newRefusal(http.MethodGet+" "+plain, response, answer)
		}
		return take(patient{response.Body, silence})
	})
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// maxRefusal is how much of the response is read when a stream is refused.
const maxRefusal = 64 << 10

// patient is a body that may take long, but not without any data for longSilence.
type patient struct {
	io.Reader
	silence *time.Timer
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	p.silence.Reset(longSilence)
	return p.Reader.Read(b)
}

func newRefusal(request string, response *http.Response, body []byte) *refusalError {
	e := &refusalError{
		request: request, status: response.StatusCode, code: http.StatusText(response.StatusCode),
		id: response.Header.Get("request-id"), wait: retryAfter(response.Header),
	}
	var answer struct {
		Error struct {
			Code, Message string
			Details       []struct{ Message string }
		}
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error.Code != "" {
		e.code, e.message = answer.Error.Code, answer.Error.Message
		for _, detail := range answer.Error.Details {
			e.message = strings.TrimRight(e.message, ".") + ": " + detail.Message
		}
	} else {
		e.message = excerpt.Of(strings.TrimSpace(string(body)), 200)
	}
	return e
}

// tokenRefusal converts the authority's refusal of a token, which is an error of the transport,
// into a refusal.
func tokenRefusal(err error) error {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	return &refusalError{
		request: "get a token",
		status:  e.Response.StatusCode,
		code:    e.ErrorCode,
		message: e.ErrorDescription,
		wait:    retryAfter(e.Response.Header),
	}
}

// Limits of retries when the server is busy.
const (
	maxTries = 5
	maxWait  = time.Minute
)

// retryAfter returns how long a busy server asks clients to wait; -1 if it does not say.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return -1
	}
	return min(time.Duration(seconds)*time.Second, maxWait)
}

// retry repeats a request that the server refuses because it is busy, after the time that the
// server asks for, or one that doubles each time.
func (c *connection) retry(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		e, ok := errors.AsType[*refusalError](err)
		if !ok || try == maxTries ||
			e.status != http.StatusTooManyRequests && e.status != http.StatusServiceUnavailable {
			return err
		}
		wait := e.wait
		if wait < 0 {
			wait = time.Second << (try - 1)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// localPath returns the path of a link in a response. A server behind a proxy writes links with its
// public address, which may differ from the address that this client uses.
func localPath(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("follow @odata.nextLink: %w", err)
	}
	return u.RequestURI(), nil
}
