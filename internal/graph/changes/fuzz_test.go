package changes

import (
	"encoding/json"
	"testing"

	"licensor/internal/graph/odata"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
)

// FuzzFilter converts any $filter of the users of a preview: it is refused, or it is a condition.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		"outcome eq 'lose'", "not (outcome in ('gain','fail')) or skuId ne 6fd2c87f-b296-42f0-b197-1e91e994b900",
		"group eq 'x' and outcome ne 'clear'", "outcome/any(x:x eq 'a')", "startswith(outcome,'g')", "skuId eq null",
	} {
		f.Add(text)
	}
	of := &preview{before: tenant.NewImage(), after: tenant.NewImage()}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := odata.ParseFilter(text)
		if err != nil {
			return
		}
		is, err := conditionOf(filter, of)
		if err == nil {
			_ = is(outcome.What{Kind: outcome.Lose, Groups: []uint32{1}})
		}
	})
}

// FuzzNames replaces names in any body. What comes out of it is JSON if what goes in is, and
// without names of requests it is unchanged.
func FuzzNames(f *testing.F) {
	f.Add([]byte(`{"@odata.id":"https://x/users/$a","members@odata.bind":["x/$b","y"],"password":"$a"}`))
	f.Add([]byte(`{"users":["$A"],"groups":"$a/$b"}`))
	objects := made{}
	objects.add("a", "11111111-1111-4111-8111-111111111111")
	objects.add("b", "")
	f.Fuzz(func(t *testing.T, body []byte) {
		next, failed := objects.inBody(body)
		if json.Valid(body) && failed == "" && !json.Valid(next) {
			t.Fatalf("%s becomes %s", body, next)
		}
		if same, failed := (made{}).inBody(body); failed != "" || string(same) != string(body) {
			t.Fatalf("%s becomes %s without names", body, same)
		}
	})
}
