package tenant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// TestAnyHistorySurvivesRestarts plays random commands, restarts in between, with snapshots taken
// often or never, and compares the image that comes back with the one that was there; and with what
// all commits from the first one on give.
func TestAnyHistorySurvivesRestarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t, rapid.SampledFrom([]int{1, 400, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		h.must(tenant.CreateSubscription{SKUID: e3, TotalLicenses: 2})
		h.must(tenant.CreateSubscription{SKUID: ems, TotalLicenses: 1})
		p := &player{house: h, t: rt}
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			if rapid.IntRange(0, 12).Draw(rt, "restart") == 0 {
				before := content(t, h.Image())
				h.reopen()
				if after := content(t, h.Image()); after != before {
					rt.Fatalf("before the restart\n%s\nafter it\n%s", before, after)
				}
				p.checkObjects()
			}
			p.step()
			p.checkObjects()
			p.checkLinks()
			p.checkUnits()
		}
		p.checkSeats()
		want := content(t, h.Image())
		h.forgetSnapshots()
		if got := content(t, h.Image()); got != want {
			rt.Fatalf("all commits give\n%s\nwant\n%s", got, want)
		}
		p.checkObjects()
	})
}

// forgetSnapshots makes a start that has to go by the commits alone.
func (h *house) forgetSnapshots() {
	h.tb.Helper()
	h.close()
	s, err := sqlite.Open(context.Background(), h.path)
	if err != nil {
		h.tb.Fatal(err)
	}
	ids, err := s.Tenants(context.Background())
	for _, id := range ids {
		err = errors.Join(err, s.DropParts(context.Background(), id, nil))
	}
	if err := errors.Join(err, s.Close()); err != nil {
		h.tb.Fatal(err)
	}
	h.after = 1 << 30
	h.open(nil)
}

// player makes commands up. Many are refused; what is refused must leave no trace.
type player struct {
	*house
	t *rapid.T

	units   map[uuid.UUID]map[uuid.UUID]bool // the members that each administrative unit must have
	earlier *tenant.Image                    // of a while ago
}

func (p *player) user() uint32 {
	return uint32(rapid.IntRange(0, max(0, int(p.Image().Directory.Users())-1)).Draw(p.t, "user"))
}

func (p *player) group() uint32 {
	return uint32(rapid.IntRange(0, max(0, int(p.Image().Directory.Groups())-1)).Draw(p.t, "group"))
}

func (p *player) sku() uuid.UUID { return rapid.SampledFrom([]uuid.UUID{e3, ems}).Draw(p.t, "sku") }

func (p *player) name() string {
	return fmt.Sprint("user", rapid.IntRange(0, 9).Draw(p.t, "name"))
}

func (p *player) id(of uint32) uuid.UUID { return p.Image().Directory.UserID(of) }

func (p *player) step() {
	p.clock.Add(int64(rapid.IntRange(0, 2).Draw(p.t, "seconds")))
	before := p.Image()
	cmd := p.command()
	done, err := p.do(cmd)
	p.t.Logf("%T %+v: %v", cmd, cmd, err)
	if (err != nil || !done.Changed) && p.Image() != before {
		p.t.Fatalf("%T changed the image though it was refused or changed nothing", cmd)
	}
	if err == nil {
		p.followUnits(cmd, done, before)
	}
}

func (p *player) command() tenant.Command {
	img := p.Image()
	if img.Directory.Users() == 0 {
		return newUser(p.tb, p.name())
	}
	if img.Directory.Groups() == 0 {
		return newGroup(p.tb, "group")
	}
	kind := rapid.IntRange(0, 39).Draw(p.t, "command")
	switch {
	case kind < 3:
		return newUser(p.tb, p.name())
	case kind < 4:
		return newGroup(p.tb, "group")
	case kind < 6:
		return tenant.AddMembers{Group: p.group(), Members: []uuid.UUID{p.id(p.user())}}
	case kind < 8:
		return tenant.AssignGroup{Group: p.group(), Add: []licensing.Assign{{SKUID: p.sku()}}}
	}
	return p.otherCommand(kind)
}

