package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/directory"
	"licensor/internal/store"
)

// names are the names that no two tenants may have. Each is claimed in the store by the tenant that
// has it. A command claims the names that it adds while it is decided, so if two tenants want the
// same name at once, one is refused. Names are settled after the commit; claims whose commit failed
// are released.
//
// They include client ids of applications and issuers, although several tenants may have the same:
// it is enough to know one tenant that has it.
type names struct {
	store store.Claims
	now   func() time.Time
	kept  *lru.Cache[string, owned] // the tenants found to have a name
}

// owned is the tenant that had a name at a time.
type owned struct {
	tenant uuid.UUID
	at     time.Time
}

const (
	keptNames   = 1 << 14
	keptNameFor = 10 * time.Second // other processes may change the owner, too
	// claimLasts is how long a claim is valid without its commit. The process that made it may have
	// ended in between, so before another tenant gets the name, its log is searched for the commit.
	claimLasts = 10 * time.Minute
)

func newNames(s store.Claims, now func() time.Time) (*names, error) {
	kept, err := lru.New[string, owned](keptNames)
	return &names{s, now, kept}, err
}

// owner returns the tenant that has a name, or is about to; store.ErrNotFound if there is none.
func (n *names) owner(ctx context.Context, name string) (uuid.UUID, error) {
	if has, ok := n.kept.Get(name); ok && n.now().Sub(has.at).Abs() < keptNameFor {
		return has.tenant, nil
	}
	found, err := n.store.Claimed(ctx, []string{name})
	if err != nil {
		return uuid.Nil, err
	}
	if len(found) == 0 {
		n.kept.Remove(name)
		return uuid.Nil, fmt.Errorf("a tenant that has the name %s: %w", name, store.ErrNotFound)
	}
	n.kept.Add(name, owned{found[0].Tenant, n.now()})
	return found[0].Tenant, nil
}

// forget makes names be looked up again.
func (n *names) forget(names ...string) {
	for _, name := range names {
		n.kept.Remove(name)
	}
}

// settleAll makes a tenant's claims equal to the names in its image. It returns the names that
// other tenants have, which earlier versions allowed. Claims that are not settled yet are left
// alone for a while, since another process may have made them.
func (n *names) settleAll(ctx context.Context, t *Tenant) (others []store.Claim, err error) {
	claims, err := n.store.ClaimsOf(ctx, t.id)
	if err != nil {
		return nil, err
	}
	has := t.Image().claims()
	var gone []string
	for _, c := range claims {
		switch {
		case !has[c.Name] && (c.At.IsZero() || n.now().Sub(c.At) >= claimLasts):
			gone = append(gone, c.Name)
		case has[c.Name] && c.At.IsZero():
			delete(has, c.Name)
		}
	}
	others, err = n.ofOthers(ctx, t.id, has)
	if err != nil {
		return nil, err
	}
	for _, c := range others {
		delete(has, c.Name)
	}
	found, err := n.settle(ctx, t.id, slices.Sorted(maps.Keys(has)), gone)
	return append(others, found...), err
}

// ofOthers returns the claims of other tenants to some names. Every tenant has the application of
// Microsoft Graph, for example: that must not cost a write whenever one is loaded.
func (n *names) ofOthers(ctx context.Context, tenant uuid.UUID, names map[string]bool) ([]store.Claim, error) {
	if len(names) == 0 {
		return nil, nil
	}
	claims, err := n.store.Claimed(ctx, slices.Sorted(maps.Keys(names)))
	return slices.DeleteFunc(claims, func(c store.Claim) bool { return c.Tenant == tenant }), err
}

// claims returns all names that a tenant with this image claims.
func (img *Image) claims() map[string]bool {
	has := map[string]bool{}
	for name := range img.names() {
		has[name] = true
	}
	for _, p := range img.Principals.All() {
		has[appClaim(p.AppID)] = true
	}
	for _, trusted := range img.SignIn.TrustedIssuers {
		has[issuersClaim(trusted.Issuer)] = true
	}
	return has
}

func (n *names) settle(ctx context.Context, tenant uuid.UUID, has, hasNot []string) (others []store.Claim, err error) {
	if len(has)+len(hasNot) == 0 {
		return nil, nil
	}
	n.forget(has...)
	n.forget(hasNot...)
	return n.store.Settle(ctx, tenant, has, hasNot)
}

// names returns the names that no other tenant may have, each with a text that describes it.
func (img *Image) names() map[string]string {
	names := map[string]string{}
	if img.Organization == nil {
		return names
	}
	for _, d := range img.Organization.VerifiedDomains {
		names[domainClaim(d.Name)] = "domain " + d.Name
	}
	for _, t := range img.SignIn.TrustedIssuers {
		for _, audience := range t.Audiences {
			names[issuerClaim(t.Issuer, audience)] = fmt.Sprintf("issuer %s for the audience %s", t.Issuer, audience)
		}
	}
	return names
}

