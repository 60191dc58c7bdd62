package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"licensor/internal/importing"
)

const (
	ann      = "a0000000-0000-4000-8000-000000000001"
	ben      = "a0000000-0000-4000-8000-000000000002"
	sales    = "b0000000-0000-4000-8000-000000000001"
	e3       = "6fd2c87f-b296-42f0-b197-1e91e994b900"
	usersCSV = "userPrincipalName,displayName,mailNickname,accountEnabled,usageLocation,otherMails,id\n" +
		"ann@contoso.example,\"Adler, Ann\",ann,TRUE,DE,a@x.example; b@x.example," + ann + "\n" +
		"ben@contoso.example,Ben,ben,false,,," + ben + "\n"
	usersLines = `{"userPrincipalName":"ann@contoso.example","displayName":"Adler, Ann","mailNickname":"ann","accountEnabled":true,"usageLocation":"DE","otherMails":["a@x.example","b@x.example"],"id":"` + ann + `"}` + "\n" +
		`{"userPrincipalName":"ben@contoso.example","displayName":"Ben","mailNickname":"ben","accountEnabled":false,"id":"` + ben + `"}` + "\n"
	groupsCSV  = "id;displayName;mailNickname;mailEnabled;securityEnabled\n" + sales + ";Sales;sales;false;true\n"
	membersCSV = "group,member\n" + sales + "," + ann + "\n" + sales + ",ben@contoso.example\n"
)

// summary runs an import with --json and returns what it tells of its files.
func summary(t *testing.T, code int, args ...string) []importing.Result {
	t.Helper()
	got, stdout, stderr := call(t, rootCommand(), append([]string{"import", "--json"}, args...)...)
	if got != code {
		t.Fatalf("exit code %d, want %d: %s%s", got, code, stdout, stderr)
	}
	var answer struct{ Files []importing.Result }
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return answer.Files
}

func TestImportTakesEveryFormat(t *testing.T) {
	t.Parallel()
	inList := "[" + strings.Replace(strings.TrimSpace(usersLines), "\n", ",\n", 1) + "]"
	for name, content := range map[string]string{
		"users.csv":                 usersCSV,
		"users with semicolons":     strings.ReplaceAll(strings.ReplaceAll(usersCSV, "; ", "|"), ",", ";"),
		"users of a spreadsheet":    "\ufeffsep=,\r\n" + strings.ReplaceAll(usersCSV, "\n", "\r\n"),
		"users.ndjson":              usersLines,
		"users.json":                inList,
		"users of Graph.json":       `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":` + inList + "}",
		"users in two pages.json":   pages(usersLines),
		"users in many lines.jsonl": indented(usersLines, ""),
		"users of an export.jsonl":  indented(usersLines, "user"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "users with semicolons" { // quoted cells keep their commas, lists their semicolons
				content = strings.ReplaceAll(strings.ReplaceAll(content, "Adler; Ann", "Adler, Ann"), "a@x.example|b@x.example", `"a@x.example;b@x.example"`)
			}
			data := newDatabase(t)
			got := summary(t, exitDone, "--data", data, newFile(t, name, content))[0]
			if got.Kind != importing.KindUsers || got.Rows != 2 || got.Imported != 2 {
				t.Errorf("%+v", got)
			}
			with(t, data, func(c *connection) { isAnn(t, c) })
		})
	}
}

// indented writes each object in several lines, within another one if that has a name.
func indented(lines, name string) string {
	var b bytes.Buffer
	for line := range strings.Lines(lines) {
		if name != "" {
			line = `{"` + name + `":` + strings.TrimSpace(line) + "}\n"
		}
		_ = json.Indent(&b, []byte(line), "", "  ") // it is valid
	}
	return b.String()
}

func pages(lines string) string {
	first, second, _ := strings.Cut(strings.TrimSpace(lines), "\n")
	return `{"value":[` + first + `],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=x"}` + "\n" + `{"value":[` + second + `]}`
}

func isAnn(t *testing.T, c *connection) {
	t.Helper()
	var user struct {
		ID, DisplayName, UsageLocation string
		AccountEnabled                 bool
		OtherMails                     []string
	}
	if err := c.get(t.Context(), "/v1.0/users/ann@contoso.example?$select=id,displayName,usageLocation,accountEnabled,otherMails", &user); err != nil {
		t.Fatal(err)
	}
	if user.ID != ann || user.DisplayName != "Adler, Ann" ||
		user.UsageLocation != "DE" || !user.AccountEnabled || len(user.OtherMails) != 2 {
		t.Errorf("%+v", user)
	}
}

