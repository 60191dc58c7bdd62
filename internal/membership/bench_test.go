package membership_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/membership"
	"licensor/internal/query"
)

// stranger is a user whose values are read from a row.
type stranger struct {
	column.Row
	id uuid.UUID
}

// Value returns the value of a property.
func (s *stranger) Value(p *membership.Property) column.Value {
	if p.Column < 0 {
		return column.Value{Text: s.id.String()}
	}
	return s.Row.Value(p.Column)
}

// Plans returns no plans.
func (s *stranger) Plans() []membership.Plan { return nil }

// ReportsTo returns false.
func (s *stranger) ReportsTo(uuid.UUID) bool { return false }

// IsMember returns false.
func (s *stranger) IsMember(uuid.UUID) bool { return false }

// strangers returns a table of many users.
func strangers(n int) *column.Table {
	schema := directory.UserSchema()
	places := map[string]int{}
	for i, c := range schema.Columns {
		places[c.Name] = i
	}
	d := column.NewTable(schema).Draft()
	for i := range n {
		row := d.AddRow()
		for name, text := range map[string]string{
			"displayName": fmt.Sprintf("User %d of %d", i, n), "department": fmt.Sprint("Department ", i%50),
			"city": fmt.Sprint("City ", i%300), "jobTitle": fmt.Sprint("Title ", i%100), "officeLocation": fmt.Sprint(i % 1000),
			"userPrincipalName": fmt.Sprintf("user%d@contoso.example", i), "mail": fmt.Sprintf("user%d@contoso.example", i),
			"userType": []string{"Member", "Guest"}[i%7/6],
		} {
			d.Set(row, places[name], column.Value{Text: text})
		}
		d.Set(row, places["accountEnabled"], column.Value{Truth: column.TruthOf(i%10 > 0)})
		d.Set(row, places["proxyAddresses"], column.Value{Texts: []string{fmt.Sprintf("SMTP:user%d@contoso.example", i)}})
	}
	return d.Finish()
}

// BenchmarkMillion evaluates rules for 1,000,000 users: by columns, and one user after another.
func BenchmarkMillion(b *testing.B) {
	const users = 1_000_000
	of := &membership.Population{Table: strangers(users), Now: now}
	of.User = func(row uint32) membership.User { return &stranger{Row: of.Table.Row(row)} }
	for name, text := range map[string]string{
		"equal":     `user.department -eq "Department 7"`,
		"several":   `(user.department -in ["Department 7","Department 8"]) -and -not (user.jobTitle -startsWith "Title 1") -and user.accountEnabled -eq true`,
		"addresses": `user.proxyAddresses -any (_ -endsWith "7@contoso.example")`,
		"linear":    `user.city -match "^City 1.*"`,
		"backtrack": `user.physicalDeliveryOfficeName -match "^6\d{2}$"`,
		"names":     `user.displayName -contains "77"`,
		"pattern":   `user.displayName -match "^User 77"`,
	} {
		rule := parse(b, text)
		b.Run(name+"/columns", func(b *testing.B) {
			for b.Loop() {
				c, err := rule.Condition(b.Context(), of)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := c.Find(b.Context(), of.Table, query.WithinLive, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/users", func(b *testing.B) {
			for b.Loop() {
				for row := range uint32(users) {
					if _, err := rule.Holds(of.User(row), now); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
