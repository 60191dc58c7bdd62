// Package load sends HTTP requests from several callers and measures the responses. Its client is
// minimal, because it shares the processors with the server.
package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"strconv"
	"time"
)

// patience is the time limit for a response.
const patience = time.Minute

// ErrTooLong means that there was no response in time.
var ErrTooLong = errors.New("no answer within " + patience.String())

// RefusedError is a response with an error status.
type RefusedError struct {
	Status int
	body   string
}

func (r *RefusedError) Error() string { return fmt.Sprintf("answered %d: %s", r.Status, r.body) }

// Connection is a minimal HTTP client that sends one request after another. It is minimal because
// it shares the processors with the server.
type Connection struct {
	Address string
	open    net.Conn
	reader  *bufio.Reader
	body    []byte
}

// Ask sends a request and returns the body of the response, which is valid until the next call.
func (c *Connection) Ask(ctx context.Context, request []byte) ([]byte, error) {
	if c.open == nil {
		open, err := new(net.Dialer).DialContext(ctx, "tcp", c.Address)
		if err != nil {
			return nil, err
		}
		c.open, c.reader = open, bufio.NewReaderSize(open, 64<<10)
	}
	status, err := c.exchange(request)
	if err != nil {
		c.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = ErrTooLong
		}
		return nil, err
	}
	if status >= 300 {
		return nil, &RefusedError{status, string(c.body[:min(len(c.body), 300)])}
	}
	return c.body, nil
}

// Close ends the connection. The next request opens another one.
func (c *Connection) Close() {
	if c.open != nil {
		_ = c.open.Close() // no longer used
		c.open = nil
	}
}

func (c *Connection) exchange(request []byte) (status int, err error) {
	if err := c.open.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if _, err := c.open.Write(request); err != nil {
		return 0, err
	}
	status, length, err := c.head()
	if err != nil {
		return 0, err
	}
	if length >= 0 {
		c.body = append(c.body[:0], make([]byte, length)...)
		_, err = io.ReadFull(c.reader, c.body)
		return status, err
	}
	body := bytes.NewBuffer(c.body[:0])
	if _, err := body.ReadFrom(httputil.NewChunkedReader(c.reader)); err != nil {
		return 0, err
	}
	c.body = body.Bytes()
	_, err = c.reader.ReadSlice('\n') // the empty line after the last chunk
	return status, err
}

// head reads the status and the length of the body, which is negative for a chunked body.
func (c *Connection) head() (status, length int, err error) {
	for n := 0; ; n++ {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch name, value, _ := bytes.Cut(line, []byte(": ")); {
		case n == 0:
			if len(line) < 12 {
				return 0, 0, fmt.Errorf("answered %q", line)
			}
			status, err = strconv.Atoi(string(line[9:12]))
		case len(line) == 0:
			return status, length, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = -1
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// Request returns a request as it is sent.
func Request(method, address, path, token, body string) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConsistencyLevel: "+
		"eventual\r\n", method, path, address, token)
	if body != "" {
		b = fmt.Appendf(b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(b, "\r\n"...), body...)
}
