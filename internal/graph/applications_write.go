package graph

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

// createApplication answers POST /applications. The application has no service principal yet, so it
// cannot sign in.
func createApplication(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	members, owners, err := r.TakeBinding(members, "owners")
	if err != nil {
		return err
	}
	members, secrets, texts, err := takeSecrets(r, members)
	if err != nil {
		return err
	}
	a := copied(directory.Client{Application: directory.Application{
		ID: r.NewID(), AppID: r.NewID(), CreatedDateTime: r.Now.UTC().Truncate(time.Second), Secrets: secrets,
	}})
	if err := editorFor(r, applicationResource).edit(&a, members, applicationEdits, applicationFields); err != nil {
		return err
	}
	if a.DisplayName == "" {
		return &directory.InvalidError{Kind: directory.InvalidMissing, Resource: applicationResource, Property: "displayName"}
	}
	done, err := r.Do(tenant.SetClient{Client: a, Owners: owners, Creator: r.Caller.ObjectID})
	if err != nil {
		return r.BadReferences(err, wire.ReferencesTo("owners", owners))
	}
	fields, err := applicationFields.Selected(r)
	if err != nil {
		return err
	}
	r.W.Header().Set("Location", r.Root+"/applications/"+a.ID.String())
	return wire.SendEntity(r, applicationFields, http.StatusCreated, "applications", fields, &application{
		Client: a, image: done.Image, texts: texts,
	})
}

// updateApplication answers PATCH /applications/{application}.
func updateApplication(r *wire.Request) error {
	if _, err := r.Application(); err != nil { // before its body is received
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	_, err = rewrite(r, (*wire.Request).Application, func(a *directory.Client) error {
		was := maps.Clone(a.Properties)
		if err := editorFor(r, applicationResource).edit(a, members, applicationEdits, applicationFields); err != nil {
			return err
		}
		return keepsEnabled(was, a.Properties)
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}

// keepsEnabled refuses to remove app roles and scopes of an application that are enabled: each must
// be disabled first, in a separate request.
func keepsEnabled(was, now map[string]json.RawMessage) error {
	left := entitlements(now)
	for id, enabled := range entitlements(was) {
		if _, ok := left[id]; enabled && !ok {
			return &problem.ResponseError{
				Status: http.StatusBadRequest, Code: "CannotDeleteOrUpdateEnabledEntitlement",
				Message: "Permission (scope or role) cannot be deleted or updated unless disabled first.",
			}
		}
	}
	return nil
}

// entitlements returns the app roles and scopes of an application, by id, and whether they are
// enabled.
func entitlements(kept map[string]json.RawMessage) map[uuid.UUID]bool {
	type entitlement struct {
		ID        uuid.UUID
		IsEnabled bool
	}
	var roles []entitlement
	var api struct{ OAuth2PermissionScopes []entitlement }
	_ = json.Unmarshal(kept["appRoles"], &roles) // written by the server; absent if there are none
	_ = json.Unmarshal(kept["api"], &api)
	all := map[uuid.UUID]bool{}
	for _, e := range slices.Concat(roles, api.OAuth2PermissionScopes) {
		all[e.ID] = e.IsEnabled
	}
	return all
}

// deleteApplication answers DELETE /applications/{application}. It deletes its service principal,
// too.
func deleteApplication(r *wire.Request) error {
	a, err := r.Application()
	if err != nil {
		return err
	}
	return r.Change(tenant.DeleteApplication{AppID: a.AppID})
}

// rewrite changes the application that find returns. If another request changes it at the same
// time, the change is repeated on the new state: of two secrets that are added concurrently none is
// lost. The owners are set for a service principal that the change creates.
func rewrite(
	r *wire.Request, find func(*wire.Request) (directory.Client, error),
	change func(*directory.Client) error, owners ...uuid.UUID,
) (directory.Client, error) {
	for {
		was, err := find(r)
		if err != nil {
			return was, err
		}
		next := copied(was)
		if err := change(&next); err != nil {
			return was, err
		}
		before := documents(was)
		if bytes.Equal(before, documents(next)) {
			return was, nil
		}
		unchanged := func(img *tenant.Image) bool { return bytes.Equal(before, documentsNow(img, was)) }
		again, err := r.DoWhile(unchanged, tenant.SetClient{Client: next, Owners: owners, Creator: r.Caller.ObjectID})
		if !again {
			return next, err
		}
	}
}

// documentsOf returns the documents of an application and its service principal, nil if it does not
// exist.
func documentsOf(img *tenant.Image, id uuid.UUID) []byte {
	a, ok := img.ClientByID(id)
	if !ok {
		return nil
	}
	return documents(a)
}

func documents(a directory.Client) []byte {
	return append(a.Application.Document(), a.Principal.Document()...)
}

// documentsNow returns documentsOf for an application that was found in an older image. An
// application of another tenant is found by its appId, and may have no service principal yet.
func documentsNow(img *tenant.Image, was directory.Client) []byte {
	if was.ID != uuid.Nil {
		return documentsOf(img, was.ID)
	}
	if now, ok := img.Client(was.AppID); ok {
		return documents(now)
	}
	return documents(directory.Client{Application: directory.Application{
		AppID: was.AppID, DisplayName: was.DisplayName,
	}})
}

// revisionOf returns the revision of an application: which differs between any two states of it.
func revisionOf(id uuid.UUID) func(*tenant.Image) uint32 {
	return func(img *tenant.Image) uint32 { return crc32.ChecksumIEEE(documentsOf(img, id)) }
}
