package engine_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/store/memory"
	"licensor/internal/tenant"
)

func TestRename(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	h.must(newUser(t, "ann"))
	group := h.must(newGroup(t, "all")).ID
	h.must(tenant.SetClient{Client: directory.Client{Application: directory.Application{
		ID: uuid.New(), AppID: uuid.New(), DisplayName: "ours",
	}, Principal: directory.ServicePrincipal{ID: uuid.New()}}})
	was, now := h.ID(), uuid.UUID{7}
	h.must(tenant.AddLink{Link: directory.Link{
		Relation: directory.RelationOwnedBy,
		From:     h.Image().Clients()[0].Principal.ID, To: directory.GraphPrincipal(was).ID,
	}})
	before := h.Image()
	h.close()
	moved := filledAs(t, h.openStore(), was, now)
	for range 2 { // the second time there is nothing to do
		if err := engine.Rename(t.Context(), moved, now, h.options()); err != nil {
			t.Fatal(err)
		}
		all, err := engine.Open(t.Context(), moved, h.options())
		if err != nil {
			t.Fatal(err)
		}
		renamed, err := all.Tenant(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		wantRenamed(t, renamed.Image(), before, was, now, group)
		renamed.Release()
		if err := all.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := engine.Rename(t.Context(), moved, uuid.New(), h.options()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("renaming a tenant that does not exist answers %v", err)
	}
}

// filledAs returns a store in which a tenant of another store, which is closed, is under another
// id.
func filledAs(t *testing.T, from store.Store, was, now uuid.UUID) store.Store {
	t.Helper()
	s := memory.New().Open()
	if err := s.CreateTenant(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	err := from.View(t.Context(), was, func(v store.View) error {
		place, err := v.Place()
		if err != nil {
			return err
		}
		rows, err := v.Rows(store.RowKey{}, math.MaxInt32, math.MaxInt32)
		if err != nil {
			return err
		}
		if err := s.Fill(t.Context(), now, nil, rows); err != nil {
			return err
		}
		err = v.Commits(0, func(c store.Commit) error { return s.Fill(t.Context(), now, []store.Commit{c}, nil) })
		return errors.Join(err, s.Publish(t.Context(), now, place, store.Floors{}))
	})
	if err := errors.Join(err, from.Close()); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantRenamed(t *testing.T, img, before *tenant.Image, was, now, group uuid.UUID) {
	t.Helper()
	if img.Seq != before.Seq+1 || img.Organization.ID != now || img.Directory.Users() != before.Directory.Users() {
		t.Errorf("at commit %d the organization has the id %s", img.Seq, img.Organization.ID)
	}
	if _, ok := img.Principals.EverByID(directory.GraphPrincipal(was).ID); ok {
		t.Error("the former service principal of Microsoft Graph is there")
	}
	if ordinal, ok := img.Principals.ByID(directory.GraphPrincipal(now).ID); !ok || ordinal != 0 {
		t.Errorf("the service principal of Microsoft Graph is number %d, %v", ordinal, ok)
	}
	client := img.Clients()[0]
	if !img.Owns(directory.GraphPrincipal(now).ID, client.Principal.ID) || img.Links.Len() != before.Links.Len() {
		t.Error("its links have not come along")
	}
	about, _ := directory.AboutPrincipal("appOwnerOrganizationId")
	ordinal, _ := img.Principals.ByID(client.Principal.ID)
	if owner := img.Principals.Columns().Text(ordinal, about.Column); owner != now.String() {
		t.Errorf("the owner of the application is %s", owner)
	}
	if owner := img.Principals.Columns().Text(0, about.Column); owner == now.String() {
		t.Error("the owner of Microsoft Graph is the tenant")
	}
	if _, err := img.LiveGroup(group.String()); err != nil {
		t.Error(err)
	}
}
