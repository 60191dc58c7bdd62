package graph

import (
	"context"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/query"
	columns "licensor/internal/query"
	"licensor/internal/tenant"
)

var applicationList = listing[directory.Client, application]{
	Kind: query.Applications, set: "applications", fields: applicationFields, expansions: applicationExpansions,
	documents: inMemory((*tenant.Image).ClientAt), document: inMemoryNow, object: applicationAt((*tenant.Image).ClientAt),
}

var principalList = listing[directory.Client, application]{
	Kind: query.Principals, set: "servicePrincipals", fields: principalFields, expansions: principalExpansions,
	documents: inMemory((*tenant.Image).PrincipalAt), document: inMemoryNow, object: applicationAt((*tenant.Image).PrincipalAt),
}

// inMemory returns documents that are in every image, those of purged objects left out.
func inMemory(at func(*tenant.Image, uint32) directory.Client) func(handle, context.Context, *tenant.Image, []uint32) ([]*directory.Client, error) {
	return func(_ handle, _ context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Client, error) {
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
func inMemoryNow(_ handle, _ context.Context, img *tenant.Image, _ uint32) (*directory.Client, *tenant.Image, error) {
	return nil, img, &tenant.Problem{Kind: tenant.NotFound}
}

func applicationAt(at func(*tenant.Image, uint32) directory.Client) func(*request, *directory.Client, uint32, *tenant.Image) application {
	return func(_ *request, document *directory.Client, ordinal uint32, img *tenant.Image) application {
		if document != nil {
			return application{Client: *document, image: img}
		}
		return application{Client: at(img, ordinal), image: img}
	}
}

// listApplications answers GET /applications.
func listApplications(r *request) error { return applicationList.send(r, columns.Live) }

// countApplications answers GET /applications/$count.
func countApplications(r *request) error {
	return applicationList.sendCount(r, columns.Live)
}

// listPrincipals answers GET /servicePrincipals.
func listPrincipals(r *request) error { return principalList.send(r, columns.Live) }

// countPrincipals answers GET /servicePrincipals/$count.
func countPrincipals(r *request) error { return principalList.sendCount(r, columns.Live) }
