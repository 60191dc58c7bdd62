package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

const demoDomain = "contoso.example"

// demoSeats are the products of the demo, by their skuPartNumber in the built-in catalog, with the
// number of seats, and an example of what a seat costs per month.
var demoSeats = []struct {
	part  string
	id    string
	seats int
	price string // in EUR
}{
	{"ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", 93, "22.00"}, // Office 365 E3: one fewer than needed
	{"SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", 25, "58.00"},         // Microsoft 365 E5
	{"DESKLESSPACK", "4b585984-651b-448a-9e53-3b10f069cf7f", 60, "4.00"},    // Office 365 F3
	{"EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", 150, "10.00"},           // Enterprise Mobility + Security E3
	{"AAD_PREMIUM", "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", 50, "6.00"},     // Microsoft Entra ID P1
	{"SHAREPOINTSTANDARD", "1fc08a02-8b3d-43b9-831e-f76859e04e1a", 10, "5.00"},
	{"MCOEV", "e43b5b99-8dfb-405f-9987-dc307f34bcbd", 20, "8.00"},      // Teams Phone Standard
	{"MCOMEETADV", "0c266dff-15dd-4b49-8397-2bb16070ed52", 20, "4.00"}, // Audio Conferencing
	{"POWER_BI_PRO", "f8a1db68-be16-40ed-86d5-cb42ce701560", 40, "10.00"},
	{"VISIOCLIENT", "c5928f49-12ba-48f7-ada3-0d743a3601d5", 3, "15.00"},          // Visio Plan 2
	{"PROJECTPROFESSIONAL", "53818b1b-4a27-454b-8896-0dba576410e6", 15, "30.00"}, // Planner and Project Plan 3
	{"Microsoft_365_Copilot", "639dec6b-bb19-468b-871c-c5c441c4b0cb", 5, "30.00"},
	{"EXCHANGEENTERPRISE", "19ec0d23-8335-4cbd-94ac-6050e30712fa", 20, "8.00"}, // Exchange Online (Plan 2)
}

func demoSKU(part string) string {
	for _, p := range demoSeats {
		if p.part == part {
			return p.id
		}
	}
	panic("no such product in the demo: " + part)
}

// demoGroups are the groups, with their products and members: the people from one number up to, not
// including, another.
var demoGroups = []struct {
	name     string
	from, to int
	products []string
}{
	{"All employees", 0, 200, nil},
	{"Sales", 0, 30, []string{"ENTERPRISEPACK"}},
	{"Engineering", 30, 75, []string{"ENTERPRISEPACK", "EMS"}},
	{"Finance", 75, 95, []string{"ENTERPRISEPACK", "POWER_BI_PRO"}},
	{"Management", 95, 110, []string{"SPE_E5"}},
	{"Shop floor", 110, 165, []string{"DESKLESSPACK"}},
	{"Marketing", 165, 178, []string{"EXCHANGEENTERPRISE"}},
	{"Draughtspeople", 178, 184, []string{"AAD_PREMIUM", "VISIOCLIENT"}},
	{"Project office", 184, 190, []string{"PROJECTPROFESSIONAL"}},
	{"Analysts abroad", 190, 194, []string{"POWER_BI_PRO"}},
	{"Copilot pilot", 194, 200, []string{"Microsoft_365_Copilot"}},
	{"Front desk", 108, 110, nil},
}

var (
	demoGiven   = []string{"Ann", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leo", "Mia", "Noah", "Olga", "Paul", "Rosa", "Simon", "Tara", "Uwe"}
	demoSurname = []string{"Adler", "Berg", "Conrad", "Dorn", "Ebert", "Fuchs", "Graf", "Haas", "Iven", "Jung"}
)

// demoPerson is the person of a number. Names are made of all pairs of first and last names.
func demoPerson(i int) (given, surname, upn string) {
	given, surname = demoGiven[i%len(demoGiven)], demoSurname[i/len(demoGiven)]
	return given, surname, strings.ToLower(given+"."+surname) + "@" + demoDomain
}

// demoAbroad is the country where the demo's catalog does not offer Power BI.
const demoAbroad = "KP"

// demoImport returns the directory as lines of an import: people, groups, memberships and
// subscriptions.
func demoImport(groups []uuid.UUID) string {
	var b strings.Builder
	line := func(kind string, value map[string]any) {
		text, err := json.Marshal(map[string]any{kind: value})
		if err != nil {
			panic(err) // strings and booleans can always be encoded
		}
		b.Write(append(text, '\n'))
	}
	for i := range len(demoGiven) * len(demoSurname) {
		given, surname, upn := demoPerson(i)
		country := "DE"
		if i >= 190 && i < 194 {
			country = demoAbroad
		}
		mail := upn
		if i == 166 { // two people with the same address (docs/spec/licensing.md L43)
			_, _, mail = demoPerson(165)
		}
		line("user", map[string]any{
			"accountEnabled": true, "displayName": given + " " + surname, "givenName": given, "surname": surname,
			"userPrincipalName": upn, "mailNickname": strings.ToLower(given + "." + surname), "mail": mail, "usageLocation": country,
			"department": demoDepartment(i),
		})
	}
	for g, group := range demoGroups {
		line("group", map[string]any{
			"id": groups[g].String(), "displayName": group.name, "mailEnabled": false, "securityEnabled": true,
			"mailNickname": strings.ToLower(strings.ReplaceAll(group.name, " ", "-")),
		})
		for i := group.from; i < group.to; i++ {
			_, _, upn := demoPerson(i)
			line("member", map[string]any{"group": groups[g].String(), "member": upn})
		}
	}
	for _, p := range demoSeats {
		line("subscription", map[string]any{"skuId": p.id, "totalLicenses": p.seats})
	}
	return b.String()
}

// demoPrices returns what the products cost, from a date on, as PUT /licensor/v1/prices reads it.
func demoPrices(from string) (string, error) {
	var list []price
	for _, p := range demoSeats {
		list = append(list, price{SKUID: p.id, Amount: p.price, Currency: "EUR", Period: "month", ValidFrom: from})
	}
	text, err := json.Marshal(map[string]any{"prices": list})
	return string(text), err
}

func demoDepartment(i int) string {
	for _, g := range demoGroups[1:] {
		if i >= g.from && i < g.to {
			return g.name
		}
	}
	return ""
}

// addLicenses returns the body of an assignLicense request that adds these products.
func addLicenses(parts ...string) string {
	var list []string
	for _, part := range parts {
		list = append(list, fmt.Sprintf(`{"skuId":"%s","disabledPlans":[]}`, demoSKU(part)))
	}
	return `{"addLicenses":[` + strings.Join(list, ",") + `],"removeLicenses":[]}`
}
