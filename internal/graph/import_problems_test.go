package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/own"
)

// However many lines are refused and whatever they say, the answer stays small.
func TestTheProblemsOfAnImportAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"member":{"group":"` + strings.Repeat("x", 100_000) + `","member":"y"}}` + "\n" + strings.Repeat(`{"nothing":{}}`+"\n", 1999)
	got := w.do(http.MethodPost, "/licensor/v1/import?id=many", w.appToken(allPermissions...), body, "Content-Type: application/x-ndjson")
	var answer struct {
		Refused  int
		Problems []struct {
			Line    int
			Message string
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %.300s: %v", got.status, got.body, err)
	}
	if answer.Refused != 2000 || len(answer.Problems) != own.MaxProblems || answer.Problems[0].Line != 1 ||
		len(answer.Problems[0].Message) > own.MaxMessage+3 {
		t.Errorf("%d refused, %d told, the first with %d bytes", answer.Refused, len(answer.Problems), len(answer.Problems[0].Message))
	}
	got = w.do(http.MethodPost, "/licensor/v1/import?id="+strings.Repeat("x", 129), w.appToken(allPermissions...), "{}", "Content-Type: application/x-ndjson")
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "at most 128 characters") {
		t.Errorf("a long id: %d %s", got.status, got.body)
	}
}

// A line that is not UTF-8 is refused, instead of importing U+FFFD for what is wrong.
func TestALineThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := ""
	for _, name := range []string{"ann", "ben\xff\xfe", "eve"} {
		body += `{"user":{"userPrincipalName":"` + name[:3] + `@contoso.example","displayName":"` + name + `","mailNickname":"` + name[:3] +
			`","accountEnabled":true}}` + "\n"
	}
	got := w.do(http.MethodPost, "/licensor/v1/import", w.appToken(allPermissions...), body, "Content-Type: application/x-ndjson")
	const want = `"rows":3,"skipped":0,"refused":1,"existing":0,"problems":[{"line":2,"message":"It is not UTF-8.`
	if got.status != http.StatusOK || !strings.Contains(got.body, want) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
