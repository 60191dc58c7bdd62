package load

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestClientReadsBothKindsOfBodies(t *testing.T) {
	long := strings.Repeat(`{"displayName":"x"},`, 5000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "100000")
		}
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, long)
	}))
	defer server.Close()
	c := Connection{Address: server.Listener.Addr().String()}
	defer c.Close()
	for range 2 { // over the same connection
		for _, path := range []string{"/length", "/chunks", "/refused"} {
			body, err := c.Ask(t.Context(), Request("GET", c.Address, path, "token", ""))
			if path == "/refused" {
				if refusal, ok := errors.AsType[*RefusedError](err); !ok || refusal.Status != 400 {
					t.Errorf("%s: %v", path, err)
				}
			} else if err != nil || SizeOf(body).Objects != 5000 {
				t.Errorf("%s: %d bytes, %v", path, len(body), err)
			}
		}
	}
}

func TestSlowContenderIsAskedOnce(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		one, err := listener.Accept()
		if err != nil {
			return
		}
		defer one.Close()
		if _, err := http.ReadRequest(bufio.NewReader(one)); err == nil {
			time.Sleep(Slow + 100*time.Millisecond)
			_, _ = io.WriteString(one, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	}()
	address := listener.Addr().String()
	o, err := Put(t.Context(), address, Load{
		Requests: [][]byte{Request("GET", address, "/", "", "")}, Callers: 2, Time: time.Second,
	})
	if err != nil || len(o.Times) != 1 || o.Note == "" {
		t.Errorf("%+v, %v", o, err)
	}
}
