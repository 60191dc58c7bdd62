package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"licensor/internal/server"
)

// readers are the commands that read, and what each prints of newContent as a table and as CSV.
var readers = []struct {
	args       []string
	text, line string
}{
	{[]string{"errors"}, "ben@contoso.example  ENTERPRISEPACK  Sales  CountViolation", "ben@contoso.example,ENTERPRISEPACK,Sales,CountViolation,"},
	{[]string{"errors", "--error", "CountViolation,Other", "--sku", "enterprisepack", "--group", "Sales", "--since", "1d", "--filter", "error ne 'Other'", "--order", "since desc"}, "→ Free or buy 1 more", "ben@contoso.example,"},
	{[]string{"errors", "--usage-location", "DE"}, "There are no license errors.", ""},
	{[]string{"errors", "--department", "Sales", "--before", "2020-01-01", "--sku", e3}, "There are no license errors.", ""},
	{[]string{"errors", "--summary"}, "1 users with license errors", "remedy,1,"},
	{[]string{"errors", "--summary", "--since", "2020-01-01T00:00:00Z"}, "ENTERPRISEPACK", "product,1,"},
	{[]string{"explain", "ben@contoso.example"}, "ENTERPRISEPACK  Sales  Error  CountViolation", "ENTERPRISEPACK,Sales,Error,CountViolation,"},
	{[]string{"explain", ann}, "Adler, Ann, ann@contoso.example (" + ann + ")", "ENTERPRISEPACK,Sales,Active,,,"},
	{[]string{"explain", "ben@contoso.example", "--plan", "SHAREPOINTENTERPRISE"}, "but that license is in error. No seat", "ENTERPRISEPACK,Sales,Error,CountViolation,"},
	{[]string{"explain", "ann@contoso.example", "--plan", "EXCHANGE_S_STANDARD"}, "No license of the user has it.", ""},
	{[]string{"products"}, "ENTERPRISEPACK  Office 365 E3      1     1           0        1         1", "ENTERPRISEPACK,Office 365 E3,1,1,0,1,1,0,"},
	{[]string{"users"}, "ann@contoso.example    Adler, Ann                 DE        true     ENTERPRISEPACK", `ann@contoso.example,"Adler, Ann",,DE,true,ENTERPRISEPACK,` + ann},
	{[]string{"users", "--filter", "assignedLicenses/$count eq 0", "--order", "displayName desc"}, "Ben", "ben@contoso.example,Ben,,,false,,"},
	{[]string{"users", "--search", "adler", "--select", "id,otherMails,accountEnabled,manager"}, ann + "  a@x.example;b@x.example  true", ann + ",a@x.example;b@x.example,true,"},
	{[]string{"users", "--search", `"displayName:none"`}, "No user was found.", ""},
	{[]string{"groups"}, "Sales      assigned  ENTERPRISEPACK        3         1  " + sales, "Sales,assigned,ENTERPRISEPACK,3,1," + sales},
	{[]string{"groups", "--filter", "hasMembersWithLicenseErrors eq true", "--select", "displayName"}, "displayName\nSales\n", "Sales"},
	{[]string{"groups", "--search", "Market"}, "Marketing", "Marketing,assigned,,0,0,"},
	{[]string{"costs"}, "EUR        21.90  21.90        0.00         0.00       0.00   21.90", "EUR,21.90,21.90,0.00,0.00,0.00,21.90"},
	{[]string{"costs", "--by", "group"}, "Sales", "Sales,EUR,21.90,0.00,0.00,0.00,21.90," + sales},
	{[]string{"costs", "--by", "department"}, "Unassigned  EUR       21.90", "Unassigned,EUR,21.90,"},
	{[]string{"log"}, "reprocessLicenseAssignment     1     0     1      0       0", "6,"},
	{[]string{"log", "--since", "1d", "--operation", "reprocessLicenseAssignment", "--sku", "enterprisepack", "--group", "Sales", "--user", "ben@contoso.example"}, "reprocess", "6,"},
	{[]string{"log", "--before", "2020-01-01", "--author", "nobody"}, "There are no such commits.", ""},
	{[]string{"log", "1"}, "It did nothing to licenses.", ""},
	{[]string{"log", "6"}, "Reprocessed 3 users: 0 fixed, 1 newly in error", "ben@contoso.example,ENTERPRISEPACK,fail,CountViolation,Sales,"},
	{[]string{"history", "ben@contoso.example"}, "ENTERPRISEPACK  fail     CountViolation  Sales", "6,"},
	{[]string{"history", "Sales"}, "import", "6,"},
	{[]string{"overview"}, "errors    users waiting for a seat", "errors,users waiting for a seat,1"},
}