func domainClaim(name string) string { return "domain:" + strings.ToLower(name) }

func appClaim(id uuid.UUID) string { return "application:" + id.String() }

func issuersClaim(issuer string) string { return issuerClaim(issuer, "") }

// issuerClaim returns a claim of fixed length for any texts.
func issuerClaim(issuer, audience string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(issuer), issuer, audience))
	return "issuer:" + hex.EncodeToString(sum[:])
}

// claimDomains refuses an organization with domains of another tenant.
func (c *change) claimDomains(org *directory.Organization) error {
	wanted := map[string]string{}
	for _, d := range org.VerifiedDomains {
		wanted[domainClaim(d.Name)] = d.Name
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
			wanted[issuerClaim(t.Issuer, audience)] = audience
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
	has := c.base.names()
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

// claim claims names for the tenant. If another tenant's claim is old and has no commit, it is
// released first.
func (t *Tenant) claim(ctx context.Context, wanted []string) (*store.Claim, error) {
	for try := 0; ; try++ {
		others, err := t.names.store.Claim(ctx, t.id, wanted, t.options.Now())
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			t.options.Log.Error("names could not be claimed", "tenant", t.id, "error", err)
			return nil, notDurable(err)
		}
		if len(others) == 0 {
			t.names.forget(wanted...)
			return nil, nil
		}
		old := slices.IndexFunc(others, func(c store.Claim) bool {
			return !c.At.IsZero() && t.options.Now().Sub(c.At) >= claimLasts
		})
		if try > 0 || old < 0 {
			return &others[0], nil
		}
		if err := t.settleOther(ctx, others[old].Tenant); err != nil {
			return nil, err
		}
	}
}

// settleNames settles the names that the commands of a batch have claimed, and those that the
// tenant has gained or lost.
func (t *Tenant) settleNames(was *Image, f *fold, claimed []string) {
	is := t.Image()
	has, hasNot := is.apps(was, f.order)
	if len(claimed) > 0 || is.Organization != was.Organization || !sameIssuers(is, was) {
		before, now := was.names(), is.names()
		for _, trusted := range is.SignIn.TrustedIssuers {
			has = append(has, issuersClaim(trusted.Issuer))
		}
		has = append(has, missing(maps.Keys(now), before)...)
		hasNot = append(hasNot, missing(maps.Keys(before), now)...)
		hasNot = append(hasNot, missing(slices.Values(claimed), now)...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if _, err := t.names.settle(ctx, t.id, has, hasNot); err != nil {
		t.options.Log.Error("names could not be settled; the next load of the tenant does it", "tenant", t.id, "error", err)
	}
}

func sameIssuers(a, b *Image) bool {
	return slices.EqualFunc(a.SignIn.TrustedIssuers, b.SignIn.TrustedIssuers, func(a, b directory.TrustedIssuer) bool {
		return a.Issuer == b.Issuer && slices.Equal(a.Audiences, b.Audiences)
	})
}

// missing returns the names that are not in others.
func missing(names iter.Seq[string], among map[string]string) (list []string) {
	for name := range names {
		if _, ok := among[name]; !ok {
			list = append(list, name)
		}
	}
	return list
}

// apps returns the applications that an image has gained and lost, given the rows that have
// changed.
func (img *Image) apps(was *Image, rows []objectKey) (has, hasNot []string) {
	for _, key := range rows {
		if key.kind != store.KindServicePrincipal {
			continue
		}
		for _, of := range []*Image{was, img} {
			if p := of.Principals.At(key.ordinal); p != nil {
				if _, ok := img.Principals.ByAppID(p.AppID); ok {
					has = append(has, appClaim(p.AppID))
				} else {
					hasNot = append(hasNot, appClaim(p.AppID))
				}
			}
		}
	}
	return has, hasNot
}

// settleOther settles the names of another tenant. Names that it has claimed and never had are
// released.
func (all *Tenants) settleOther(ctx context.Context, id uuid.UUID) error {
	t, err := all.Tenant(ctx, id)
	if errors.Is(err, store.ErrNotFound) { // its creation was interrupted
		claims, err := all.store.ClaimsOf(ctx, id)
		if err != nil {
			return err
		}
		_, err = all.names.settle(ctx, id, nil, claimNames(claims))
		return err
	}
	if err != nil {
		return err
	}
	defer t.Release()
	_, err = all.names.settleAll(ctx, t)
	return err
}

func claimNames(claims []store.Claim) (list []string) {
	for _, c := range claims {
		list = append(list, c.Name)
	}
	return list
}
