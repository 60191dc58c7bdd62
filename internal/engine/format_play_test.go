package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/money"
	"licensor/internal/tenant"
)

// names are users' names: letters of several alphabets, in either case.
var names = []string{
	"Ann Müller", "ÉMILE Straße", "ΣΊΣΥΦΟΣ Παπαδόπουλος", "İbrahim Çelik", "李小龍", "Zoë 😀 O'Neil", "van der BERG", "åse Ørsted",
}

func playDirectory(h *house) {
	t := h.tb
	c := catalog.BuiltIn()
	for i := range c.ServicePlans {
		if c.ServicePlans[i].Name == "TEAMS1" {
			c.ServicePlans[i].ProhibitedIn = []licensing.Country{licensing.Country('K')<<8 | 'P'}
		}
	}
	h.must(tenant.SetCatalog{Catalog: c})
	next := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 12, NextLifecycleDateTime: &next})
	h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 20, Status: tenant.StatusWarning, IsTrial: true})
	var users []tenant.Done
	for i := range 40 {
		h.clock.Add(7)
		hash := []string{"", "$argon2id$hash"}[i%2]
		users = append(users, h.must(tenant.CreateUser{Patch: userPatch(t, "%s", userBody(i)), PasswordHash: hash}))
	}
	playGroups(h, users)
	playPeople(h, users)
	playApplications(h, users)
	playUnits(h, users)
	playPrices(h)
	playTogether(h, users)
}

// playPrices sets prices, and changes one.
func playPrices(h *house) {
	price := tenant.Price{SKUID: e3, ValidFrom: 20454, Amount: 21 * money.Unit, Currency: "EUR", Each: money.PeriodMonth}
	h.must(tenant.SetPrices{Prices: []tenant.Price{price}})
	price.Amount, price.ValidFrom = 250*money.Unit, 20819
	price.Each = money.PeriodYear
	h.must(tenant.SetPrices{Prices: []tenant.Price{price}})
}

