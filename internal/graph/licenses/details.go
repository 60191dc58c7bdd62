// Package licenses shows subscriptions and the licenses of users: subscribedSkus (skus.go),
// subscriptions (subscriptions.go) and licenseDetails (details.go). Rules are cited from
// docs/spec/licensing.md and docs/spec/protocol.md.
package licenses

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// Detail is a SKU that a user holds.
type Detail struct {
	licensing.Held
	user  uuid.UUID
	image *licensing.Image
}

// DetailFields are the properties of licenseDetails (docs/spec/licensing.md L13).
var DetailFields = wire.NewFieldSet("microsoft.graph.licenseDetails", []wire.Field[Detail]{
	{Name: "id", When: directory.ReturnedByDefault, Write: func(b []byte, d *Detail) []byte {
		return append(append(append(b, '"'), d.id()...), '"')
	}},
	wire.Default("skuId", jsontext.AppendID, func(d *Detail) uuid.UUID { return d.SKUID }),
	wire.Default("skuPartNumber", appendPartNumber, func(d *Detail) *licensing.Product { return d.Product }),
	{Name: "servicePlans", When: directory.ReturnedByDefault, Write: func(b []byte, d *Detail) []byte {
		return appendServicePlans(b, d.image, d.Product, d.DisabledPlans)
	}},
}).At(func(d *Detail) string { return "users/" + d.user.String() + "/licenseDetails" })

// id does not change while the user holds the SKU.
func (d *Detail) id() string { return d.user.String() + "_" + d.SKUID.String() }

func appendPartNumber(b []byte, p *licensing.Product) []byte {
	if p == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendText(b, p.SKUPartNumber)
}

// appendServicePlans writes the plans of a product, each with its state if some are disabled.
func appendServicePlans(b []byte, img *licensing.Image, p *licensing.Product, disabled []uuid.UUID) []byte {
	b = append(b, '[')
	if p == nil {
		return append(b, ']')
	}
	first := true
	for _, id := range p.ServicePlanIDs {
		plan, ok := img.Plan(id)
		if !ok {
			continue
		}
		b = wire.AppendComma(b, &first)
		b = jsontext.AppendID(append(b, `{"servicePlanId":`...), id)
		b = jsontext.AppendText(append(b, `,"servicePlanName":`...), plan.Name)
		b = jsontext.AppendText(append(b, `,"provisioningStatus":`...), plan.Provisioning(slices.Contains(disabled, id)))
		b = jsontext.AppendText(append(b, `,"appliesTo":`...), string(appliesTo(plan.AppliesTo)))
		b = append(b, '}')
	}
	return append(b, ']')
}

func appliesTo(to licensing.AppliesTo) licensing.AppliesTo {
	if to == "" {
		return licensing.AppliesToUser
	}
	return to
}

// details returns the licenses of the user whom the path names.
func details(r *wire.Request) (userID uuid.UUID, list []Detail, err error) {
	ordinal, err := r.User()
	if err != nil {
		return uuid.Nil, nil, err
	}
	userID = r.Image.Directory.UserID(ordinal)
	for held := range r.Image.Licensing.Held(ordinal) {
		list = append(list, Detail{held, userID, r.Image.Licensing})
	}
	return userID, list, nil
}

func detailsContext(userID uuid.UUID) string {
	return "users('" + userID.String() + "')/licenseDetails"
}

// ListDetails answers GET /users/{user}/licenseDetails (P36: no $filter).
func ListDetails(r *wire.Request) error {
	if err := r.Allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := DetailFields.Selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[Detail]{
		Context: r.Selected(detailsContext(userID)), Rows: details, Count: r.CountOf(len(details)),
		Write: wire.ObjectWriter(fields),
	})
}

// GetDetails answers GET /users/{user}/licenseDetails/{detail}.
func GetDetails(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	fields, err := DetailFields.Selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	key := r.Keys[len(r.Keys)-1]
	at := slices.IndexFunc(details, func(d Detail) bool { return strings.EqualFold(d.id(), key) })
	if at < 0 {
		return problem.NotFound(key)
	}
	return wire.SendEntity(r, DetailFields, http.StatusOK, detailsContext(userID), fields, &details[at])
}

// DetailsOf returns the SKUs that a user holds in an image.
func DetailsOf(img *tenant.Image, user uint32) iter.Seq[Detail] {
	return func(yield func(Detail) bool) {
		id := img.Directory.UserID(user)
		for held := range img.Licensing.Held(user) {
			if !yield(Detail{held, id, img.Licensing}) {
				return
			}
		}
	}
}

// AppendLicense writes an assignedLicense.
func AppendLicense(b []byte, license licensing.Assign) []byte {
	b = append(b, `{"disabledPlans":`...)
	b = jsontext.AppendList(b, license.DisabledPlans, jsontext.AppendID)
	b = jsontext.AppendID(append(b, `,"skuId":`...), license.SKUID)
	return append(b, '}')
}
