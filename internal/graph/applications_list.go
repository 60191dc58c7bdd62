package graph

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/guid"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

var applicationList = listing[directory.Client, application]{
	filters: applicationFilters, set: "applications", fields: applicationFields, expansions: applicationExpansions,
	documents: inMemory((*tenant.Image).ClientAt), document: inMemoryNow, object: applicationAt((*tenant.Image).ClientAt),
}

var principalList = listing[directory.Client, application]{
	filters: principalFilters, set: "servicePrincipals", fields: principalFields, expansions: principalExpansions,
	documents: inMemory((*tenant.Image).PrincipalAt), document: inMemoryNow, object: applicationAt((*tenant.Image).PrincipalAt),
}

var applicationFilters = &filters{
	resource: "Application", kind: store.KindApplication, about: byDisplayName(directory.AboutApplication), all: directory.AllAboutApplications,
	numbers: applicationNumbers,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Applications.EverByID(id)
		return ordinal, ok && found
	},
}

var principalFilters = &filters{
	resource: "ServicePrincipal", kind: store.KindServicePrincipal, about: directory.AboutPrincipal, all: directory.AllAboutPrincipals,
	licensed: principalCollections, numbers: principalNumbers,
	byID: func(img *tenant.Image, text string) (uint32, bool) {
		id, ok := guid.Parse(text)
		ordinal, found := img.Principals.EverByID(id)
		return ordinal, ok && found
	},
}

// byDisplayName takes appDisplayName of an application for its displayName, as it always was. Of a
// service principal it is another name than its own, and cannot be asked for.
func byDisplayName(about func(string) (*directory.Asked, bool)) func(string) (*directory.Asked, bool) {
	return func(path string) (*directory.Asked, bool) {
		if strings.EqualFold(path, "appDisplayName") {
			path = "displayName"
		}
		return about(path)
	}
}

// inMemory returns documents that are in every image, those of purged objects left out.
func inMemory(at func(*tenant.Image, uint32) directory.Client) func(*tenant.Tenant, context.Context, *tenant.Image, []uint32) ([]*directory.Client, error) {
	return func(_ *tenant.Tenant, _ context.Context, img *tenant.Image, ordinals []uint32) ([]*directory.Client, error) {
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
func inMemoryNow(_ *tenant.Tenant, _ context.Context, img *tenant.Image, _ uint32) (*directory.Client, *tenant.Image, error) {
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
func (api *API) listApplications(r *request) error { return applicationList.send(r, query.Live) }

// countApplications answers GET /applications/$count.
func (api *API) countApplications(r *request) error {
	return r.sendCount(applicationFilters, query.Live)
}

// listPrincipals answers GET /servicePrincipals.
func (api *API) listPrincipals(r *request) error { return principalList.send(r, query.Live) }

// countPrincipals answers GET /servicePrincipals/$count.
func (api *API) countPrincipals(r *request) error { return r.sendCount(principalFilters, query.Live) }

// resumeByID takes up a list of applications where a page of an earlier version has ended: its
// token names the last one by id.
func (f *filters) resumeByID(p *page, img *tenant.Image) {
	if p.sorted == nil && len(p.rest) == len(uuid.Nil) {
		if ordinal, ok := f.byID(img, uuid.UUID(p.rest).String()); ok {
			p.after, p.rest = int64(ordinal), nil
		}
	}
}