func (p *player) otherCommand(kind int) tenant.Command {
	switch kind {
	case 8:
		return tenant.RemoveMember{Group: p.group(), Member: p.id(p.user())}
	case 9:
		return tenant.AssignGroup{Group: p.group(), Remove: []uuid.UUID{p.sku()}}
	case 10:
		return tenant.AssignUser{User: p.user(), Add: []licensing.Assign{{SKUID: p.sku()}}}
	case 11:
		return tenant.DeleteUser{User: p.user()}
	case 12:
		return tenant.RestoreUser{User: p.user()}
	case 13:
		return tenant.PurgeUser{User: p.user()}
	case 14:
		return tenant.UpdateUser{User: p.user(), Patch: userPatch(p.tb, `{"userPrincipalName":"%s@test.example","mail":"%s@test.example"}`, p.name(), p.name())}
	case 15:
		return tenant.DeleteGroup{Group: p.group()}
	case 16:
		on := rapid.Bool().Draw(p.t, "on")
		return tenant.UpdateSettings{AutoReprocess: &on}
	case 17:
		return tenant.SetManager{User: p.user(), Manager: p.id(p.user())}
	case 18:
		return tenant.RemoveManager{User: p.user()}
	case 19:
		return tenant.Reprocess{All: true}
	}
	if kind > 34 {
		return p.unitCommand(kind)
	}
	if kind > 25 {
		return p.linkCommand(kind)
	}
	return p.signInCommand(kind)
}

// anyID is that of an object of any kind, or of none.
func (p *player) anyID() uuid.UUID {
	switch n := byte(rapid.IntRange(0, 3).Draw(p.t, "object")); rapid.IntRange(0, 4).Draw(p.t, "kind") {
	case 0:
		return p.id(p.user())
	case 4:
		if u := p.Image().Units.At(uint32(n)); u != nil {
			return u.ID
		}
		return uuid.UUID{15: n}
	case 1:
		return p.Image().Directory.GroupID(p.group())
	case 2:
		return uuid.UUID{1, 15: n}
	default:
		return uuid.UUID{15: n}
	}
}

// linkCommand is one about what objects of any kinds are to each other.
func (p *player) linkCommand(kind int) tenant.Command {
	link := directory.Link{
		Relation: rapid.SampledFrom([]directory.Relation{directory.OwnedBy, directory.SponsoredBy, directory.HasMember, directory.CreatedBy, directory.HasRole}).Draw(p.t, "relation"),
		From:     p.anyID(), To: p.anyID(),
	}
	if link.Relation == directory.HasRole {
		link.Role = rapid.SampledFrom([]uuid.UUID{{}, {7}, {8}}).Draw(p.t, "role")
	}
	if kind > 30 {
		return p.deletedCommand(kind, link.From)
	}
	switch kind {
	case 26:
		return tenant.RemoveLink{Link: link}
	case 27:
		return tenant.AddMembers{Group: p.group(), Members: []uuid.UUID{link.To}}
	case 28:
		return tenant.AddOwners{Group: p.group(), Owners: []uuid.UUID{link.To}}
	case 29:
		if rapid.Bool().Draw(p.t, "owner") {
			return tenant.RemoveOwner{Group: p.group(), Owner: link.To}
		}
		return tenant.RemoveMember{Group: p.group(), Member: link.To}
	}
	return tenant.AddLink{Link: link}
}

// deletedCommand is one about deleted applications and service principals.
func (p *player) deletedCommand(kind int, id uuid.UUID) tenant.Command {
	restore := rapid.Bool().Draw(p.t, "restore")
	switch kind {
	case 31:
		return tenant.DeletePrincipal{ID: id}
	case 32:
		if restore {
			return tenant.RestoreApplication{ID: id}
		}
		return tenant.PurgeApplication{ID: id}
	case 33:
		if restore {
			return tenant.RestorePrincipal{ID: id}
		}
		return tenant.PurgePrincipal{ID: id}
	}
	if rapid.IntRange(0, 3).Draw(p.t, "wait") == 0 {
		p.clock.Add(int64(tenant.KeptFor/time.Second) + 1)
	}
	all := []uint32{0, 1, 2, 3}
	img := p.Image()
	return tenant.PurgeExpired{
		Users:        img.Licensing.DeletedUsers().ToArray(),
		Applications: all, Principals: all, Units: all,
	}
}

