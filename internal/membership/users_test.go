package membership_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/membership"
	"licensor/internal/query"
)

// now is the time of the examples in docs/spec/dynamic-membership.md.
var now = moment("2026-11-26T12:00:00Z")

func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

// person is a user in the plainest form: values by the names of Graph.
type person struct {
	name    string
	id      uuid.UUID
	values  map[string]any // string, bool, time.Time or []string
	plans   []membership.Plan
	manager string
	groups  []string
	deleted bool
}

func idOf(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)) }

// Value returns the value of a property.
func (p *person) Value(property *membership.Property) column.Value {
	if property.Graph == "id" {
		return column.Value{Text: p.id.String()}
	}
	return stored(p.values[property.Graph])
}

func stored(value any) column.Value {
	switch value := value.(type) {
	case string:
		return column.Value{Text: value}
	case bool:
		return column.Value{Truth: column.TruthOf(value)}
	case time.Time:
		return column.Value{Time: column.TimeOf(value)}
	case []string:
		return column.Value{Texts: value}
	}
	return column.Value{}
}

// Plans returns the assigned plans.
func (p *person) Plans() []membership.Plan { return p.plans }

// ReportsTo reports whether a user is the manager.
func (p *person) ReportsTo(manager uuid.UUID) bool {
	return p.manager != "" && idOf(p.manager) == manager
}

// IsMember reports whether the user is a direct member of a group.
func (p *person) IsMember(group uuid.UUID) bool {
	return slices.ContainsFunc(p.groups, func(name string) bool { return idOf(name) == group })
}

// population stores people in columns, as tenants do.
func population(people []*person) *membership.Population {
	schema := directory.UserSchema()
	d := column.NewTable(schema).Draft()
	for _, p := range people {
		row := d.AddRow()
		for name, value := range p.values {
			place, ok := schema.Column(name)
			if !ok {
				panic(name + " has no column")
			}
			d.Set(row, place, stored(value))
		}
		if p.deleted {
			d.SetDeleted(row, true)
		}
	}
	return populationOf(d.Finish(), people)
}

func populationOf(table *column.Table, people []*person) *membership.Population {
	rows := func(is func(*person) bool) *roaring.Bitmap {
		set := roaring.New()
		for row, p := range people {
			if is(p) && !p.deleted {
				set.Add(uint32(row))
			}
		}
		return set
	}
	return &membership.Population{
		Table: table, Now: now,
		User: func(row uint32) membership.User { return people[row] },
		Reports: func(manager uuid.UUID) *roaring.Bitmap {
			return rows(func(p *person) bool { return p.ReportsTo(manager) })
		},
		Members: func(group uuid.UUID) *roaring.Bitmap {
			return rows(func(p *person) bool { return p.IsMember(group) })
		},
	}
}

// six returns the users of the examples.
func six() []*person {
	plan := membership.Plan{ServicePlanID: "efb87545-963c-4e0d-99df-69c6916d9eb0", Service: "exchange", CapabilityStatus: "Enabled"}
	lost := plan
	lost.CapabilityStatus = "Deleted"
	all := []*person{
		{name: "ann", manager: "bob", groups: []string{"G1"}, plans: []membership.Plan{plan}, values: map[string]any{
			"displayName": "Ann Berg", "department": "Sales", "jobTitle": "SDE II", "city": "Lagos", "country": "NG",
			"userType": "Member", "accountEnabled": true, "userPrincipalName": "ann@contoso.example",
			"mail": "ann@contoso.example", "otherMails": []string{"ann@mail.example"},
			"proxyAddresses": []string{"SMTP:ann@contoso.example", "smtp:a.berg@contoso.example"},
			"officeLocation": "600", "employeeId": "500", "employeeHireDate": moment("2026-06-10T18:13:20Z"),
		}},
		{name: "bob", plans: []membership.Plan{lost}, values: map[string]any{
			"displayName": "Bob Vidal", "department": "Marketing", "jobTitle": "Manager", "city": "Oslo", "country": "NO",
			"userType": "Member", "accountEnabled": true, "userPrincipalName": "bob@contoso.example",
			"mail": "bob@fabrikam.example", "proxyAddresses": []string{"SMTP:bob@fabrikam.example"},
			"officeLocation": "16", "employeeId": "501", "employeeHireDate": moment("2026-12-01T00:00:00Z"),
		}},
		{name: "cem", groups: []string{"G1"}, values: map[string]any{
			"displayName": "Cem Öz", "city": "lagos", "country": "NG", "userType": "Member", "accountEnabled": false,
			"userPrincipalName": "cem@contoso.example", "otherMails": []string{"c1@contoso.example", "c2@fabrikam.example"},
			"officeLocation": "600A",
		}},
		{name: "dia", manager: "bob", values: map[string]any{
			"displayName": "David Diaz", "department": "sales", "jobTitle": "SDE", "country": "US", "userType": "Member",
			"accountEnabled": true, "userPrincipalName": "dia@contoso.example", "mail": "dia@contoso.example",
			"officeLocation": "699", "employeeId": "1000",
		}},
		{name: "eve", values: map[string]any{
			"displayName": `Eve "Sales" Lind`, "department": "Sales, EMEA", "jobTitle": "Analyst", "city": "London", "country": "GB",
			"userType": "Member", "accountEnabled": true, "userPrincipalName": "eve@contoso.example",
			"mail": "eve@contoso.example", "otherMails": []string{"eve@contoso.example"},
			"onPremisesExtensionAttributes/extensionAttribute15": "Marketing",
		}},
		{name: "fay", values: map[string]any{
			"displayName": "Fay Guest", "city": "Boston", "country": "US", "userType": "Guest", "accountEnabled": true,
			"userPrincipalName": "fay_partner.example#EXT#@contoso.example", "mail": "fay@partner.example",
			"otherMails": []string{"fay@partner.example"},
		}},
	}
	for _, p := range all {
		p.id = idOf(p.name)
	}
	return all
}

