package storetest

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"time"

	"licensor/fold"
	"licensor/store"
)

// Matches is what a filter means, in plain Go: whether it is true of a document. The filter must make sense.
func Matches(document []byte, filter *store.Filter) bool {
	return holds(decode(document), filter)
}

func decode(document []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var decoded map[string]any
	if err := decoder.Decode(&decoded); err != nil {
		panic(err)
	}
	return decoded
}

func holds(of any, f *store.Filter) bool {
	switch f.Op {
	case store.And:
		for _, arg := range f.Args {
			if !holds(of, arg) {
				return false
			}
		}
		return true
	case store.Or:
		for _, arg := range f.Args {
			if holds(of, arg) {
				return true
			}
		}
		return false
	case store.Not:
		return !holds(of, f.Args[0])
	case store.Any:
		elements, _ := property(of, f.Property).([]any)
		for _, element := range elements {
			if holds(element, f.Args[0]) {
				return true
			}
		}
		return false
	case store.Ne:
		return !compares(store.Eq, property(of, f.Property), f.Value)
	}
	return compares(f.Op, property(of, f.Property), f.Value)
}

// property answers nil for what is missing, as for null.
func property(of any, path string) any {
	if path == "" {
		return of
	}
	for name := range strings.SplitSeq(path, "/") {
		object, _ := of.(map[string]any)
		of = object[name]
	}
	return of
}

var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

func compares(op store.Op, has, value any) bool {
	switch value := value.(type) {
	case nil:
		return has == nil
	case bool:
		return has == value
	case int64:
		if number, ok := has.(json.Number); ok {
			rational, ok := new(big.Rat).SetString(number.String())
			return ok && ordered(op, rational.Cmp(new(big.Rat).SetInt64(value)))
		}
	case time.Time:
		if text, ok := has.(string); ok && timestamp.MatchString(text) {
			at, err := time.Parse(time.RFC3339Nano, text)
			return err == nil && ordered(op, at.Compare(value))
		}
	case string:
		if text, ok := has.(string); ok {
			return comparesText(op, fold.Text(text), fold.Text(value))
		}
	}
	return false
}

func comparesText(op store.Op, has, value string) bool {
	switch op {
	case store.StartsWith:
		return strings.HasPrefix(has, value)
	case store.EndsWith:
		return strings.HasSuffix(has, value)
	case store.Contains:
		return strings.Contains(has, value)
	case store.HasWord:
		return fold.StartsWord(has, value)
	}
	return ordered(op, strings.Compare(has, value))
}

func ordered(op store.Op, order int) bool {
	switch op {
	case store.Eq:
		return order == 0
	case store.Lt:
		return order < 0
	case store.Le:
		return order <= 0
	case store.Gt:
		return order > 0
	case store.Ge:
		return order >= 0
	}
	return false
}
