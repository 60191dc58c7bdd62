package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/tenant"
)

// TestApplyingAllChangesOfProgramsGivesWhatReadingEverythingGives is
// TestApplyingAllChangesGivesWhatReadingEverythingGives for applications, service principals and
// their owners.
func TestApplyingAllChangesOfProgramsGivesWhatReadingEverythingGives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := &crowd{
				world: w, t: t, random: rand.New(rand.NewPCG(seed, 1)), token: w.appToken(allPermissions...),
				happens: (*crowd).programCommand,
			}
			for range 3 {
				p.n++
				p.must(p.create())
			}
			applications := &replica{crowd: p, next: "/v1.0/applications/delta?$select=displayName,description,web,owners"}
			principals := &replica{crowd: p, next: "/v1.0/servicePrincipals/delta?$select=displayName,accountEnabled,appDescription,replyUrls,owners"}
			for range 20 {
				for range p.random.IntN(20) {
					p.step()
				}
				applications.round(p.random.IntN(2) == 0)
				principals.round(p.random.IntN(2) == 0)
				applications.round(false)
				principals.round(false)
				applications.compare("/v1.0/applications?$top=999&$select=id,displayName,description,web")
				principals.compare("/v1.0/servicePrincipals?$top=999&$select=id,displayName,accountEnabled,appDescription,replyUrls")
				applications.compareLinks("/v1.0/applications?$select=id&$expand=owners($select=id)&$top=999", "owners")
				principals.compareLinks("/v1.0/servicePrincipals?$select=id&$expand=owners($select=id)&$top=999", "owners")
			}
		})
	}
}

// programCommand is one about applications and their owners.
func (p *crowd) programCommand() tenant.Command {
	img := p.world.tenant.Image()
	p.n++
	app := 1 + p.random.IntN(4)
	id, principal := programID(1, app), programID(2, app)
	user := p.random.Uint32N(img.Directory.Users())
	owner := img.Directory.UserID(user)
	if p.random.IntN(3) == 0 {
		owner = programID(2, 1+p.random.IntN(4))
	}
	of := []uuid.UUID{id, principal}[p.random.IntN(2)]
	link := directory.Link{Relation: directory.RelationOwnedBy, From: of, To: owner}
	switch p.random.IntN(16) {
	case 0:
		return tenant.DeleteApplication{AppID: programID(0, app)}
	case 1:
		return tenant.DeletePrincipal{ID: principal}
	case 2:
		return tenant.RestoreApplication{ID: id}
	case 3:
		return tenant.RestorePrincipal{ID: principal}
	case 4:
		return tenant.PurgeApplication{ID: id}
	case 5:
		return tenant.PurgePrincipal{ID: principal}
	case 6:
		return tenant.DeleteUser{User: user}
	case 7:
		return tenant.RestoreUser{User: user}
	case 8:
		return tenant.RemoveLink{Link: link}
	case 9, 10, 11:
		return tenant.AddLink{Link: link}
	}
	return tenant.SetClient{Client: p.program(app, id, principal)}
}

// program is an application as it is, if it is there, with something changed.
func (p *crowd) program(app int, id, principal uuid.UUID) directory.Client {
	c, ok := p.world.tenant.Image().ClientByID(id)
	if !ok {
		c = directory.Client{Application: directory.Application{ID: id, AppID: programID(0, app), DisplayName: "Program"}}
	}
	if c.Principal.ID == uuid.Nil && p.random.IntN(2) == 0 {
		c.Principal.ID = principal
	}
	c = copied(c)
	switch p.random.IntN(4) {
	case 0:
		c.DisplayName = fmt.Sprintf("Program %d", p.n)
	case 1:
		c.Properties["description"] = fmt.Appendf(nil, `"Number %d"`, p.n)
	case 2:
		c.Redirects.Web = []string{fmt.Sprintf("https://contoso.example/%d", p.n)}
	case 3:
		c.Principal.Disabled = !c.Principal.Disabled
	}
	return c
}

// programID is the appId, the object id or the id of the service principal of a program.
func programID(kind, app int) uuid.UUID { return uuid.UUID{0: 0xf0, 14: byte(kind), 15: byte(app)} }