// unitCommand is one about administrative units.
func (p *player) unitCommand(kind int) tenant.Command {
	unit := rapid.Uint32Range(0, 3).Draw(p.t, "unit")
	switch kind {
	case 35:
		cmd := tenant.CreateUnit{Patch: unitPatch(p.tb, `{"displayName":"%s","description":"d"}`, p.name())}
		if rapid.Bool().Draw(p.t, "with members") {
			cmd.Members = []uuid.UUID{p.anyID(), p.anyID()}
		}
		return cmd
	case 36:
		cmd := newGroup(p.tb, "group")
		cmd.Unit = &unit
		return cmd
	case 37:
		if rapid.Bool().Draw(p.t, "restore") {
			return tenant.RestoreUnit{Unit: unit}
		}
		return tenant.DeleteUnit{Unit: unit}
	case 38:
		if rapid.Bool().Draw(p.t, "update") {
			visibility := rapid.SampledFrom([]string{`"Public"`, "null"}).Draw(p.t, "visibility")
			return tenant.UpdateUnit{Unit: unit, Patch: unitPatch(p.tb, `{"displayName":"%s","visibility":%s,"isMemberManagementRestricted":false}`, p.name(), visibility)}
		}
		return tenant.RemoveUnitMember{Unit: unit, Member: p.anyID()}
	}
	return tenant.AddUnitMember{Unit: unit, Member: p.anyID()}
}

func unitPatch(tb testing.TB, format string, args ...any) directory.UnitPatch {
	tb.Helper()
	patch, err := directory.ParseUnitPatch(members(tb, fmt.Sprintf(format, args...)))
	if err != nil {
		tb.Fatal(err)
	}
	return patch
}

// followUnits does to the plain sets of members what a command that was carried out must have done.
func (p *player) followUnits(cmd tenant.Command, done tenant.Done, before *tenant.Image) {
	img := p.Image()
	switch cmd := cmd.(type) {
	case tenant.CreateUnit:
		if p.units == nil {
			p.units = map[uuid.UUID]map[uuid.UUID]bool{}
		}
		p.units[done.ID] = map[uuid.UUID]bool{}
		for _, id := range cmd.Members {
			p.units[done.ID][id] = true
		}
	case tenant.AddUnitMember:
		p.units[before.Units.At(cmd.Unit).ID][cmd.Member] = true
	case tenant.RemoveUnitMember:
		delete(p.units[before.Units.At(cmd.Unit).ID], cmd.Member)
	case tenant.CreateGroup:
		if cmd.Unit != nil {
			p.units[before.Units.At(*cmd.Unit).ID][done.ID] = true
		}
	}
	for unit, members := range p.units {
		if _, there := img.Units.EverByID(unit); !there {
			delete(p.units, unit)
		}
		for id := range members {
			_, isUser := img.Directory.UserByID(id)
			if _, isGroup := img.Directory.GroupByID(id); !isUser && !isGroup { // purged
				delete(members, id)
			}
		}
	}
}

// checkUnits compares the members of administrative units with the plain sets, and their documents
// with columns and rows.
func (p *player) checkUnits() {
	img := p.Image()
	units, found := map[uint32]plainObject{}, 0
	for ordinal := range img.Units.Len() {
		u := img.Units.At(ordinal)
		if u == nil {
			if img.UnitMembers.Users(ordinal) != nil || img.UnitMembers.Groups(ordinal) != nil {
				p.t.Fatalf("unit %d is purged and has members", ordinal)
			}
			continue
		}
		found++
		units[ordinal] = plainObject{plainDocument(p.t, u.Document()), !u.DeletedDateTime.IsZero()}
		want := p.units[u.ID]
		if got := len(membersOf(img, ordinal)); got != len(want) {
			p.t.Fatalf("unit %d has %d members, want %v", ordinal, got, want)
		}
		for _, id := range membersOf(img, ordinal) {
			if !want[id] || !slices.Contains(img.UnitsOf(id), ordinal) {
				p.t.Fatalf("%s is a member of unit %d and in %v; want %v", id, ordinal, img.UnitsOf(id), want)
			}
		}
	}
	if found != len(p.units) {
		p.t.Fatalf("there are %d units, want %d", found, len(p.units))
	}
	checkRows(p, store.KindAdministrativeUnit, img.Units, func(u *directory.AdministrativeUnit) (uuid.UUID, []byte) { return u.ID, u.Document() })
	compareWith(p.t, img.Columns(store.KindAdministrativeUnit), store.KindAdministrativeUnit, units)
}

