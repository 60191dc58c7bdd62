package odata

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query string
		want  Options
	}{
		{"", Options{}},
		{"$select=id,displayName", Options{Select: []string{"id", "displayName"}}},
		{"%24select=id%2CdisplayName", Options{Select: []string{"id", "displayName"}}},
		{"select=id, mail,id", Options{Select: []string{"id", "mail"}}},
		{"$SELECT=id&TOP=5", Options{Select: []string{"id"}, Top: 5}},
		{"$Select=ID,Mail,id,MAIL", Options{Select: []string{"ID", "Mail"}}},
		{"$select = id & $top = 5 & $Count = TRUE", Options{Select: []string{"id"}, Top: 5, Count: true}},
		{"$ORDERBY=mail DESC,id Asc", Options{OrderBy: []Order{{"mail", true, 1}, {"id", false, 11}}}},
		{
			"$EXPAND=Members( $SELECT = ID , id )",
			Options{Expand: []Expansion{{Name: "Members", Select: []string{"ID"}, Column: 1, Levels: 1}}},
		},
		{"$top=999&$count=true", Options{Top: 999, Count: true}},
		{"$count=False", Options{}},
		{"$skip=-1", Options{Skip: -1}},
		{"$orderby=displayName,mail desc", Options{OrderBy: []Order{{"displayName", false, 1}, {"mail", true, 13}}}},
		{"$orderby=displayName+asc", Options{OrderBy: []Order{{"displayName", false, 1}}}},
		{"$expand=members($select=id),owners", Options{Expand: []Expansion{
			{Name: "members", Select: []string{"id"}, Column: 1, Levels: 1},
			{Name: "owners", Column: 21, Levels: 1},
		}}},
		{"$expand=manager($levels=max),manager($LEVELS=3;$expand=manager)", Options{Expand: []Expansion{
			{Name: "manager", Column: 1, Levels: AllLevels}, {Name: "manager", Column: 22, Levels: 3, Nested: true},
		}}},
		{`$search="displayName:ann"`, Options{Search: &Search{Property: "displayName", Text: "ann", Column: 1}}},
		{"$skiptoken=abc&$deltatoken=latest&$format=json", Options{SkipToken: "abc", DeltaToken: "latest", Format: "json"}},
		{"api-version=1.0&x", Options{}},
	} {
		got, err := Parse(c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		for _, n := range []*int{&c.want.Top, &c.want.Skip} {
			if *n == 0 {
				*n = Absent
			}
		}
		got.Given = nil
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.query, *got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, option, want string }{
		{"$sort=a", "$sort", "there is no such option"},
		{"$select=id&select=mail", "$select", "more than once"},
		{"$select=", "$select", "a list of properties"},
		{"$select=id,,mail", "$select", "a list of properties"},
		{"$select=id;drop", "$select", "a list of properties"},
		{"$select=%ff", "$select", "UTF-8"},
		{"$select=%2", "$select", "hexadecimal"},
		{"$filter=a%00", "$filter", "encoded"},
		{"$top=many", "$top", "whole number"},
		{"$top=99999999999", "$top", "whole number"},
		{"$count=1", "$count", "true or false"},
		{"$orderby=a b", "$orderby", "asc or desc"},
		{"$orderby=a,", "$orderby", "asc or desc"},
		{"$search=", "$search", "in double quotes"},
		{"$filter=a eq", "$filter", "a property"},
	} {
		_, err := Parse(c.query)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: error is %v, want an *SyntaxError", c.query, err)
			continue
		}
		if e.Option != c.option || !strings.Contains(e.Want, c.want) {
			t.Errorf("%s: %v", c.query, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"$select=id&$top=1", "%24filter=a%20eq%201", "$orderby=a desc", "a;b=c&&=&%", "$expand=m($top=1;$select=id)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if o, err := Parse(query); err == nil && o == nil {
			t.Fatal("neither options nor an error")
		}
	})
}
