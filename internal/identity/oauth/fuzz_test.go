package oauth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"licensor/internal/identity"
)

// FuzzTokenForm: whatever is posted, the answer is JSON of one of two shapes, and a token only for
// the secret.
func FuzzTokenForm(f *testing.F) {
	w := newWorld(f)
	handler := w.Handler()
	f.Add(formType, "", form().Encode())
	f.Add(formType, "Basic Og==", form("client_secret", "").Encode())
	f.Add(formType+"; charset=utf-8", "", form("client_secret", expiredText).Encode())
	f.Add("multipart/form-data; boundary=x", "", "--x--")
	f.Add(formType, "", "grant_type=client_credentials&grant_type=&client_id=%00;a")
	f.Add(formType, "", codeForm(portal, portalRedirect, "x").Encode())
	f.Add(formType, "", refreshForm("x.y").Encode())
	f.Add(formType, "", onBehalfForm("x.y.z").Encode())
	f.Add(formType, "", assertionForm("e30.e30.e30").Encode())
	f.Add(formType, "", "grant_type=device_code&code=x&client_id=y")
	f.Fuzz(func(t *testing.T, kind, authorization, body string) {
		r := httptest.NewRequest(http.MethodPost, tokenPath, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Authorization", authorization)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		var got struct {
			Error string `json:"error"`
			Codes []int  `json:"error_codes"`
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
			t.Fatalf("answered %q: %v", recorder.Body, err)
		}
		if recorder.Code != http.StatusOK {
			if recorder.Code >= 500 || got.Error == "" || len(got.Codes) != 1 || got.Token != "" {
				t.Fatalf("answered %d %s", recorder.Code, recorder.Body)
			}
			return
		}
		sent, _ := url.ParseQuery(body)
		_, password, _ := r.BasicAuth()
		password, _ = url.QueryUnescape(password)
		if given := sent.Get("client_secret") + password; given != goodSecret && given != otherSecret {
			t.Fatalf("a token for %q", body)
		}
	})
}

// FuzzAuthorize: whatever a client asks, no one is sent anywhere but to an address that is
// registered, and what was asked does not get into a page as anything but text.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f)
	handler := w.Handler()
	for _, query := range []url.Values{
		request(portal, portalRedirect), request(page, pageRedirect, "prompt", "none"), request(tool, "http://localhost:1", "response_mode", "fragment", "scope", "x"),
		request(portal, portalRedirect, "response_mode", "form_post", "response_type", "x"), request(portal, `javascript:alert(1)`), request(portal, portalRedirect, "login_hint", `"><script>`),
	} {
		f.Add(query.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, authorizePath, nil)
		r.URL.RawQuery = query
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if target := recorder.Header().Get("Location"); target != "" {
			if !isRegisteredAnywhere(w, target) || strings.ContainsAny(target, "\r\n") {
				t.Fatalf("%q: sent to %s", query, target)
			}
			return
		}
		if recorder.Code >= 500 {
			t.Fatalf("%q: %d", query, recorder.Code)
		}
		scripts := strings.Count(strings.ToLower(recorder.Body.String()), "<script")
		if scripts > 1 || (scripts == 1 && !strings.Contains(recorder.Body.String(), "<script>"+submitScript)) {
			t.Fatalf("%q: the page is %s", query, recorder.Body)
		}
	})
}

func isRegisteredAnywhere(w world, target string) bool {
	end := strings.LastIndexAny(target, "?#&")
	for i := range target[:max(end, 0)+1] {
		if !strings.ContainsRune("?#&", rune(target[i])) {
			continue
		}
		for _, app := range w.town.apps {
			if _, ok := platformOf(app, target[:i]); ok && app.Enabled {
				return true
			}
		}
	}
	return false
}

// FuzzLoopback: an address of the loopback rule leads to this machine, by whatever parser.
func FuzzLoopback(f *testing.F) {
	app := identity.App{Redirects: identity.Redirects{Public: []string{"http://localhost", "http://127.0.0.1/back"}}}
	for _, text := range []string{"http://localhost:1", "http://127.0.0.1:80/back", "http://localhost@evil.example", "http://localhost:80%40evil.example", "http://localhost\\evil.example", "http://[::1]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := platformOf(app, text); !ok {
			return
		}
		rest, isHTTP := strings.CutPrefix(text, "http://")
		host := rest
		if end := strings.IndexAny(rest, "/?#\\@"); end >= 0 {
			host = rest[:end]
		}
		name, port, _ := strings.Cut(host, ":")
		if !isHTTP || !slices.Contains([]string{"localhost", "127.0.0.1"}, name) ||
			strings.Trim(port, "0123456789") != "" || strings.Contains(rest, "@") {
			t.Fatalf("%q is taken", text)
		}
	})
}
