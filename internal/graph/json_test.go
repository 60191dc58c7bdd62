package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestTextIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		var got string
		if err := json.Unmarshal(appendText(nil, text), &got); err != nil {
			t.Fatal(err)
		}
		var want string // one replacement character for each wrong byte, as the standard library does it
		plain, _ := json.Marshal(text)
		if json.Unmarshal(plain, &want); got != want {
			t.Fatalf("%q was read back as %q", text, got)
		}
	})
}

func TestTimesAreWrittenAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800+1, 253402300799).Draw(t, "seconds"), 0)
		if got, want := string(appendTime(nil, at)), at.UTC().Format(`"2006-01-02T15:04:05Z"`); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("6FD2C87F-B296-42F0-B197-1E91E994B900")
	for _, c := range []struct{ got, want string }{
		{string(appendTextOrNull(nil, "")), `null`},
		{string(appendTextOrNull(nil, "a")), `"a"`},
		{string(appendID(nil, id)), `"6fd2c87f-b296-42f0-b197-1e91e994b900"`},
		{string(appendTime(nil, time.Time{})), `null`},
		{string(appendTime(nil, time.Date(2026, 1, 31, 13, 0, 0, 5, time.FixedZone("", 3600)))), `"2026-01-31T12:00:00Z"`},
		{string(appendList(nil, []int{1, 2}, appendInt)), `[1,2]`},
		{string(appendList(nil, nil, appendInt)), `[]`},
		{string(appendName([]byte("{"), "a")), `{"a":`},
		{string(appendName([]byte(`{"a":{}`), "b")), `{"a":{},"b":`},
		{clip(strings.Repeat("ä", 60)), strings.Repeat("ä", 50) + "…"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
