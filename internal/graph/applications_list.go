package graph

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/tenant"
)

var applicationList = wire.Listing[directory.Client, application]{
	Kind: query.Applications, Set: "applications", Fields: applicationFields, Expansions: applicationExpansions,
	Documents: inMemory(clients((*tenant.Image).ClientAt)),
	Document:  inMemoryNow(clients((*tenant.Image).ClientAt)),
	Object:    applicationAt((*tenant.Image).ClientAt),
}

var principalList = wire.Listing[directory.Client, application]{
	Kind: query.Principals, Set: "servicePrincipals", Fields: principalFields, Expansions: principalExpansions,
	Documents: inMemory(clients((*tenant.Image).PrincipalAt)),
	Document:  inMemoryNow(clients((*tenant.Image).PrincipalAt)),
	Object:    applicationAt((*tenant.Image).PrincipalAt),
}

// clients replaces purged objects of an image by nil.
func clients(at func(*tenant.Image, uint32) directory.Client) func(*tenant.Image, uint32) *directory.Client {
	return func(img *tenant.Image, ordinal uint32) *directory.Client {
		if c := at(img, ordinal); c.AppID != uuid.Nil {
			return &c
		}
		return nil
	}
}

// inMemory returns documents of objects that every image has, except purged ones.
func inMemory[D any](
	at func(*tenant.Image, uint32) *D,
) func(wire.Tenant, context.Context, *tenant.Image, []uint32) ([]*D, error) {
	return func(_ wire.Tenant, _ context.Context, img *tenant.Image, ordinals []uint32) ([]*D, error) {
		list := make([]*D, len(ordinals))
		for i, ordinal := range ordinals {
			list[i] = at(img, ordinal)
		}
		return list, nil
	}
}

// inMemoryNow returns one of these documents, as of the image.
func inMemoryNow[D any](
	at func(*tenant.Image, uint32) *D,
) func(wire.Tenant, context.Context, *tenant.Image, uint32) (*D, *tenant.Image, error) {
	return func(_ wire.Tenant, _ context.Context, img *tenant.Image, ordinal uint32) (*D, *tenant.Image, error) {
		document := at(img, ordinal)
		if document == nil {
			return nil, img, &tenant.CommandError{Kind: tenant.ProblemNotFound}
		}
		return document, img, nil
	}
}

func applicationAt(
	at func(*tenant.Image, uint32) directory.Client,
) func(*wire.Request, *directory.Client, uint32, *tenant.Image) application {
	return func(_ *wire.Request, document *directory.Client, ordinal uint32, img *tenant.Image) application {
		if document != nil {
			return application{Client: *document, image: img}
		}
		return application{Client: at(img, ordinal), image: img}
	}
}
