// Package wiretest helps tests that write to connections themselves.
package wiretest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
)

// Types and flags of the frames of HTTP/2 (RFC 9113, 6).
const (
	Headers  = 1
	Reset    = 3
	Settings = 4

	EndOfStream  = 1
	EndOfHeaders = 4
)

// Preface begins an HTTP/2 connection, with settings that change nothing.
var Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(Settings, 0, 0, "")

// Frame returns an HTTP/2 frame.
func Frame(kind, flags byte, stream uint32, payload string) string {
	header := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	header = binary.BigEndian.AppendUint32(append(header, flags), stream)
	return string(header) + payload
}

// Answered sends a request and reads the response, so that the connection can be reused.
func Answered(c net.Conn) error {
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	return err
}
