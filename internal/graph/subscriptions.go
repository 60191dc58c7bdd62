package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// subscription is a purchase of seats.
type subscription struct {
	tenant.Subscription
	image *tenant.Image
}

// subscriptionFields are the properties of companySubscription (docs/spec/licensing.md L1).
var subscriptionFields = wire.NewFieldSet("microsoft.graph.companySubscription", []wire.Field[subscription]{
	{Name: "commerceSubscriptionId", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.CommerceSubscriptionID) }, When: directory.ByDefault},
	{Name: "createdDateTime", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendTime(b, s.CreatedDateTime) }, When: directory.ByDefault},
	{Name: "id", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.ID) }, When: directory.ByDefault},
	{Name: "isTrial", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendBool(b, s.IsTrial) }, When: directory.ByDefault},
	{Name: "nextLifecycleDateTime", Write: appendNextLifecycle, When: directory.ByDefault},
	{Name: "ownerId", Write: wire.AppendNull[subscription], When: directory.ByDefault},
	{Name: "ownerTenantId", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.image.Organization.ID) }, When: directory.ByDefault},
	{Name: "ownerType", Write: wire.AppendNull[subscription], When: directory.ByDefault},
	{Name: "serviceStatus", When: directory.ByDefault, Write: func(b []byte, s *subscription) []byte {
		return appendServicePlans(b, s.image.Licensing, s.product(), nil)
	}},
	{Name: "skuId", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.SKUID) }, When: directory.ByDefault},
	{Name: "skuPartNumber", Write: func(b []byte, s *subscription) []byte { return appendPartNumber(b, s.product()) }, When: directory.ByDefault},
	{Name: "status", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendText(b, s.Status) }, When: directory.ByDefault},
	{Name: "totalLicenses", Write: func(b []byte, s *subscription) []byte { return jsontext.AppendInt(b, s.TotalLicenses) }, When: directory.ByDefault},
}).In("directory/subscriptions")

func (s *subscription) product() *licensing.Product {
	p, _ := s.image.Licensing.Product(s.SKUID)
	return p
}

func appendNextLifecycle(b []byte, s *subscription) []byte {
	if s.NextLifecycleDateTime == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendTime(b, *s.NextLifecycleDateTime)
}

// listSubscriptions answers GET /subscriptions of ours and Graph's GET /directory/subscriptions.
func listSubscriptions(r *wire.Request) error {
	if err := r.Allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := subscriptionFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[tenant.Subscription]{
		Context: r.Selected(subscriptionSet(r)), Rows: r.Image.Subscriptions, Count: r.CountOf(len(r.Image.Subscriptions)),
		Write: func(b []byte, s tenant.Subscription) []byte {
			return append(wire.AppendFields(append(b, '{'), fields, &subscription{s, r.Image}), '}')
		},
	})
}

// getSubscription answers GET /subscriptions/{subscription}, by its id or its
// commerceSubscriptionId.
func getSubscription(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	return sendSubscription(r, http.StatusOK, r.Image, s)
}

// getSubscriptionByCommerceID answers GET /directory/subscriptions(commerceSubscriptionId='…').
func getSubscriptionByCommerceID(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, _ := guid.Parse(r.Keys[0])
	at := slices.IndexFunc(r.Image.Subscriptions, func(s tenant.Subscription) bool { return s.CommerceSubscriptionID == id })
	if at < 0 {
		return problem.NotFound(r.Keys[0])
	}
	return sendSubscription(r, http.StatusOK, r.Image, r.Image.Subscriptions[at])
}

func namedSubscription(r *wire.Request) (tenant.Subscription, error) {
	if id, ok := guid.Parse(r.Keys[0]); ok {
		if s, ok := r.Image.Subscription(id); ok {
			return s, nil
		}
	}
	return tenant.Subscription{}, problem.NotFound(r.Keys[0])
}

func sendSubscription(r *wire.Request, status int, image *tenant.Image, s tenant.Subscription) error {
	fields, err := subscriptionFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, subscriptionFields, status, subscriptionSet(r), fields, &subscription{s, image})
}

// subscriptionSet is where the subscriptions are: in Graph they are part of the directory, for its
// own set of that name has notifications.
func subscriptionSet(r *wire.Request) string {
	if strings.HasPrefix(r.Op.Path, route.Own) {
		return "subscriptions"
	}
	return "directory/subscriptions"
}

const subscriptionType = "companySubscription"

// createSubscription answers POST /licensor/v1/subscriptions: it buys seats of a SKU.
func createSubscription(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	c, err := readSubscription(members)
	if err != nil {
		return err
	}
	done, err := r.Do(c)
	if err != nil {
		return err
	}
	s, _ := done.Image.Subscription(done.ID)
	r.W.Header().Set("Location", r.Root+"/subscriptions/"+done.ID.String())
	return sendSubscription(r, http.StatusCreated, done.Image, s)
}

func readSubscription(members []directory.Member) (c tenant.CreateSubscription, err error) {
	var next time.Time
	err = wire.Read(subscriptionType, members, map[string]any{
		"skuId": &c.SKUID, "totalLicenses": &c.TotalLicenses, "status": subscriptionStatus(&c.Status), "isTrial": &c.IsTrial, "nextLifecycleDateTime": &next,
	}, "skuId", "totalLicenses")
	c.NextLifecycleDateTime = timeOrNone(next)
	return c, err
}

func subscriptionStatus(to *string) wire.Enumeration {
	return wire.OneOfThem(to, tenant.StatusEnabled, tenant.StatusWarning, tenant.StatusSuspended, tenant.StatusLockedOut)
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Second))
}

// updateSubscription answers PATCH /licensor/v1/subscriptions/{subscription}: more or fewer seats,
// or another state of them.
func updateSubscription(r *wire.Request) error {
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	c := tenant.UpdateSubscription{ID: s.ID}
	seats, status, next := s.TotalLicenses, s.Status, time.Time{}
	if err := wire.Read(subscriptionType, members, map[string]any{"totalLicenses": &seats, "status": subscriptionStatus(&status), "nextLifecycleDateTime": &next}); err != nil {
		return err
	}
	if sent(members, "totalLicenses") { // what is not sent may be another by now, and stays
		c.TotalLicenses = &seats
	}
	if sent(members, "status") {
		c.Status = &status
	}
	c.NextLifecycleDateTime = timeOrNone(next)
	return r.Change(c)
}

// sent reports whether a property is in a body.
func sent(members []directory.Member, name string) bool {
	return slices.ContainsFunc(members, func(m directory.Member) bool { return m.Is(name) })
}

// deleteSubscription answers DELETE /licensor/v1/subscriptions/{subscription}.
func deleteSubscription(r *wire.Request) error {
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.DeleteSubscription{ID: s.ID})
}
