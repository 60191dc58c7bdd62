package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

func plainDocument(t fataler, document []byte) (plain map[string]any) {
	if err := json.Unmarshal(document, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// checkObjects compares the columns, lookups and rows of applications and service principals with
// their documents, and some random conditions with a naive evaluation.
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
		_, ok := img.ClientByID(a.ID)
		if ok || slices.Contains(slices.Collect(img.Applications.EveryByAppID(a.AppID)), ordinal) == false {
			p.t.Fatalf("application %s is deleted, and found", a.ID)
		}
	}
	for ordinal, sp := range img.Principals.Deleted() {
		principals[ordinal] = plainObject{deleted: true, document: plainPrincipal(img.PrincipalAt(ordinal), p.ID())}
		if _, ok := img.Principals.ByID(sp.ID); ok {
			p.t.Fatalf("service principal %s is deleted, and found", sp.ID)
		}
	}
	checkRows(p, store.KindApplication, img.Applications, func(a *directory.Application) (uuid.UUID, []byte) {
		return a.ID, a.Document()
	})
	checkRows(p, store.KindServicePrincipal, img.Principals, func(s *directory.ServicePrincipal) (uuid.UUID, []byte) {
		return s.ID, s.Document()
	})
	for kind, objects := range map[store.Kind]map[uint32]plainObject{
		store.KindApplication: applications, store.KindServicePrincipal: principals,
	} {
		compareWith(p.t, img.Columns(directory.Type(kind)), kind, objects)
		if rapid.IntRange(0, 4).Draw(p.t, "ask") == 0 {
			p.checkCondition(kind, img.Columns(directory.Type(kind)), objects)
		}
	}
}

// plainApplication returns what an application shows, as decoded JSON.
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

// plainPrincipal returns what a service principal shows.
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
		if n >= len(rows) || rows[n].Ordinal != ordinal ||
			rows[n].ID != id || !bytes.Equal(rows[n].Document, document) {
			p.t.Fatalf("object %d of kind %d is %s, and the rows are %+v", ordinal, kind, document, rows)
		}
		n++
	}
	if n != len(rows) || objects.Columns().Rows() != objects.Len() {
		p.t.Fatalf("%d objects of kind %d, %d rows", n, kind, len(rows))
	}
}