// Each command that reads prints the same of a server and of a file, and of a server in all forms.
func TestCommandsThatRead(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	copied, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	_, args := newServerWith(t, server.Options{Data: newFile(t, "licensor.db", string(copied))}, nil)
	for name, where := range map[string][]string{"a server": args, "a file": {"--data", data}} {
		t.Run(name, func(t *testing.T) { // one command after the other: they share the file
			t.Parallel()
			for _, reader := range readers {
				run := func(more ...string) string {
					t.Helper()
					code, stdout, stderr := call(t, rootCommand(), slices.Concat(reader.args, more, where)...)
					if code != exitDone {
						t.Errorf("%v: exit code %d, %s", reader.args, code, stderr)
					}
					return stdout
				}
				if got := run(); !strings.Contains(got, reader.text) {
					t.Errorf("%v prints %s\nwithout %q", reader.args, got, reader.text)
				}
				if name == "a file" { // forms are made of the same answers
					continue
				}
				got := run("--csv")
				lines, err := csv.NewReader(strings.NewReader(got)).ReadAll()
				rows := len(lines) - 1
				asWanted := (reader.line == "") == (rows == 0) && strings.Contains(got, "\n"+reader.line)
				if err != nil || !asWanted {
					t.Errorf("%v prints CSV %s\nwithout %q: %v", reader.args, got, reader.line, err)
				}
				var whole map[string]any
				if err := json.Unmarshal([]byte(run("--json")), &whole); err != nil || len(whole) < 2 {
					t.Errorf("%v prints JSON with %v, %v", reader.args, whole, err)
				}
			}
		})
	}
}

// TestRemediesAreInTheCSV reads the column of remedies.
func TestRemediesAreInTheCSV(t *testing.T) {
	t.Parallel()
	data := newContent(t)
	for _, command := range [][]string{{"errors"}, {"explain", "ben@contoso.example"}} {
		code, stdout, stderr := call(t, rootCommand(), slices.Concat(command, []string{"--csv", "--data", data})...)
		lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
		if code != exitDone || err != nil || len(lines) < 2 {
			t.Fatalf("%v: exit code %d, %s%s, %v", command, code, stdout, stderr, err)
		}
		last := len(lines[0]) - 1
		want := "Free or buy 1 more of ENTERPRISEPACK, then reprocess the user."
		if lines[0][last] != "remedies" || lines[1][last] != want {
			t.Errorf("%v prints %q", command, lines)
		}
	}
}

func TestNumbersOfGroupsAreInTheJSON(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := call(t, rootCommand(), "groups", "--json", "--filter", "displayName eq 'Sales'", "--data", newContent(t))
	var got struct {
		Value []struct {
			ID                            string
			MemberCount, MemberErrorCount int
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitDone || len(got.Value) != 1 ||
		got.Value[0].ID != sales || got.Value[0].MemberCount != 3 || got.Value[0].MemberErrorCount != 1 {
		t.Errorf("exit code %d, %s, %v: %s", code, stdout, err, stderr)
	}
}

func TestCommandsThatReadSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	data := newDatabase(t)
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"errors", "--since", "yesterday"}, exitUsage, "write a time as 2026-01-31T12:00:00Z"},
		{[]string{"errors", "--before", "forever"}, exitUsage, "--before is"},
		{[]string{"errors", "--summary", "--order", "since"}, exitUsage, "none of the others can be"},
		{[]string{"errors", "--sku", "NOTHING"}, exitFailed, "`licensor products` lists those it has"},
		{[]string{"errors", "--group", "Nowhere"}, exitFailed, "there is no group with the displayName"},
		{[]string{"errors", "--filter", "x eq 1"}, exitFailed, "Invalid filter clause: The condition at position 4 of the filter is not"},
		{[]string{"errors", "--error", "Foo"}, exitFailed, "'Foo' is not a license error: the errors are"},
		{[]string{"explain", "none@contoso.example"}, exitFailed, "there is no user"},
		{[]string{"explain", "admin@contoso.example", "--plan", "NOTHING"}, exitFailed, "no service plan"},
		{[]string{"explain"}, exitUsage, "accepts 1 arg"},
		{[]string{"log", "1", "--user", "x"}, exitUsage, "cannot be used with the number of one"},
		{[]string{"log", "--since", "yesterday"}, exitUsage, "write a time as"},
		{[]string{"log", "99999"}, exitFailed, "404"},
		{[]string{"log", "--filter", "x eq 1"}, exitFailed, "400"},
		{[]string{"history", "Nowhere"}, exitFailed, "there is no group with the displayName"},
		{[]string{"undo", "99999"}, exitFailed, "404"},
		{[]string{"undo"}, exitUsage, "accepts 1 arg"},
		{[]string{"costs", "--by", "name"}, exitFailed, "must be department"},
		{[]string{"users", "--select", "nothing"}, exitFailed, "400"},
		{[]string{"products", "--limit", "-1"}, exitUsage, "--limit is -1"},
	} {
		code, stdout, stderr := call(t, rootCommand(), append(test.args, "--data", data)...)
		if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, %s%s; want %d, %q", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}
