package importing

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestWhatAFileHolds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, properties string
		want             Kind
	}{
		{"export.csv", "id,userPrincipalName,displayName", KindUsers},
		{"all users.csv", "id,displayName", KindUsers},
		{"export.csv", "id,displayName,groupTypes", KindGroups},
		{"group_members.csv", "Group,Member", KindMembers},
		{"users-of-groups.csv", "userPrincipalName", KindUsers},
		{"bought.json", "skuId,totalLicenses", KindSubscriptions},
		{"export.csv", "id,displayName", ""},
		{"users.csv", "group,member", ""},
		{"users and groups.csv", "id", ""},
	}
	for _, test := range tests {
		got, err := guess("/in/some/users/folder/"+test.name, strings.Split(test.properties, ","))
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s with %s: %q, %v; want %q", test.name, test.properties, got, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), "Name its kind") {
			t.Errorf("%v does not say what to do", err)
		}
	}
}

// long is a text of which one fits in a row, and two do not.
var long = strings.Repeat("x", maxRow/2+1)

func TestRowsOfCSV(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, rows, want string }{
		{"a cell with line breaks", "a,\"1\n\n2\"\nb,c\n", `2 {"group":"a","member":"1\n\n2"}|5 {"group":"b","member":"c"}`},
		{"a quotation mark in a cell", "a,b\"c\nd,e\n", "2 !a quotation mark|3 {\"group\":\"d\",\"member\":\"e\"}"},
		{"a quotation mark within quotation marks", "a,\"b\"c\"\"\nd,e\n", "2 !a quotation mark|3 {\"group\":\"d\",\"member\":\"e\"}"},
		{"one that is never closed", "a,\"b\n" + strings.Repeat("d,e\n", 60), "2 !not closed|3 {\"group\":\"d\",\"member\":\"e\"}"},
		{"one that another row's would close", "a,\"b\nc,d\ne,\"f\ng,h\n", `2 !not closed|3 {"group":"c","member":"d"}|4 !not closed|5 {"group":"g","member":"h"}`},
		{"not UTF-8", "a,b\xe4\nc,d\n", `2 !not UTF-8|3 {"group":"c","member":"d"}`},
		{"empty cells and rows", " , \n,,,\n\n a , b ,,\n", `2 {}|3 {}|5 {"group":"a","member":"b"}`},
		{"too many cells", "a,b,c\n", "2 !it has 3 cells"},
		{"a long line", "a,b\n" + long + "," + long + "\nc,d\n", `2 {"group":"a","member":"b"}|3 !longer than 4 MB|4 {"group":"c","member":"d"}`},
		{"a long row of short lines", "a,\"" + strings.Repeat(long+"\n", 3) + "\"\nc,d\n", "2 !not closed|3 !it has 1 cells|4 !it has 1 cells|5 !not closed|6 {\"group\":\"c\",\"member\":\"d\"}"},
		{"a long last line", "a," + long + long, "2 !longer than 4 MB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table, err := newTable(strings.NewReader("group,member\n" + test.rows))
			if err == nil {
				err = table.settle(KindMembers)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(readAll(t, table), "|")
			for i, want := range strings.Split(test.want, "|") {
				if line, fault, ok := strings.Cut(want, "!"); i >= len(got) ||
					got[i] != want && (!ok || !strings.HasPrefix(got[i], line) || !strings.Contains(got[i], fault)) {
					t.Fatalf("%q, want %q", got, test.want)
				}
			}
		})
	}
}

func readAll(t *testing.T, rows records) string {
	t.Helper()
	var all []string
	for {
		r, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return strings.Join(all, "|")
		case err != nil:
			t.Fatal(err)
		case r.fault != nil:
			all = append(all, fmt.Sprintf("%d !%v", r.line, r.fault))
		default:
			all = append(all, fmt.Sprintf("%d %s", r.line, r.object))
		}
	}
}

func TestRowsOfJSON(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"an object a line", "{\"a\":1}\n\n{\"b\"\n{\"c\":2}\n[3]", `1 {"a":1}|3 !it is not JSON: unexpected end of JSON input|4 {"c":2}|5 !it is not a JSON object`},
		{"a list over many lines", "[\n{\n\"a\": 1\n},\n{\"b\":2}, {\"c\":3},\n4]\n", `2 {"a":1}|5 {"b":2}|5 {"c":3}|6 !it is not a JSON object`},
		{"an empty list", " [ ] ", ""},
		{"objects over many lines", "{\n \"a\": 1\n}\n\n{\n \"b\": {\n \"c\": \"d\"}}", `1 {"a":1}|5 {"b":{"c":"d"}}`},
		{"an object over two lines", "{\"a\": 1,\n\"b\": 2}\n{\"c\":3}\n[4]", `1 {"a":1,"b":2}|3 {"c":3}|4 !it is not a JSON object`},
		{"a first line that is cut off", "{\"a\": \n{\"b\":2}\n", `1 !it is not JSON: unexpected end of JSON input|2 {"b":2}`},
		{"a long line", "{\"a\":1}\n{\"b\":\"" + long + long + "\"}\r\n{\"c\":2}", `1 {"a":1}|2 !` + errLong.Error() + `|3 {"c":2}`},
		{"a long first line", "{\"b\":\"" + long + long + "\"}\n{\"c\":2}\r\n", `1 !` + errLong.Error() + `|2 {"c":2}`},
		{"a line that is nearly too long", "{\"b\":\"" + long + "\"}\n", `1 {"b":"` + long + `"}`},
		{"lines that are not UTF-8", "{\"a\":1}\n{\"b\":\"a\xff\xfeb\"}\n{\"c\":2}\n", `1 {"a":1}|2 !` + errEncoding.Error() + `|3 {"c":2}`},
		{"a list that is not UTF-8", "[{\"a\":1},\n{\"b\":\"a\xff\xfeb\"},\n{\"c\":2}]\n", `1 {"a":1}|2 !` + errEncoding.Error() + `|3 {"c":2}`},
		{"an answer that is not UTF-8", "{\"value\":[{\"a\":1},\n{\"b\":\"\xe4\"},\n{\"c\":2}]}\n", `1 {"a":1}|2 !` + errEncoding.Error() + `|3 {"c":2}`},
		{"answers of Graph", "{\"@odata.context\":\"x\",\"@odata.count\":1,\"value\":[{\"a\":1}\n]}\n{\"value\":[{\"b\":2}]}", `1 {"a":1}|3 {"b":2}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rows, err := newRecords(&File{file: strings.NewReader(test.text)})
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, rows); got != test.want {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}
