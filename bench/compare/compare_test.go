package main

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPeopleAreTheSameForTheSameSeed(t *testing.T) {
	p := newPopulation(2000, 7)
	first, second := slices.Collect(p.people()), slices.Collect(newPopulation(2000, 7).people())
	if !reflect.DeepEqual(first, second) {
		t.Error("the same seed made other people")
	}
	if other := slices.Collect(newPopulation(2000, 8).people()); reflect.DeepEqual(first, other) {
		t.Error("another seed made the same people")
	}
	ids := map[string]bool{}
	for _, one := range first {
		ids[one.id] = true
		if !slices.IsSorted(one.groups) || len(one.groups) == 0 || slices.Contains(one.text[:], "") {
			t.Errorf("person %d is not complete: %+v", one.number, one)
		}
	}
	if len(ids) != len(first) {
		t.Errorf("%d people have %d ids", len(first), len(ids))
	}
}

func TestQuestionsDifferFromRequestToRequest(t *testing.T) {
	for _, q := range newPopulation(2000, 1).questions() {
		for language, path := range map[string]func(int) string{"graph": q.graphPath, "SQL": q.postgresPath, "PocketBase": q.pocketPath} {
			seen := map[string]bool{}
			for i := range q.values {
				seen[path(i)] = true
			}
			if !q.same && len(seen) < q.values*9/10 {
				t.Errorf("%s in %s: %d of %d requests are different", q.name, language, len(seen), q.values)
			}
		}
	}
}

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
	c := connection{address: server.Listener.Addr().String()}
	defer c.close()
	for range 2 { // over the same connection
		for _, path := range []string{"/length", "/chunks", "/refused"} {
			body, err := c.ask(t.Context(), requestBytes("GET", c.address, path, "token", ""))
			if path == "/refused" {
				if refusal, ok := errors.AsType[*refusedError](err); !ok || refusal.status != 400 {
					t.Errorf("%s: %v", path, err)
				}
			} else if err != nil || sizeOf(body).objects != 5000 {
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
			time.Sleep(slow + 100*time.Millisecond)
			_, _ = io.WriteString(one, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	}()
	address := listener.Addr().String()
	o, err := put(t.Context(), address, load{
		requests: [][]byte{requestBytes("GET", address, "/", "", "")}, callers: 2, time: time.Second,
	})
	if err != nil || len(o.times) != 1 || o.note == "" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestReportIsWrittenBetweenItsMarkers(t *testing.T) {
	docs := t.TempDir()
	page := filepath.Join(docs, "performance.md")
	if err := os.WriteFile(page, []byte("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var list []figure
	for _, users := range []int{10_000, 1_000_000} {
		for _, c := range columns {
			list = append(list, figure{
				Time: "2026-11-24T10:00:00Z", Users: users, Row: "search",
				Contender: c.contender, Requests: 10, P50: 1, P99: 2.5, Rate: 800,
			})
		}
	}
	list = append(list,
		figure{Users: 10_000, Row: "page-100", Contender: ours, Rate: 50, P99: 1},
		figure{Users: 10_000, Row: "page-100", Contender: bareName, Rate: 100})
	for range 2 {
		if err := errors.Join(appendFigures(docs, list), writeReport(docs)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "\nafter\n", "### 1,000,000 users", "2.5 ms (1.0 ms)", "**50 %** of the bare handler"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the report still has the old figures")
	}
	for _, p := range plots {
		plot, err := os.Open(filepath.Join(docs, "performance", p.name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		defer plot.Close()
		decoder := xml.NewDecoder(plot)
		for err == nil {
			_, err = decoder.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s.svg: %v", p.name, err)
		}
	}
}
