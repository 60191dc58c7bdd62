package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
)

// FuzzApplicationBody sends anything as the properties of an application and its service principal:
// it is refused in Graph's terms, or what is shown then is JSON, and taking that as the body of
// another change leaves it as it is.
func FuzzApplicationBody(f *testing.F) {
	for _, c := range malformed {
		if strings.HasPrefix(c.path, "/v1.0/applications") || strings.HasPrefix(c.path, "/v1.0/servicePrincipals") {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`{"displayName":"x","web":{"redirectUris":["http://[::1]/"],"logoutUrl":"\u0000\"\\"},"api":{"preAuthorizedApplications":[{"appId":"x","delegatedPermissionIds":[]}]}}`))
	f.Add([]byte(`{"optionalClaims":{"idToken":[{"name":"upn"}]},"parentalControlSettings":{"countriesBlockedForMinors":["DE"]},"addIns":[{"type":"x","properties":[{"key":"a"}]}]}`))
	e := editor{applicationResource, uuid.New, time.Now(), true}
	image := emptyImage()
	image.Organization = new(contoso())
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := directory.Members(body)
		if err != nil {
			return
		}
		for _, kind := range []struct {
			edits  map[string]edit
			fields *wire.FieldSet[application]
		}{{applicationEdits, applicationFields}, {principalEdits, principalFields}} {
			a := copied(directory.Client{})
			if err := e.edit(&a, members, kind.edits, kind.fields); err != nil {
				if _, ok := problem.Of(err); !ok {
					t.Fatalf("%s is refused with %v", body, err)
				}
				continue
			}
			shown := wire.AppendFields([]byte{'{'}, kind.fields.InV1.Defaults, &application{Client: a, image: image})
			if shown = append(shown, '}'); !json.Valid(shown) {
				t.Fatalf("%s is shown as %s", body, shown)
			}
			before := string(documents(a))
			err := e.edit(&a, settable(t, shown, kind.edits), kind.edits, kind.fields)
			if err != nil || string(documents(a)) != before {
				t.Fatalf("%s is shown so that it is taken as %s, %v", before, documents(a), err)
			}
		}
	})
}

// settable leaves what can be set of an object as it is shown: without what is null, which cannot
// always be set, and what follows from others.
func settable(t *testing.T, shown []byte, edits map[string]edit) (left []directory.Member) {
	members, err := directory.Members(shown)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if edits[m.Name] == nil || string(m.Value) == "null" || m.Name == "displayName" {
			continue
		}
		if m.Name == "web" {
			m.Value = json.RawMessage(settableWeb(t, m.Value))
		}
		left = append(left, m)
	}
	return left
}

func settableWeb(t *testing.T, web json.RawMessage) string {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(web, &object); err != nil {
		t.Fatal(err)
	}
	delete(object, "redirectUriSettings")
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
