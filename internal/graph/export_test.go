package graph

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/export"
	"licensor/internal/graph/own"
	"licensor/internal/memory/memorytest"
	"licensor/internal/tenant"
)

// TestAnExportIsOfOneCommit changes the tenant while an export of it is read: nothing of that is in
// it, although its image was made before.
func TestAnExportIsOfOneCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	w.importUser("ann")
	seq := w.commits()
	w.exports.Write = func(
		ctx context.Context, to io.Writer, id uuid.UUID, img *tenant.Image, o own.ExportOptions,
	) error {
		w.importUser("bob") // after the image, and before the view
		return export.View(ctx, w.store, id, export.Options{Image: img}, func(e *export.Tenant) error {
			w.importUser("cid") // after the view
			if img.Seq >= e.Seq || e.Seq >= w.tenant.Image().Seq {
				t.Errorf("the export is as of commit %d, between %d and %d", e.Seq, img.Seq, w.tenant.Image().Seq)
			}
			return e.Write(to, o.Format, o.Tables...)
		})
	}
	got := w.send("GET", "/licensor/v1/export", token, "")
	if got.status != http.StatusOK || w.commits() == seq || strings.Contains(got.body, "cid@") ||
		!strings.Contains(got.body, "ann@") || !strings.Contains(got.body, "bob@") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestOneExportIsMadeAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun, end := make(chan bool), make(chan bool)
	w.exports.Write = func(context.Context, io.Writer, uuid.UUID, *tenant.Image, own.ExportOptions) error {
		begun <- true
		<-end
		return nil
	}
	token := w.appToken("Directory.Read.All")
	first := make(chan answer, 1)
	go func() { first <- w.send("GET", "/licensor/v1/export", token, "") }()
	<-begun
	got := w.do("GET", "/licensor/v1/export", token, "")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %v", got.status, got.header)
	}
	close(end)
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("the first one: %d %s", got.status, got.body)
	}
}

// TestAnExportTakesNoMemoryForItsSize exports a tenant of 60 MB.
func TestAnExportTakesNoMemoryForItsSize(t *testing.T) {
	memorytest.Need(t)
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	const users, chunk = 20_000, 2_000
	w := newWorld(t)
	w.once = true
	token := w.appToken(allPermissions...)
	text := strings.Repeat("about me ", 330)
	for first := 0; first < users; first += chunk {
		rows := make([]string, chunk)
		for i := range rows {
			n := first + i
			rows[i] = fmt.Sprintf(`{"user":{"displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"aboutMe":"%s"}}`, n, n, n, text)
		}
		w.imports(rows...)
	}
	for _, query := range []string{"", "?table=users&format=csv"} {
		m := memorytest.New(t)
		var n int64
		peak := m.Peak(false, func() {
			r, err := http.NewRequest("GET", w.server.URL+"/licensor/v1/export"+query, http.NoBody)
			w.must(err)
			r.Header.Set("Authorization", "Bearer "+token)
			response, err := w.server.Client().Do(r)
			w.must(err)
			defer response.Body.Close()
			n, err = io.Copy(io.Discard, response.Body)
			w.must(err)
		})
		t.Logf("%s: %d MB, peak %d MB", query, n>>20, peak>>20)
		if n < 50<<20 || peak > memorytest.Slack+24<<20 {
			t.Errorf("%s: %d bytes were exported with %d MB of memory", query, n, peak>>20)
		}
	}
}
