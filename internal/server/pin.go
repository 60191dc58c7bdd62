package server

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/people"
)

// pin loads the tenants that stay loaded.
func (s *Server) pin(ctx context.Context) error {
	for _, name := range s.settings.Pin {
		id, err := people.Directory{Tenants: s.tenants}.Tenant(ctx, name)
		if err != nil {
			return err
		}
		if id == uuid.Nil {
			return wrong("Pin", "has %q, which is not a tenant of the database: give an id or a domain", name)
		}
		if _, err := s.tenants.Tenant(ctx, id); err != nil { // never released
			return err
		}
	}
	return nil
}
