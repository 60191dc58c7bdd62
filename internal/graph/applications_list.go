package graph

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

var applicationList = wire.Listing[directory.Client, application]{
	Kind: query.Applications, Set: "applications", Fields: applicationFields, Expansions: applicationExpansions,
	Documents: inMemory((*tenant.Image).ClientAt), Document: inMemoryNow, Object: applicationAt((*tenant.Image).ClientAt),
}

var principalList = wire.Listing[directory.Client, application]{
	Kind: query.Principals, Set: "servicePrincipals", Fields: principalFields, Expansions: principalExpansions,
	Documents: inMemory((*tenant.Image).PrincipalAt), Document: inMemoryNow, Object: applicationAt((*tenant.Image).PrincipalAt),
}

// inMemory returns documents that are in every image, those of purged objects left out.
func inMemory(at func(*tenant.Image, uint32) directory.Client) func(wire.Tenant, context.Context, *tenant.Image, []uint32) ([]*directory.Client, error) {
	return func(_ wire.Tenant, _ context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Client, error) {
		list := make([]*directory.Client, len(ordinals))
		for i, ordinal := range ordinals {
			if c := at(img, ordinal); c.AppID != uuid.Nil {
				list[i] = &c
			}
		}
		return list, nil
	}
}

// inMemoryNow is for what inMemory left out, which does not come back.
func inMemoryNow(_ wire.Tenant, _ context.Context, img *tenant.Image, _ uint32) (*directory.Client, *tenant.Image, error) {
	return nil, img, &tenant.CommandError{Kind: tenant.NotFound}
}

func applicationAt(at func(*tenant.Image, uint32) directory.Client) func(*wire.Request, *directory.Client, uint32, *tenant.Image) application {
	return func(_ *wire.Request, document *directory.Client, ordinal uint32, img *tenant.Image) application {
		if document != nil {
			return application{Client: *document, image: img}
		}
		return application{Client: at(img, ordinal), image: img}
	}
}

// listApplications answers GET /applications.
func listApplications(r *wire.Request) error { return applicationList.Send(r, columns.Live) }

// countApplications answers GET /applications/$count.
func countApplications(r *wire.Request) error {
	return applicationList.SendCount(r, columns.Live)
}

// listPrincipals answers GET /servicePrincipals.
func listPrincipals(r *wire.Request) error { return principalList.Send(r, columns.Live) }

// countPrincipals answers GET /servicePrincipals/$count.
func countPrincipals(r *wire.Request) error { return principalList.SendCount(r, columns.Live) }
