package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"licensor/internal/importing"
)

// stopping is a context that ends once it was asked so many times whether it has ended.
type stopping struct {
	context.Context
	cancel func()
	left   *atomic.Int64
}

// Err implements context.Context.
func (s stopping) Err() error {
	if s.left.Add(-1) < 0 {
		s.cancel()
	}
	return s.Context.Err()
}

// TestAnImportThatIsStoppedReportsWhatItHasDone: wherever it is stopped, it and the run that
// continues report each row once, and each refused one.
func TestAnImportThatIsStoppedReportsWhatItHasDone(t *testing.T) {
	t.Parallel()
	const rows, each = 25_000, 100
	var content strings.Builder
	for n := range rows {
		domain := "contoso.example"
		if n%each == each/2 {
			domain = "fabrikam.example" // which is refused
		}
		fmt.Fprintf(&content, `{"userPrincipalName":"user%[1]d@%[2]s","displayName":"User %[1]d","mailNickname":"user%[1]d","accountEnabled":true}`+"\n", n, domain)
	}
	file := newFile(t, "users.jsonl", content.String())
	partly := false
	for _, asked := range []int64{20, 30, 40, 50, 60} {
		data := newDatabase(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var left atomic.Int64
		left.Store(asked)
		var out, told strings.Builder
		args := []string{"import", "--json", "--data", data, file}
		code := execute(stopping{ctx, cancel, &left}, rootCommand(), args, strings.NewReader(""), &out, &told)
		if code == exitPartial || out.Len() == 0 {
			continue // it was complete, or has not begun
		}
		var first struct{ Files []importing.Result }
		err := json.Unmarshal([]byte(out.String()), &first)
		if code != exitFailed || err != nil || len(first.Files) != 1 ||
			!strings.Contains(told.String(), "the same command continues from here") {
			t.Fatalf("stopped when asked %d times: code %d, %v, %s%s", asked, code, err, out.String(), told.String())
		}
		was, now := first.Files[0], summary(t, exitPartial, "--data", data, file)[0]
		if was.Rows != was.Imported+was.Refused || was.Refused != len(was.Problems) {
			t.Errorf("stopped when asked %d times: %d rows, %d imported, %d refused", asked, was.Rows, was.Imported, was.Refused)
		}
		if now.Rows != rows || now.Skipped != was.Rows || was.Refused+now.Refused != rows/each {
			t.Errorf("stopped when asked %d times: after %d rows, of which %d are refused, %d are skipped and %d refused",
				asked, was.Rows, was.Refused, now.Skipped, now.Refused)
		}
		partly = partly || was.Rows%importing.PieceRows != 0
	}
	if !partly {
		t.Error("no import was stopped within a piece")
	}
}

// TestAnImportToAServerWaitsForTheResponse when it is stopped: what was sent is imported anyway,
// and only the response says what was refused.
func TestAnImportToAServerWaitsForTheResponse(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, args := newServer(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/import") {
			cancel()
		}
		return false
	})
	content := "userPrincipalName,displayName,mailNickname,accountEnabled\nx@fabrikam.example,X,x,true\n" +
		strings.SplitN(manyUsers(pieceRows+500), "\n", 2)[1]
	args = append(append([]string{"import", "--json"}, args...), newFile(t, "users.csv", content))
	var out, told strings.Builder
	code := execute(ctx, rootCommand(), args, strings.NewReader(""), &out, &told)
	var got struct{ Files []importing.Result }
	err := json.Unmarshal([]byte(out.String()), &got)
	if code != exitFailed || err != nil || len(got.Files) != 1 {
		t.Fatalf("code %d, %v, %s%s", code, err, out.String(), told.String())
	}
	r := got.Files[0]
	if r.Rows != pieceRows || r.Refused != 2 || r.Imported != pieceRows-2 || r.Problems[0].Line != 2 {
		t.Errorf("%+v", r)
	}
}
