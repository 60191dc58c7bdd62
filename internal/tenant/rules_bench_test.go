package tenant

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// BenchmarkDepartment measures a change of a user's department. With rules, the user leaves a group
// and joins another one.
func BenchmarkDepartment(b *testing.B) {
	for _, rules := range []int{0, 100} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			const users = 20_000
			p := newPure(b)
			for n := range rules {
				p.must(p.departmentGroup(n))
			}
			var rows []ImportRow
			for i := range users {
				rows = append(rows, ImportRow{Line: int64(i + 1), User: &ImportUser{
					ID:    uuid.UUID{0: byte(i * 131), 1: byte(i), 2: byte(i >> 8), 6: 0x40, 8: 0x80, 15: 1},
					Patch: p.newUser(fmt.Sprintf("user%d", i)).Patch,
				}})
			}
			p.must(Import{Rows: rows})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.must(UpdateUser{
					User: uint32(i * 7919 % users), Patch: p.userPatch(`{"department":"Department %d"}`, i%97),
				})
				p.log = p.log[:0]
			}
		})
	}
}

// departmentGroup returns a group with a rule: most are over the department, some over others.
func (p *pure) departmentGroup(n int) CreateGroup {
	p.tb.Helper()
	rule := fmt.Sprintf(`user.department -eq "Department %d"`, n)
	if n%5 == 4 {
		rule = fmt.Sprintf(`user.displayName -contains "%[1]d" -or user.department -in ["Department %[1]d"]`, n)
	}
	patch, err := directory.ParseGroupPatch(p.members(`{"displayName":"Rule","mailEnabled":false,"mailNickname":"rule",`+
		`"securityEnabled":true,"groupTypes":["DynamicMembership"],"membershipRule":%q}`, rule))
	if err != nil {
		p.tb.Fatal(err)
	}
	return CreateGroup{Patch: patch}
}
