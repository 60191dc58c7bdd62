package graph

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/graph/wire"
	"licensor/internal/store"
)

// withLarge is a world in which so many users have a document of about so many bytes each, and are
// the members of a group.
func withLarge(t *testing.T, n, size int) (w *world, token string) {
	t.Helper()
	w = newWorld(t)
	w.once = true // asking for everything again in other letters takes long
	token = w.appToken(allPermissions...)
	lines := []string{`{"group":{"id":"` + nobodysID + `","displayName":"All","mailEnabled":false,"mailNickname":"all","securityEnabled":true}}`}
	for i := range n {
		id := fmt.Sprintf("a0000000-0000-4000-8000-%012d", i)
		lines = append(lines,
			fmt.Sprintf(`{"user":{"id":"%s","displayName":"User %03d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"DE"}}`, id, n-i, i, i),
			fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`, nobodysID, id))
	}
	w.imports(lines...)
	texts := make([]string, size/8000)
	for i := range texts {
		texts[i] = strings.Repeat(string(rune('a'+i%26)), 8000)
	}
	interests, err := json.Marshal(texts)
	w.must(err)
	for i := range n {
		got := w.send("PATCH", fmt.Sprintf("/v1.0/users/u%d@contoso.example", i), token, `{"interests":`+string(interests)+`}`)
		if got.status != http.StatusNoContent {
			t.Fatal(got.status, got.body)
		}
	}
	return w, token
}

// peak is how much larger the heap gets while something is done.
func peak(do func()) (most int64) {
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // so that little of it is garbage
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	runtime.GC()
	before := heap()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			most = max(most, heap()-before)
			time.Sleep(time.Millisecond)
		}
	}()
	do()
	stop()
	<-done
	return most
}

// drain sends a request and returns how long the answer is, without keeping it.
func (w *world) drain(method, path, token, body string, compressed bool) (status int, size int64) {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	w.must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", wire.JSONType)
	request.Header.Set("ConsistencyLevel", "eventual")
	request.Header.Set("Accept-Encoding", "identity")
	if compressed {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	response, err := w.server.Client().Do(request)
	w.must(err)
	defer response.Body.Close()
	source := io.Reader(response.Body)
	if is := response.Header.Get("Content-Encoding") == "gzip"; is != compressed {
		w.t.Errorf("%s: compressed is %v", path, is)
	} else if is {
		source, err = gzip.NewReader(response.Body)
		w.must(err)
	}
	size, err = io.Copy(io.Discard, source)
	w.must(err)
	return response.StatusCode, size
}

// No answer takes much memory, whatever is in it. The test does not run next to others, since it
// looks at the heap.
func TestAnswersAreSentWhileTheyAreMade(t *testing.T) {
	if testing.Short() || slowness > 1 {
		t.Skip("takes many seconds, and looks at memory, of which the race detector takes more")
	}
	const users, size, bound = 24, 19 << 16, 64 << 20 // 1.2 MB each
	w, token := withLarge(t, users, size)
	page := "/v1.0/users?$top=999&$select=id,interests"
	for _, step := range [][2]string{
		{"/licensor/v1/subscriptions", `{"skuId":"` + e3 + `","totalLicenses":0}`},
		{"/v1.0/groups/" + nobodysID + "/assignLicense", `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":[]}`},
	} {
		if got := w.send("POST", step[0], token, step[1]); got.status >= http.StatusMultipleChoices {
			t.Fatal(step[0], got.status, got.body)
		}
	}
	var steps []string
	for i := range maxSteps {
		steps = append(steps, fmt.Sprintf(`{"id":"%d","method":"GET","url":"%s"}`, i, strings.Replace(strings.TrimPrefix(page, "/v1.0"), "999", "8", 1)))
	}
	for _, c := range []struct {
		name, method, path, body string
		users                    int64
	}{
		{"a page", "GET", page, "", users},
		{"a page in the order of names", "GET", page + "&$orderby=displayName&$count=true", "", users},
		{"members", "GET", "/v1.0/groups/" + nobodysID + "/members?$top=999&$select=id,interests", "", users},
		{"members of one type", "GET", "/v1.0/groups/" + nobodysID + "/members/microsoft.graph.user?$top=999&$select=id,interests", "", users},
		{"an expansion", "GET", "/v1.0/groups?$expand=members($select=id,interests)", "", wire.MaxExpanded},
		{"changes", "GET", "/v1.0/users/delta?$select=interests", "", users},
		{"by ids", "POST", "/v1.0/directoryObjects/getByIds?$select=id,interests", `{"ids":` + idsOfLarge(users) + `}`, users},
		{"reasons", "GET", "/licensor/v1/licenseErrors?$top=999", "", 0},
		{"a batch", "POST", "/v1.0/$batch", `{"requests":[` + strings.Join(steps, ",") + `]}`, 8 * maxSteps},
	} {
		for _, compressed := range []bool{false, true} {
			var status int
			var got int64
			most := peak(func() { status, got = w.drain(c.method, c.path, token, c.body, compressed) })
			if status != http.StatusOK || got < c.users*(size-8000) {
				t.Errorf("%s: %d with %d bytes", c.name, status, got)
			}
			if most > bound {
				t.Errorf("%s, compressed %v: %d MB of memory for an answer of %d MB", c.name, compressed, most>>20, got>>20)
			}
			t.Logf("%s, compressed %v: %d MB of memory for an answer of %d MB", c.name, compressed, most>>20, got>>20)
		}
	}
}

func idsOfLarge(n int) string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("a0000000-0000-4000-8000-%012d", i))
	}
	text, _ := json.Marshal(ids)
	return string(text)
}

