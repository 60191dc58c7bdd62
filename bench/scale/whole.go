package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/engine"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// productOf returns a product of the built-in catalog.
func productOf(name string) (licensing.Product, error) {
	for _, p := range catalog.BuiltIn().Products {
		if p.SKUPartNumber == name {
			return p, nil
		}
	}
	return licensing.Product{}, fmt.Errorf("the catalog has no product %s", name)
}

// license gives the group of all users its first products.
func (h *house) license(ctx context.Context, users int) error {
	t, err := h.tenant(ctx, bigTenant)
	if err != nil {
		return err
	}
	for n, name := range append(firstProducts, lastProduct) {
		p, err := productOf(name)
		if err != nil {
			return err
		}
		if _, err := t.Do(ctx, "scale", tenant.CreateSubscription{SKUID: p.SKUID, TotalLicenses: users + 1}); err != nil {
			return err
		}
		if n == len(firstProducts) {
			break
		}
		if _, err := t.Do(ctx, "scale", assignment(t, p.SKUID)); err != nil {
			return err
		}
	}
	return nil
}

func assignment(t *engine.Tenant, sku uuid.UUID) tenant.AssignGroup {
	all, _ := t.Image().Directory.GroupByID(id('g', 0))
	return tenant.AssignGroup{Group: all, Add: []licensing.Assign{{SKUID: sku}}}
}

// allUsers measures changes that concern all users: a product for a group that contains all, and
// reprocessing all of them.
func (s *scale) allUsers(ctx context.Context, h *house, users int) error {
	t, err := h.tenant(ctx, bigTenant)
	if err != nil {
		return err
	}
	p, err := productOf(lastProduct)
	if err != nil {
		return err
	}
	took, err := timed(s.rounds, func() (time.Duration, error) { return licenseAll(ctx, t, p.SKUID, users) })
	if err != nil {
		return err
	}
	s.addValue("license-all", h.name, took.Seconds())
	took, err = timed(s.rounds, func() (time.Duration, error) {
		start := time.Now()
		done, err := t.Do(ctx, "scale", tenant.Reprocess{All: true})
		took := time.Since(start)
		if err == nil && (done.Changed || done.Report.Processed != users) {
			err = fmt.Errorf("reprocessing changed something: %+v", done.Report)
		}
		return took, err
	})
	if err != nil {
		return err
	}
	s.addValue("reprocess-all", h.name, took.Seconds())
	return nil
}

// licenseAll measures an assignment until it is durable and visible, and reverts it.
func licenseAll(ctx context.Context, t *engine.Tenant, sku uuid.UUID, users int) (time.Duration, error) {
	runtime.GC() // so that the change of the previous round is not included
	cmd := assignment(t, sku)
	start := time.Now()
	done, err := t.Do(ctx, "scale", cmd)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if holders := done.Image.Licensing.Holders(sku).GetCardinality(); int(holders) != users {
		return 0, fmt.Errorf("%d of %d members hold the product", holders, users)
	}
	_, err = t.Do(ctx, "scale", tenant.AssignGroup{Group: cmd.Group, Remove: []uuid.UUID{sku}})
	return took, err
}

// memory measures the heap that the tenant takes when it was loaded.
func (s *scale) memory(ctx context.Context, h *house, users int) error {
	before := heap()
	if _, err := h.tenant(ctx, bigTenant); err != nil {
		return err
	}
	s.addValue("memory-user", h.name, float64(heap()-before)/float64(users))
	return nil
}

// snapshots changes random users until a snapshot was taken, and measures how many bytes it has for
// each byte of the log since the last one.
func (s *scale) snapshots(ctx context.Context, h *house, users int) error {
	t, err := h.tenant(ctx, bigTenant)
	if err != nil {
		return err
	}
	c := h.counted
	logged, saved, manifests := c.logged.Load(), c.saved.Load(), c.manifests.Load()
	errDone := errors.New("a snapshot was taken")
	_, err = inLoop(batch, s.options.snapshots, func() error {
		if c.manifests.Load() > manifests {
			return errDone
		}
		n := changed.Add(1)
		p, err := patch(fmt.Appendf(nil, `{"officeLocation":"Desk %[1]d","jobTitle":"Title %[1]d",`+
			`"department":"Department %[1]d","city":"City %[1]d","companyName":"Company %[1]d"}`, n))
		if err == nil {
			_, err = t.Do(ctx, "scale", tenant.UpdateUser{User: rand.Uint32N(uint32(users)), Patch: p})
		}
		return err
	})
	if err != nil && !errors.Is(err, errDone) {
		return err
	}
	if c.manifests.Load() == manifests {
		f := s.figure("snapshot-bytes", h.name)
		f.Note = fmt.Sprintf("none was due after %d MB of log", (c.logged.Load()-logged)>>20)
		s.figures = append(s.figures, f)
		s.log("snapshot-bytes %s", f.Note)
		return nil
	}
	s.addValue("snapshot-bytes", h.name, float64(c.saved.Load()-saved)/float64(c.before.Load()-logged))
	return nil
}
