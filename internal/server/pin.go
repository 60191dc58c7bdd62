package server

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"licensor/internal/engine"
	"licensor/internal/people"
)

// pin loads the tenants that stay loaded.
func (s *Server) pin(ctx context.Context) error {
	const remedy = "raise the memory with --memory or the option TenantMemory, or do not pin it"
	for _, name := range s.settings.Pin {
		switch err := s.pinOne(ctx, name); {
		case errors.Is(err, engine.ErrNeverRoom):
			return wrong("Pin", "has %q, which needs more memory than all tenants may take, %d bytes: %s", name,
				s.settings.TenantMemory, remedy)
		case errors.Is(err, engine.ErrNoRoom):
			return wrong("Pin", "has %q, for which the others that are pinned leave too little of the memory of tenants, "+
				"%d bytes: %s", name, s.settings.TenantMemory, remedy)
		case err != nil:
			return err
		}
	}
	return nil
}

func (s *Server) pinOne(ctx context.Context, name string) error {
	id, err := people.Directory{Tenants: s.tenants}.Tenant(ctx, name)
	if err != nil {
		return err
	}
	if id == uuid.Nil {
		return wrong("Pin", "has %q, which is not a tenant of the database: give an id or a domain", name)
	}
	_, err = s.tenants.Tenant(ctx, id) // never released
	return err
}