// playTogether makes one commit of two commands.
func playTogether(h *house, users []tenant.Done) {
	_, err := h.Together(h.tb.Context(), tenant.By{Actor: "user test"}, func(ctx context.Context, r *engine.Rehearsal) error {
		for _, cmd := range []tenant.Command{
			tenant.AssignUser{User: users[21].Ordinal, Add: []licensing.Assign{{SKUID: ems}}},
			tenant.UpdateUser{User: users[21].Ordinal, Patch: userPatch(h.tb, `{"department":"Both"}`)},
		} {
			if _, err := r.DoBy(ctx, tenant.By{}, cmd); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.tb.Fatal(err)
	}
}

// playUnits adds two administrative units, and deletes one.
func playUnits(h *house, users []tenant.Done) {
	for i, name := range []string{"Nord", "Süd"} {
		unit := h.must(tenant.CreateUnit{
			Patch:   unitPatch(h.tb, `{"displayName":%q,"description":"Einheit %d","visibility":"HiddenMembership","membershipType":"Assigned"}`, name, i),
			Members: []uuid.UUID{users[i].ID, users[20].ID, h.Image().Directory.GroupID(0)},
		})
		if i > 0 {
			h.must(tenant.DeleteUnit{Unit: unit.Ordinal})
		}
	}
	h.must(tenant.UpdateUnit{Unit: 0, Patch: unitPatch(h.tb, `{"isMemberManagementRestricted":false,"visibility":null}`)})
	h.must(tenant.RemoveUnitMember{Unit: 0, Member: users[0].ID})
	group := newGroup(h.tb, "inUnit")
	group.Unit = new(uint32)
	h.must(group)
}

// userBody returns a user; the number determines which properties are set.
func userBody(i int) string {
	name := names[i%len(names)]
	body := fmt.Sprintf(`{"accountEnabled":%t,"displayName":"%s %d","mailNickname":"Nick%d",
		"userPrincipalName":"User.%02d@Test.Example",
		"passwordProfile":{"password":"Secret-123","forceChangePasswordNextSignIn":%t},"usageLocation":%q,
		"department":"Dept %d","jobTitle":%q`,
		i%5 != 0, name, i, i, i, i%3 == 0, []string{"DE", "us", "KP"}[i%3], i%4, strings.ToUpper(name))
	if i%2 == 0 {
		body += fmt.Sprintf(`,"mail":"Mail.%d@test.example","givenName":%q,"surname":"Ünsal",
			"businessPhones":["+49 30 %07d"],"mobilePhone":"+49 170 %d"`, i, name, i, i)
	}
	if i%3 == 0 {
		body += fmt.Sprintf(`,"proxyAddresses":["SMTP:mail.%d@test.example","smtp:Alias.%d@test.example",
			"X500:/o=Org/cn=%d"],"otherMails":["a%d@other.example","B%d@other.example"]`, i/2*2, i, i, i, i)
	}
	if i%4 == 0 {
		body += fmt.Sprintf(`,"onPremisesExtensionAttributes":{"extensionAttribute1":"EA1 %d",
			"extensionAttribute15":%q},"employeeOrgData":{"costCenter":"CC-%d","division":"Ost"}`, i, name, i%6)
	}
	if i%5 == 0 {
		body += fmt.Sprintf(`,"identities":[{"issuer":"test.example","issuerAssignedId":"id-%d",
			"signInType":"federated"}],"employeeId":"E%05d","employeeType":"Contractor",
			"employeeHireDate":"2020-02-29T08:30:00Z","userType":"Guest","ageGroup":"Minor",
			"consentProvidedForMinor":"Granted"`, i, i)
	}
	if i%7 == 0 {
		body += `,"city":"Köln","companyName":"Zürich AG","country":"Österreich","state":"NRW",
			"streetAddress":"Straße des 17. Juni\n135","postalCode":"10623",
			"officeLocation":"18/2111","preferredLanguage":"de-DE","preferredDataLocation":"EUR",
			"faxNumber":"+1","showInAddressList":false,"isResourceAccount":true,
			"onPremisesImmutableId":"aW1tdXRhYmxl","passwordPolicies":"DisablePasswordExpiration"`
	}
	if i%11 == 0 {
		body += `,"aboutMe":"Über mich","birthday":"1990-12-31T00:00:00Z","hireDate":"2019-01-01T00:00:00Z",
			"interests":["Go","Éclairs"],"mySite":"https://example.com",
			"pastProjects":["One"],"preferredName":"Zed","responsibilities":["All"],"schools":["École"],
			"skills":["SQL","C"],"employeeLeaveDateTime":"2030-01-01T00:00:00Z"`
	}
	return body + "}"
}

func playGroups(h *house, users []tenant.Done) {
	ids := func(from, to int) (list []uuid.UUID) {
		for _, u := range users[from:to] {
			list = append(list, u.ID)
		}
		return list
	}
	sales, staff := h.must(groupOf(h.tb, "Vertrieb Süd", false)), h.must(groupOf(h.tb, "ALL staff", false))
	inner := h.must(newGroup(h.tb, "inner"))
	gone, purged := h.must(groupOf(h.tb, "Gelöscht", true)), h.must(newGroup(h.tb, "purged"))
	team := groupOf(h.tb, "Équipe", true)
	team.Members, team.Owners = append(ids(10, 14), inner.ID), ids(0, 2)
	h.must(team)
	h.must(tenant.AddMembers{Group: sales.Ordinal, Members: ids(0, 16)})
	h.must(tenant.AddMembers{Group: staff.Ordinal, Members: append(ids(5, 30), inner.ID, purged.ID)})
	h.must(tenant.AddMembers{Group: gone.Ordinal, Members: ids(1, 3)})
	h.must(tenant.AddMembers{Group: inner.Ordinal, Members: ids(38, 40)})
	h.must(tenant.AddOwners{Group: sales.Ordinal, Owners: ids(3, 6)})
	h.must(tenant.AssignGroup{Group: sales.Ordinal, Add: []licensing.Assign{{SKUID: e3}}})
	less := licensing.Assign{SKUID: e3, DisabledPlans: somePlans(h, e3)}
	h.must(tenant.AssignGroup{Group: staff.Ordinal, Add: []licensing.Assign{{SKUID: ems}, less}})
	h.clock.Add(100)
	h.must(tenant.RemoveMember{Group: sales.Ordinal, Member: users[2].ID})
	h.must(tenant.RemoveOwner{Group: sales.Ordinal, Owner: users[4].ID})
	h.must(tenant.DeleteGroup{Group: gone.Ordinal})
	h.must(tenant.DeleteGroup{Group: purged.Ordinal})
	patch, err := directory.ParseGroupPatch(members(h.tb, `{"description":"Für alle","visibility":"Private"}`))
	if err != nil {
		h.tb.Fatal(err)
	}
	h.must(tenant.UpdateGroup{Group: staff.Ordinal, Patch: patch})
}

// groupOf returns a security group, or a Microsoft 365 group, which can be restored after it is
// deleted.
func groupOf(tb testing.TB, name string, unified bool) tenant.CreateGroup {
	tb.Helper()
	body := `{"displayName":%q,"mailEnabled":false,"mailNickname":"group%d","securityEnabled":true}`
	if unified {
		body = `{"displayName":%q,"mailEnabled":true,"mailNickname":"m365-%d","securityEnabled":false,
			"groupTypes":["Unified"],"theme":"Teal","classification":"Geheim"}`
	}
	patch, err := directory.ParseGroupPatch(members(tb, fmt.Sprintf(body, name, len(name))))
	if err != nil {
		tb.Fatal(err)
	}
	return tenant.CreateGroup{Patch: patch}
}

// somePlans returns the first two plans of a product.
func somePlans(h *house, sku uuid.UUID) []uuid.UUID {
	product, ok := h.Image().Licensing.Product(sku)
	if !ok {
		h.tb.Fatalf("the catalog lacks %s", sku)
	}
	return product.ServicePlanIDs[:2]
}

func playPeople(h *house, users []tenant.Done) {
	for i := 1; i < 20; i++ {
		h.must(tenant.SetManager{User: users[i].Ordinal, Manager: users[i/2].ID})
	}
	h.must(tenant.RemoveManager{User: users[19].Ordinal})
	less := licensing.Assign{SKUID: ems, DisabledPlans: somePlans(h, ems)}
	h.must(tenant.AssignUser{User: users[33].Ordinal, Add: []licensing.Assign{less}})
	h.must(tenant.AssignUser{User: users[34].Ordinal, Add: []licensing.Assign{{SKUID: ems}}})
	h.must(tenant.AssignUser{User: users[34].Ordinal, Remove: []uuid.UUID{ems}})
	h.must(tenant.UpdateUser{User: users[12].Ordinal, Patch: userPatch(h.tb, `{"userPrincipalName":"RENAMED@test.example",
		"department":null,"usageLocation":"FR"}`)})
	for _, i := range []int{6, 7, 35, 36} {
		h.must(tenant.DeleteUser{User: users[i].Ordinal})
	}
	h.must(tenant.RestoreUser{User: users[7].Ordinal})
	h.must(tenant.PurgeUser{User: users[35].Ordinal})
	h.must(tenant.SetPassword{User: users[9].Ordinal, Hash: "$argon2id$another", ForceChange: true})
	h.must(tenant.RevokeSessions{User: users[10].Ordinal})
	done := h.must(tenant.Import{ID: "a file", Rows: []tenant.ImportRow{
		{Line: 1, User: &tenant.ImportUser{ID: uuid.UUID{9}, Patch: importPatch(h.tb)}},
		{Line: 2, Group: &tenant.ImportGroup{ID: uuid.UUID{8}, Patch: newGroup(h.tb, "imported").Patch}},
		{Line: 3, Membership: &tenant.Membership{Group: uuid.UUID{8}.String(), Member: "Imported@test.example"}},
		{Line: 4, Membership: &tenant.Membership{Group: uuid.UUID{7}.String(), Member: "Imported@test.example"}},
	}})
	if len(done.Rows) != 1 {
		h.tb.Fatalf("the import has the problems %v", done.Rows)
	}
}

// importPatch returns a user with properties that only an import can set.
func importPatch(tb testing.TB) directory.UserPatch {
	patch, err := directory.ParseUserImport(members(tb, `{
		"accountEnabled":true,"displayName":"Imported","mailNickname":"imported","userPrincipalName":"Imported@test.example",
		"createdDateTime":"2015-06-01T10:00:00Z","creationType":"Invitation","externalUserState":"PendingAcceptance",
		"externalUserStateChangeDateTime":"2016-01-01T00:00:00Z","imAddresses":["Imported@test.example"],
		"onPremisesDistinguishedName":"CN=Imported,DC=test","onPremisesDomainName":"test.local",
		"onPremisesLastSyncDateTime":"2026-01-01T00:00:00Z","onPremisesSamAccountName":"imp",
		"onPremisesSecurityIdentifier":"S-1-5-21-1","onPremisesSyncEnabled":true,
		"onPremisesUserPrincipalName":"imp@test.local"}`))
	if err != nil {
		tb.Fatal(err)
	}
	return patch
}

func playApplications(h *house, users []tenant.Done) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	full := directory.Application{
		ID: uuid.UUID{1, 2}, AppID: uuid.UUID{1, 3}, DisplayName: "Größe", CreatedDateTime: day,
		PublicClient: true,
		Secrets: []directory.Secret{{
			KeyID: uuid.UUID{1, 4}, DisplayName: "s", Hash: []byte{1, 2},
			Hint: "abc", Starts: day, Expires: day.AddDate(1, 0, 0),
		}},
		Certificates: []directory.Certificate{{
			KeyID: uuid.UUID{1, 5}, DER: []byte{3, 4}, Expires: day.AddDate(1, 0, 0),
		}},
		Federated: []directory.FederatedCredential{{
			ID: uuid.UUID{1, 6}, Name: "f", Issuer: "https://issuer.example", Subject: "s", Audiences: []string{"a"},
		}},
		Redirects: directory.Redirects{
			Web: []string{"https://app.example/"}, SPA: []string{"http://localhost:1"}, Public: []string{"app://x"},
		},
		Properties: map[string]json.RawMessage{"tags": json.RawMessage(`["a"]`)},
	}
	principal := directory.ServicePrincipal{
		ID: uuid.UUID{1, 1}, Permissions: []string{"User.Read.All"}, Disabled: true,
		Properties: map[string]json.RawMessage{"notes": json.RawMessage(`"ä"`)},
	}
	h.must(tenant.SetClient{Client: directory.Client{Application: full, Principal: principal}})
	alone, removed := applicationOf(2, "No service principal"), applicationOf(3, "removed")
	alone.Principal.ID = uuid.Nil
	h.must(tenant.SetClient{Client: alone})
	h.must(tenant.SetClient{Client: removed})
	h.must(tenant.DeleteApplication{AppID: removed.AppID})
	h.must(tenant.PurgeApplication{ID: removed.ID})
	h.must(tenant.SetGrant{Grant: directory.Grant{Client: principal.ID, Scopes: []string{"User.Read", "openid"}}})
	h.must(tenant.SetGrant{Grant: directory.Grant{Client: principal.ID, User: users[1].ID, Scopes: []string{"Group.Read.All"}}})
	h.must(tenant.SetRole{Role: globalAdministrator, Principal: users[0].ID})
	h.must(tenant.SetRole{Role: globalAdministrator, Principal: users[1].ID})
	playLinks(h, users, full.ID, principal.ID)
}

// playLinks links objects of several kinds.
func playLinks(h *house, users []tenant.Done, application, principal uuid.UUID) {
	owned := applicationOf(5, "owned")
	h.must(tenant.SetClient{Client: owned, Owners: []uuid.UUID{users[1].ID}, Creator: principal})
	group := newGroup(h.tb, "programs")
	group.Members, group.Owners, group.Creator = []uuid.UUID{principal}, []uuid.UUID{principal}, users[2].ID
	h.must(group)
	for _, l := range []directory.Link{
		{Relation: directory.RelationOwnedBy, From: application, To: users[8].ID},
		{Relation: directory.RelationOwnedBy, From: principal, To: principal},
		{Relation: directory.RelationSponsoredBy, From: users[8].ID, To: users[9].ID},
		{Relation: directory.RelationHasRole, From: users[9].ID, To: principal},
	} {
		h.must(tenant.AddLink{Link: l})
	}
	owner := directory.Link{Relation: directory.RelationOwnedBy, From: application, To: users[8].ID}
	h.must(tenant.RemoveLink{Link: owner})
	deleted := applicationOf(6, "deleted")
	h.must(tenant.SetClient{Client: deleted})
	h.must(tenant.DeleteApplication{AppID: deleted.AppID})
}

func applicationOf(n byte, name string) directory.Client {
	return directory.Client{
		Application: directory.Application{ID: uuid.UUID{n, 2}, AppID: uuid.UUID{n, 3}, DisplayName: name},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{n, 1}},
	}
}

