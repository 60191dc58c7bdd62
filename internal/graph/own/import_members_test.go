package own

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAPlainMembershipIsReadLikeAnyLine: a line that is read without parsing its JSON means the
// same as if it was parsed.
func TestAPlainMembershipIsReadLikeAnyLine(t *testing.T) {
	t.Parallel()
	const group, user = "9e3779b9-6700-4000-8000-000000000001", "ann@contoso.example"
	usual := `{"member":{"group":"` + group + `","member":"` + user + `"}}`
	if m, ok := plainMembership([]byte(usual)); !ok || m.Group != group || m.Member != user {
		t.Errorf("%s is read as %+v, %v", usual, m, ok)
	}
	pieces := []string{
		`{"member":{"group":"`, `","member":"`, `"}}`, `","owner":"`, `{"owner":{"group":"`, `"`, `}`, `{`, `,`, `\`, `\u0061`,
		group, user, " ", "\t", "ä", "\x7f", "\xff", "\x00", "~",
	}
	plain := 0
	rapid.Check(t, func(rt *rapid.T) {
		parts := []string{pieces[0], group, pieces[1], user, pieces[2]}
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			parts[rapid.IntRange(0, 4).Draw(rt, "at")] = rapid.SampledFrom(pieces).Draw(rt, "piece")
		}
		text := []byte(strings.Join(parts, ""))
		m, ok := plainMembership(text)
		if !ok {
			return
		}
		plain++
		row, err := new(rowReader).readAny(text)
		if err != nil || !reflect.DeepEqual(row.Membership, m) {
			rt.Fatalf("%q is read as %+v, and as JSON it is %+v, %v", text, m, row.Membership, err)
		}
	})
	if plain == 0 {
		t.Error("no line was plain")
	}
}
