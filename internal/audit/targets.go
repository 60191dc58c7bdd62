package audit

import (
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// user returns a user as a target, with the names that it had, if the record has them.
func (b *builder) user(ordinal uint32, properties ...Property) Target {
	named := b.named(store.KindUser, ordinal)
	return Target{
		ID: named.ID.String(), Name: named.Name, Type: typeUser, Principal: named.Principal,
		Properties: properties, userType: named.Type,
	}
}

// group returns a group as a target.
func (b *builder) group(ordinal uint32, properties ...Property) Target {
	named := b.named(store.KindGroup, ordinal)
	t := Target{ID: named.ID.String(), Name: named.Name, Type: typeGroup, GroupType: "azureAD", Properties: properties}
	if named.Unified {
		t.GroupType = "unifiedGroups"
	}
	return t
}

// named returns the names of a user or group: those that the record has, otherwise those of now.
func (b *builder) named(kind store.Kind, ordinal uint32) tenant.Named {
	if named := b.names[nameKey{kind, ordinal}]; named != nil && named.ID != uuid.Nil {
		return *named
	}
	img := b.world.Image
	named := img.UserNamed
	if kind == store.KindGroup {
		named = img.GroupNamed
	}
	is := named(ordinal)
	if is.ID == uuid.Nil {
		is.ID = b.world.id(kind, ordinal, b.Seq)
	}
	return is
}

// typesOf are the types of targets by the kinds of objects.
var typesOf = map[store.Kind]string{
	store.KindUser: typeUser, store.KindGroup: typeGroup, store.KindApplication: typeApplication,
	store.KindServicePrincipal: typePrincipal, store.KindAdministrativeUnit: typeOther,
}

// object returns any object as a target, by its id.
func (b *builder) object(id uuid.UUID, properties ...Property) Target {
	img := b.world.Image
	for _, named := range b.record.Named {
		switch {
		case named.ID != id:
		case named.Kind == store.KindUser:
			return b.user(named.Ordinal, properties...)
		case named.Kind == store.KindGroup:
			return b.group(named.Ordinal, properties...)
		default:
			return Target{ID: id.String(), Name: named.Name, Type: typesOf[named.Kind], Properties: properties}
		}
	}
	if user, ok := img.Directory.UserByID(id); ok {
		return b.user(user, properties...)
	}
	if group, ok := img.Directory.GroupByID(id); ok {
		return b.group(group, properties...)
	}
	t := Target{ID: id.String(), Type: typeOther, Properties: properties}
	if at, ok := img.Principals.EverByID(id); ok {
		t.Type, t.Name = typePrincipal, img.Principals.At(at).DisplayName
	} else if at, ok := img.Applications.EverByID(id); ok {
		t.Type, t.Name = typeApplication, img.Applications.At(at).DisplayName
	}
	return t
}

// document returns an application, service principal or administrative unit as a target.
func (b *builder) document(kind string, of store.Kind, now tenant.DocumentNow, properties ...Property) Target {
	var is struct {
		ID          uuid.UUID `json:"id"`
		DisplayName string    `json:"displayName"`
	}
	if now.Document != nil {
		_ = directory.Unmarshal(now.Document, &is) // it was valid when it was written
	} else if now.ID != nil {
		is.ID = *now.ID
		if named := b.names[nameKey{of, now.Ordinal}]; named != nil {
			is.DisplayName = named.Name
		}
	}
	return Target{ID: is.ID.String(), Name: is.DisplayName, Type: kind, Properties: properties}
}

// tenant returns the tenant as a target.
func (b *builder) tenant(properties ...Property) Target {
	org := b.world.Image.Organization
	return Target{ID: org.ID.String(), Name: org.DisplayName, Type: typeDirectory, Properties: properties}
}

// ofGroup returns the properties of an object that joins or leaves a group (U22).
func ofGroup(g Target, joined bool) []Property {
	list := []Property{
		{Name: "Group.ObjectID", New: single(g.ID)},
		{Name: "Group.DisplayName", New: single(g.Name)},
		{Name: "Group.WellKnownObjectName"},
	}
	if !joined {
		for i := range list {
			list[i].Old, list[i].New = list[i].New, ""
		}
	}
	return list
}
