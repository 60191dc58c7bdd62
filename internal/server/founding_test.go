package server

import (
	"crypto/rand"
	"regexp"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/people"
)

// inFounded calls do with a tenant that was just founded.
func inFounded(t *testing.T, do func(s *Server, first *engine.Tenant)) {
	t.Helper()
	s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	do(s, found(t, s))
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whatever step a founding was killed after, the next one finishes the tenant.
// found makes a tenant.
func found(t *testing.T, s *Server) *engine.Tenant {
	t.Helper()
	_, err := s.Found(t.Context(), Founding{Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin", FirstParty: true})
	if err != nil {
		t.Fatal(err)
	}
	return firstTenant(t, s)
}

func TestFoundingFinishesWhatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string]int{"before the application": 0, "before the administrator": 1, "before the role": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), Options{Memory: true, Development: true, Quick: true})
			if err != nil {
				t.Fatal(err)
			}
			f := Founding{Name: "Contoso", Domain: "contoso.example", Country: "DE", Admin: "admin@contoso.example"}
			cut, err := s.tenants.Create(t.Context(), uuid.New(), f.organization(s.now()), catalog.BuiltIn())
			if err == nil && steps > 0 {
				_, _, err = s.AddApplication(t.Context(), cut, Registration{Name: "Deployment", Permissions: AllPermissions})
			}
			if err == nil && steps > 1 {
				_, err = addUser(t.Context(), cut, f, "Secret-123", "$argon2id$none")
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Application = "Deployment"
			login, err := s.Found(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			img := cut.Image()
			user, err := img.LiveUser("admin@contoso.example")
			if err != nil {
				t.Fatal(err)
			}
			hash, err := cut.Password(t.Context(), user)
			if err != nil {
				t.Fatal(err)
			}
			right, err := identity.CheckPassword(t.Context(), hash, login.AdminPassword)
			if err != nil || !right || len(img.Roles[img.Directory.UserID(user)]) != 1 ||
				len(img.Clients()) != 1 || img.Directory.Users() != 1 || len(s.tenants.Loaded()) != 1 {
				t.Errorf("password right: %v (%v), roles %v, applications %v", right, err, img.Roles, img.Clients())
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAFoundedTenantKnowsTheToolsThatPeopleHave(t *testing.T) {
	t.Parallel()
	inFounded(t, func(s *Server, first *engine.Tenant) {
		for _, known := range identity.FirstParty {
			app, err := people.Directory{Tenants: s.tenants}.Application(t.Context(), first.ID(), known.AppID)
			if err != nil || !app.Enabled || !app.PublicClient || app.DisplayName != known.DisplayName ||
				len(app.Redirects.Public) == 0 || len(app.Requested()) != len(known.Requested()) {
				t.Errorf("%s is %+v", known.DisplayName, app)
			}
		}
	})
}

func TestPasswordsThatAreMadeUp(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-km-np-z2-9]{5}(-[a-km-np-z2-9]{5}){4}$`)
	seen := map[string]bool{}
	for range 1000 {
		password, err := generatePassword(rand.Reader)
		if err != nil || !form.MatchString(password) || seen[password] {
			t.Fatalf("made %q, %v", password, err)
		}
		seen[password] = true
	}
	if len(passwordLetters) != 32 {
		t.Errorf("%d letters are not equally likely", len(passwordLetters))
	}
}

// firstTenant loads the oldest tenant.
func firstTenant(t *testing.T, s *Server) *engine.Tenant {
	t.Helper()
	ids, err := s.tenants.IDs(t.Context())
	if err != nil || len(ids) == 0 {
		t.Fatalf("the tenants are %v, %v", ids, err)
	}
	first, err := s.tenants.Tenant(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	return first
}
