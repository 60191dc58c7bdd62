package graph

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/own"
)

const linesHeader = "Content-Type: " + own.LinesType

// peopleLines are users n to m, a line each.
func peopleLines(n, m int) string {
	var b strings.Builder
	for i := n; i <= m; i++ {
		fmt.Fprintf(&b, `{"user":{"displayName":"P%[1]d","userPrincipalName":"p%[1]d@contoso.example","mailNickname":"p%[1]d","accountEnabled":true}}`+"\n", i)
	}
	return b.String()
}

type importAnswer struct {
	Rows, Skipped, Refused int
	Problems               []struct {
		Line    int
		Message string
	}
	Error struct{ Code, Message string }
}

func (w *world) importLines(query, body string, headers ...string) (status int, answer importAnswer) {
	w.t.Helper()
	got := w.do(http.MethodPost, "/licensor/v1/import"+query, w.appToken(allPermissions...), body, append(headers, linesHeader)...)
	w.must(json.Unmarshal([]byte(got.body), &answer))
	return got.status, answer
}

// A chunk is committed piece by piece while it is read, and lines may refer to those of pieces
// before.
func TestAnImportIsTakenPieceByPiece(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := "b0000000-0000-4000-8000-000000000001"
	var body strings.Builder
	body.WriteString(" \n\n" + `{"group":{"id":"` + group + `","displayName":"All","mailEnabled":false,"mailNickname":"all","securityEnabled":true}}` + "\n")
	body.WriteString(peopleLines(1, 2500))
	body.WriteString("\n{\"planet\":{}}\n")
	for i := 1; i <= 2500; i++ {
		fmt.Fprintf(&body, `{"member":{"group":"%s","member":"p%d@contoso.example"}}`+"\n", group, i)
	}
	before := w.commits()
	status, answer := w.importLines("?line=11", compressed(body.String()), "Content-Encoding: gzip")
	if status != http.StatusOK || answer.Rows != 5002 || answer.Refused != 1 || answer.Problems[0].Line != 11+1+2500+1 {
		t.Fatalf("%d %.500v", status, fmt.Sprint(answer))
	}
	if made := w.commits() - before; made != 6 {
		t.Errorf("%d commits for 5,003 lines", made)
	}
	if got := w.do(http.MethodGet, "/v1.0/groups/"+group+"/members/$count", w.appToken(allPermissions...), "", "ConsistencyLevel: eventual"); got.body != "2500" {
		t.Errorf("%s members", got.body)
	}
}

// What came before the body was cut off is kept, the answer says how much that is, and under an id
// the rest can follow.
func TestAnImportThatIsCutOffSaysHowFarItCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole := compressed(peopleLines(1, 6000))
	status, answer := w.importLines("?id=x", whole[:len(whole)/2], "Content-Encoding: gzip")
	if status != http.StatusBadRequest || !strings.Contains(answer.Error.Message, "cut off") {
		t.Fatalf("%d %+v", status, answer)
	}
	var through int
	_, said, _ := strings.Cut(answer.Error.Message, " Lines up to ")
	if _, err := fmt.Sscanf(said, "%d were read and committed before.", &through); err != nil || through < 1500 || through > 4500 {
		t.Fatalf("%q: %v", answer.Error.Message, err)
	}
	if got := w.do(http.MethodGet, "/v1.0/users/$count", w.appToken(allPermissions...), "", "ConsistencyLevel: eventual"); got.body != fmt.Sprint(through) {
		t.Errorf("%s users, and %d lines were taken", got.body, through)
	}
	again := compressed(peopleLines(1, 1) + peopleLines(1, 6000))
	if _, answer := w.importLines("?id=y", again[:len(again)/2], "Content-Encoding: gzip"); !strings.Contains(answer.Error.Message, " were refused, the first of these, line 1, because: Another object with the same value") {
		t.Errorf("with lines that are refused: %s", answer.Error.Message)
	}
	if status, answer := w.importLines("?line=9223372036854775807", peopleLines(7000, 7001)); status != http.StatusBadRequest {
		t.Errorf("a number to which nothing can be added: %d %+v", status, answer)
	}
	status, answer = w.importLines("?id=x", peopleLines(1, through+10))
	if status != http.StatusOK || answer.Skipped != through || answer.Refused != 0 {
		t.Errorf("sent again: %d %+v", status, answer)
	}
}

// Anyone who closes one half of a connection in the middle of a body reads from the other half that
// it was cut off.
func TestAnImportThatEndsEarlySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	w.must(err)
	defer conn.Close()
	body := peopleLines(1, 2100)
	_, err = fmt.Fprintf(conn, "POST /licensor/v1/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
		w.appToken(allPermissions...), linesHeader, len(body)+1000, body)
	w.must(err)
	w.must(conn.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	w.must(err)
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "it is cut off") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
}

func TestALineOfAnImportIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := `{"user":{"displayName":"` + strings.Repeat("x", own.MaxLine) + `"}}`
	status, answer := w.importLines("", peopleLines(1, 1)+long+"\n"+peopleLines(2, 2)+long)
	if status != http.StatusOK || answer.Rows != 4 || answer.Refused != 2 || answer.Problems[0].Line != 2 ||
		answer.Problems[1].Line != 4 ||
		!strings.Contains(answer.Problems[0].Message, "longer than the 2 MB") {
		t.Errorf("%d %+v", status, answer)
	}
	status, answer = w.importLines("", compressed(strings.Repeat("\n", own.MaxImport)+"{}"), "Content-Encoding: gzip")
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(answer.Error.Message, "32 MB") {
		t.Errorf("a body that is too large when unpacked: %d %+v", status, answer)
	}
}
