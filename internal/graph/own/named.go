package own

import (
	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/query"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/licensing"
	columns "licensor/internal/query"
	"licensor/internal/tenant"

	"github.com/RoaringBitmap/roaring/v2"
)

// ProductNamed returns the product of the catalog that a property names by its skuId or its
// skuPartNumber.
func ProductNamed(img *tenant.Image, property, key string) (*licensing.Product, error) {
	if id, ok := guid.Parse(key); ok {
		if p, ok := img.Licensing.Product(id); ok {
			return p, nil
		}
	} else {
		products := img.Licensing.Catalog().Products
		for i := range products {
			if fold.Equal(products[i].SKUPartNumber, key) {
				return &products[i], nil
			}
		}
	}
	return nil, problem.Refuse("%s is '%s': the catalog has no product with this skuId or skuPartNumber.",
		property, problem.Clip(key))
}

// UsersWhere returns the users who satisfy a filter of Graph. The caller must be permitted to read
// users.
func UsersWhere(r *wire.Request, text string) (*roaring.Bitmap, error) {
	if err := maySeeUsers(r); err != nil {
		return nil, err
	}
	filter, err := odata.ParseFilter(text)
	if err != nil {
		return nil, err
	}
	rows, err := find(r, filter)
	if err != nil {
		return nil, err
	}
	return rows.Bitmap(), nil
}

// find returns the live users who satisfy a filter.
func find(r *wire.Request, filter *odata.Filter) (*columns.Rows, error) {
	scope := query.Scope{Image: r.Image, Now: r.Now, Advanced: true, Eventual: true}
	wanted, err := query.Users.Wanted(scope, &odata.Options{Filter: filter})
	if err != nil {
		return nil, err
	}
	return r.Tenant.Find(r.Context(), r.Image, query.Users.Type, columns.WithinLive, wanted.Condition, "", nil)
}

// maySeeUsers refuses callers that may not read all properties of users.
func maySeeUsers(r *wire.Request) error {
	access, err := r.Check(identity.ReadUsers, identity.RelationOther)
	if err != nil || access != identity.AccessFull {
		return &identity.ForbiddenError{Operation: identity.ReadUsers}
	}
	return nil
}

// userColumn returns the column of a property of users.
func userColumn(name string) int {
	about, _ := directory.AboutUser(name)
	return about.Column
}
