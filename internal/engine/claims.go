package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"licensor/internal/directory"
	"licensor/internal/store"
	"licensor/internal/tenant"
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
	has := t.Image().Claims()
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
func (n *names) ofOthers(ctx context.Context, of uuid.UUID, names map[string]bool) ([]store.Claim, error) {
	if len(names) == 0 {
		return nil, nil
	}
	claims, err := n.store.Claimed(ctx, slices.Sorted(maps.Keys(names)))
	return slices.DeleteFunc(claims, func(c store.Claim) bool { return c.Tenant == of }), err
}

func (n *names) settle(ctx context.Context, of uuid.UUID, has, hasNot []string) (others []store.Claim, err error) {
	if len(has)+len(hasNot) == 0 {
		return nil, nil
	}
	n.forget(has...)
	n.forget(hasNot...)
	return n.store.Settle(ctx, of, has, hasNot)
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
func (t *Tenant) settleNames(was *tenant.Image, f *fold, claimed []string) {
	is := t.Image()
	has, hasNot := is.AppClaims(was, f.order)
	if len(claimed) > 0 || is.Organization != was.Organization || !sameIssuers(is, was) {
		before, now := was.Names(), is.Names()
		for _, trusted := range is.SignIn.TrustedIssuers {
			has = append(has, tenant.IssuersClaim(trusted.Issuer))
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

func sameIssuers(a, b *tenant.Image) bool {
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
