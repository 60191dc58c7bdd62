package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/licensing"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

// TestFiltersFindWhomTheyMean asks filters of three users: Ann, Bob, and Cem, who has nearly no
// properties.
func TestFiltersFindWhomTheyMean(t *testing.T) {
	t.Parallel()
	image := threePeople(t)
	for _, c := range []struct{ filter, want string }{
		{`displayName eq 'ANN berg'`, "ann"},
		{`displayName eq ''`, ""},
		{`department eq null`, "cem"},
		{`department ne null`, "ann bob"},
		{`department ne 'Sales'`, "bob cem"},
		{`displayName in ('bob vidal','cem Öz','nobody')`, "bob cem"},
		{`displayName in ('ann berg')`, "ann"},
		{`department in ('sales', null)`, "ann cem"},
		{`id eq 01000000-0000-0000-0000-000000000001`, "bob"},
		{`id eq '01000000-0000-0000-0000-000000000001'`, "bob"},
		{`id eq 'x'`, ""},
		{`id ne '01000000-0000-0000-0000-000000000001'`, "ann cem"},
		{`id in ('01000000-0000-0000-0000-000000000001','01000000-0000-0000-0000-000000000002')`, "bob cem"},
		{`accountEnabled eq true`, "ann"},
		{`accountEnabled ne true`, "bob cem"},
		{`createdDateTime ge 2026-01-31T13:00:00+01:00`, "ann"},
		{`createdDateTime ge 2026-01-31T12:00:00.5Z`, ""},
		{`createdDateTime le 2026-01-31T12:00:00.5Z`, "ann bob"},
		{`createdDateTime eq 2026-01-31T12:00:00Z`, "ann"},
		{`createdDateTime eq 2026-01-31T12:00:00.5Z`, ""},
		{`createdDateTime le 2026-01-31`, "bob"},
		{`createdDateTime eq null`, "cem"},
		{`startsWith(mail,'a')`, "ann"},
		{`startsWith(mail,'')`, "ann bob"},
		{`endsWith(mail,'example')`, "ann bob"},
		{`not startsWith(mail,'a')`, "bob cem"},
		{`proxyAddresses/any(p:p eq 'smtp:a@contoso.example')`, "ann"},
		{`proxyAddresses/any(p:startsWith(p,'SIP') or endsWith(p,'fabrikam.example'))`, "ann bob"},
		{`proxyAddresses/any(p:not(p in ('smtp:b@fabrikam.example','b') and p ne 'c'))`, "ann"},
		{`(mail eq 'ann@contoso.example' or mail eq 'bob@fabrikam.example') and city eq 'oslo'`, "bob"},
		{`employeeOrgData/costCenter eq '7'`, "bob"},
		{`EmployeeOrgData/CostCenter ne '7'`, "ann cem"},
		{`onPremisesExtensionAttributes/extensionAttribute3 eq 'x'`, "ann"},
		{`identities/any(i:i/issuer eq 'contoso' and i/issuerAssignedId eq '1')`, "ann"},
		{`identities/any(i:i/issuer eq 'contoso' and i/issuerAssignedId eq '2')`, ""},
		{`faxNumber eq null`, "ann bob cem"},
		{`onPremisesProvisioningErrors/any(o:o/category eq 'x')`, ""},
		{`assignedLicenses/any(x:x/skuId eq 6fd2c87f-b296-42f0-b197-1e91e994b900)`, ""},
		{`assignedLicenses/$count eq 0`, "ann bob cem"},
	} {
		got, err := condition(t, image, c.filter, true)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		rows, err := got.Find(t.Context(), image.Directory.UserColumns(), columns.WithinLive, nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, row := range rows.After(nil, -1, 10) {
			names = append(names, []string{"ann", "bob", "cem"}[row])
		}
		if found := strings.Join(names, " "); found != c.want {
			t.Errorf("%s: found %q, want %q", c.filter, found, c.want)
		}
	}
}

func threePeople(t *testing.T) *tenant.Image {
	t.Helper()
	image := emptyImage()
	dir, lic := image.Directory.Draft(), image.Licensing.Draft(1, time.Unix(1, 0))
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for i, u := range []directory.User{
		{
			DisplayName: "Ann Berg", Department: "Sales", AccountEnabled: true, Mail: "ann@contoso.example", CreatedDateTime: noon, City: "Lagos",
			ProxyAddresses: []string{"SMTP:a@contoso.example", "sip:ann"},
			Identities: []directory.Identity{
				{Issuer: "contoso", IssuerAssignedID: "1"},
				{Issuer: "other", IssuerAssignedID: "2"},
			},
			OnPremisesExtensionAttributes: &directory.ExtensionAttributes{2: "X"},
		},
		{
			DisplayName: "Bob Vidal", Department: "Marketing", Mail: "bob@fabrikam.example", CreatedDateTime: noon.Add(-24 * time.Hour), City: "Oslo",
			ProxyAddresses: []string{"smtp:b@fabrikam.example"}, EmployeeOrgData: &directory.EmployeeOrgData{CostCenter: "7"},
		},
		{DisplayName: "Cem Öz"},
	} {
		u.ID = uuid.UUID{1, 15: byte(i)}
		dir.SetUserValues(dir.AddUser(u.ID, directory.KeyOf(u.DisplayName), nil), u.Values())
		lic.AddUser(licensing.NoCountry)
	}
	image.Directory = dir.Finish()
	image.Licensing, _ = lic.Finish()
	return image
}

func TestFiltersThatCannotBeAnsweredNameTheirPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter string
		status int
		want   string
	}{
		{`true`, 400, "'true' at position 1"},
		{`accountEnabled`, 400, "Compare it with a value"},
		{`accountEnabled ge true`, 400, "'ge' at position 16"},
		{`accountEnabled eq 1`, 400, "true or false"},
		{`'Ann' eq displayName`, 400, "''Ann'' at position 1"},
		{`displayName eq mail`, 400, "'mail' at position 16"},
		{`displayName eq 1`, 400, "a text in quotation marks"},
		{`displayName eq 6fd2c87f-b296-42f0-b197-1e91e994b900`, 400, "a text in quotation marks"},
		{`displayName eq 2026-01-31`, 400, "a text in quotation marks"},
		{`displayName eq 1.5`, 400, "a text in quotation marks"},
		{`displayName ge null`, 400, "null is only equal"},
		{`displayName lt 'a'`, 400, "'lt' at position 13"},
		{`displayName/x eq 'a'`, 400, "'displayName/x'"},
		{`createdDateTime eq '2026'`, 400, "a time"},
		{`shoeSize eq 1`, 400, "property 'shoeSize' of resource 'User'"},
		{`contains(displayName,'a')`, 400, "'contains' at position 1"},
		{`endsWith(displayName,'a')`, 400, "endsWith works on"},
		{`startsWith(accountEnabled,'a')`, 400, "cannot be filtered by in this way"},
		{`startsWith(displayName,mail)`, 400, "Functions of text"},
		{`startsWith(displayName,'a') eq true`, 400, "left side of a comparison must be a property"},
		{`proxyAddresses eq 'a'`, 400, "with any"},
		{`proxyAddresses in ('a')`, 400, "with any"},
		{`proxyAddresses/any()`, 400, "any with a condition"},
		{`proxyAddresses/all(p:p eq 'a')`, 400, "any with a condition"},
		{`proxyAddresses/any(p:p/x eq 'a')`, 400, "only p itself"},
		{`proxyAddresses/any(p:displayName eq 'a')`, 400, "only p itself"},
		{`proxyAddresses/any(p:otherMails/any(o:o eq 'a'))`, 400, "cannot stand within any"},
		{`displayName/any(p:p eq 'a')`, 400, "not a collection"},
		{`manager/displayName eq 'a'`, 400, "for property 'manager' of resource 'User'"},
		{`displayName in (` + strings.Repeat("'a',", 200) + `'a')`, 400, "200 values"},
		{`assignedLicenses/all(x:x/skuId eq 'a')`, 400, "Supported is any"},
		{`assignedLicenses/any(x:x/skuId eq 1)`, 400, "a text in quotation marks or a GUID"},
		{`assignedLicenses/any(x:x/skuId gt 'a')`, 400, "Supported are eq, ne, not, in"},
		{`assignedLicenses/any(x:startsWith(x/skuId,'a'))`, 400, "Compare a property of x"},
		{`assignedLicenses/$count gt 3`, 400, "$count ne 0"},
	} {
		_, err := condition(t, emptyImage(), c.filter, true)
		p, ok := problem.Of(err)
		if !ok || p.Status != c.status || !strings.Contains(wordsOf(p), c.want) {
			t.Errorf("%s: %v, want %d %s", c.filter, err, c.status, c.want)
		}
	}
}

// wordsOf is the message with its detail.
func wordsOf(p *problem.ResponseError) string {
	if p.Detail == nil {
		return p.Message
	}
	return p.Message + " " + p.Detail.Message
}

func TestAdvancedFiltersWantTheHeader(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{
		`city ne 'a'`, `not city eq 'a'`, `endsWith(mail,'a')`, `proxyAddresses/any(p:endsWith(p,'a'))`, `proxyAddresses/any(p:not(p eq 'a'))`, `assignedLicenses/$count eq 0`,
	} {
		_, err := condition(t, emptyImage(), filter, false)
		if p, ok := problem.Of(err); !ok || p.Code != problem.CodeUnsupported || !strings.Contains(wordsOf(p), "ConsistencyLevel: eventual") {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

// condition converts a filter of users.
func condition(t *testing.T, image *tenant.Image, text string, advanced bool) (*columns.Condition, error) {
	t.Helper()
	f, err := odata.ParseFilter(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	scope := query.Scope{Image: image, Now: time.Unix(0, 0), Advanced: advanced}
	wanted, err := query.Users.Wanted(scope, &odata.Options{Filter: f})
	if err != nil {
		return nil, err
	}
	return wanted.Condition, nil
}
