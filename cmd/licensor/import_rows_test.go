package main

import (
	"strings"
	"testing"
)

// TestRowsThatCannotBeReadAreRefusedAlone: text that is not UTF-8 and rows that are too long are
// refused with their line, in each format, and the rows after them are imported.
func TestRowsThatCannotBeReadAreRefusedAlone(t *testing.T) {
	t.Parallel()
	row := func(name, department string) string {
		return `{"userPrincipalName":"` + name + `@contoso.example","displayName":"` + name + `","mailNickname":"` + name +
			`","accountEnabled":true,"department":"` + department + `"}`
	}
	cells := func(name, department string) string {
		return name + "@contoso.example," + name + "," + name + ",true," + department
	}
	const header = "userPrincipalName,displayName,mailNickname,accountEnabled,department\n"
	long := strings.Repeat("x", 5<<20)
	rows := []string{row("ann", "a"), row("ben", "a\xff\xfeb"), row("eve", long), row("ida", strings.Repeat("x", 3<<20)), row("leo", "b")}
	for name, test := range map[string]struct {
		content string
		first   int // the line of the first row
	}{
		"users.jsonl": {strings.Join(rows, "\n"), 1},
		"users.csv": {
			header + cells("ann", "a") + "\n" + cells("ben", "a\xff\xfeb") + "\n" + cells("eve", long) + "\n" +
				cells("ida", strings.Repeat("x", 3<<20)) + "\n" + cells("leo", "b") + "\n", 2,
		},
		"users.json":          {"[" + strings.Join(rows, ",\n") + "]", 1},
		"users of Graph.json": {`{"value":[` + strings.Join(rows, ",\n") + "]}", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := summary(t, exitPartial, "--data", newDatabase(t), newFile(t, name, test.content))[0]
			if got.Rows != 5 || got.Imported != 2 || got.Refused != 3 {
				t.Fatalf("%d rows, %d imported, %+v", got.Rows, got.Imported, got.Problems)
			}
			for i, want := range []string{"UTF-8", "4 MB", "2 MB"} {
				if p := got.Problems[i]; p.Line != test.first+1+i || !strings.Contains(p.Message, want) {
					t.Errorf("line %d: %s", p.Line, p.Message)
				}
			}
		})
	}
}