func TestImportTakesWhatOthersReferToFirst(t *testing.T) {
	t.Parallel()
	_, args := newServer(t, nil)
	files := []string{
		newFile(t, "group-members.csv", membersCSV), newFile(t, "bought.csv", "skuId,totalLicenses\n"+e3+",5\n"),
		newFile(t, "groups.csv", groupsCSV), newFile(t, "all.csv", usersCSV),
	}
	code, stdout, stderr := call(t, rootCommand(), append(append([]string{"import"}, args...), files...)...)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	var order []string
	for line := range strings.Lines(stdout) {
		order = append(order, strings.Join(strings.Fields(line)[1:], " "))
	}
	want := "KIND ROWS IMPORTED SKIPPED REFUSED|users 2 2 0 0|groups 1 1 0 0|members 2 2 0 0|subscriptions 1 1 0 0"
	if strings.Join(order, "|") != want {
		t.Errorf("%s\nwant %s", stdout, want)
	}
}

func TestRefusedRowsAreToldWithTheirLine(t *testing.T) {
	t.Parallel()
	content := "userPrincipalName,displayName,mailNickname,accountEnabled,favouriteColour\n" +
		"ann@contoso.example,Ann,ann,yes,\n" + // 2: no boolean
		"\n" +
		"ben@contoso.example,\"Ben\nof the\nlong name\",ben,true,blue\n" + // 4 to 6
		"eve@fabrikam.example,Eve,eve,true,\n" + // 7: another's domain
		"ida@contoso.example,\"Ida,ida,true,\n" + // 8: not closed
		"leo@contoso.example,\"Leo\",leo,true,\n" + // 9
		"mia@contoso.example,Mia,mia\n" + // 10: too few
		"leo@contoso.example,Leo,leo2,true,\n" // 11: taken
	data := newDatabase(t)
	got := summary(t, exitPartial, "--data", data, newFile(t, "users.csv", content))[0]
	if got.Rows != 7 || got.Imported != 2 || got.Refused != 5 ||
		len(got.Notes) != 1 || !strings.Contains(got.Notes[0], `"favouriteColour"`) {
		t.Errorf("%+v", got)
	}
	want := map[int]string{2: "true or false", 7: "userPrincipalName", 8: "not closed", 10: "3 cells, and the header 5", 11: "userPrincipalName"}
	for _, p := range got.Problems {
		if want[p.Line] == "" || !strings.Contains(p.Message, want[p.Line]) {
			t.Errorf("line %d: %s; want %q", p.Line, p.Message, want[p.Line])
		}
	}
	with(t, data, func(c *connection) {
		if n := count(t, c, "/v1.0/users"); n != 2+1 {
			t.Errorf("%d users, with the administrator", n)
		}
	})
}

func TestRefusedRowsAreShown(t *testing.T) {
	t.Parallel()
	file := newFile(t, "users.csv", usersCSV+strings.Repeat("x@fabrikam.example,X,x,true,,,\n", maxShown+5))
	code, _, stderr := call(t, rootCommand(), "import", "--data", newDatabase(t), file)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if code != exitPartial || len(lines) != maxShown+2 || !strings.HasPrefix(lines[0], file+":4: ") ||
		lines[maxShown+1] != "licensor: 25 rows were refused" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestImportStopsAtTheFirstRefusedRowWhenTold(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	first, second := newFile(t, "users.csv", usersCSV+"x,y\nlate@contoso.example,Late,late,true,,,\n"), newFile(t, "groups.csv", groupsCSV)
	got := summary(t, exitPartial, "--data", data, "--on-error", "stop", first, second)
	if len(got) != 1 || got[0].Rows != 3 || got[0].Imported != 2 {
		t.Errorf("%+v", got)
	}
}

// pieceRows is how many rows are sent at once.
const pieceRows = importing.PieceRows

// manyUsers is a file of n users, the third of which cannot be read.
func manyUsers(n int) string {
	var b strings.Builder
	b.WriteString("userPrincipalName,displayName,mailNickname,accountEnabled\n")
	for i := 1; i <= n; i++ {
		if i == 3 {
			b.WriteString("a,b\n")
			continue
		}
		fmt.Fprintf(&b, "user%d@contoso.example,User %d,user%d,true\n", i, i, i)
	}
	return b.String()
}

func TestAnImportThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	var chunks atomic.Int32
	_, args := newServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		broken := strings.HasSuffix(r.URL.Path, "/import") && chunks.Add(1) == 2
		if broken {
			http.Error(w, "the roof is on fire", http.StatusInternalServerError)
		}
		return broken
	})
	file := newFile(t, "users.csv", manyUsers(2*importing.PieceRows+500))
	args = append(args, file)
	if got := summary(t, exitFailed, args...)[0]; got.Imported != pieceRows-1 {
		t.Errorf("cut off: %+v", got)
	}
	got := summary(t, exitPartial, args...)[0]
	if got.Rows != 2*pieceRows+500 || got.Skipped != pieceRows-1 || got.Imported != pieceRows+500 || got.Refused != 1 {
		t.Errorf("again: rows %d, skipped %d, imported %d, refused %d", got.Rows, got.Skipped, got.Imported, got.Refused)
	}
	want := fmt.Sprintf("up to line %d were sent by an earlier run", pieceRows+1)
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], want) {
		t.Errorf("it notes %q", got.Notes)
	}
	got = summary(t, exitPartial, append(args, "--restart")...)[0]
	if got.Skipped != 0 || got.Existing != got.Rows-1 || got.Refused != 1 {
		t.Errorf("restarted: %+v", got)
	}
}