// Large answers say the same as small ones, and small ones have their length.
func TestAStreamedAnswerIsWhole(t *testing.T) {
	t.Parallel()
	w, token := withLarge(t, 30, 16_000)
	for _, path := range []string{
		"/v1.0/users?$top=999&$select=id,interests", "/v1.0/users?$select=id,interests&$expand=memberOf($select=id)",
		"/v1.0/groups?$expand=members($select=id,interests)", "/v1.0/users/delta?$select=interests",
	} {
		w.once = false
		got := w.do("GET", path, token, "")
		w.once = true
		if got.status != http.StatusOK || !json.Valid([]byte(got.body)) ||
			got.header.Get("Content-Length") != "" || strings.Count(got.body, `"interests":["aa`) < wire.MaxExpanded {
			t.Errorf("%s: %d, length %q, %.100s", path, got.status, got.header.Get("Content-Length"), got.body)
		}
	}
	if got := w.do("GET", "/v1.0/users?$select=id&$top=2", token, ""); got.header.Get("Content-Length") == "" {
		t.Error("a small answer has no length")
	}
}

// frail is a store that fails once so many rows have been read.
type frail struct {
	store.Store
	left atomic.Int64
}

func (f *frail) Objects(ctx context.Context, id uuid.UUID, q store.Query) ([]store.Object, error) {
	rows, err := f.Store.Objects(ctx, id, q)
	if f.left.Add(-int64(len(rows))) < 0 {
		return nil, errors.New("the disk is gone")
	}
	return rows, err
}

// frailWorld serves the tenant of a world from a store that fails after so many rows.
func frailWorld(t *testing.T, w *world, rows int64) {
	t.Helper()
	f := &frail{Store: w.store}
	f.left.Store(1 << 40)
	tenants, err := engine.Open(t.Context(), f, engine.Options{Now: w.now, NewID: numbered(), Log: newLog(w)})
	w.must(err)
	t.Cleanup(func() { _ = tenants.Close(context.Background()) })
	f.left.Store(rows)
	config := w.config()
	config.Tenant = tenants.Tenant
	w.server = newServer(t, New(config))
}

// An answer that cannot be completed does not look like one that is.
func TestAFailureInTheMiddleOfAnAnswerEndsTheConnection(t *testing.T) {
	t.Parallel()
	w, token := withLarge(t, 10, 400_000)
	page := "/v1.0/users?$select=id,interests"
	for _, compressed := range []string{"identity", "gzip"} {
		frailWorld(t, w, 5)
		request, err := http.NewRequest("GET", w.server.URL+page, http.NoBody)
		w.must(err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Accept-Encoding", compressed)
		response, err := w.server.Client().Do(request)
		w.must(err)
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || len(got) == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %d, %d bytes, %v", compressed, response.StatusCode, len(got), err)
		}
		if !strings.Contains(w.logged(), "answer cut off") || !strings.Contains(w.logged(), "the disk is gone") {
			t.Errorf("logged is %s", w.logged())
		}
	}
	frailWorld(t, w, 0)
	got := w.send("GET", page, token, "")
	if got.status != http.StatusInternalServerError || !strings.Contains(got.body, `"error"`) {
		t.Errorf("before the first byte: %d %s", got.status, got.body)
	}
}

