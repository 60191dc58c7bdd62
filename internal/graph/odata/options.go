package odata

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"licensor/internal/fold"
)

// Options are the query options of a URL. An absent option has its zero value, except Top and Skip,
// which are Absent.
type Options struct {
	Select     []string // in the order of the request, without duplicates
	Filter     *Filter
	OrderBy    []Order
	Top, Skip  int
	Count      bool
	Search     *Search
	Expand     []Expansion
	SkipToken  string
	DeltaToken string
	Format     string
	Given      []string // the names of all given options, with their dollar signs
}

// Absent is the value of Top and Skip if they were not given. They may be negative; the server
// refuses that with its own message.
const Absent = math.MinInt

// Order is a key of $orderby.
type Order struct {
	Property   string
	Descending bool
	Column     int // position in the option, in characters, the first is 1
}

// readers parse an option's value into Options; their keys are all known options.
var readers = map[string]func(o *Options, value string) error{
	"$select":     (*Options).readSelect,
	"$filter":     (*Options).readFilter,
	"$orderby":    (*Options).readOrderBy,
	"$top":        func(o *Options, value string) error { return readNumber("$top", value, &o.Top) },
	"$skip":       func(o *Options, value string) error { return readNumber("$skip", value, &o.Skip) },
	"$count":      (*Options).readCount,
	"$search":     (*Options).readSearch,
	"$expand":     (*Options).readExpand,
	"$skiptoken":  func(o *Options, value string) error { return readText("$skiptoken", value, &o.SkipToken) },
	"$deltatoken": func(o *Options, value string) error { return readText("$deltatoken", value, &o.DeltaToken) },
	"$format":     func(o *Options, value string) error { return readText("$format", value, &o.Format) },
}

// Parse parses the query of a URL, the part after the question mark. Errors are *SyntaxError. Names
// of options may be in any letter case and without their dollar sign; each may occur once. Other
// parameters are skipped.
func Parse(query string) (*Options, error) {
	o := &Options{Top: Absent, Skip: Absent}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, err := split(pair)
		if err != nil {
			return nil, err
		}
		read, known := readers[name]
		switch {
		case !known && strings.HasPrefix(name, "$"):
			return nil, &SyntaxError{Option: name, Text: value, Want: "there is no such option; known are $select, " +
				"$filter, $orderby, $top, $skip, $count, $search, $expand, $skiptoken, $format"}
		case !known:
			continue
		case slices.Contains(o.Given, name):
			return nil, &SyntaxError{
				Option: name, Text: value, Want: "the option is given more than once; give it once",
			}
		}
		o.Given = append(o.Given, name)
		if err := read(o, value); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// split decodes one parameter. The name of an option gets its dollar sign. Unlike the standard
// library it accepts semicolons: they separate the options within $expand.
func split(pair string) (name, value string, err error) {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, err = url.QueryUnescape(rawName)
	if err == nil {
		value, err = url.QueryUnescape(rawValue)
	}
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	if err != nil || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return "", "", &SyntaxError{
			Option: name,
			Text:   rawValue,
			Want:   "it is not encoded as addresses are: % is followed by two hexadecimal digits of UTF-8",
		}
	}
	if _, known := readers["$"+name]; known {
		name = "$" + name
	}
	return name, value, nil
}

func (o *Options) readSelect(value string) error {
	for _, name := range strings.Split(value, ",") {
		name = strings.TrimSpace(name)
		if !isPath(name) {
			return &SyntaxError{Option: "$select", Text: value, Want: "it is a list of properties, such as id,displayName"}
		}
		if _, ok := fold.Among(o.Select, name); !ok {
			o.Select = append(o.Select, name)
		}
	}
	return nil
}

func (o *Options) readFilter(value string) (err error) {
	o.Filter, err = ParseFilter(value)
	return err
}

func (o *Options) readSearch(value string) (err error) {
	o.Search, err = ParseSearch(value)
	return err
}

func (o *Options) readOrderBy(value string) error {
	at := 0
	for _, key := range strings.Split(value, ",") {
		words := strings.Fields(key)
		descending := len(words) == 2 && fold.Equal(words[1], "desc")
		if len(words) == 0 || len(words) > 2 || !isPath(words[0]) ||
			len(words) == 2 && !descending && !fold.Equal(words[1], "asc") {
			return &SyntaxError{
				Option: "$orderby",
				Text:   value,
				Want:   "it is a list of properties, each with asc or desc behind it or not, such as displayName desc",
			}
		}
		place := at + strings.Index(key, words[0])
		o.OrderBy = append(o.OrderBy, Order{words[0], descending, column(value, place)})
		at += len(key) + 1
	}
	return nil
}

func (o *Options) readCount(value string) error {
	switch strings.ToLower(value) {
	case "true":
		o.Count = true
	case "false":
	default:
		return &SyntaxError{Option: "$count", Text: value, Want: "it is true or false"}
	}
	return nil
}

func readNumber(option, value string, into *int) error {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return &SyntaxError{Option: option, Text: value, Want: "it is a whole number"}
	}
	*into = int(n)
	return nil
}

func readText(option, value string, into *string) error {
	if value == "" {
		return &SyntaxError{Option: option, Text: value, Want: "it is empty; leave the option out"}
	}
	*into = value
	return nil
}

// isPath reports whether a text is a name, or names separated by slashes. The star stands for all
// properties.
func isPath(text string) bool {
	if text == "*" {
		return true
	}
	for _, name := range strings.Split(text, "/") {
		if name == "" || !isLetter(name[0]) && name[0] != '@' {
			return false
		}
		for i := range len(name) {
			if c := name[i]; !isLetter(c) && !isDigit(c) && c != '.' && c != '@' {
				return false
			}
		}
	}
	return true
}
