package importing

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzRows reads any file as an import does: nothing may panic, a row that is taken is one JSON
// object on one line, its line is one of the file and none is before the one read last, and what
// cannot be read ends the file.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"userPrincipalName,displayName\na@b.c,\"Ann, the\nfirst\"\n\"open\n",
		"sep=;\nuserPrincipalName;accountEnabled;displayName;mailNickname\na@b.c;true;A;a\n",
		"\xef\xbb\xbfgroup,member\n1,2\n",
		"{\"userPrincipalName\":\"a\"}\n\n[1]\n{\"a\":",
		"[{\"id\":1},\n {\"id\":2}, 3]",
		"{\"@odata.context\":\"x\",\"value\":[{\"id\":1}],\"@odata.nextLink\":\"y\"}\n{\"value\":[]}",
		"[[{}]", "{\"value\":[}", "sep=\"\na\"b", "\"a,b\n", "PK", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, k := range kinds {
			readAsImport(t, data, k)
		}
	})
}

func readAsImport(t *testing.T, data []byte, k Kind) {
	rows, err := newRecords(&File{file: bytes.NewReader(data)})
	if err != nil {
		return
	}
	_ = rows.names()
	if table, ok := rows.(*table); ok && table.settle(k) != nil {
		return
	}
	last := 0
	for n := 0; ; n++ {
		r, err := rows.next()
		if err != nil {
			break
		}
		if r.line < last || r.line > bytes.Count(data, []byte("\n"))+1 || n > len(data) {
			t.Fatalf("row %d is of line %d, after one of line %d", n, r.line, last)
		}
		last = r.line
		var object map[string]json.RawMessage
		if r.fault == nil && (json.Unmarshal(r.object, &object) != nil || object == nil) {
			t.Fatalf("line %d is taken for the object %s", r.line, r.object)
		}
	}
	_ = rows.notes()
}
