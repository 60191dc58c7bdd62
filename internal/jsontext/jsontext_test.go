package jsontext_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/jsontext"
)

func TestTextIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		var got string
		if err := json.Unmarshal(jsontext.AppendText(nil, text), &got); err != nil {
			t.Fatal(err)
		}
		var want string // one replacement character for each wrong byte, as the standard library does it
		plain, _ := json.Marshal(text)
		if json.Unmarshal(plain, &want); got != want {
			t.Fatalf("%q was read back as %q", text, got)
		}
	})
}

// Documents are stored as they are written here, so what must be escaped always is in the same way.
func TestTextsAreEscapedAsStored(t *testing.T) {
	t.Parallel()
	if got, want := string(jsontext.AppendText(nil, "\x00\b\t\n\f\r\x1f \"\\/<é\u2028\xff")), `"\u0000\u0008\t\n\u000c\r\u001f \"\\/<é`+"\u2028\ufffd\""; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimesAreWrittenAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800+1, 253402300799).Draw(t, "seconds"), 0)
		if got, want := string(jsontext.AppendTime(nil, at)), at.UTC().Format(`"2006-01-02T15:04:05Z"`); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	id, no := uuid.MustParse("6FD2C87F-B296-42F0-B197-1E91E994B900"), false
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{jsontext.AppendTextOrNull(nil, ""), `null`},
		{jsontext.AppendTextOrNull(nil, "a"), `"a"`},
		{jsontext.AppendID(nil, id), `"6fd2c87f-b296-42f0-b197-1e91e994b900"`},
		{jsontext.AppendTime(nil, time.Time{}), `null`},
		{jsontext.AppendTime(nil, time.Date(2026, 1, 31, 13, 0, 0, 5, time.FixedZone("", 3600))), `"2026-01-31T12:00:00Z"`},
		{jsontext.AppendTime(nil, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), `null`},
		{jsontext.AppendBoolOrNull(nil, nil), `null`},
		{jsontext.AppendBoolOrNull(nil, &no), `false`},
		{jsontext.AppendList(nil, []int{1, 2}, jsontext.AppendInt), `[1,2]`},
		{jsontext.AppendList(nil, nil, jsontext.AppendInt), `[]`},
		{jsontext.AppendName([]byte("{"), "a"), `{"a":`},
		{jsontext.AppendName([]byte(`{"a":{}`), "b"), `{"a":{},"b":`},
	} {
		if string(c.got) != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
