package licenses

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// Subscription is a purchase of seats.
type Subscription struct {
	tenant.Subscription
	Image *tenant.Image
}

// SubscriptionFields are the properties of companySubscription (docs/spec/licensing.md L1).
var SubscriptionFields = wire.NewFieldSet("microsoft.graph.companySubscription", []wire.Field[Subscription]{
	wire.Default("commerceSubscriptionId", jsontext.AppendID, func(s *Subscription) uuid.UUID { return s.CommerceSubscriptionID }),
	wire.Default("createdDateTime", jsontext.AppendTime, func(s *Subscription) time.Time { return s.CreatedDateTime }),
	wire.Default("id", jsontext.AppendID, func(s *Subscription) uuid.UUID { return s.ID }),
	wire.Default("isTrial", jsontext.AppendBool, func(s *Subscription) bool { return s.IsTrial }),
	{Name: "nextLifecycleDateTime", Write: appendNextLifecycle, When: directory.ReturnedByDefault},
	{Name: "ownerId", Write: wire.AppendNull[Subscription], When: directory.ReturnedByDefault},
	wire.Default("ownerTenantId", jsontext.AppendID, func(s *Subscription) uuid.UUID { return s.Image.Organization.ID }),
	{Name: "ownerType", Write: wire.AppendNull[Subscription], When: directory.ReturnedByDefault},
	{Name: "serviceStatus", When: directory.ReturnedByDefault, Write: func(b []byte, s *Subscription) []byte {
		return appendServicePlans(b, s.Image.Licensing, s.product(), nil)
	}},
	wire.Default("skuId", jsontext.AppendID, func(s *Subscription) uuid.UUID { return s.SKUID }),
	wire.Default("skuPartNumber", appendPartNumber, (*Subscription).product),
	wire.Default("status", jsontext.AppendText, func(s *Subscription) string { return s.Status }),
	wire.Default("totalLicenses", jsontext.AppendInt, func(s *Subscription) int { return s.TotalLicenses }),
}).In("directory/subscriptions")

func (s *Subscription) product() *licensing.Product {
	p, _ := s.Image.Licensing.Product(s.SKUID)
	return p
}

func appendNextLifecycle(b []byte, s *Subscription) []byte {
	if s.NextLifecycleDateTime == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendTime(b, *s.NextLifecycleDateTime)
}

// ListSubscriptions answers our GET /subscriptions and Graph's GET /directory/subscriptions.
func ListSubscriptions(r *wire.Request) error {
	if err := r.Allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := SubscriptionFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendList(r, wire.List[tenant.Subscription]{
		Context: r.Selected(subscriptionSet(r)),
		Rows:    r.Image.Subscriptions, Count: r.CountOf(len(r.Image.Subscriptions)),
		Write: func(b []byte, s tenant.Subscription) []byte {
			return append(wire.AppendFields(append(b, '{'), fields, &Subscription{s, r.Image}), '}')
		},
	})
}

// GetSubscription answers GET /subscriptions/{subscription}, by its id or its
// commerceSubscriptionId.
func GetSubscription(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	s, err := NamedSubscription(r)
	if err != nil {
		return err
	}
	return sendSubscription(r, http.StatusOK, r.Image, s)
}

// GetSubscriptionByCommerceID answers GET /directory/subscriptions(commerceSubscriptionId='…').
func GetSubscriptionByCommerceID(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	id, _ := guid.Parse(r.Keys[0])
	at := slices.IndexFunc(r.Image.Subscriptions, func(s tenant.Subscription) bool {
		return s.CommerceSubscriptionID == id
	})
	if at < 0 {
		return problem.NotFound(r.Keys[0])
	}
	return sendSubscription(r, http.StatusOK, r.Image, r.Image.Subscriptions[at])
}