// names replaces {name} in a rule by the id of a user or group.
func names(rule string) string {
	for _, name := range []string{"ann", "bob", "G1", "G2"} {
		rule = strings.ReplaceAll(rule, "{"+name+"}", idOf(name).String())
	}
	return rule
}

func parse(t testing.TB, rule string) *membership.Rule {
	t.Helper()
	r, err := membership.Parse(names(rule))
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	return r
}

// refused returns the error of a rule that must not be valid.
func refused(t testing.TB, rule string) *membership.RefusalError {
	t.Helper()
	_, err := membership.Parse(names(rule))
	r, ok := err.(*membership.RefusalError)
	if !ok {
		t.Fatalf("%s: the error is %v", rule, err)
	}
	return r
}

// fulfill returns the rows of those that fulfill a rule, which must be the same one by one and by
// columns.
func fulfill(t interface {
	Fatalf(format string, args ...any)
	Helper()
}, rule *membership.Rule, people []*person, of *membership.Population,
) []uint32 {
	t.Helper()
	c, err := rule.Condition(context.Background(), of)
	if err != nil {
		t.Fatalf("%s: %v", rule.Text(), err)
	}
	rows, err := c.Find(context.Background(), of.Table, query.WithinLive, nil)
	if err != nil {
		t.Fatalf("%s: %v", rule.Text(), err)
	}
	var found []uint32
	for row, p := range people {
		is, err := rule.Holds(p, of.Now)
		if err != nil {
			t.Fatalf("%s of %s: %v", rule.Text(), p.name, err)
		}
		if p.deleted {
			is = false
		} else if d, err := rule.Evaluate(p, of.Now); err != nil || d.Result != is {
			t.Fatalf("%s of %s is %t, but %t with details: %v", rule.Text(), p.name, is, d.Result, err)
		}
		if is != rows.Has(uint32(row)) {
			t.Fatalf("%s of %s is %t alone, but %t by columns", rule.Text(), p.name, is, rows.Has(uint32(row)))
		}
		if is {
			found = append(found, uint32(row))
		}
	}
	return found
}

// members returns the names of those of some people that fulfill a rule.
func members(t testing.TB, rule string, people ...*person) string {
	t.Helper()
	var found []string
	for _, row := range fulfill(t, parse(t, rule), people, population(people)) {
		found = append(found, people[row].name)
	}
	return strings.Join(found, " ")
}

// are checks the members of rules.
func are(t *testing.T, people []*person, rules map[string]string) {
	t.Helper()
	for rule, want := range rules {
		if got := members(t, rule, people...); got != want {
			t.Errorf("%s: the members are %q, not %q", rule, got, want)
		}
	}
}

// areRefused checks the kinds of errors, and the characters at which they are.
func areRefused(t *testing.T, kind membership.Kind, beginning string, rules map[string]int) {
	t.Helper()
	for rule, at := range rules {
		r := refused(t, rule)
		if r.Kind != kind || r.At != at || !strings.HasPrefix(r.Message, beginning) {
			t.Errorf("%s: kind %d at %d: %s; not kind %d at %d: %s…", rule, r.Kind, r.At, r.Message, kind, at, beginning)
		}
	}
}

// one returns a user with one value.
func one(name, property string, value any) *person {
	return &person{name: name, id: idOf(name), values: map[string]any{property: value}}
}

const invalid = "Dynamic membership rule validation error: "
