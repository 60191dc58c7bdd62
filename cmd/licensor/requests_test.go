package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"licensor/internal/server"
)

// Every request of the specification's cases/requests.md is answered rightly by the demo. The
// requests are in testdata/requests.txt, which also says how to write one.
func TestRequestsOfClientsAreAnsweredRightly(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	runDemo(t, func(_ string, login server.Login) {
		c := newClient(t, login)
		for _, asked := range regexp.MustCompile(`(?m)^\d.*(?:\n  .*)*`).FindAllString(string(text), -1) {
			c.try(asked)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.known["accessToken"]+"..", ".")[1])
		if err != nil || !strings.Contains(string(payload), `"app_displayname"`) {
			t.Errorf("row 40: the token says %s, %v", payload, err)
		}
	})
	if spec := os.Getenv("LICENSOR_SPEC"); spec != "" {
		everyRow(t, filepath.Join(spec, "cases", "requests.md"), string(text))
	}
}

// everyRow looks for a request of each row of the specification.
func everyRow(t *testing.T, path, text string) {
	t.Helper()
	handed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(handed), -1)
	if len(rows) < 50 {
		t.Errorf("%s has %d rows", path, len(rows))
	}
	for _, row := range rows {
		if !regexp.MustCompile(`(?m)^` + row[1] + ` \d`).MatchString(text) {
			t.Errorf("no request is of row %s", row[1])
		}
	}
}

// client asks the demo, and knows what its answers have told.
type client struct {
	*testing.T
	root   string
	known  map[string]string
	tokens map[string]string // by caller
}

func newClient(t *testing.T, login server.Login) *client {
	c := &client{t, login.Graph, map[string]string{
		"upn": login.UserName, "domain": login.Domain, "tenant": login.TenantID,
		"E3": "6fd2c87f-b296-42f0-b197-1e91e994b900", "EXO": "19ec0d23-8335-4cbd-94ac-6050e30712fa",
	}, map[string]string{}}
	answer, err := http.PostForm(login.Authority+"/"+login.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {login.ClientID}, "client_secret": {login.ClientSecret}, "scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("the demo's application got no token: %v", err)
	}
	c.tokens[""] = token.AccessToken
	c.try("0 200 GET /v1.0/users/<upn>\n  u=id")
	c.try("0 200 GET /v1.0/groups?$filter=displayName eq 'Sales'\n  g=id")
	return c
}

var requestLine = regexp.MustCompile(`^(\d+) (\d+) (H )?(?:as (\w+ [\w.-]+): )?(\w+) (.*?)(?: (\{.*|addLicenses=))?$`)

// keeping is what a line says that keeps a member of the answer: new=id.
var keeping = regexp.MustCompile(`^(\w+)=(@?[\w.]+)$`)

// try sends a request as it stands in testdata/requests.txt, and compares the answer.
func (c *client) try(asked string) {
	c.Helper()
	lines := strings.Split(c.replaced(asked), "\n")
	m := requestLine.FindStringSubmatch(lines[0])
	if m == nil {
		c.Fatalf("not a request: %s", lines[0])
	}
	status, body := c.send(m[5], m[6], m[7], c.token(m[4]), m[3] != "")
	if status != m[2] {
		c.Errorf("row %s: %s %s: %s, want %s: %.300s", m[1], m[5], m[6], status, m[2], body)
		return
	}
	for _, line := range lines[1:] {
		line = strings.TrimSpace(line)
		unwanted, isNot := strings.CutPrefix(line, "! ")
		kept := keeping.FindStringSubmatch(line)
		switch {
		case kept != nil:
			c.keep(kept[1], kept[2], body)
		case isNot && strings.Contains(body, unwanted), !isNot && !strings.Contains(body, line):
			c.Errorf("row %s: %s %s says %.300s, and of that: %s", m[1], m[5], m[6], body, line)
		}
	}
}

func (c *client) replaced(text string) string {
	for name, value := range c.known {
		text = strings.ReplaceAll(text, "<"+name+">", value)
	}
	return text
}

// keep takes a member of an answer, or of the only object in it.
func (c *client) keep(name, member, body string) {
	c.Helper()
	var answer map[string]any
	_ = json.Unmarshal([]byte(body), &answer)
	if list, ok := answer["value"].([]any); ok && len(list) == 1 {
		answer, _ = list[0].(map[string]any)
	}
	value, _ := answer[member].(string)
	if c.known[name] = value; value == "" {
		c.Errorf("no %s in %.300s", member, body)
	}
}

// token returns that of a caller: "user User.Read", which is <u>, or "app User.Read.All".
func (c *client) token(caller string) string {
	c.Helper()
	if c.tokens[caller] == "" {
		kind, permission, _ := strings.Cut(caller, " ")
		wanted := `{"permissions":["` + permission + `"]}`
		if kind == "user" {
			wanted = `{"user":"` + c.known["u"] + `","scopes":["` + permission + `"]}`
		}
		_, body := c.send(http.MethodPost, "/licensor/v1/development/tokens", wanted, c.tokens[""], false)
		c.keep("token", "accessToken", body)
		c.tokens[caller] = c.known["token"]
	}
	return c.tokens[caller]
}

// send answers the status and the body. A body that is not JSON is sent as a form.
func (c *client) send(method, address, body, token string, eventual bool) (status, answer string) {
	c.Helper()
	if !strings.HasPrefix(address, "http") {
		path, query, _ := strings.Cut(address, "?")
		address = c.root + path + "?" + strings.NewReplacer(" ", "%20", `"`, "%22").Replace(query)
	}
	r, err := http.NewRequestWithContext(c.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if r.Header.Set("Content-Type", "application/json"); body != "" && body[0] != '{' {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if eventual {
		r.Header.Set("ConsistencyLevel", "eventual")
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if err != nil {
		c.Fatal(err)
	}
	return got.Status[:3], string(data)
}
