package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// documented has the activities of a kind of objects that are documents. The last four are of
// objects that are deleted, restored, and permanently deleted.
type documented struct {
	kind                                string // of the target
	of                                  store.Kind
	category                            string
	add, update, delete, restore, purge string
	keys                                func(b *builder, t Target, old, now []string)
	permissions                         bool
}

var (
	ofApplications = documented{
		kind: typeApplication, of: store.KindApplication, category: applications,
		add: "Add application", update: "Update application", delete: "Delete application",
		restore: "Restore application", purge: "Hard delete application", keys: (*builder).applicationKeys,
	}
	ofPrincipals = documented{
		kind: typePrincipal, of: store.KindServicePrincipal, category: applications,
		add: "Add service principal", update: "Update service principal", delete: "Remove service principal",
		restore: "Restore service principal", purge: "Hard delete service principal", keys: (*builder).principalKeys,
		permissions: true,
	}
	ofUnits = documented{
		kind: typeOther, of: store.KindAdministrativeUnit, category: units,
		add: "Add administrative unit", update: "Update administrative unit", delete: "Delete administrative unit",
		restore: "Restore administrative unit", purge: "Hard delete administrative unit",
	}
)

// apart are the properties of documents with activities of their own.
var apart = []string{"secrets", "certificates", "permissions"}

// documents adds the entries of applications, service principals or administrative units.
func (b *builder) documents(d documented, list []tenant.DocumentNow) {
	for _, now := range list {
		t := b.document(d.kind, d.of, now)
		w := b.was(tenant.Changeable(d.of), now.Ordinal)
		if w == nil {
			w = new(tenant.Was)
			for _, name := range now.Properties {
				w.Properties = append(w.Properties, tenant.Difference{Name: name})
			}
		}
		changed := properties(w.Properties, apart...)
		if len(changed) > 0 {
			t.Properties = updated(b.asFarAsKnown(changed))
		}
		switch {
		case now.Document == nil && now.ID == nil: // format 2 does not say which object it was
		case now.Document == nil:
			b.add(d.purge, d.category, opDelete, t)
		case now.What == 0 && (!b.recorded || w.New):
			b.add(d.add, d.category, opAdd, t)
		case now.What == tenant.MarkDeleted:
			b.add(d.delete, d.category, opDelete, t)
		case now.What == tenant.MarkRestored:
			b.add(d.restore, d.category, opUpdate, t)
		case len(changed) > 0:
			b.add(d.update, d.category, opUpdate, t)
		}
		t.Properties = nil
		if old, now := keysOf(w.Properties); d.keys != nil && b.recorded && !slices.Equal(old, now) {
			d.keys(b, t, old, now)
		}
		if p := differenceOf(w.Properties, "permissions"); d.permissions && b.recorded && p.Name != "" {
			b.permissions(t, textsIn(p.Old), textsIn(p.New))
		}
	}
}

// keysOf returns what is shown of the secrets and certificates of an object, before and after
// (U17).
func keysOf(differences []tenant.Difference) (old, now []string) {
	for _, name := range []string{"certificates", "secrets"} {
		d := differenceOf(differences, name)
		old, now = append(old, keyTexts(d.Old)...), append(now, keyTexts(d.New)...)
	}
	return old, now
}

