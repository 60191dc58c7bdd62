package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"licensor/internal/graph/own"
	"licensor/internal/tenant"
)

// Chains of managers are shown as far as the bounds allow, in one answer and in a list.
func TestManagersAreExpandedWithinBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken(allPermissions...)
	const chain = maxLevels + 10
	var rows strings.Builder
	for n := range chain {
		fmt.Fprintf(&rows, `{"user":{"id":"a0000000-0000-4000-8000-%012d","displayName":"User %d","userPrincipalName":"u%d@contoso.example","mailNickname":"u%d","accountEnabled":true,"usageLocation":"DE"}}`+"\n", n, n, n, n)
	}
	if got := w.do("POST", "/licensor/v1/import", token, rows.String(), "Content-Type: "+own.LinesType); !strings.Contains(got.body, `"refused":0`) {
		t.Fatal(got.body)
	}
	first, _ := w.tenant.Image().Directory.UserByName("u0@contoso.example")
	for n := range uint32(chain - 1) {
		_, err := w.tenant.Do(t.Context(), "system", tenant.SetManager{
			User: first + n, Manager: w.tenant.Image().Directory.UserID(first + n + 1),
		})
		w.must(err)
	}
	for _, c := range []struct {
		name, path, levels string
		status, managers   int
		message            string
	}{
		{"all of one", "/u0@contoso.example?", "max", 200, maxLevels, ""},
		{"as many as there can be", "/u0@contoso.example?", "1000", 200, maxLevels, ""},
		{"all that there are", fmt.Sprintf("/u%d@contoso.example?", chain-4), "max", 200, 3, ""},
		{"a level too many", "/u0@contoso.example?", "1001", 400, 0, "possible are 1 to 1000, or max"},
		{"of a short page", "?$top=10&", "max", 200, 10 * maxLevels, ""},
		{"of a long page", "?$top=999&", "max", 400, 0, "shows more than 20000 managers"},
		{"of a long page, a few each", "?$top=999&", "5", 200, 999 * 5, ""},
	} {
		got := w.send("GET", "/v1.0/users"+c.path+"$select=id&$count=true&$expand=manager($select=id;$levels="+c.levels+")", token, "", "ConsistencyLevel: eventual")
		managers := strings.Count(got.body, `"manager":{`)
		if got.status != c.status || got.status == http.StatusOK && managers != c.managers ||
			!strings.Contains(got.body, c.message) {
			t.Errorf("%s: %d, %d managers: %.300s", c.name, got.status, managers, got.body)
		}
	}
}
