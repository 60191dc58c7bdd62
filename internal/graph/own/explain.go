package own

import (
	"math"
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// explainer writes reasons: the facts that licensing has computed (docs/spec/licensing.md, section
// 9), each id with its name, and one sentence with these facts.
type explainer struct {
	image   *tenant.Image
	reasons *licensing.Explainer
	user    uint32    // whose licenses are explained
	sharing []sharing // of the user
}

// sharing is an address of the user that other users have, too: the first of them, and their
// number.
type sharing struct {
	address string
	users   []uuid.UUID
	count   int
}

func newExplainer(image *tenant.Image) *explainer {
	return &explainer{image: image, reasons: image.Licensing.Explainer()}
}

// group returns a group's displayName.
func (x *explainer) group(ordinal uint32) string {
	about, _ := directory.AboutGroup("displayName")
	return x.image.Directory.GroupColumns().Text(ordinal, about.Column)
}

// Explain answers GET /licensor/v1/users/{user}/explain: the reason of the state of each license of
// a user or, with ?servicePlan=, why the user has or lacks a service plan.
func Explain(r *wire.Request) error {
	if err := r.Allow("servicePlan", "at"); err != nil {
		return err
	}
	ordinal, err := userAsOf(r)
	if err != nil {
		return err
	}
	x, is := newExplainer(r.Image), everyEntry
	plan, asked, err := x.planAsked(r)
	if err != nil {
		return err
	}
	if asked {
		is = x.inErrorWith(ordinal, plan.ID)
	}
	b, err := appendExplained(r, r.AppendHead(r.Begin(), "users/explain/$entity"), x, ordinal, is)
	if err != nil {
		return err
	}
	if asked {
		b = x.appendPlanExplained(jsontext.AppendName(b, "servicePlan"), plan)
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

func everyEntry(*licensing.Entry) bool { return true }

// appendExplained writes a user and the reasons of the entries that satisfy a condition. If there
// are more than MaxProblems, it writes the first ones, and the total number.
func appendExplained(
	r *wire.Request, b []byte, x *explainer, ordinal uint32, is func(*licensing.Entry) bool,
) ([]byte, error) {
	named := x.image.UserNamed(ordinal)
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), named.ID)
	b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), named.Principal)
	b = jsontext.AppendText(jsontext.AppendName(b, "displayName"), named.Name)
	x.begin(ordinal)
	b = append(jsontext.AppendName(b, "reasons"), '[')
	n, err := 0, error(nil)
	for reason := range x.reasons.Those(ordinal, is) {
		if n++; n > MaxProblems {
			break
		}
		if b, err = r.More(x.appendReason(wire.AppendNext(b), reason)); err != nil {
			return b, err
		}
		if err := r.Work.Yield(); err != nil {
			return b, err
		}
	}
	if b = append(b, ']'); n > MaxProblems {
		all := x.image.Licensing.Entries(ordinal)
		b = jsontext.AppendInt(jsontext.AppendName(b, "reasons@odata.count"), countEntries(all, is))
	}
	return b, nil
}

func countEntries(entries []licensing.Entry, is func(*licensing.Entry) bool) (n int) {
	for i := range entries {
		if is(&entries[i]) {
			n++
		}
	}
	return n
}

// maxSharing is the maximum number of users in a reason that share an address.
const maxSharing = 100

// begin begins the explanation of a user. It finds other users with an address of the user (L43).
func (x *explainer) begin(user uint32) {
	x.user, x.sharing = user, nil
	shown := 0
	for _, address := range x.addresses(user) {
		s := sharing{address: address}
		for owner := range x.image.Directory.AddressOwners(directory.KeyOf(address)) {
			if owner == user {
				continue
			}
			if s.count++; shown < maxSharing {
				s.users = append(s.users, x.image.Directory.UserID(owner))
				shown++
			}
		}
		if len(s.users) > 0 {
			x.sharing = append(x.sharing, s)
		}
	}
}

// addresses returns the addresses of a user, which must be unique.
func (x *explainer) addresses(user uint32) []string {
	proxies, _ := directory.AboutUser("proxyAddresses")
	mail, _ := directory.AboutUser("mail")
	row := x.image.Directory.UserColumns().Row(user)
	u := directory.User{ProxyAddresses: row.Value(proxies.Column).Texts, Mail: row.Value(mail.Column).Text}
	return u.Addresses()
}

func appendSharing(b []byte, s sharing) []byte {
	b = jsontext.AppendText(append(b, `{"address":`...), s.address)
	b = jsontext.AppendList(jsontext.AppendName(b, "users"), s.users, jsontext.AppendID)
	if s.count > len(s.users) {
		b = jsontext.AppendInt(jsontext.AppendName(b, "users@odata.count"), s.count)
	}
	return append(b, '}')
}

