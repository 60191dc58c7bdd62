package graph

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

// detail is a SKU that a user holds.
type detail struct {
	licensing.Held
	user  uuid.UUID
	image *licensing.Image
}

// detailFields are the properties of licenseDetails (docs/spec/licensing.md L13).
var detailFields = newFieldSet("microsoft.graph.licenseDetails", []field[detail]{
	{name: "id", write: func(b []byte, d *detail) []byte { return append(append(append(b, '"'), d.id()...), '"') }, when: directory.ByDefault},
	{name: "skuId", write: func(b []byte, d *detail) []byte { return jsontext.AppendID(b, d.SKUID) }, when: directory.ByDefault},
	{name: "skuPartNumber", write: func(b []byte, d *detail) []byte { return appendPartNumber(b, d.Product) }, when: directory.ByDefault},
	{name: "servicePlans", write: func(b []byte, d *detail) []byte { return appendServicePlans(b, d.image, d.Product, d.DisabledPlans) }, when: directory.ByDefault},
}).at(func(d *detail) string { return "users/" + d.user.String() + "/licenseDetails" })

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
		b = appendComma(b, &first)
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
func details(r *request) (userID uuid.UUID, list []detail, err error) {
	ordinal, err := r.user()
	if err != nil {
		return uuid.Nil, nil, err
	}
	userID = r.image.Directory.UserID(ordinal)
	for held := range r.image.Licensing.Held(ordinal) {
		list = append(list, detail{held, userID, r.image.Licensing})
	}
	return userID, list, nil
}

func detailsContext(userID uuid.UUID) string {
	return "users('" + userID.String() + "')/licenseDetails"
}

// listLicenseDetails answers GET /users/{user}/licenseDetails (P36: no $filter).
func listLicenseDetails(r *request) error {
	if err := r.allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := detailFields.selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	return sendList(r, list[detail]{
		context: r.selected(detailsContext(userID)), rows: details, count: r.countOf(len(details)),
		write: objects(fields),
	})
}

// getLicenseDetails answers GET /users/{user}/licenseDetails/{detail}.
func getLicenseDetails(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	fields, err := detailFields.selected(r)
	if err != nil {
		return err
	}
	userID, details, err := details(r)
	if err != nil {
		return err
	}
	key := r.keys[len(r.keys)-1]
	at := slices.IndexFunc(details, func(d detail) bool { return strings.EqualFold(d.id(), key) })
	if at < 0 {
		return problem.NotFound(key)
	}
	return sendEntity(r, detailFields, http.StatusOK, detailsContext(userID), fields, &details[at])
}

// detailsOf are the SKUs that a user holds.
func detailsOf(_ *request, u *user) iter.Seq[detail] {
	return func(yield func(detail) bool) {
		id := u.image.Directory.UserID(u.ordinal)
		for held := range u.image.Licensing.Held(u.ordinal) {
			if !yield(detail{held, id, u.image.Licensing}) {
				return
			}
		}
	}
}
