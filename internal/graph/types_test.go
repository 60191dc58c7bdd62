package graph

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
)

// neverSent is a body that does not come.
type neverSent struct{ asked atomic.Bool }

func (b *neverSent) Read([]byte) (int, error) {
	b.asked.Store(true)
	return 0, errors.New("the body does not come")
}

func (*neverSent) Close() error { return nil }

// A body of a wrong type, or without one where there must be a body, is refused by every operation
// before any of it has come, whether or not its length is known.
func TestAWrongTypeIsRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	tokens := []string{
		m.appToken(allPermissions...), m.userToken(uuid.MustParse(m.self), allPermissions, nil, false),
	}
	handler := m.server.Config.Handler
	reached := 0
	for _, op := range m.operations() {
		if op.method == http.MethodGet || op.method == http.MethodDelete {
			continue
		}
		for _, object := range op.objects {
			for _, token := range tokens {
				for _, length := range []int64{-1, 100} {
					body := new(neverSent)
					r := httptest.NewRequest(op.method, m.server.URL+object.path, body)
					r.ContentLength = length
					r.Header.Set("Authorization", "Bearer "+token)
					r.Header.Set("Content-Type", "text/plain")
					w := httptest.NewRecorder()
					handler.ServeHTTP(w, r)
					if body.asked.Load() {
						t.Errorf("%s %s of %d bytes waits for the body, and answers %d %s", op.method, object.path, length, w.Code, w.Body)
					}
					if strings.Contains(w.Body.String(), "Content-Type") {
						reached++
					}
				}
			}
		}
	}
	if reached < 100 {
		t.Errorf("only %d requests were refused for their type", reached)
	}
}

// A body that names no type and no length may be empty, where none is needed. Any other
// is refused, and the rest is not waited for.
func TestABodyWithoutATypeMayBeEmpty(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"/v1.0/users/" + ann + "/reprocessLicenseAssignment", "", http.StatusOK},
		{"/v1.0/users/" + ann + "/reprocessLicenseAssignment", " \n", http.StatusOK},
		{"/v1.0/users/" + ann + "/reprocessLicenseAssignment", "{", http.StatusBadRequest},
		{"/licensor/v1/import", "", http.StatusOK},
		{"/licensor/v1/import", "{", http.StatusUnsupportedMediaType},
		{"/v1.0/users", "", http.StatusBadRequest},
	} {
		rest := new(neverSent)
		var body io.Reader = io.MultiReader(strings.NewReader(c.body), rest)
		if c.status == http.StatusOK {
			body = strings.NewReader(c.body)
		}
		r := httptest.NewRequest(http.MethodPost, w.server.URL+c.path, io.NopCloser(body))
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer "+token)
		got := httptest.NewRecorder()
		w.server.Config.Handler.ServeHTTP(got, r)
		if got.Code != c.status || rest.asked.Load() {
			t.Errorf("%s with %q answers %d %s; it has waited for more: %v", c.path, c.body, got.Code, got.Body, rest.asked.Load())
		}
	}
}
