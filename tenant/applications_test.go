package tenant

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/licensing"
	"licensor/store"
)

// moved is a command that gives the tenant another default domain.
type moved struct{}

func (moved) Name() string { return "move" }

func (moved) run(c *change) error {
	org := *c.next.Organization
	org.VerifiedDomains = slices.Clone(org.VerifiedDomains)
	org.VerifiedDomains[0].Name = "fabrikam.example"
	return c.organize(&org)
}

// TestApplicationsShowTheDomain changes the default domain of a tenant, which applications show, also when it is replayed.
func TestApplicationsShowTheDomain(t *testing.T) {
	t.Parallel()
	org := directory.Organization{
		ID: uuid.UUID{1}, DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "contoso.example", IsDefault: true, IsInitial: true}},
	}
	client := directory.Client{
		Application: directory.Application{ID: uuid.UUID{2}, AppID: uuid.UUID{3}, DisplayName: "App"},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{4}},
	}
	about, _ := directory.AboutApplication("publisherDomain")
	img := empty()
	var commits []store.Commit
	for _, step := range []struct {
		cmd  Command
		want string
	}{{found{org, &licensing.Catalog{}}, ""}, {SetClient{client}, "contoso.example"}, {moved{}, "fabrikam.example"}} {
		c := img.change(t.Context(), time.Unix(1, 0).UTC(), uuid.New)
		if err := step.cmd.run(c); err != nil {
			t.Fatal(err)
		}
		next, commit, err := c.finish("test", step.cmd.Name())
		if err != nil || commit == nil {
			t.Fatal(commit, err)
		}
		img, commits = next, append(commits, *commit)
		if got := img.Applications.Columns().Text(0, about.Column); got != step.want {
			t.Errorf("after %s the domain is %q, want %q", step.cmd.Name(), got, step.want)
		}
	}
	again := empty()
	for _, commit := range commits {
		next, err := again.apply(commit)
		if err != nil {
			t.Fatal(err)
		}
		again = next
	}
	if got := again.Applications.Columns().Text(0, about.Column); got != "fabrikam.example" {
		t.Errorf("after a replay the domain is %q", got)
	}
}
