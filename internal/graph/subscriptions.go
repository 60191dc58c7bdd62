package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
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
var subscriptionFields = newFieldSet("microsoft.graph.companySubscription", []field[subscription]{
	{name: "commerceSubscriptionId", write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.CommerceSubscriptionID) }, when: directory.ByDefault},
	{name: "createdDateTime", write: func(b []byte, s *subscription) []byte { return jsontext.AppendTime(b, s.CreatedDateTime) }, when: directory.ByDefault},
	{name: "id", write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.ID) }, when: directory.ByDefault},
	{name: "isTrial", write: func(b []byte, s *subscription) []byte { return jsontext.AppendBool(b, s.IsTrial) }, when: directory.ByDefault},
	{name: "nextLifecycleDateTime", write: appendNextLifecycle, when: directory.ByDefault},
	{name: "ownerId", write: appendNull[subscription], when: directory.ByDefault},
	{name: "ownerTenantId", write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.image.Organization.ID) }, when: directory.ByDefault},
	{name: "ownerType", write: appendNull[subscription], when: directory.ByDefault},
	{name: "serviceStatus", when: directory.ByDefault, write: func(b []byte, s *subscription) []byte {
		return appendServicePlans(b, s.image.Licensing, s.product(), nil)
	}},
	{name: "skuId", write: func(b []byte, s *subscription) []byte { return jsontext.AppendID(b, s.SKUID) }, when: directory.ByDefault},
	{name: "skuPartNumber", write: func(b []byte, s *subscription) []byte { return appendPartNumber(b, s.product()) }, when: directory.ByDefault},
	{name: "status", write: func(b []byte, s *subscription) []byte { return jsontext.AppendText(b, s.Status) }, when: directory.ByDefault},
	{name: "totalLicenses", write: func(b []byte, s *subscription) []byte { return jsontext.AppendInt(b, s.TotalLicenses) }, when: directory.ByDefault},
}).in("directory/subscriptions")

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
func listSubscriptions(r *request) error {
	if err := r.allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := subscriptionFields.selected(r)
	if err != nil {
		return err
	}
	return sendList(r, list[tenant.Subscription]{
		context: r.selected(subscriptionSet(r)), rows: r.image.Subscriptions, count: r.countOf(len(r.image.Subscriptions)),
		write: func(b []byte, s tenant.Subscription) []byte {
			return append(appendFields(append(b, '{'), fields, &subscription{s, r.image}), '}')
		},
	})
}

// getSubscription answers GET /subscriptions/{subscription}, by its id or its
// commerceSubscriptionId.
func getSubscription(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	return sendSubscription(r, http.StatusOK, r.image, s)
}

// getSubscriptionByCommerceID answers GET /directory/subscriptions(commerceSubscriptionId='…').
func getSubscriptionByCommerceID(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	id, _ := guid.Parse(r.keys[0])
	at := slices.IndexFunc(r.image.Subscriptions, func(s tenant.Subscription) bool { return s.CommerceSubscriptionID == id })
	if at < 0 {
		return problem.NotFound(r.keys[0])
	}
	return sendSubscription(r, http.StatusOK, r.image, r.image.Subscriptions[at])
}

func namedSubscription(r *request) (tenant.Subscription, error) {
	if id, ok := guid.Parse(r.keys[0]); ok {
		if s, ok := r.image.Subscription(id); ok {
			return s, nil
		}
	}
	return tenant.Subscription{}, problem.NotFound(r.keys[0])
}

func sendSubscription(r *request, status int, image *tenant.Image, s tenant.Subscription) error {
	fields, err := subscriptionFields.selected(r)
	if err != nil {
		return err
	}
	return sendEntity(r, subscriptionFields, status, subscriptionSet(r), fields, &subscription{s, image})
}

// subscriptionSet is where the subscriptions are: in Graph they are part of the directory, for its
// own set of that name has notifications.
func subscriptionSet(r *request) string {
	if strings.HasPrefix(r.op.path, route.Own) {
		return "subscriptions"
	}
	return "directory/subscriptions"
}

const subscriptionType = "companySubscription"

// createSubscription answers POST /licensor/v1/subscriptions: it buys seats of a SKU.
func createSubscription(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	c, err := readSubscription(members)
	if err != nil {
		return err
	}
	done, err := r.do(c)
	if err != nil {
		return err
	}
	s, _ := done.Image.Subscription(done.ID)
	r.w.Header().Set("Location", r.root+"/subscriptions/"+done.ID.String())
	return sendSubscription(r, http.StatusCreated, done.Image, s)
}

func readSubscription(members []directory.Member) (c tenant.CreateSubscription, err error) {
	var next time.Time
	err = read(subscriptionType, members, map[string]any{
		"skuId": &c.SKUID, "totalLicenses": &c.TotalLicenses, "status": subscriptionStatus(&c.Status), "isTrial": &c.IsTrial, "nextLifecycleDateTime": &next,
	}, "skuId", "totalLicenses")
	c.NextLifecycleDateTime = timeOrNone(next)
	return c, err
}

func subscriptionStatus(to *string) enumeration {
	return oneOfThem(to, tenant.StatusEnabled, tenant.StatusWarning, tenant.StatusSuspended, tenant.StatusLockedOut)
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Second))
}

// updateSubscription answers PATCH /licensor/v1/subscriptions/{subscription}: more or fewer seats,
// or another state of them.
func updateSubscription(r *request) error {
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	members, err := r.members()
	if err != nil {
		return err
	}
	c := tenant.UpdateSubscription{ID: s.ID}
	seats, status, next := s.TotalLicenses, s.Status, time.Time{}
	if err := read(subscriptionType, members, map[string]any{"totalLicenses": &seats, "status": subscriptionStatus(&status), "nextLifecycleDateTime": &next}); err != nil {
		return err
	}
	if sent(members, "totalLicenses") { // what is not sent may be another by now, and stays
		c.TotalLicenses = &seats
	}
	if sent(members, "status") {
		c.Status = &status
	}
	c.NextLifecycleDateTime = timeOrNone(next)
	return r.change(c)
}

// sent reports whether a property is in a body.
func sent(members []directory.Member, name string) bool {
	return slices.ContainsFunc(members, func(m directory.Member) bool { return m.Is(name) })
}

// deleteSubscription answers DELETE /licensor/v1/subscriptions/{subscription}.
func deleteSubscription(r *request) error {
	s, err := namedSubscription(r)
	if err != nil {
		return err
	}
	return r.change(tenant.DeleteSubscription{ID: s.ID})
}
