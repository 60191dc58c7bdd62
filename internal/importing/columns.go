package importing

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/excerpt"
	"licensor/internal/jsontext"
)

// column is a property in a column of CSV, and how its cells are encoded as JSON.
type column struct {
	name string
	form form
}

type form uint8

const (
	text   form = iota
	truth       // true or false
	number      // a whole number
	texts       // several values, separated by semicolons
	nested      // JSON
)

// forms are the forms of the kinds of properties.
var forms = map[directory.Kind]form{
	directory.KindBool: truth, directory.KindInt32: number, directory.KindStringCollection: texts,
	directory.KindComplex: nested, directory.KindComplexCollection: nested,
}

// own are the columns that are not properties of Graph's users and groups.
var own = map[Kind][]column{
	KindMembers:       {{"group", text}, {"member", text}},
	KindSubscriptions: {{"skuId", text}, {"totalLicenses", number}, {"status", text}, {"isTrial", truth}, {"nextLifecycleDateTime", text}},
}

// required are the columns without which every row would be refused.
var required = map[Kind][]string{
	KindUsers: {"userPrincipalName"}, KindGroups: {"displayName"}, KindMembers: {"group", "member"}, KindSubscriptions: {"skuId", "totalLicenses"},
}

// columnOf finds the property that a heading names, in any case of letters.
func columnOf(k Kind, heading string) (column, bool) {
	switch k {
	case KindUsers:
		return property(heading, directory.UserProperties())
	case KindGroups:
		return property(heading, directory.GroupProperties())
	}
	for _, c := range own[k] {
		if strings.EqualFold(c.name, heading) {
			return c, true
		}
	}
	return column{}, false
}

func property[T any](heading string, all []*directory.Property[T]) (column, bool) {
	for _, p := range all {
		if strings.EqualFold(p.Name, heading) {
			return column{p.Name, forms[p.Kind]}, true
		}
	}
	return column{}, false
}

// append writes a cell, unless it is empty.
func (c column) append(b []byte, cell string) ([]byte, error) {
	switch c.form {
	case truth:
		is := strings.ToLower(cell)
		if is != "true" && is != "false" {
			return nil, fmt.Errorf("%s is %q: it must be true or false", c.name, excerpt.Of(cell, 50))
		}
		return append(b, is...), nil
	case number:
		n, err := strconv.ParseInt(cell, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s is %q: it must be a whole number", c.name, excerpt.Of(cell, 50))
		}
		return strconv.AppendInt(b, n, 10), nil
	case texts:
		return appendTexts(b, cell), nil
	case nested:
		if !json.Valid([]byte(cell)) {
			return nil, fmt.Errorf("%s is %q: it must be JSON", c.name, excerpt.Of(cell, 50))
		}
		return append(b, strings.ReplaceAll(cell, "\n", " ")...), nil
	}
	return jsontext.AppendText(b, cell), nil
}

func appendTexts(b []byte, cell string) []byte {
	list := []string{}
	for part := range strings.SplitSeq(cell, ";") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return jsontext.AppendList(b, list, jsontext.AppendText)
}
