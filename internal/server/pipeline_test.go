package server

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// pipelined is a request of a client that does not wait for the responses, and its response.
type pipelined struct {
	sent   []byte
	status int
	body   string
}

// newPipelined returns a random request: the path says how much of its body the handler reads.
func newPipelined(random *rand.Rand) (p pipelined) {
	body := make([]byte, random.IntN(3)*random.IntN(4000))
	for i := range body {
		body[i] = "GET / HTTP/1.1\r\n"[random.IntN(16)]
	}
	path := []string{"/none", "/some", "/all"}[random.IntN(3)]
	if p.status = http.StatusUnauthorized; path == "/all" {
		p.status, p.body = http.StatusOK, fmt.Sprint(len(body), " ", crc32.ChecksumIEEE(body))
	}
	head := []string{"POST", "PATCH", "GET", "DELETE"}[random.IntN(4)] + " " + path + " HTTP/1.1\r\nHost: a\r\n"
	if random.IntN(2) == 0 {
		p.sent = fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
		return p
	}
	p.sent = []byte(head + "Transfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := 1 + random.IntN(len(body))
		p.sent = fmt.Appendf(p.sent, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	p.sent = append(p.sent, "0\r\n"+[]string{"", "X: y\r\n"}[random.IntN(2)]+"\r\n"...)
	return p
}

// cut cuts data into up to four pieces at random places.
func cut(random *rand.Rand, data []byte) (pieces [][]byte) {
	for range random.IntN(4) {
		n := random.IntN(len(data))
		pieces, data = append(pieces, data[:n]), data[n:]
		if len(data) == 0 {
			return pieces
		}
	}
	return append(pieces, data)
}

// TestPipelinedRequestsHaveTheirOwnBodies sends requests without waiting for the responses, in
// pieces that end anywhere. Each response must be that of its request, although handlers respond
// before they have read the body.
func TestPipelinedRequestsHaveTheirOwnBodies(t *testing.T) {
	t.Parallel()
	address := startServing(t, quick(func(*bounds) {}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/some":
			_, _ = io.CopyN(io.Discard, r.Body, 10)
		case "/all":
			if body, err := io.ReadAll(r.Body); err == nil {
				fmt.Fprint(w, len(body), " ", crc32.ChecksumIEEE(body))
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	for range 10 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			for range 20 {
				var all []byte
				var list []pipelined
				for range 1 + random.IntN(12) {
					p := newPipelined(random)
					list, all = append(list, p), append(all, p.sent...)
				}
				conn := dial(t, address)
				if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
					t.Fatal(err)
				}
				pieces := cut(random, all)
				go func() {
					for _, piece := range pieces {
						_, _ = conn.Write(piece)
						time.Sleep(time.Millisecond) // so that it arrives separately, as a rule
					}
				}()
				answers := bufio.NewReader(conn)
				for i, p := range list {
					answer, err := http.ReadResponse(answers, nil)
					if err != nil {
						t.Fatalf("response %d of %d: %v", i, len(list), err)
					}
					body, err := io.ReadAll(answer.Body)
					if err != nil || answer.StatusCode != p.status || string(body) != p.body {
						t.Fatalf("response %d of %d to %q is %d %q, %v; want %d %q", i, len(list),
							strings.SplitN(string(p.sent), "\r", 2)[0], answer.StatusCode, body, err, p.status, p.body)
					}
				}
				_ = conn.Close()
			}
		})
	}
}
