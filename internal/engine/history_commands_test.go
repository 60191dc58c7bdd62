package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

func (p *player) command() tenant.Command {
	img := p.Image()
	if img.Directory.Users() == 0 {
		return newUser(p.tb, p.name())
	}
	if img.Directory.Groups() == 0 {
		return newGroup(p.tb, "group")
	}
	if rapid.IntRange(0, 5).Draw(p.t, "rule") == 5 {
		return p.ruleCommand()
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

// anyID returns the id of an object of any kind, or an unknown one.
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

// linkCommand returns a command about links between objects of any kinds.
func (p *player) linkCommand(kind int) tenant.Command {
	link := directory.Link{
		Relation: rapid.SampledFrom([]directory.Relation{
			directory.RelationOwnedBy, directory.RelationSponsoredBy,
			directory.RelationHasMember, directory.RelationCreatedBy, directory.RelationHasRole,
		}).Draw(p.t, "relation"),
		From: p.anyID(), To: p.anyID(),
	}
	if link.Relation == directory.RelationHasRole {
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

// deletedCommand returns a command about deleted applications and service principals.
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

// unitCommand returns a command about administrative units.
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

// signInCommand returns a command about sign-in, such as trusted issuers and roles.
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
		return tenant.SetRole{
			Role:      uuid.UUID{byte(rapid.IntRange(1, 2).Draw(p.t, "role"))},
			Principal: p.id(p.user()), Removed: gone,
		}
	case 24:
		return tenant.SetPassword{User: p.user(), Hash: "hash", ForceChange: gone}
	}
	return tenant.UpdateSignIn{SignIn: directory.SignIn{AllowPasswordGrant: gone}}
}

// client returns an application, with or without a service principal.
func (p *player) client(n byte) directory.Client {
	tags := rapid.SampledFrom([]string{`["a"]`, `["a","B"]`, `[]`}).Draw(p.t, "tags")
	uris := rapid.SampledFrom([]string{`["api://%d"]`, `["api://%d","urn:x"]`, `[]`}).Draw(p.t, "identifierUris")
	c := directory.Client{Application: directory.Application{
		ID: uuid.UUID{1, 15: n}, AppID: uuid.UUID{2, 15: n}, DisplayName: p.name(), CreatedDateTime: p.Image().At,
		Redirects: directory.Redirects{
			SPA: []string{"https://c"},
			Web: rapid.SliceOfN(rapid.SampledFrom([]string{"https://a", "https://b"}), 0, 2).Draw(p.t, "web"),
		},
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
