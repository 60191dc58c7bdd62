package graph

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/identity"
	"licensor/internal/signins"
	"licensor/internal/tenant"
)

// TestScenarios plays testdata/scenarios/*.txtar over HTTP, each on a server of its own. README.txt
// next to them says how they are written.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	seen := newWitnesses()
	t.Cleanup(func() { seen.compare(t, len(files)) })
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			newScenario(t, w, seen).play(string(text))
			checkTrail(t, w.tenant)
			if log := w.logged(); log != "" {
				t.Errorf("the server logged: %s", log)
			}
			seen.mutex.Lock()
			seen.played++
			seen.mutex.Unlock()
		})
	}
}

func newScenario(t *testing.T, w *world, seen *witnesses) *scenario {
	s := &scenario{world: w, t: t, known: catalogNames(), seen: seen}
	s.known["tenant"] = w.tenant.ID().String()
	s.known["root"] = w.server.URL
	return s
}

// catalogNames are the ids of the built-in catalog: <sku:ENTERPRISEPACK>,
// <plan:EXCHANGE_S_ENTERPRISE>.
func catalogNames() map[string]string {
	names := map[string]string{}
	c := catalog.BuiltIn()
	for _, p := range c.Products {
		names["sku:"+p.SKUPartNumber] = p.SKUID.String()
	}
	for _, p := range c.ServicePlans {
		names["plan:"+p.Name] = p.ID.String()
	}
	return names
}

// scenario is a story on its way: known are the names that ids and other texts have got.
type scenario struct {
	world *world
	t     *testing.T
	known map[string]string
	step  string
	seen  *witnesses
	// recast changes what is asked, and told takes what was answered, where they are not nil.
	recast *recast
	told   func(step string, got answer)
}

var stepTitle = regexp.MustCompile(`(?m)^-- (.+) --\n`)

// play takes the steps one after another; the first that goes wrong ends the story.
func (s *scenario) play(text string) {
	titles := stepTitle.FindAllStringSubmatchIndex(text, -1)
	for i, at := range titles {
		end := len(text)
		if i+1 < len(titles) {
			end = titles[i+1][0]
		}
		s.step = text[at[2]:at[3]]
		s.take(text[at[1]:end])
		if s.t.Failed() {
			return
		}
	}
}

func (s *scenario) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("-- %s --\n%s", s.step, fmt.Sprintf(format, args...))
}

// take plays one step: a request and the expected response, SETUP with objects to create, or WAIT
// and a time.
func (s *scenario) take(text string) {
	request, expected, ok := strings.Cut(text, "\n=> ")
	line, rest, _ := strings.Cut(request, "\n")
	if wait, is := strings.CutPrefix(line, "WAIT "); is {
		d, err := time.ParseDuration(strings.TrimSpace(wait))
		s.world.must(err)
		s.world.clock.Add(int64(d / time.Second))
		if part := d % time.Second; part != 0 {
			s.world.moved.Set(s.world.moved.Now().Add(part))
		}
		return
	}
	if line == "SETUP" {
		s.setUp(strings.Split(strings.TrimSpace(rest), "\n"))
		return
	}
	method, path, found := strings.Cut(line, " ")
	if !ok || !found {
		s.fail("a step is a line METHOD /path, headers, a body, and => status")
	}
	headers, body := headersOf(rest)
	token := s.token(headers["As"])
	delete(headers, "As")
	var lines []string
	for name, value := range headers {
		lines = append(lines, name+": "+s.fill(value))
	}
	seq := s.world.tenant.Image().Seq
	path = strings.TrimPrefix(s.fill(strings.ReplaceAll(path, " ", "%20")), s.world.server.URL)
	body = s.fill(body)
	if s.recast != nil {
		path, body = s.recast.address(path), s.recast.body(body)
	}
	ask := s.world.do
	if s.recast != nil { // the answer is compared with that to the request as it is written
		ask = s.world.send
	}
	got := ask(method, path, token, body, lines...)
	if s.told != nil {
		s.told(s.step, got)
	}
	s.seen.saw(strings.TrimPrefix(s.t.Name(), "TestScenarios/"), method, path, got, body)
	s.expect(got, int(s.world.tenant.Image().Seq-seq), expected)
}