// NamedSubscription returns the subscription that the path names, by its id or its
// commerceSubscriptionId.
func NamedSubscription(r *wire.Request) (tenant.Subscription, error) {
	if id, ok := guid.Parse(r.Keys[0]); ok {
		if s, ok := r.Image.Subscription(id); ok {
			return s, nil
		}
	}
	return tenant.Subscription{}, problem.NotFound(r.Keys[0])
}

func sendSubscription(r *wire.Request, status int, image *tenant.Image, s tenant.Subscription) error {
	fields, err := SubscriptionFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, SubscriptionFields, status, subscriptionSet(r), fields, &Subscription{s, image})
}

// subscriptionSet returns the set of the subscriptions: in Graph they are a part of the directory,
// because its set with that name is for notifications.
func subscriptionSet(r *wire.Request) string {
	if strings.HasPrefix(r.Op.Path, route.Own) {
		return "subscriptions"
	}
	return "directory/subscriptions"
}

const subscriptionType = "companySubscription"

// CreateSubscription answers POST /licensor/v1/subscriptions: it buys seats of a SKU.
func CreateSubscription(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	c, err := ReadSubscription(members)
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

// ReadSubscription reads a purchase: {"skuId":…,"totalLicenses":…}.
func ReadSubscription(members []directory.Member) (c tenant.CreateSubscription, err error) {
	var next time.Time
	err = wire.Read(subscriptionType, members, map[string]any{
		"skuId": &c.SKUID, "totalLicenses": &c.TotalLicenses, "status": subscriptionStatus(&c.Status), "isTrial": &c.IsTrial, "nextLifecycleDateTime": &next,
	}, "skuId", "totalLicenses")
	c.NextLifecycleDateTime = timeOrNone(next)
	return c, err
}

// ReadImportedSubscription is ReadSubscription for an import, which keeps its ids and its time.
func ReadImportedSubscription(members []directory.Member) (c tenant.CreateSubscription, err error) {
	var id, commerce wire.ID
	var created time.Time
	into := map[string]any{"id": &id, "commerceSubscriptionId": &commerce, "createdDateTime": &created}
	wire.Spell(members, slices.Collect(maps.Keys(into)))
	isOwn := func(m directory.Member) bool { return into[m.Name] != nil }
	own := slices.DeleteFunc(slices.Clone(members), func(m directory.Member) bool { return !isOwn(m) })
	if err := wire.Read(subscriptionType, own, into); err != nil {
		return c, err
	}
	c, err = ReadSubscription(slices.DeleteFunc(members, isOwn))
	c.ID, c.CommerceSubscriptionID, c.CreatedDateTime = uuid.UUID(id), uuid.UUID(commerce), created
	return c, err
}

func subscriptionStatus(to *string) wire.Enumeration {
	return wire.OneOfThem(
		to, tenant.StatusEnabled, tenant.StatusWarning, tenant.StatusSuspended, tenant.StatusLockedOut,
	)
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Second))
}

// UpdateSubscription answers PATCH /licensor/v1/subscriptions/{subscription}: more or fewer seats,
// or another state of them.
func UpdateSubscription(r *wire.Request) error {
	s, err := NamedSubscription(r)
	if err != nil {
		return err
	}
	members, err := r.Members()
	if err != nil {
		return err
	}
	c := tenant.UpdateSubscription{ID: s.ID}
	seats, status, next := s.TotalLicenses, s.Status, time.Time{}
	if err := wire.Read(subscriptionType, members, map[string]any{
		"totalLicenses": &seats, "status": subscriptionStatus(&status), "nextLifecycleDateTime": &next,
	}); err != nil {
		return err
	}
	if sent(members, "totalLicenses") { // values that are not sent may have changed since, and are kept
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

// DeleteSubscription answers DELETE /licensor/v1/subscriptions/{subscription}.
func DeleteSubscription(r *wire.Request) error {
	s, err := NamedSubscription(r)
	if err != nil {
		return err
	}
	return r.Change(tenant.DeleteSubscription{ID: s.ID})
}