func keyTexts(raw []byte) (texts []string) {
	var keys []struct {
		KeyID       uuid.UUID `json:"keyId"`
		Type        string    `json:"type"`
		DisplayName string    `json:"displayName"`
		Expires     time.Time `json:"expires"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &keys) != nil {
		return nil
	}
	for _, k := range keys {
		texts = append(texts, "[KeyIdentifier="+k.KeyID.String()+",KeyType="+k.Type+",KeyUsage=Verify,DisplayName="+
			k.DisplayName+",EndDate="+k.Expires.UTC().Format(time.RFC3339)+"]")
	}
	return texts
}

func (b *builder) applicationKeys(t Target, old, now []string) {
	t.Properties = updated([]Property{{"KeyDescription", listed(old...), listed(now...)}})
	b.add("Update application – Certificates and secrets management", applications, opUpdate, t)
}

func (b *builder) principalKeys(t Target, old, now []string) {
	t.Properties = updated([]Property{{"KeyDescription", listed(old...), listed(now...)}})
	if slices.ContainsFunc(now, func(key string) bool { return !slices.Contains(old, key) }) {
		b.add("Add service principal credentials", applications, opUpdate, t)
	}
	if slices.ContainsFunc(old, func(key string) bool { return !slices.Contains(now, key) }) {
		b.add("Remove service principal credentials", applications, opUpdate, t)
	}
}

// permissions adds the entries of permissions that a service principal was granted, or lost.
func (b *builder) permissions(t Target, old, now []string) {
	for _, name := range now {
		if !slices.Contains(old, name) {
			b.roleEntry("Add app role assignment to service principal", applications, opAdd, name, t, true)
		}
	}
	for _, name := range old {
		if !slices.Contains(now, name) {
			b.roleEntry("Remove app role assignment from service principal", applications, opDelete, name, t, false)
		}
	}
}

func (b *builder) roleEntry(activity, category, operation, value string, t Target, added bool) {
	id, name := "", value
	if p, ok := identity.ApplicationPermission(value); ok {
		id, name = p.ID.String(), p.DisplayName
	}
	t.Properties = appRoleProperties(id, value, name, t.ID, added)
	b.add(activity, category, operation, t)
}

func appRoleProperties(id, value, name, principal string, added bool) []Property {
	list := []Property{
		{Name: "AppRole.Id", New: single(id)},
		{Name: "AppRole.Value", New: single(value)},
		{Name: "AppRole.DisplayName", New: single(name)},
		{Name: "ServicePrincipal.ObjectID", New: single(principal)},
	}
	if id == "" {
		list = list[1:]
	}
	if !added {
		for i := range list {
			list[i].Old, list[i].New = list[i].New, ""
		}
	}
	return list
}

// appRole adds the entry of an app role that a user, group or service principal got or lost.
func (b *builder) appRole(l tenant.LinkNow, from, to Target) {
	value := ""
	if at, ok := b.world.Image.Principals.EverByID(l.To); ok {
		client := b.world.Image.PrincipalAt(at)
		if role, ok := client.AppRole(l.Role); ok {
			value = role.Value
		}
	}
	const assignment = "app role assignment "
	added, removed, category := assignment+"to service principal", assignment+"from service principal", applications
	switch from.Type {
	case typeUser:
		added, removed, category = assignment+"grant to user", assignment+"from user", users
	case typeGroup:
		added, removed, category = assignment+"to group", assignment+"from group", groups
	}
	from.Properties = appRoleProperties(l.Role.String(), value, value, from.ID, !l.Removed)
	if l.Removed {
		b.add("Remove "+removed, category, opDelete, to, from)
	} else {
		b.add("Add "+added, category, opAdd, to, from)
	}
}

// grants adds the entries of delegated permissions.
func (b *builder) grants() {
	for _, g := range b.f.Grants {
		if b.gone[g.Grant.Client] || b.gone[g.Grant.User] {
			continue
		}
		p := Property{Name: "DelegatedPermissionGrant.Scope", Old: "[]", New: "[]"}
		consent := false
		for _, w := range b.record.Changed {
			if w.Of != tenant.ChangeableGrant || w.ID != g.Grant.Client {
				continue
			}
			d := differenceOf(w.Properties, "scope")
			p.Old, p.New, consent = scopes(textsIn(d.Old)), scopes(textsIn(d.New)), w.Consent
		}
		kind := Property{Name: "DelegatedPermissionGrant.ConsentType", New: single("AllPrincipals")}
		if g.Grant.User != uuid.Nil {
			kind.New = single("Principal")
		}
		if !b.recorded && !g.Removed {
			p.Old, p.New = "", scopes(g.Grant.Scopes)
		}
		t := b.object(g.Grant.Client, p, kind)
		switch {
		case consent:
			b.add("Consent to application", applications, opAssign, t)
		case g.Removed:
			b.add("Remove delegated permission grant", applications, opUnassign, t)
		default:
			b.add("Add delegated permission grant", applications, opAssign, t)
		}
	}
}

func scopes(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return listed(strings.Join(list, " "))
}

// roles adds the entries of directory roles.
func (b *builder) roles() {
	for _, r := range b.f.Roles {
		if b.gone[r.Principal] {
			continue
		}
		role, _ := identity.RoleByID(r.Role)
		id := identity.RoleObjectID(b.world.Image.Organization.ID, r.Role).String()
		list := []Property{
			{Name: "Role.ObjectID", New: single(id)},
			{Name: "Role.DisplayName", New: single(role.Name)},
			{Name: "Role.TemplateId", New: single(r.Role.String())},
		}
		target := Target{ID: id, Name: role.Name, Type: typeRole}
		if r.Removed {
			for i := range list {
				list[i].Old, list[i].New = list[i].New, ""
			}
			b.add("Remove member from role", roles, opUnassign, b.object(r.Principal, list...), target)
			continue
		}
		b.add("Add member to role", roles, opAssign, b.object(r.Principal, list...), target)
	}
}

// units adds the entries of administrative units and their members.
func (b *builder) units() {
	b.documents(ofUnits, b.f.Units)
	for _, m := range b.f.UnitMembers {
		var member Target
		if m.IsGroup {
			member = b.group(m.Member)
		} else {
			member = b.user(m.Member)
		}
		unit := Target{Type: typeOther}
		if named := b.names[nameKey{store.KindAdministrativeUnit, m.Unit}]; named != nil {
			unit.ID, unit.Name = named.ID.String(), named.Name
		} else if u := b.world.Image.Units.At(m.Unit); u != nil {
			unit.ID, unit.Name = u.ID.String(), u.DisplayName
		}
		if b.goneText(member.ID) || unit.ID == "" {
			continue
		}
		if m.Removed {
			b.add("Remove member from administrative unit", units, opUnassign, member, unit)
		} else {
			b.add("Add member to administrative unit", units, opAssign, member, unit)
		}
	}
}

func (b *builder) goneText(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && b.gone[parsed]
}
