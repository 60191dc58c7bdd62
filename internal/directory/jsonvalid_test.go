package directory

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// validTexts have what JSON can have, and are changed at random.
var validTexts = []string{
	` { "a" : [ 1 , -0.5e+10, 2E-3 , [ ] , { } ] , "b\u00Ff\n" : { "c" : null } , "d" : true,"e":false } `,
	`"text \"\\\/\b\f\r\t é"`, `0`, `-10.25`, `[[[{"a":[{"b":"}]"}]}]]]`, "\t[\r\n\"\x7f\xff\"]",
}

func TestValidIsThatOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, text := range append(validTexts, "", " ", "{", "}", `{"a"`, `{"a":1,}`, `[1,]`, "[1 2]", "[1}", "01", "-", "1.", "1e", "+1", ".5",
		`"a`, `"\x"`, `"\u12g4"`, "\"\n\"", "nul", "truest", "null null", `{"a" 1}`, `{1:2}`, `{,}`, "\x00",
		strings.Repeat("[", deepest)+strings.Repeat("]", deepest),
		strings.Repeat("[", deepest+1)+strings.Repeat("]", deepest+1),
		strings.Repeat(`{"a":`, deepest)+"1"+strings.Repeat("}", deepest)) {
		if got, want := valid([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("valid(%.50q) is %v, json.Valid says %v", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.SampledFrom(validTexts).Draw(t, "text"))
		if rapid.Bool().Draw(t, "cut off") {
			text = text[:rapid.IntRange(0, len(text)).Draw(t, "length")]
		}
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if len(text) == 0 {
				break
			}
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text[at] = rapid.SampledFrom([]byte("{}[]\",:\\ \n0159-+.eEuatrfnl\x00\xff")).Draw(t, "byte")
		}
		if got, want := valid(text), json.Valid(text); got != want {
			t.Fatalf("valid(%q) is %v, json.Valid says %v", text, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	text := []byte(`{"user":{` + minimalUser + `,"jobTitle":"Clerk","department":"Sales","usageLocation":"DE","mail":"ann@contoso.com"}}`)
	for name, check := range map[string]func([]byte) bool{"own": valid, "encoding/json": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !check(text) {
					b.Fatal("it is valid")
				}
			}
		})
	}
}
