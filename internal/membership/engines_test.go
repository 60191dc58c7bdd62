package membership

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/fold"
)

// randomPattern returns a pattern of what isLinear knows, sometimes with something else in it.
func randomPattern(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth == 0 {
		kind = min(kind, 6)
	}
	switch kind {
	case 0, 1:
		return rapid.SampledFrom([]string{
			"a", "B", "ß", "Ö", "k", "S", "\u212a", "ſ", "ς", "Σ", "İ", "i", "1", " ", "#", "-", ",", "@",
		}).Draw(t, "literal")
	case 2:
		return "."
	case 3:
		return rapid.SampledFrom([]string{`\.`, `\(`, `\\`, `\-`, `\$`, `\[`, `\/`, `\@`, `\#`}).Draw(t, "escape")
	case 4:
		not := rapid.SampledFrom([]string{"", "^"}).Draw(t, "not")
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{
			"a-f", "A-Z", "Z-a", "0-9", "k", "s", "ö", "À-ÿ", "-", "α-ω", `\]`, `\\`, `\-`, "^", "ſ", "!-~", ".", "$",
		}), 1, 3).Draw(t, "class")
		return "[" + not + strings.Join(parts, "") + "]"
	case 5:
		return rapid.SampledFrom([]string{"^", `\A`, `\z`}).Draw(t, "anchor")
	case 6:
		return ""
	case 7:
		return randomPattern(t, depth-1) + "|" + randomPattern(t, depth-1)
	case 8:
		return rapid.SampledFrom([]string{"(", "(?:"}).Draw(t, "group") + randomPattern(t, depth-1) + ")"
	case 9:
		return randomPattern(t, depth-1) + rapid.SampledFrom([]string{
			"*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{2}?", "{0}",
		}).Draw(t, "times")
	default:
		return randomPattern(t, depth-1) + randomPattern(t, depth-1)
	}
}

// enginesAgree compares the engines on a pattern that both can run (D63).
func enginesAgree(t *rapid.T) {
	text := randomPattern(t, 5)
	slow, err := compileBacktracking(text)
	if err != nil {
		t.Skip("not a pattern")
	}
	p, err := CompilePattern(text)
	if err != nil {
		t.Fatalf("%q is a pattern or not: %v", text, err)
	}
	for range 10 {
		value := fold.Text(rapid.OneOf(
			rapid.StringOfN(rapid.RuneFrom([]rune("aAbBfzßÖökKsS\u212aſςσΣİi1 #-,@.($[\\/]^!\n")), 0, 8, -1), rapid.String(),
		).Draw(t, "text"))
		want, err := slow.Match(value)
		if err != nil {
			continue // it takes too long
		}
		if got, err := p.Match(value); err != nil || got != want {
			t.Fatalf("%q on %q is %t with the backtracking engine, not %t: %v", text, value, want, got, err)
		}
	}
}

func TestD63BothEnginesAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, enginesAgree)
}

func FuzzEngines(f *testing.F) { f.Fuzz(rapid.MakeFuzz(enginesAgree)) }

// TestD63WhichEngine shows what runs in linear time.
func TestD63WhichEngine(t *testing.T) {
	t.Parallel()
	for text, linear := range map[string]bool{
		"ago": true, "^Lag": true, ".*vid": true, `^6[0-9]{2}\z`: true, "(a|b)+?c": true, `a\.b`: true, "[^a-z.]": true,
		"(?:x|y)*": true, "^(a+)+!": true, "": true, "Ö": true,
		`\d`: false, `\w`: false, `\s`: false, `\bx`: false, "x$": false, "^(?!fay)": false, "(?<=a)b": false,
		`(a)\1`: false, "[a-z-[aeiou]]": false, "(?i)a": false, "(?<n>a)": false, `\p{L}`: false, "a++": false,
		"(?(a)b|c)": false, "a{1001}": false, "[[:alpha:]]": false, `\x41`: false,
	} {
		p, err := CompilePattern(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if p.canFail() == linear {
			t.Errorf("%q is linear: %t", text, !linear)
		}
	}
}
