package tenant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// Claims returns all names that a tenant with this image claims.
func (img *Image) Claims() map[string]bool {
	has := map[string]bool{}
	for name := range img.Names() {
		has[name] = true
	}
	for _, p := range img.Principals.All() {
		has[AppClaim(p.AppID)] = true
	}
	for _, trusted := range img.SignIn.TrustedIssuers {
		has[IssuersClaim(trusted.Issuer)] = true
	}
	return has
}

// ClaimedNames returns the names that the tenant has, and that must be claimed (store.Claims), in
// order; and whether another tenant may have claimed one first.
func (img *Image) ClaimedNames() (names []string, shared func(name string) bool) {
	own := img.Names()
	return slices.Sorted(maps.Keys(img.Claims())), func(name string) bool { return own[name] == "" }
}

// Names returns the names that no other tenant may have, each with a text that describes it.
func (img *Image) Names() map[string]string {
	names := map[string]string{}
	if img.Organization == nil {
		return names
	}
	for _, d := range img.Organization.VerifiedDomains {
		names[DomainClaim(d.Name)] = "domain " + d.Name
	}
	for _, t := range img.SignIn.TrustedIssuers {
		for _, audience := range t.Audiences {
			names[IssuerClaim(t.Issuer, audience)] = fmt.Sprintf("issuer %s for the audience %s", t.Issuer, audience)
		}
	}
	return names
}

// AppClaims returns the claims of applications that an image has gained and lost, given the rows
// that have changed.
func (img *Image) AppClaims(was *Image, rows []ObjectKey) (has, hasNot []string) {
	for _, key := range rows {
		if key.Kind != store.KindServicePrincipal {
			continue
		}
		for _, of := range []*Image{was, img} {
			if p := of.Principals.At(key.Ordinal); p != nil {
				if _, ok := img.Principals.ByAppID(p.AppID); ok {
					has = append(has, AppClaim(p.AppID))
				} else {
					hasNot = append(hasNot, AppClaim(p.AppID))
				}
			}
		}
	}
	return has, hasNot
}

// DomainClaim returns the claim of a domain.
func DomainClaim(name string) string { return "domain:" + strings.ToLower(name) }

// AppClaim returns the claim of a client id.
func AppClaim(id uuid.UUID) string { return "application:" + id.String() }

// IssuersClaim returns the claim that some tenant trusts an issuer.
func IssuersClaim(issuer string) string { return IssuerClaim(issuer, "") }

// IssuerClaim returns the claim of a trusted issuer and an audience. It has a fixed length for any
// texts.
func IssuerClaim(issuer, audience string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(issuer), issuer, audience))
	return "issuer:" + hex.EncodeToString(sum[:])
}

// claimDomains refuses an organization with domains of another tenant.
func (c *change) claimDomains(org *directory.Organization) error {
	wanted := map[string]string{}
	for _, d := range org.VerifiedDomains {
		wanted[DomainClaim(d.Name)] = d.Name
	}
	other, err := c.claimNew(wanted)
	if err == nil && other != nil {
		name := strings.ToLower(wanted[other.Name])
		return invalid(name, "Domain %s belongs to tenant %s.", name, other.Tenant)
	}
	return err
}

// claimIssuers refuses a trusted issuer and audience that another tenant trusts: the audience alone
// determines the tenant of a token.
func (c *change) claimIssuers(s *directory.SignIn) error {
	wanted := map[string]string{}
	for _, t := range s.TrustedIssuers {
		for _, audience := range t.Audiences {
			wanted[IssuerClaim(t.Issuer, audience)] = audience
		}
	}
	other, err := c.claimNew(wanted)
	if err == nil && other != nil {
		return &directory.InvalidError{
			Kind: directory.InvalidValue, Resource: "signIn", Property: "trustedIssuers.audiences", Value: wanted[other.Name],
			Want: "an audience that no other tenant of this server has with this issuer, such as api://" +
				c.next.Organization.ID.String(),
		}
	}
	return err
}

// claimNew claims the names that the tenant does not have yet. It returns a claim of another tenant
// for one of them, if there is any. The tenant keeps names that it has, even if an earlier version
// allowed another tenant to have them, too.
func (c *change) claimNew(wanted map[string]string) (other *store.Claim, err error) {
	if c.claim == nil || len(wanted) == 0 {
		return nil, nil
	}
	has := c.base.Names()
	var added []string
	for name := range wanted {
		if _, ok := has[name]; !ok {
			added = append(added, name)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	slices.Sort(added)
	return c.claim(c.ctx, added)
}