func plainDocument(t fataler, document []byte) (plain map[string]any) {
	if err := json.Unmarshal(document, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// membersOf are the ids of the members of an administrative unit.
func membersOf(img *tenant.Image, unit uint32) (ids []uuid.UUID) {
	if users := img.UnitMembers.Users(unit); users != nil {
		ids = append(ids, idsOf(users.ToArray(), img.Directory.UserID)...)
	}
	if groups := img.UnitMembers.Groups(unit); groups != nil {
		ids = append(ids, idsOf(groups.ToArray(), img.Directory.GroupID)...)
	}
	return ids
}

// checkLinks wants both ends of every link to be there, and to be of kinds that the relation joins.
func (p *player) checkLinks() {
	img := p.Image()
	kind := func(id uuid.UUID) string {
		if _, ok := img.Directory.UserByID(id); ok {
			return "user"
		}
		if _, ok := img.Directory.GroupByID(id); ok {
			return "group"
		}
		if _, ok := img.Principals.EverByID(id); ok {
			return "principal"
		}
		if _, ok := img.Applications.EverByID(id); ok {
			return "application"
		}
		return "nothing"
	}
	joined := map[directory.Relation][]string{
		directory.OwnedBy: {
			"application-user", "application-principal", "principal-user", "principal-principal", "group-principal",
		},
		directory.HasMember:   {"group-principal"},
		directory.CreatedBy:   {"group-user", "group-principal", "application-user", "principal-user", "application-principal", "principal-principal"},
		directory.SponsoredBy: {"user-user", "user-group"},
		directory.HasRole:     {"user-principal", "group-principal", "principal-principal"},
	}
	for l := range img.Links.All() {
		if !slices.Contains(joined[l.Relation], kind(l.From)+"-"+kind(l.To)) {
			p.t.Fatalf("relation %d joins a %s and a %s", l.Relation, kind(l.From), kind(l.To))
		}
	}
}

// signInCommand is one about who may sign in, and as what.
func (p *player) signInCommand(kind int) tenant.Command {
	app := uuid.UUID{15: byte(rapid.IntRange(1, 3).Draw(p.t, "application"))}
	gone := rapid.Bool().Draw(p.t, "gone")
	switch kind {
	case 20:
		return tenant.SetClient{Client: p.client(app[15]), Owners: []uuid.UUID{p.id(p.user())}, Creator: p.anyID()}
	case 21:
		return tenant.DeleteApplication{AppID: uuid.UUID{2, 15: app[15]}}
	case 22:
		grant := directory.Grant{Client: app, User: p.id(p.user())}
		if !gone {
			grant.Scopes = []string{"User.Read"}
		}
		return tenant.SetGrant{Grant: grant}
	case 23:
		return tenant.SetRole{Role: uuid.UUID{byte(rapid.IntRange(1, 2).Draw(p.t, "role"))}, Principal: p.id(p.user()), Gone: gone}
	case 24:
		return tenant.SetPassword{User: p.user(), Hash: "hash", ForceChange: gone}
	}
	return tenant.UpdateSignIn{SignIn: directory.SignIn{AllowPasswordGrant: gone}}
}

// client is an application with a service principal or without.
func (p *player) client(n byte) directory.Client {
	tags := rapid.SampledFrom([]string{`["a"]`, `["a","B"]`, `[]`}).Draw(p.t, "tags")
	uris := rapid.SampledFrom([]string{`["api://%d"]`, `["api://%d","urn:x"]`, `[]`}).Draw(p.t, "identifierUris")
	c := directory.Client{Application: directory.Application{
		ID: uuid.UUID{1, 15: n}, AppID: uuid.UUID{2, 15: n}, DisplayName: p.name(), CreatedDateTime: p.Image().At,
		Redirects: directory.Redirects{SPA: []string{"https://c"}, Web: rapid.SliceOfN(rapid.SampledFrom([]string{"https://a", "https://b"}), 0, 2).Draw(p.t, "web")},
		Properties: map[string]json.RawMessage{
			"tags": json.RawMessage(tags), "identifierUris": json.RawMessage(strings.ReplaceAll(uris, "%d", fmt.Sprint(n))),
			"info":                   json.RawMessage(fmt.Sprintf(`{"logoUrl":null,"termsOfServiceUrl":"https://%d"}`, n)),
			"requiredResourceAccess": json.RawMessage(`[{"resourceAccess":[],"resourceAppId":"00000003-0000-0000-c000-000000000000"}]`),
			"appRoles":               json.RawMessage(`[{"allowedMemberTypes":["User"],"id":"07000000-0000-0000-0000-000000000000","isEnabled":true}]`),
			"web":                    json.RawMessage(`{"homePageUrl":"https://home"}`),
		},
	}}
	if which := rapid.IntRange(0, 4).Draw(p.t, "service principal"); which > 0 {
		c.Principal = directory.ServicePrincipal{
			ID: uuid.UUID{14: byte(which / 4), 15: n}, Disabled: which == 2, AssignmentRequired: which == 3,
			DisplayName: rapid.SampledFrom([]string{"", "own"}).Draw(p.t, "name of its own"),
			Secrets:     []directory.Secret{{KeyID: uuid.UUID{n}, Hash: []byte{1}, Expires: p.Image().At}},
			Properties:  map[string]json.RawMessage{"homepage": json.RawMessage(`"https://home"`), "tags": json.RawMessage(tags)},
		}
	}
	return c
}

// checkObjects compares the columns, the lookups and the rows of applications and service
// principals with the documents, and some random conditions with a look at each.
func (p *player) checkObjects() {
	img := p.Image()
	applications, principals := map[uint32]plainObject{}, map[uint32]plainObject{}
	for ordinal, a := range img.Applications.All() {
		applications[ordinal] = plainObject{document: plainApplication(img.ClientAt(ordinal))}
		if found, ok := img.ClientByID(a.ID); !ok || found.AppID != a.AppID {
			p.t.Fatalf("application %s is found as %+v", a.ID, found)
		}
		for _, uri := range a.IdentifierURIs() {
			if !slices.Contains(slices.Collect(img.Applications.Named(uri)), ordinal) {
				p.t.Fatalf("application %d is not found by %s", ordinal, uri)
			}
		}
	}
	for ordinal, sp := range img.Principals.All() {
		c := img.PrincipalAt(ordinal)
		principals[ordinal] = plainObject{document: plainPrincipal(c, p.ID())}
		if sp.AppID != directory.GraphAppID && c.AppID != sp.AppID {
			p.t.Fatalf("service principal %d is %+v and its application %+v", ordinal, sp, c)
		}
	}
	for ordinal, a := range img.Applications.Deleted() {
		applications[ordinal] = plainObject{deleted: true, document: plainApplication(img.ClientAt(ordinal))}
		if _, ok := img.ClientByID(a.ID); ok || slices.Contains(slices.Collect(img.Applications.EveryByAppID(a.AppID)), ordinal) == false {
			p.t.Fatalf("application %s is deleted, and found", a.ID)
		}
	}
	for ordinal, sp := range img.Principals.Deleted() {
		principals[ordinal] = plainObject{deleted: true, document: plainPrincipal(img.PrincipalAt(ordinal), p.ID())}
		if _, ok := img.Principals.ByID(sp.ID); ok {
			p.t.Fatalf("service principal %s is deleted, and found", sp.ID)
		}
	}
	checkRows(p, store.KindApplication, img.Applications, func(a *directory.Application) (uuid.UUID, []byte) { return a.ID, a.Document() })
	checkRows(p, store.KindServicePrincipal, img.Principals, func(s *directory.ServicePrincipal) (uuid.UUID, []byte) { return s.ID, s.Document() })
	for kind, objects := range map[store.Kind]map[uint32]plainObject{store.KindApplication: applications, store.KindServicePrincipal: principals} {
		compareWith(p.t, img.Columns(kind), kind, objects)
		if rapid.IntRange(0, 4).Draw(p.t, "ask") == 0 {
			p.checkCondition(kind, img.Columns(kind), objects)
		}
	}
}

// plainApplication is what an application shows, as JSON is decoded.
func plainApplication(c directory.Client) map[string]any {
	document := plainProperties(c.Properties)
	document["appId"], document["displayName"] = c.AppID.String(), c.DisplayName
	document["publisherDomain"], document["signInAudience"] = "test.example", "AzureADMyOrg"
	if !c.DeletedDateTime.IsZero() {
		document["deletedDateTime"] = c.DeletedDateTime.Format(time.RFC3339)
	}
	if !c.CreatedDateTime.IsZero() {
		document["createdDateTime"] = c.CreatedDateTime.Format(time.RFC3339)
	}
	web, _ := document["web"].(map[string]any)
	document["web"] = map[string]any{"homePageUrl": web["homePageUrl"], "redirectUris": plainTexts(c.Redirects.Web)}
	document["spa"] = map[string]any{"redirectUris": plainTexts(c.Redirects.SPA)}
	document["publicClient"] = map[string]any{"redirectUris": plainTexts(c.Redirects.Public)}
	return document
}

// plainPrincipal is what a service principal shows.
func plainPrincipal(c directory.Client, tenant uuid.UUID) map[string]any {
	document := plainProperties(c.Principal.Properties)
	ofApplication := plainProperties(c.Properties)
	names, owner := []any{c.Principal.AppID.String()}, tenant.String()
	if c.Principal.AppID == directory.GraphAppID {
		names, owner = append(names, "https://graph.microsoft.com"), "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
	}
	if !c.Principal.DeletedDateTime.IsZero() {
		document["deletedDateTime"] = c.Principal.DeletedDateTime.Format(time.RFC3339)
	}
	uris, _ := ofApplication["identifierUris"].([]any)
	document["servicePrincipalNames"], document["appOwnerOrganizationId"] = append(names, uris...), owner
	document["appId"], document["displayName"] = c.Principal.AppID.String(), c.Principal.DisplayName
	document["accountEnabled"], document["appRoleAssignmentRequired"], document["info"] = !c.Principal.Disabled, c.Principal.AssignmentRequired, ofApplication["info"]
	return document
}

func plainProperties(kept map[string]json.RawMessage) map[string]any {
	document := map[string]any{}
	for name, raw := range kept {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			panic(err)
		}
		document[name] = value
	}
	return document
}

func plainTexts(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

func checkRows[T any](p *player, kind store.Kind, objects *directory.Objects[T], of func(*T) (uuid.UUID, []byte)) {
	rows, err := p.store.Objects(context.Background(), p.ID(), store.Query{Kind: kind, After: -1})
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for ordinal, object := range objects.All() {
		id, document := of(object)
		if n >= len(rows) || rows[n].Ordinal != ordinal || rows[n].ID != id || !bytes.Equal(rows[n].Document, document) {
			p.t.Fatalf("object %d of kind %d is %s, and the rows are %+v", ordinal, kind, document, rows)
		}
		n++
	}
	if n != len(rows) || objects.Columns().Rows() != objects.Len() {
		p.t.Fatalf("%d objects of kind %d, %d rows", n, kind, len(rows))
	}
}

// checkSeats counts for itself what the image says is consumed, and that the rows are those of the
// index.
func (p *player) checkSeats() {
	img := p.Image()
	for _, s := range img.Licensing.SKUs() {
		n := 0
		for user := range img.Directory.Users() {
			for held := range img.Licensing.Held(user) {
				if held.SKUID == s.SKUID {
					n++
				}
			}
		}
		if n != s.Consumed {
			p.t.Fatalf("consumedUnits of %s is %d, but %d users hold it", s.SKUID, s.Consumed, n)
		}
	}
	for principal := range img.Roles {
		if _, ok := img.Directory.UserByID(principal); !ok {
			p.t.Fatalf("%s has a role, but is no user", principal)
		}
	}
	for g := range img.Grants.All() {
		if _, ok := img.Principals.EverByID(g.Client); !ok {
			p.t.Fatalf("%s has a grant, but is no service principal", g.Client)
		}
	}
	live := p.live(img, store.KindUser)
	documents, err := p.Users(context.Background(), img, live)
	if err != nil {
		p.t.Fatal(err)
	}
	for i, u := range documents {
		user, ok := img.Directory.UserByName(u.UserPrincipalName)
		if !ok || user != live[i] {
			p.t.Fatalf("user %s of row %d is found at %d, %t", u.UserPrincipalName, live[i], user, ok)
		}
	}
}