// setUp imports the given objects. Its lines: "seats PARTNUMBER 3", "users ann bob@US cid@-" with
// their locations (DE when not said, - for none), "group red: ann bob" with members. Their names
// stand for their ids from then on.
func (s *scenario) setUp(lines []string) {
	var rows, later []string
	for _, line := range lines {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "seats":
			sku, n, _ := strings.Cut(rest, " ")
			rows = append(rows, fmt.Sprintf(`{"subscription":{"skuId":"<sku:%s>","totalLicenses":%s}}`, sku, n))
		case "users":
			for name := range strings.FieldsSeq(rest) {
				rows = append(rows, s.userRow(name))
			}
		case "signIn":
			later = append(later, rest)
		case "group":
			name, members, _ := strings.Cut(rest, ":")
			s.known[name] = idOf('b', name)
			rows = append(rows, fmt.Sprintf(`{"group":{"id":"<%s>","displayName":"%s","mailEnabled":false,"mailNickname":"%s","securityEnabled":true}}`, name, name, name))
			for member := range strings.FieldsSeq(members) {
				rows = append(rows, fmt.Sprintf(`{"member":{"group":"<%s>","member":"<%s>"}}`, name, member))
			}
		default:
			s.fail("SETUP knows seats, users, group and signIn, not %q", line)
		}
	}
	defer func() {
		for _, words := range later {
			s.signIn(strings.Fields(words))
		}
	}()
	if len(rows) == 0 {
		return
	}
	got := s.world.do("POST", "/licensor/v1/import", s.world.appToken(allPermissions...), s.fill(strings.Join(rows, "\n")), "Content-Type: application/x-ndjson")
	if got.status != 200 || !strings.Contains(got.body, `"refused":0`) {
		s.fail("import: %d %s", got.status, got.body)
	}
}

// signIn reports a sign-in as the authority would: of a user, with the word page, session or token,
// and the AADSTS code of a failure; or of the application, with the word application. Its name is
// that of its id from then on.
func (s *scenario) signIn(words []string) {
	name, who, way := words[0], words[1], words[2]
	in := signins.SignIn{
		Tenant: s.world.tenant.ID(), At: s.world.now(), ID: uuid.MustParse(idOf('e', name)), AppID: s.world.app.AppID,
		AppName: "Test", Address: "192.0.2.7", Agent: firefox, Browser: way == "page" || way == "session",
		Correlation: uuid.MustParse(idOf('e', name)),
		Kind:        map[string]signins.Kind{"page": signins.KindInteractive, "application": signins.KindServicePrincipal}[way],
	}
	if len(words) > 3 {
		in.Error, _ = strconv.Atoi(words[3])
	}
	if in.Kind == "" {
		in.Kind = signins.KindNonInteractive
	}
	if s.known[name] = in.ID.String(); way == "application" {
		in.ObjectID, in.DisplayName = s.world.app.Principal.ID, "Test"
	} else if id, ok := s.known[who]; ok {
		user, err := s.world.tenant.Image().LiveUser(id)
		s.world.must(err)
		in.ObjectID, in.UserSerial = uuid.MustParse(id), tenant.UserSerial(user)
		in.Name, in.DisplayName = who+"@contoso.example", who
	}
	s.world.signIns.Report(in)
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

func (s *scenario) userRow(name string) string {
	name, location, ok := strings.Cut(name, "@")
	if !ok {
		location = "DE"
	}
	s.known[name] = idOf('a', name)
	row := fmt.Sprintf(`{"user":{"id":"<%s>","displayName":"%s","userPrincipalName":"%s@contoso.example","mailNickname":"%s","accountEnabled":true`, name, name, name, name)
	if location != "-" {
		row += fmt.Sprintf(`,"usageLocation":"%s"`, location)
	}
	return row + "}}"
}

// idOf makes an id from a name of at most six letters.
func idOf(first byte, name string) string {
	return fmt.Sprintf("%c0000000-0000-4000-8000-%s", first, strings.Repeat("0", 12-2*len(name))+hex.EncodeToString([]byte(name)))
}

// headersOf cuts lines "Name: value" from a text that continues with a body.
func headersOf(text string) (headers map[string]string, body string) {
	headers = map[string]string{}
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.ContainsAny(name, `{["`) {
			break
		}
		headers[name] = value
		text = rest
	}
	return headers, strings.TrimSpace(text)
}

// token is that of who makes the request: "app", an application that may do everything; "app A.B
// C.D", one with these permissions; "user <ann>, A.B C.D, License Administrator", a user with
// roles; "personal <ann>, A.B"; "token <name>", that of an answer; "nobody", none.
func (s *scenario) token(as string) string {
	parts := strings.Split(s.fill(as), ", ")
	kind, rest, _ := strings.Cut(parts[0], " ")
	switch kind {
	case "":
		return s.world.appToken(allPermissions...)
	case "app":
		return s.world.appToken(strings.Fields(rest)...)
	case "nobody":
		return ""
	case "token":
		return rest
	}
	var permissions []string
	if len(parts) > 1 {
		permissions = strings.Fields(parts[1])
	}
	var roles []uuid.UUID
	for _, name := range parts[min(2, len(parts)):] {
		at := slices.IndexFunc(identity.Roles, func(r identity.Role) bool { return r.Name == name })
		if at < 0 {
			s.fail("there is no role %s", name)
		}
		roles = append(roles, identity.Roles[at].ID)
	}
	return s.world.userToken(uuid.MustParse(rest), permissions, roles, kind == "personal")
}