func TestTheStandardInputIsAlwaysNew(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, want := range []int{exitDone, exitPartial} {
		var out, err strings.Builder
		code := execute(t.Context(), rootCommand(), []string{"import", "--data", data, "-"}, strings.NewReader(usersCSV), &out, &err)
		if code != want {
			t.Errorf("exit code %d, want %d: %s%s", code, want, out.String(), err.String())
		}
	}
}

func TestSubscriptionsOfGraphAreTaken(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	file := newFile(t, "subscribedSkus.json", `{"value":[
		{"skuId":"`+e3+`","skuPartNumber":"ENTERPRISEPACK","prepaidUnits":{"enabled":7,"warning":0,"suspended":0,"lockedOut":0},"consumedUnits":3},
		{"id":"x","skuId":"`+e3+`","totalLicenses":4,"status":"Enabled","isTrial":false,"nextLifecycleDateTime":null,"ownerType":null},
		{"skuId":"`+e3+`","prepaidUnits":{"enabled":1,"warning":1}}]}`)
	got := summary(t, exitPartial, "--data", data, file)[0]
	if got.Imported != 2 || len(got.Problems) != 1 || got.Problems[0].Line != 4 ||
		!strings.Contains(got.Problems[0].Message, "several states") {
		t.Errorf("%+v", got)
	}
	with(t, data, func(c *connection) {
		var skus struct {
			Value []struct{ PrepaidUnits struct{ Enabled int } }
		}
		err := c.get(t.Context(), "/v1.0/subscribedSkus", &skus)
		if err != nil || len(skus.Value) != 1 || skus.Value[0].PrepaidUnits.Enabled != 11 {
			t.Errorf("%+v, %v", skus, err)
		}
	})
}

func TestFilesThatCannotBeImported(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		args          []string
		code          int
		want          string
	}{
		{"users.csv", "", nil, exitFailed, "the file is empty"},
		{"users.csv", "\xff\xfeu\x00", nil, exitFailed, "UTF-16"},
		{"users.xlsx", "PK\x03\x04", nil, exitFailed, "workbook"},
		{"users.csv", "userPrincipalName,UserPrincipalName\n", nil, exitFailed, "duplicate column userPrincipalName"},
		{"users.csv", "name,mail\n", nil, exitFailed, "no column userPrincipalName"},
		{"things.csv", "id,displayName\n", nil, exitUsage, "--kind"},
		{"users.csv", usersCSV, []string{"--kind", "devices"}, exitUsage, "it must be users, groups, members or subscriptions"},
		{"users.csv", usersCSV, []string{"--on-error", "cry"}, exitUsage, "it must be skip or stop"},
		{"users.json", `[{"userPrincipalName":"x"},` + "\n" + `{"broken"]`, nil, exitFailed, "line 2: the JSON is broken"},
	}
	data := newDatabase(t)
	for _, test := range tests {
		args := append([]string{"import", "--data", data, newFile(t, test.name, test.content)}, test.args...)
		code, _, stderr := call(t, rootCommand(), args...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%s %q: exit code %d, %s; want %d, %q", test.name, test.content, code, stderr, test.code, test.want)
		}
	}
	if code, _, stderr := call(t, rootCommand(), "import", "--data", data, os.DevNull+"x"); code != exitFailed {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestAPageOfSeveralIsNoted(t *testing.T) {
	t.Parallel()
	file := newFile(t, "users.json", `{"value":[`+strings.Split(usersLines, "\n")[0]+`],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=x"}`)
	got := summary(t, exitDone, "--data", newDatabase(t), file)[0]
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "nextLink") {
		t.Errorf("%+v", got)
	}
}
