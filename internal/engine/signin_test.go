package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

var (
	globalAdministrator = uuid.MustParse("62e90394-69f5-4237-9190-012177145e10")
	app                 = directory.Client{
		Application: directory.Application{ID: uuid.UUID{2}, AppID: uuid.UUID{3}, DisplayName: "App"},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{4}},
	}
)

func (h *house) password(user uint32) string {
	h.tb.Helper()
	hash, err := h.Password(context.Background(), user)
	if err != nil {
		h.tb.Fatal(err)
	}
	return hash
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	defer h.close()
	none := h.must(newUser(t, "none")).Ordinal
	ann := h.must(tenant.CreateUser{Patch: newUser(t, "ann").Patch, PasswordHash: "first"}).Ordinal
	if got := []string{h.password(none), h.password(ann)}; !slices.Equal(got, []string{"", "first"}) {
		t.Fatalf("the passwords are %q", got)
	}
	h.clock.Add(90)
	h.must(tenant.SetPassword{User: ann, Hash: "second", ForceChange: true})
	u, err := h.User(context.Background(), h.Image(), ann)
	if err != nil {
		t.Fatal(err)
	}
	now := h.Image().At.Truncate(time.Second)
	if !u.LastPasswordChangeDateTime.Equal(now) || !u.SignInSessionsValidFromDateTime.Equal(now) ||
		!*u.PasswordProfile.ForceChangePasswordNextSignIn {
		t.Errorf("after a new password at %s: %+v, %+v", now, u.PasswordProfile, u)
	}
	h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{"jobTitle":"Clerk"}`)})
	h.reopen()
	if got := h.password(ann); got != "second" {
		t.Errorf("after an update of something else, and a restart, the password is %q", got)
	}
	done := h.must(tenant.UpdateUser{User: ann, Patch: userPatch(t, `{}`), PasswordHash: "third"})
	if !done.Changed || h.password(ann) != "third" {
		t.Errorf("an update of nothing but the password: changed %t, it is %q", done.Changed, h.password(ann))
	}
	h.must(tenant.DeleteUser{User: ann})
	h.must(tenant.PurgeUser{User: ann})
	if got := h.password(ann); got != "" {
		t.Errorf("who is gone for good still has the password %q", got)
	}
}

func TestRevokeSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	defer h.close()
	ann := h.must(newUser(t, "ann")).Ordinal
	h.clock.Add(100)
	h.must(tenant.RevokeSessions{User: ann})
	u, err := h.User(context.Background(), h.Image(), ann)
	if err != nil {
		t.Fatal(err)
	}
	if want := h.Image().At.Truncate(time.Second); !u.SignInSessionsValidFromDateTime.Equal(want) {
		t.Errorf("sessions are valid from %s, want %s", u.SignInSessionsValidFromDateTime, want)
	}
}

func TestRolesAndGrants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	defer h.close()
	ann := h.must(newUser(t, "ann"))
	role := tenant.SetRole{Role: globalAdministrator, Principal: ann.ID}
	grant := directory.Grant{Client: app.Principal.ID, User: ann.ID, Scopes: []string{"User.Read"}}
	h.refused(tenant.SetGrant{Grant: grant}, tenant.ProblemNotFound)
	h.must(tenant.SetClient{Client: app})
	h.must(tenant.SetGrant{Grant: grant})
	h.must(tenant.SetGrant{Grant: directory.Grant{Client: app.Principal.ID, Scopes: []string{"Group.Read.All"}}})
	h.must(role)
	h.refused(role, tenant.ProblemInvalid)
	h.refused(tenant.SetRole{Role: globalAdministrator, Principal: uuid.UUID{9}}, tenant.ProblemNotFound)
	h.refused(tenant.SetGrant{Grant: directory.Grant{
		Client: app.Principal.ID, User: uuid.UUID{9}, Scopes: []string{"User.Read"},
	}}, tenant.ProblemNotFound)

	h.reopen()
	img := h.Image()
	if !slices.Equal(img.Roles[ann.ID], []uuid.UUID{globalAdministrator}) || img.Grants.Len() != 2 {
		t.Fatalf("after a restart: roles %v, grants %v", img.Roles, slices.Collect(img.Grants.All()))
	}
	h.must(tenant.DeleteUser{User: ann.Ordinal})
	h.must(tenant.PurgeUser{User: ann.Ordinal})
	if img = h.Image(); len(img.Roles) != 0 || img.Grants.Len() != 1 {
		t.Errorf("after the user is gone for good: roles %v, grants %v", img.Roles, slices.Collect(img.Grants.All()))
	}
	h.must(tenant.DeleteApplication{AppID: app.AppID})
	if img = h.Image(); img.Grants.Len() != 1 || len(img.Clients()) != 0 {
		t.Errorf("after the application is deleted: grants %v, applications %v", slices.Collect(img.Grants.All()), img.Clients())
	}
	h.must(tenant.PurgeApplication{ID: app.ID})
	if img = h.Image(); img.Grants.Len() != 0 || len(img.Clients()) != 0 || img.Principals.Len() != 2 {
		t.Errorf("after the application is gone: grants %v, applications %v", slices.Collect(img.Grants.All()), img.Clients())
	}
}

func TestAGrantForADeletedUserCanBeTakenAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1)
	ann := h.must(newUser(t, "ann"))
	h.must(tenant.SetClient{Client: app})
	grant := directory.Grant{Client: app.Principal.ID, User: ann.ID, Scopes: []string{"User.Read"}}
	h.must(tenant.SetGrant{Grant: grant})
	h.must(tenant.DeleteUser{User: ann.Ordinal})
	grant.Scopes = []string{"User.Read", "Group.Read.All"}
	h.refused(tenant.SetGrant{Grant: grant}, tenant.ProblemNotFound)
	grant.Scopes = nil
	h.must(tenant.SetGrant{Grant: grant})
	h.must(tenant.RestoreUser{User: ann.Ordinal})
	if n := h.Image().Grants.Len(); n != 0 {
		t.Errorf("%d grants are left", n)
	}
}

func (h *house) refused(cmd tenant.Command, kind tenant.ProblemKind) {
	h.tb.Helper()
	_, err := h.do(cmd)
	if problem, ok := errors.AsType[*tenant.CommandError](err); !ok || problem.Kind != kind {
		h.tb.Errorf("%T %+v: %v, want a problem of kind %d", cmd, cmd, err, kind)
	}
}
