package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// A client that sends all of its body before it reads, and slowly, has the answer all the same.
func TestAnswersBeforeTheBodyIsThere(t *testing.T) {
	address := startServing(t, quick(func(*bounds) {}), nil)
	for name, c := range map[string]struct {
		path, headers string
		chunked       bool
		status        int
	}{
		"without a token":               {path: "/v1.0/users", status: http.StatusUnauthorized},
		"without a token, in chunks":    {path: "/v1.0/users", status: http.StatusUnauthorized, chunked: true},
		"to the authority, much":        {path: "/common/oauth2/v2.0/token", headers: "Content-Type: application/x-www-form-urlencoded\r\n", status: http.StatusRequestEntityTooLarge},
		"to a place that does not read": {path: "/metrics", status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const pieces, size = 20, 1 << 20
			conn := dial(t, address)
			length := fmt.Sprintf("Content-Length: %d", pieces*size)
			if c.chunked {
				length = "Transfer-Encoding: chunked"
			}
			_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\n%s%s\r\n\r\n", c.path, c.headers, length)
			for i := 0; i < pieces && err == nil; i++ {
				if i == 1 {
					time.Sleep(lingers) // the answer has been there for long
				}
				piece := bytes.Repeat([]byte{'x'}, size)
				if c.chunked {
					piece = fmt.Appendf(nil, "%x\r\n%s\r\n", size, piece)
				}
				_, err = conn.Write(piece)
			}
			if err == nil && c.chunked {
				_, err = io.WriteString(conn, "0\r\n\r\n")
			}
			if err != nil {
				t.Fatalf("the body could not be sent: %v", err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("there is no answer: %v", err)
			}
			defer answer.Body.Close()
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != c.status {
				t.Errorf("the answer is %d, want %d (%v)", answer.StatusCode, c.status, err)
			}
		})
	}
}

// An answer that does not need the body does not wait for it, either.
func TestARefusalDoesNotWaitForTheBody(t *testing.T) {
	address := startServing(t, quick(func(*bounds) {}), nil)
	for path, status := range map[string]int{
		"/v1.0/users":               http.StatusUnauthorized,
		"/common/oauth2/v2.0/token": http.StatusRequestEntityTooLarge,
		"/metrics":                  http.StatusNotFound,
		"/common/login":             http.StatusNotFound,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n"+
				"Content-Type: application/x-www-form-urlencoded\r\n\r\n{}", path)
			if err := errors.Join(err, conn.SetReadDeadline(time.Now().Add(10*time.Second))); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("there is no answer: %v", err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != status {
				t.Errorf("the answer is %d, want %d", answer.StatusCode, status)
			}
		})
	}
}

// lingers is longer than net/http keeps a connection open for a body that nobody reads.
const lingers = 700 * time.Millisecond
