package identity

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// FuzzVerify: whatever is sent, it is refused in our words, or it is a token of ours and says what we wrote.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	good := w.issue(f, robot())
	want, err := w.Verify(f.Context(), good)
	if err != nil {
		f.Fatal(err)
	}
	payload := mustJSON(f, w.payloadOf(robot()))
	f.Add(good)
	f.Add(w.issue(f, user(ben)))
	f.Add(good[:len(good)/2])
	f.Add(good + good)
	f.Add(forge([]byte(`{"alg":"none"}`), payload, unsigned))
	f.Add(forge([]byte(`{"alg":"RS256","b64":false,"crit":["b64"],"kid":"`+w.keys.private[0].KeyID+`"}`), payload, unsigned))
	f.Add(signWith(f, stranger(f, nil, w.keys.private[0].KeyID), payload))
	f.Add("..")
	f.Fuzz(func(t *testing.T, raw string) {
		caller, err := w.Verify(t.Context(), raw)
		if refusal := (*Unauthorized)(nil); err != nil {
			if !errors.As(err, &refusal) || refusal.Message == "" || len(refusal.Message) > 200 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		// Only the unused bits of the last letter of a part can differ.
		if !reflect.DeepEqual(caller, want) || len(raw) != len(good) {
			t.Fatalf("%q is accepted as %+v", raw, caller)
		}
	})
}

// FuzzTokenForm: whatever is posted, the answer is JSON of one of two shapes, and a token only for the secret.
func FuzzTokenForm(f *testing.F) {
	w := newWorld(f)
	handler := w.Handler()
	f.Add(formType, "", form())
	f.Add(formType, "Basic Og==", form("client_secret", ""))
	f.Add(formType+"; charset=utf-8", "", form("client_secret", expiredText))
	f.Add("multipart/form-data; boundary=x", "", "--x--")
	f.Add(formType, "", "grant_type=client_credentials&grant_type=&client_id=%00;a")
	f.Fuzz(func(t *testing.T, kind, authorization, body string) {
		r := httptest.NewRequest(http.MethodPost, "/"+contosoDomain+"/oauth2/v2.0/token", strings.NewReader(body))
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