func playAfterSnapshot(h *house) {
	h.clock.Add(3600)
	on := true
	h.must(tenant.UpdateSettings{AutoReprocess: &on})
	late := h.must(tenant.CreateUser{Patch: userPatch(h.tb, "%s", userBody(77)), PasswordHash: "$argon2id$late"})
	group := h.must(groupOf(h.tb, "after the snapshot", false))
	h.must(tenant.AddMembers{Group: group.Ordinal, Members: []uuid.UUID{late.ID}})
	h.must(tenant.UpdateUser{User: 3, Patch: userPatch(h.tb, `{"mail":"After@test.example","displayName":"ÄFTER"}`)})
	h.must(tenant.DeleteUser{User: 20})
	h.must(tenant.SetManager{User: 21, Manager: late.ID})
	h.must(tenant.SetRole{Role: globalAdministrator, Principal: late.ID})
	h.must(tenant.SetClient{Client: applicationOf(4, "late")})
	h.must(tenant.AddUnitMember{Unit: 0, Member: late.ID})
	h.must(tenant.RestoreUnit{Unit: 1})
	h.must(tenant.CreateUnit{Patch: unitPatch(h.tb, `{"displayName":"late"}`), Members: []uuid.UUID{late.ID, group.ID}})
	h.must(tenant.Reprocess{All: true})
}