var named = regexp.MustCompile(`<[A-Za-z][A-Za-z0-9_:.-]*>`)

// fill puts what names stand for in their place; unknown names stay.
func (s *scenario) fill(text string) string {
	return named.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := s.known[name[1:len(name)-1]]; ok {
			return value
		}
		if id, ok := strings.CutPrefix(name, "<proof:"); ok {
			return proving(s.t, s.world.now(), s.known[strings.TrimSuffix(id, ">")])
		}
		if name == "<certificate>" {
			return proving(s.t, s.world.now(), "")
		}
		return name
	})
}

// expect compares an answer with what is expected: a status, headers (Commits and Body are ours),
// and a body.
func (s *scenario) expect(got answer, commits int, expected string) {
	status, rest, _ := strings.Cut(expected, "\n")
	if strconv.Itoa(got.status) != strings.TrimSpace(status) {
		s.fail("status is %d, want %s\n%s", got.status, status, got.body)
	}
	headers, body := headersOf(rest)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := got.header.Get(name)
		switch name {
		case "Commits":
			value = strconv.Itoa(commits)
		case "Body":
			value = got.body
		}
		if err := s.matchText(headers[name], value); err != nil {
			s.fail("%s: %v\n%s", name, err, got.body)
		}
	}
	if body == "" {
		return
	}
	var want, have any
	if json.Unmarshal([]byte(body), &want) != nil {
		want, have = body, got.body
	} else if err := json.Unmarshal([]byte(got.body), &have); err != nil {
		s.fail("the answer is no JSON: %s", got.body)
	}
	if err := s.match(want, have); err != nil {
		s.fail("%v\nthe answer is %s", err, got.body)
	}
}

// match reports whether an answer is as expected. Of objects, only the members that are expected
// are checked.
func (s *scenario) match(want, have any) error {
	switch want := want.(type) {
	case map[string]any:
		return s.matchObject(want, have)
	case []any:
		return s.matchList(want, have)
	case string:
		if want == "<*>" {
			return nil
		}
		text, ok := have.(string)
		if !ok {
			return fmt.Errorf("is %v, want %q", have, want)
		}
		return s.matchText(want, text)
	}
	if !reflect.DeepEqual(want, have) {
		return fmt.Errorf("is %v, want %v", have, want)
	}
	return nil
}

func (s *scenario) matchObject(want map[string]any, have any) error {
	object, ok := have.(map[string]any)
	if !ok {
		return fmt.Errorf("is %v, want an object", have)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, there := object[name]
		if want[name] == "<absent>" && !there {
			continue
		}
		if !there {
			return fmt.Errorf("%s is missing", name)
		}
		if err := s.match(want[name], value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// matchList compares lists element by element; "<...>" at the end stands for any longer of them.
func (s *scenario) matchList(want []any, have any) error {
	list, ok := have.([]any)
	if !ok {
		return fmt.Errorf("is %v, want a list", have)
	}
	if n := len(want); n > 0 && want[n-1] == "<...>" {
		want, list = want[:n-1], list[:min(len(list), n-1)]
	}
	if len(want) != len(list) {
		return fmt.Errorf("has %d elements, want %d: %v", len(list), len(want), list)
	}
	for i := range want {
		if err := s.match(want[i], list[i]); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// matchText compares texts. A name that is not known yet gets the text; <*> within a text stands
// for anything.
func (s *scenario) matchText(want, have string) error {
	want = s.fill(want)
	if name := named.FindString(want); name != "" && name == want {
		s.known[name[1:len(name)-1]] = have
		return nil
	}
	parts := strings.Split(want, "<*>")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	flags := "(?s)"
	if s.recast != nil { // addresses of pages and messages repeat what was asked
		flags, have = "(?si)", strings.NewReplacer("%20=%20", "=", "%20=", "=", "=%20", "=").Replace(have)
	}
	if !regexp.MustCompile(flags + `^` + strings.Join(parts, ".*") + `$`).MatchString(have) {
		return fmt.Errorf("is %q, want %q", have, want)
	}
	return nil
}
