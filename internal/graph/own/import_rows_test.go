package own

import (
	"runtime"
	"testing"
	"weak"

	"licensor/internal/directory"
)

// A piece of an import has many objects, and some of it is imported long after it was read.
func TestAUserOfAnImportDoesNotKeepItsLine(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{false, true} {
		text := []byte(`{"user":{"displayName":"Ann","userPrincipalName":"ann@contoso.example","skills":["a","b"],"accountEnabled":true,` +
			`"identities":[{"signInType":"federated","issuer":"i","issuerAssignedId":"x"}],"employeeOrgData":{"division":"a"},` +
			`"createdDateTime":"2026-01-31T12:00:00Z","mailNickname":"ann","signInActivity":{"lastSignInDateTime":"2026-01-31T12:00:00Z"}}}`)
		kept := weak.Make(&text[0])
		row, err := (&rowReader{exact: exact}).read(text)
		if err != nil || !row.User.Patch.Has("skills") || directory.NameIn(row.User.Patch) != "ann@contoso.example" {
			t.Fatalf("%v: %+v", err, row)
		}
		runtime.GC()
		if kept.Value() != nil {
			t.Error("the line is still in memory")
		}
		runtime.KeepAlive(row)
	}
}

func TestAGroupOfAnImportDoesNotKeepItsLine(t *testing.T) {
	t.Parallel()
	for _, exact := range []bool{false, true} {
		text := []byte(`{"group":{"displayName":"Red","mailNickname":"red","mailEnabled":false,"securityEnabled":true,` +
			`"groupTypes":["DynamicMembership"],"membershipRule":"user.department -eq \"IT\"","membershipRuleProcessingState":"On"}}`)
		kept := weak.Make(&text[0])
		row, err := (&rowReader{exact: exact}).read(text)
		if err != nil || directory.RuleIn(row.Group.Patch) != `user.department -eq "IT"` {
			t.Fatalf("%v: %+v", err, row)
		}
		runtime.GC()
		if kept.Value() != nil {
			t.Error("the line is still in memory")
		}
		runtime.KeepAlive(row)
	}
}