// playSecondTenant adds a tenant that has commits only.
func playSecondTenant(h *house) {
	first := h.Tenant
	defer func() { h.Tenant = first }()
	built := catalog.BuiltIn()
	small := &licensing.Catalog{}
	plans := map[uuid.UUID]bool{}
	for _, p := range built.Products {
		if p.SKUID == ems {
			small.Products = append(small.Products, p)
			for _, id := range p.ServicePlanIDs {
				plans[id] = true
			}
		}
	}
	for _, p := range built.ServicePlans {
		if plans[p.ID] {
			p.Excludes, p.RequiresAnyOf = nil, nil
			small.ServicePlans = append(small.ServicePlans, p)
		}
	}
	org := directory.Organization{
		DisplayName: "Zweite", CountryLetterCode: "AT", City: "Wien",
		TechnicalNotificationMails: []string{"it@second.example"},
		PrivacyProfile:             &directory.PrivacyProfile{ContactEmail: "privacy@second.example"},
		VerifiedDomains:            []directory.VerifiedDomain{{Name: "second.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}
	var err error
	if h.Tenant, err = h.tenants.Create(h.tb.Context(), uuid.UUID{2}, org, small); err != nil {
		h.tb.Fatal(err)
	}
	h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 1})
	group := h.must(newGroup(h.tb, "group"))
	h.must(tenant.AssignGroup{Group: group.Ordinal, Add: []licensing.Assign{{SKUID: ems}}})
	for i := range 5 {
		body := strings.ReplaceAll(userBody(i), "@Test.Example", "@second.example")
		user := h.must(tenant.CreateUser{Patch: userPatch(h.tb, "%s", body)})
		h.must(tenant.AddMembers{Group: group.Ordinal, Members: []uuid.UUID{user.ID}})
	}
	h.must(tenant.DeleteUser{User: 4})
	h.must(tenant.SetManager{User: 1, Manager: h.Image().Directory.UserID(0)})
}
