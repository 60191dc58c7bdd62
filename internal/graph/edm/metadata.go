package edm

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// metadataTypes are the complex and enumeration types that properties have: a part of $metadata,
// verbatim.
//
//go:embed metadata_types.xml
var metadataTypes string

// Type is a type with properties that responses show.
type Type interface {
	Name() string
	Properties() []string
}

// directoryObjects are the types that groups can have as members, or that can be deleted and
// restored.
var directoryObjects = []string{
	"user", "group", "organization", "application", "servicePrincipal", "appRoleAssignment", "directoryRole", "directoryRoleTemplate",
	"administrativeUnit",
}

// entitySets are the sets of objects and their types; other names are singletons.
var entitySets = map[string]string{
	"users": "user", "groups": "group", "organization": "organization", "subscribedSkus": "subscribedSku", "directoryObjects": "directoryObject",
	"domains": "domain", "applications": "application", "servicePrincipals": "servicePrincipal",
	"oauth2PermissionGrants": "oAuth2PermissionGrant", "directoryRoles": "directoryRole", "directoryRoleTemplates": "directoryRoleTemplate",
	"applicationTemplates": "applicationTemplate", UnitSet: "administrativeUnit",
}

var singletons = map[string]string{"me": "user", "directory": "directory", "roleManagement": "roleManagement", "auditLogs": "auditLogRoot"}

// Metadata returns the document that describes some types, and the operations on them.
func (m *Model) Metadata(types []Type) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx xmlns="http://docs.oasis-open.org/odata/ns/edm" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
 <edmx:DataServices>
  <Schema Namespace="microsoft.graph" Alias="graph">
`)
	b.WriteString(metadataTypes)
	b.WriteString(`   <EntityType Name="entity" Abstract="true">
    <Key>
     <PropertyRef Name="id" />
    </Key>
    <Property Name="id" Type="Edm.String" Nullable="false" />
   </EntityType>
   <EntityType Name="directoryObject" BaseType="graph.entity">
    <Property Name="deletedDateTime" Type="Edm.DateTimeOffset" />
   </EntityType>
   <EntityType Name="directory" BaseType="graph.entity">
`)
	m.writeNavigation(&b, "directory")
	b.WriteString("   </EntityType>\n")
	for _, name := range []string{"roleManagement", "rbacApplication", "auditLogRoot"} { // they have only navigation properties
		fmt.Fprintf(&b, "   <EntityType Name=%q BaseType=\"graph.entity\">\n", name)
		m.writeNavigation(&b, name)
		b.WriteString("   </EntityType>\n")
	}
	for _, t := range types {
		m.writeEntity(&b, t)
	}
	m.writeActions(&b)
	m.writeContainer(&b)
	b.WriteString("  </Schema>\n </edmx:DataServices>\n</edmx:Edmx>\n")
	return []byte(b.String())
}

func (m *Model) writeEntity(b *strings.Builder, t Type) {
	base := "entity"
	if slices.Contains(directoryObjects, t.Name()) {
		base = "directoryObject"
	}
	fmt.Fprintf(b, "   <EntityType Name=%q BaseType=\"graph.%s\">\n", t.Name(), base)
	for _, name := range t.Properties() {
		if name != "id" && name != "deletedDateTime" {
			writeTyped(b, "Property", name, PropertyType(t.Name(), name), "")
		}
	}
	m.writeNavigation(b, t.Name())
	b.WriteString("   </EntityType>\n")
}

// writeTyped writes an element with a type. A type that ends with ! cannot be null.
func writeTyped(b *strings.Builder, element, name, typeName, more string) {
	plain, notNull := strings.CutSuffix(typeName, "!")
	if name != "" {
		name = fmt.Sprintf(" Name=%q", name)
	}
	if notNull {
		more += ` Nullable="false"`
	}
	fmt.Fprintf(b, "    <%s%s Type=%q%s />\n", element, name, plain, more)
}
