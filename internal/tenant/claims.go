package tenant

import (
	"strings"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// claims are the names that no two tenants may have, each with the tenant that has it. A command
// claims the names that it adds while it is decided, so of two tenants that want the same name at
// once one is refused. What a tenant has claimed and not made durable is given up with settle.
//
// They are the process's: only one serves a database.
type claims struct {
	mu    sync.Mutex
	owner map[claimed]uuid.UUID
	of    map[uuid.UUID][]claimed // the names of each tenant
}

func newClaims() *claims {
	return &claims{owner: map[claimed]uuid.UUID{}, of: map[uuid.UUID][]claimed{}}
}

// claimed is a name: a domain, or a trusted issuer and an audience of its tokens.
type claimed struct{ domain, issuer, audience string }

// claim takes names for a tenant. It takes none of them, and returns the first, when another tenant
// has it, with that tenant.
func (cs *claims) claim(tenant uuid.UUID, names []claimed) (name claimed, owner uuid.UUID, ok bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, name := range names {
		if owner, ok := cs.owner[name]; ok && owner != tenant {
			return name, owner, false
		}
	}
	cs.add(tenant, names)
	return claimed{}, uuid.Nil, true
}

// add gives a tenant the unclaimed names, and returns those that another tenant has.
func (cs *claims) add(tenant uuid.UUID, names []claimed) (others []claimed) {
	for _, name := range names {
		switch owner, ok := cs.owner[name]; {
		case !ok:
			cs.owner[name] = tenant
			cs.of[tenant] = append(cs.of[tenant], name)
		case owner != tenant:
			others = append(others, name)
		}
	}
	return others
}

// settle makes the names of a tenant those given, but for the names that another tenant has, which
// it returns: earlier versions have stored such.
func (cs *claims) settle(tenant uuid.UUID, names []claimed) (others []claimed) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, name := range cs.of[tenant] {
		delete(cs.owner, name)
	}
	delete(cs.of, tenant)
	return cs.add(tenant, names)
}

// names are those that no other tenant may have.
func (img *Image) names() []claimed {
	if img.Organization == nil {
		return nil
	}
	return append(domainsOf(img.Organization), issuersOf(&img.SignIn)...)
}

func domainsOf(org *directory.Organization) (names []claimed) {
	for _, d := range org.VerifiedDomains {
		names = append(names, claimed{domain: strings.ToLower(d.Name)})
	}
	return names
}

func issuersOf(s *directory.SignIn) (names []claimed) {
	for _, t := range s.TrustedIssuers {
		for _, audience := range t.Audiences {
			names = append(names, claimed{issuer: t.Issuer, audience: audience})
		}
	}
	return names
}

// claimDomains refuses the domains of an organization that belong to another tenant.
func (c *change) claimDomains(org *directory.Organization) error {
	if name, owner, ok := c.claimNew(domainsOf(org)); !ok {
		return invalid(name.domain, "Domain %s belongs to tenant %s.", name.domain, owner)
	}
	return nil
}

// claimIssuers refuses a trusted issuer for an audience with which another tenant trusts it: the
// audience alone says which tenant a token is for.
func (c *change) claimIssuers(s *directory.SignIn) error {
	if name, _, ok := c.claimNew(issuersOf(s)); !ok {
		return &directory.InvalidError{
			Kind: directory.BadValue, Resource: "signIn", Property: "trustedIssuers.audiences", Value: name.audience,
			Want: "an audience that no other tenant of this server has with this issuer, such as api://" +
				c.next.Organization.ID.String(),
		}
	}
	return nil
}

// claimNew claims the names that the tenant does not have yet. What it has already it keeps, even
// if an earlier version let another tenant have it, too.
func (c *change) claimNew(names []claimed) (name claimed, owner uuid.UUID, ok bool) {
	if c.claim == nil {
		return claimed{}, uuid.Nil, true
	}
	has := map[claimed]bool{}
	for _, name := range c.base.names() {
		has[name] = true
	}
	var added []claimed
	for _, name := range names {
		if !has[name] {
			added = append(added, name)
		}
	}
	return c.claim(added) // even if there are none: names that are given up are settled, too
}
