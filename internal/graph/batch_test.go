package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"licensor/internal/graph/wire"
)

// P40
func TestMalformedBatchesAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	w, ann := withAnn(t)
	token := w.appToken(allPermissions...)
	one := `{"id":"1","method":"GET","url":"/users"}`
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf(`{"id":"%d","method":"GET","url":"/users"}`, i))
	}
	deletion := `{"id":"0","method":"DELETE","url":"/users/` + ann + `"},` // of which nothing is to come
	for _, c := range []struct{ name, body, message string }{
		{"empty", ``, "Unable to read JSON request payload."},
		{"no requests", `{}`, `{"requests":[…]}`},
		{"something else", `{"requests":[` + one + `],"x":1}`, `{"requests":[…]}`},
		{"no list", `{"requests":{}}`, "a list of 1 to 20"},
		{"null", `{"requests":null}`, "a list of 1 to 20"},
		{"none", `{"requests":[]}`, "a list of 1 to 20"},
		{"too many", `{"requests":[` + strings.Join(many, ",") + `]}`, "exceeds the maximum value of 20: there are 21."},
		{"no object", `{"requests":[1]}`, "Unable to read JSON request payload."},
		{"unknown property", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","atomicityGroup":"g"}]}`, "Invalid property 'atomicityGroup'."},
		{"no id", `{"requests":[` + deletion + `{"method":"GET","url":"/users"}]}`, "'id'"},
		{"empty id", `{"requests":[` + deletion + `{"id":"","method":"GET","url":"/users"}]}`, "'id'"},
		{"id of another type", `{"requests":[` + deletion + `{"id":true,"method":"GET","url":"/users"}]}`, "property 'id'"},
		{"an id in another letter case", `{"requests":[` + deletion + `{"id":"a","method":"GET","url":"/users"},{"id":"A","method":"GET","url":"/users"}]}`, "Request Id A has to be unique in a batch."},
		{"a number twice", `{"requests":[` + deletion + `{"id":1,"method":"GET","url":"/users"},{"id":1,"method":"GET","url":"/users"}]}`, "Request Id 1 has to be unique in a batch."},
		{"a number and a text", `{"requests":[` + deletion + `{"id":1,"method":"GET","url":"/users"},{"id":"1","method":"GET","url":"/users"}]}`, "Request Id 1 has to be unique in a batch."},
		{"a body without its type", `{"requests":[` + deletion + `{"id":"1","method":"POST","url":"/users","body":{}}]}`, "Write request with id '1' does not contain a Content-Type header."},
		{"an id twice", `{"requests":[` + deletion + one + `,` + one + `]}`, "Request Id 1 has to be unique in a batch."},
		{"no method", `{"requests":[` + deletion + `{"id":"1","url":"/users"}]}`, "the method must be one of GET"},
		{"unknown method", `{"requests":[` + deletion + `{"id":"1","method":"TRACE","url":"/users"}]}`, "the method must be one of GET"},
		{"no url", `{"requests":[` + deletion + `{"id":"1","method":"GET"}]}`, "relative to '" + w.server.URL + "/v1.0'"},
		{"an absolute url", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"https://graph.microsoft.com/v1.0/users"}]}`, "relative to"},
		{"a host", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"//example.com/users"}]}`, "relative to"},
		{"a url badly encoded", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users/%zz"}]}`, "not encoded"},
		{"headers that are none", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","headers":{"a":1}}]}`, "property 'headers'"},
		{"a body not in base64", `{"requests":[` + deletion + `{"id":"1","method":"PUT","url":"/users","headers":{"Content-Type":"text/plain"},"body":"%"}]}`, "base64"},
		{"depends on no list", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","dependsOn":"0"}]}`, "property 'dependsOn'"},
		{"depends on nobody", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","dependsOn":["9"]}]}`, "'9', which is not in the batch"},
		{"depends on itself", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","dependsOn":["1"]}]}`, "depends on itself"},
		{
			"depend on each other", `{"requests":[` + deletion + `{"id":"1","method":"GET","url":"/users","dependsOn":["2"]},{"id":"2","method":"GET","url":"/users","dependsOn":["0","1"]}]}`,
			"Request '1' depends on itself, by way of",
		},
	} {
		seq := w.tenant.Image().Seq
		got := w.do("POST", "/v1.0/$batch", token, c.body)
		if got.status != http.StatusBadRequest || !strings.Contains(readMessage(got.body), c.message) {
			t.Errorf("%s: %d %s, want a message with %s", c.name, got.status, got.body, c.message)
		}
		if w.tenant.Image().Seq != seq {
			t.Errorf("%s: something was done", c.name)
		}
	}
	got := w.do("POST", "/v1.0/$batch", token, `{"requests":["`+strings.Repeat("x", wire.MaxBody)+`"]}`)
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large batch: %d %s", got.status, got.body)
	}
}

func readMessage(body string) string {
	var problem struct{ Error struct{ Message string } }
	_ = json.Unmarshal([]byte(body), &problem)
	return problem.Error.Message
}

func TestTwentyChangesInOneBatchAllCount(t *testing.T) {
	t.Parallel()
	w, _ := withAnn(t)
	var requests []string
	for i := range maxSteps {
		requests = append(requests, fmt.Sprintf(`{"id":"%d","method":"POST","url":"/groups","headers":{"Content-Type":"application/json"},"body":{"displayName":"G%d","mailEnabled":false,"mailNickname":"g%d","securityEnabled":true}}`, i, i, i))
	}
	got := w.do("POST", "/v1.0/$batch", w.appToken(allPermissions...), `{"requests":[`+strings.Join(requests, ",")+`]}`)
	var answers struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    struct{ ID, DisplayName string }
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answers); err != nil || len(answers.Responses) != maxSteps {
		t.Fatalf("%v %s", err, got.body)
	}
	for i, a := range answers.Responses {
		if a.ID != fmt.Sprint(i) || a.Status != http.StatusCreated || a.Body.DisplayName != "G"+a.ID ||
			!strings.HasSuffix(a.Headers["Location"], a.Body.ID) {
			t.Errorf("%+v", a)
		}
	}
	if groups := w.tenant.Image().Directory.Groups(); groups != maxSteps {
		t.Errorf("there are %d groups", groups)
	}
}

func FuzzBatch(f *testing.F) {
	w, ann := withAnn(f)
	token := w.appToken(allPermissions...)
	for _, seed := range []string{
		`{"requests":[{"id":"1","method":"GET","url":"/users/` + ann + `","dependsOn":["2"]},{"id":"2","method":"GET","url":"/users?$top=1"}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"/groups","body":{"displayName":"a"},"headers":{"Content-Type":"application/json","Prefer":"return=minimal"}}]}`,
		`{"requests":[{"id":"1","method":"PUT","url":"users/$count","body":"YQ==","headers":{"Content-Type":"text/plain"}}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"/$batch","body":{"requests":[]}},{"id":"2","method":"GET","url":"/me","dependsOn":["1"]}]}`,
	} {
		f.Add(seed)
	}
	api := New(w.config())
	f.Fuzz(func(t *testing.T, body string) {
		request := httptest.NewRequest(http.MethodPost, "/v1.0/$batch", strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", wire.JSONType)
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		var answers struct {
			Responses []struct {
				ID     string
				Status int
			}
		}
		err := json.Unmarshal(answer.Body.Bytes(), &answers)
		if err != nil || answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest {
			t.Fatalf("%s: %d %v %s\n%s", body, answer.Code, err, answer.Body, w.logged())
		}
		seen := map[string]bool{}
		for _, a := range answers.Responses {
			if a.Status < 200 || a.Status >= 500 && a.Status != http.StatusNotImplemented {
				t.Fatalf("%s: %+v\n%s", body, a, w.logged())
			}
			if seen[a.ID] {
				t.Fatalf("%s: '%s' is answered twice", body, a.ID)
			}
			seen[a.ID] = true
		}
	})
}
