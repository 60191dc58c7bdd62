package graph

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// organization is the tenant's own object.
type organization struct {
	*directory.Organization
	image *tenant.Image
}

// organizationFields are its properties: those of the document, and those derived from
// subscriptions. User.Read shows only basic ones.
var organizationFields = wire.NewFieldSet("microsoft.graph.organization", append(
	wire.PropertyFields(directory.OrganizationProperties(), func(o *organization) *directory.Organization {
		return o.Organization
	}, nil),
	wire.Field[organization]{Name: "assignedPlans", Write: appendOrganizationPlans, When: directory.ReturnedByDefault},
	wire.Field[organization]{Name: "provisionedPlans", Write: appendOrganizationProvisioned, When: directory.ReturnedByDefault},
), "displayName", "id", "verifiedDomains").In("organization")

// plan is a service plan of the organization.
type plan struct {
	*licensing.ServicePlan
	since      time.Time
	capability string
}

// plans returns the plans of all subscriptions, without duplicates.
func (o *organization) plans() []plan {
	var list []plan
	seen := map[uuid.UUID]bool{}
	for _, info := range o.image.Licensing.SKUs() {
		if info.Product == nil || !info.Subscribed {
			continue
		}
		for _, id := range info.Product.ServicePlanIDs {
			if p, ok := o.image.Licensing.Plan(id); ok && !seen[id] {
				seen[id] = true
				list = append(list, plan{p, o.subscribedSince(info.SKUID), info.Capability})
			}
		}
	}
	return list
}

func (o *organization) subscribedSince(skuID uuid.UUID) time.Time {
	for _, s := range o.image.Subscriptions {
		if s.SKUID == skuID {
			return s.CreatedDateTime
		}
	}
	return time.Time{}
}

func appendOrganizationPlans(b []byte, o *organization) []byte {
	return jsontext.AppendList(b, o.plans(), func(b []byte, p plan) []byte {
		b = jsontext.AppendTime(append(b, `{"assignedDateTime":`...), p.since)
		b = jsontext.AppendText(append(b, `,"capabilityStatus":`...), p.capability)
		b = jsontext.AppendText(append(b, `,"service":`...), p.Service)
		return append(jsontext.AppendID(append(b, `,"servicePlanId":`...), p.ID), '}')
	})
}

func appendOrganizationProvisioned(b []byte, o *organization) []byte {
	return jsontext.AppendList(b, o.plans(), func(b []byte, p plan) []byte {
		b = jsontext.AppendText(append(b, `{"capabilityStatus":`...), p.capability)
		b = jsontext.AppendText(append(b, `,"provisioningStatus":`...), p.ServicePlan.Provisioning(false))
		return append(jsontext.AppendText(append(b, `,"service":`...), p.Service), '}')
	})
}

// shownOfOrganization returns the fields of $select. Nothing can be expanded.
func shownOfOrganization(r *wire.Request) ([]*wire.Field[organization], error) {
	fields, err := organizationFields.Visible(r, r.Access)
	if err != nil {
		return nil, err
	}
	return wire.Expanded(r, organizationFields, nil, fields)
}

// listOrganization answers GET /organization: a list of one.
func listOrganization(r *wire.Request) error {
	if err := r.Allow("$select", "$expand", "$count"); err != nil {
		return err
	}
	fields, err := shownOfOrganization(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[organization]{
		Context: r.Selected("organization"), Rows: []organization{{r.Image.Organization, r.Image}}, Count: r.CountOf(1),
		Write: wire.ObjectWriter(fields),
	})
}

// getOrganization answers GET /organization/{organization}.
func getOrganization(r *wire.Request) error {
	if err := r.Allow("$select", "$expand"); err != nil {
		return err
	}
	fields, err := shownOfOrganization(r)
	if err != nil {
		return err
	}
	if err := ownOrganization(r); err != nil {
		return err
	}
	shown := &organization{r.Image.Organization, r.Image}
	return wire.SendEntity(r, organizationFields, http.StatusOK, "organization", fields, shown)
}

// ownOrganization refuses the id of any organization except the caller's.
func ownOrganization(r *wire.Request) error {
	if !strings.EqualFold(r.Keys[0], r.Tenant.ID().String()) {
		return problem.NotFound(r.Keys[0])
	}
	return nil
}

// updateOrganization answers PATCH /organization/{organization}.
func updateOrganization(r *wire.Request) error {
	if err := ownOrganization(r); err != nil {
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	patch, err := directory.ParseOrganizationPatch(members)
	if err != nil {
		return err
	}
	return r.Change(tenant.UpdateOrganization{Patch: patch})
}
