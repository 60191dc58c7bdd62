package graph

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

// detail is a SKU that a user holds.
type detail struct {
	licensing.Held
	user  uuid.UUID
	image *licensing.Image
}

// detailFields are the properties of licenseDetails (docs/spec/licensing.md L13).
var detailFields = wire.NewFieldSet("microsoft.graph.licenseDetails", []wire.Field[detail]{
	{Name: "id", Write: func(b []byte, d *detail) []byte { return append(append(append(b, '"'), d.id()...), '"') }, When: directory.ByDefault},
	{Name: "skuId", Write: func(b []byte, d *detail) []byte { return jsontext.AppendID(b, d.SKUID) }, When: directory.ByDefault},
	{Name: "skuPartNumber", Write: func(b []byte, d *detail) []byte { return appendPartNumber(b, d.Product) }, When: directory.ByDefault},
	{Name: "servicePlans", Write: func(b []byte, d *detail) []byte { return appendServicePlans(b, d.image, d.Product, d.DisabledPlans) }, When: directory.ByDefault},
}).At(func(d *detail) string { return "users/" + d.user.String() + "/licenseDetails" })

// id is the same as long as the user holds the SKU.
func (d *detail) id() string { return d.user.String() + "_" + d.SKUID.String() }

func appendPartNumber(b []byte, p *licensing.Product) []byte {
	if p == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendText(b, p.SKUPartNumber)
}

// appendServicePlans writes the plans of a product, each with its state where some are disabled.
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

// details are those of the user whom the path names.
func details(r *wire.Request) (userID uuid.UUID, list []detail, err error) {
	ordinal, err := r.User()
	if err != nil {
		return uuid.Nil, nil, err
	}
	userID = r.Image.Directory.UserID(ordinal)
	for held := range r.Image.Licensing.Held(ordinal) {
		list = append(list, detail{held, userID, r.Image.Licensing})
	}
	return userID, list, nil
}

func detailsContext(userID uuid.UUID) string {
	return "users('" + userID.String() + "')/licenseDetails"
}

// listLicenseDetails answers GET /users/{user}/licenseDetails (P36: no $filter).
func listLicenseDetails(r *wire.Request) error {
	if err := r.Allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := detailFields.Selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[detail]{
		Context: r.Selected(detailsContext(userID)), Rows: details, Count: r.CountOf(len(details)),
		Write: wire.ObjectWriter(fields),
	})
}

// getLicenseDetails answers GET /users/{user}/licenseDetails/{detail}.
func getLicenseDetails(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	fields, err := detailFields.Selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	key := r.Keys[len(r.Keys)-1]
	at := slices.IndexFunc(details, func(d detail) bool { return strings.EqualFold(d.id(), key) })
	if at < 0 {
		return problem.NotFound(key)
	}
	return wire.SendEntity(r, detailFields, http.StatusOK, detailsContext(userID), fields, &details[at])
}

// detailsOf are the SKUs that a user holds in an image.
func detailsOf(img *tenant.Image, user uint32) iter.Seq[detail] {
	return func(yield func(detail) bool) {
		id := img.Directory.UserID(user)
		for held := range img.Licensing.Held(user) {
			if !yield(detail{held, id, img.Licensing}) {
				return
			}
		}
	}
}

// appendLicense writes an assignedLicense.
func appendLicense(b []byte, license licensing.Assign) []byte {
	b = append(b, `{"disabledPlans":`...)
	b = jsontext.AppendList(b, license.DisabledPlans, jsontext.AppendID)
	b = jsontext.AppendID(append(b, `,"skuId":`...), license.SKUID)
	return append(b, '}')
}