// appendReason writes one reason, without fields that do not apply.
func (x *explainer) appendReason(b []byte, reason licensing.Reason) []byte {
	b = append(b, '{')
	b = x.appendSource(b, reason.SKUID, reason.Direct, reason.Group)
	b = jsontext.AppendText(jsontext.AppendName(b, "state"), reason.State)
	b = jsontext.AppendText(jsontext.AppendName(b, "error"), reason.Error.String())
	if reason.Entry.Error != licensing.NoViolation {
		b = jsontext.AppendTime(jsontext.AppendName(b, "since"), began(reason.Entry.Updated))
	}
	if reason.Plan != uuid.Nil {
		b = x.appendPlan(jsontext.AppendName(b, "plan"), reason.Plan)
	}
	if reason.OtherPlan != uuid.Nil {
		b = x.appendPlan(jsontext.AppendName(b, "otherPlan"), reason.OtherPlan)
	}
	if len(reason.Requires) > 0 {
		b = jsontext.AppendList(jsontext.AppendName(b, "requiresAnyOf"), reason.Requires, x.appendPlan)
	}
	if reason.Other != uuid.Nil {
		b = x.appendSource(append(jsontext.AppendName(b, "other"), '{'), reason.Other, reason.OtherDirect, reason.OtherGroup)
		b = append(b, '}')
	}
	if reason.Location != licensing.NoCountry {
		b = jsontext.AppendText(jsontext.AppendName(b, "location"), reason.Location.String())
		b = jsontext.AppendBool(jsontext.AppendName(b, "locationOfOrganization"), reason.LocationOfOrganization)
	}
	if reason.Error == licensing.UniquenessViolation && len(x.sharing) > 0 {
		b = jsontext.AppendList(jsontext.AppendName(b, "sharedAddresses"), x.sharing, appendSharing)
	}
	if reason.Seats != nil {
		b = x.appendSeats(jsontext.AppendName(b, "seats"), reason.Seats)
	}
	b = jsontext.AppendText(jsontext.AppendName(b, "text"), x.sentence(reason))
	b = jsontext.AppendList(jsontext.AppendName(b, "remedies"), reason.Remedies, func(b []byte, m licensing.Remedy) []byte {
		b = x.appendRemedy(append(b, '{'), m, oneUser)
		return append(appendChangeSet(b, x.changes(&reason, &m)), '}')
	})
	return append(b, '}')
}

// appendSource writes a SKU and its source, within an object.
func (x *explainer) appendSource(b []byte, skuID uuid.UUID, direct bool, group uint32) []byte {
	return x.appendGroup(x.appendSKU(b, skuID), direct, group)
}

// appendSKU writes a SKU, within an object.
func (x *explainer) appendSKU(b []byte, skuID uuid.UUID) []byte {
	b = jsontext.AppendID(jsontext.AppendName(b, "skuId"), skuID)
	return jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), x.partNumber(skuID))
}

func (x *explainer) appendGroup(b []byte, direct bool, group uint32) []byte {
	b = jsontext.AppendName(b, "assignedByGroup")
	if direct {
		return append(b, "null"...)
	}
	b = jsontext.AppendID(b, x.image.Directory.GroupID(group))
	return jsontext.AppendTextOrNull(jsontext.AppendName(b, "groupDisplayName"), x.group(group))
}

func (x *explainer) appendPlan(b []byte, id uuid.UUID) []byte {
	b = jsontext.AppendID(append(b, `{"servicePlanId":`...), id)
	if p, ok := x.image.Licensing.Plan(id); ok {
		b = jsontext.AppendText(jsontext.AppendName(b, "servicePlanName"), p.Name)
	}
	return append(b, '}')
}

func (x *explainer) appendSeats(b []byte, seats *licensing.Seats) []byte {
	b = jsontext.AppendInt(append(b, `{"enabled":`...), seats.Units.Enabled)
	b = jsontext.AppendInt(append(b, `,"warning":`...), seats.Units.Warning)
	b = jsontext.AppendInt(append(b, `,"consumed":`...), seats.Consumed)
	if seats.Last != math.MaxUint32 {
		b = jsontext.AppendID(append(b, `,"lastHolder":`...), x.image.Directory.UserID(seats.Last))
	}
	return append(b, '}')
}

// appendRemedy writes one action that would resolve the error of one user or of many, within an
// object.
func (x *explainer) appendRemedy(b []byte, m licensing.Remedy, of whom) []byte {
	b = jsontext.AppendText(jsontext.AppendName(b, "kind"), string(m.Kind))
	switch m.Kind {
	case licensing.RemedyReprocess:
		if of == manyUsers {
			b = x.appendSKU(b, m.SKUID)
		}
	case licensing.RemedyFreeSeats:
		b = x.appendSKU(b, m.SKUID)
		b = jsontext.AppendInt(jsontext.AppendName(b, "seats"), m.Seats)
	case licensing.RemedyDisablePlan, licensing.RemedyRemoveLicense, licensing.RemedyClearOther:
		b = x.appendSource(b, m.SKUID, m.Direct, m.Group)
	}
	if len(m.Plans) > 0 {
		b = jsontext.AppendList(jsontext.AppendName(b, "plans"), m.Plans, x.appendPlan)
	}
	return jsontext.AppendText(jsontext.AppendName(b, "text"), x.remedy(m, of))
}

func (x *explainer) partNumber(skuID uuid.UUID) string {
	if p, ok := x.image.Licensing.Product(skuID); ok {
		return p.SKUPartNumber
	}
	return ""
}