// Of an answer in a batch, others do not suffer as long as nothing of it has been sent.
func TestAFailureInTheMiddleOfAnAnswerInABatch(t *testing.T) {
	t.Parallel()
	w, token := withLarge(t, 10, 400_000)
	batch := func(query string) string {
		return `{"requests":[{"id":"1","method":"GET","url":"/users?` + query + `"},{"id":"2","method":"GET","url":"/organization","dependsOn":["1"]},{"id":"3","method":"GET","url":"/organization"}]}`
	}
	frailWorld(t, w, 5)
	got := w.send("POST", "/v1.0/$batch", token, batch("$select=id,interests"))
	var answers struct {
		Responses []struct {
			ID     string
			Status int
		}
	}
	w.must(json.Unmarshal([]byte(got.body), &answers))
	if fmt.Sprint(answers.Responses) != "[{1 500} {2 424} {3 200}]" {
		t.Errorf("answers are %v", answers.Responses)
	}
	w, token = withLarge(t, 30, 400_000)
	frailWorld(t, w, 25) // more than is kept
	request, err := http.NewRequest("POST", w.server.URL+"/v1.0/$batch", strings.NewReader(batch("$select=id,interests")))
	w.must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", wire.JSONType)
	response, err := w.server.Client().Do(request)
	w.must(err)
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); n == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// Answers in a batch that are too large to wait for the others are whole, too.
func TestLargeAnswersInABatch(t *testing.T) {
	t.Parallel()
	w, token := withLarge(t, 20, 120_000)
	requests := []string{`{"id":"m","method":"GET","url":"/$metadata"}`, `{"id":"one","method":"GET","url":"/users/u1@contoso.example?$select=displayName","dependsOn":["4"]}`}
	for i := range 6 {
		requests = append(requests, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/users?$select=id,interests"}`, i))
	}
	got := w.send("POST", "/v1.0/$batch", token, `{"requests":[`+strings.Join(requests, ",")+`]}`)
	var answers struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	w.must(json.Unmarshal([]byte(got.body), &answers))
	seen := map[string]int{}
	for _, a := range answers.Responses {
		seen[a.ID] = len(a.Body)
		if a.Status != http.StatusOK {
			t.Errorf("%s: %d", a.ID, a.Status)
		}
	}
	for i := range 6 {
		if seen[fmt.Sprint(i)] < 20*110_000 {
			t.Errorf("answer %d has %d bytes", i, seen[fmt.Sprint(i)])
		}
	}
	if len(answers.Responses) != len(requests) || seen["m"] < 1000 || seen["one"] == 0 {
		t.Errorf("answers are %v", seen)
	}
}

// Anyone who takes answers slowly holds nothing that others need.
func TestSlowCallersHoldUpNobody(t *testing.T) {
	t.Parallel()
	w, token := withLarge(t, 12, 700_000)
	var slow []net.Conn
	for i := range 16 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
		w.must(err)
		defer conn.Close()
		w.must(conn.(*net.TCPConn).SetReadBuffer(4096))
		encoding := []string{"identity", "gzip"}[i%2]
		fmt.Fprintf(conn, "GET /v1.0/users?$top=999&$select=id,interests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nAccept-Encoding: %s\r\n\r\n", token, encoding)
		slow = append(slow, conn)
	}
	for _, conn := range slow {
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		if err != nil || !strings.Contains(line, "200") {
			t.Fatal(line, err)
		}
	}
	other := w.second("fabrikam.example")
	for range 4 {
		for _, path := range []string{"/v1.0/users/u1@contoso.example?$select=interests", "/v1.0/users?$select=id,interests&$top=2", "/v1.0/users?$filter=endsWith(userPrincipalName,'1')&$count=true"} {
			if got := w.send("GET", path, token, "", "ConsistencyLevel: eventual"); got.status != http.StatusOK {
				t.Fatal(path, got.status, got.body)
			}
		}
		if got := other.send("GET", "/v1.0/users", other.appToken(allPermissions...), ""); got.status != http.StatusOK {
			t.Fatal(got.status, got.body)
		}
	}
	rest, err := io.ReadAll(io.LimitReader(slow[0], 100_000))
	if err != nil || !bytes.Contains(rest, []byte(`"interests":[`)) {
		t.Errorf("the rest of a slow answer is %.100s, %v", rest, err)
	}
}
