package changes

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/money"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
)

// byKind are users by what happens to them.
type byKind map[outcome.Kind]*roaring.Bitmap

func (k byKind) add(c *outcome.Cell) {
	if k[c.Kind] == nil {
		k[c.Kind] = roaring.New()
	}
	k[c.Kind].Or(c.Users)
}

// count returns how many users something happens to.
func (k byKind) count(kind outcome.Kind) int {
	if k[kind] == nil {
		return 0
	}
	return int(k[kind].GetCardinality())
}

func (k byKind) append(b []byte) []byte {
	b = append(b, '{')
	for _, kind := range outcome.Kinds {
		b = jsontext.AppendInt(jsontext.AppendName(b, kind.String()), k.count(kind))
	}
	return append(b, '}')
}

// productOutcome is what becomes of a product.
type productOutcome struct {
	before, after productSide
	users         byKind
	price         tenant.Price
	priced        bool
}

// productSide is a product in one of the images.
type productSide struct {
	licensing.SKUInfo
	waiting *roaring.Bitmap // users who wait for a seat
}

func sideOf(img *licensing.Image, s licensing.SKUInfo) productSide {
	waiting := roaring.New()
	if s.Waiting != nil {
		waiting = roaring.AndNot(s.Waiting, img.DeletedUsers())
	}
	return productSide{s, waiting}
}

// products returns the products whose units or holders are different, with their prices on a day.
func (p *preview) products(day tenant.Date) []productOutcome {
	list := productsOf(p.outcome)
	for i := range list {
		list[i].price, list[i].priced = p.after.PriceAt(list[i].after.SKUID, day)
	}
	return list
}

func productsOf(o *outcome.Outcome) (list []productOutcome) {
	find := func(id uuid.UUID) *productOutcome {
		at := slices.IndexFunc(list, func(p productOutcome) bool { return p.after.SKUID == id })
		if at < 0 {
			at = len(list)
			none := productSide{licensing.SKUInfo{SKUID: id}, roaring.New()}
			list = append(list, productOutcome{before: none, after: none, users: byKind{}})
		}
		return &list[at]
	}
	for _, s := range o.Before.SKUs() {
		find(s.SKUID).before = sideOf(o.Before, s)
	}
	for _, s := range o.After.SKUs() {
		find(s.SKUID).after = sideOf(o.After, s)
	}
	for _, c := range o.Cells() {
		find(c.SKUID).users.add(c)
	}
	return slices.DeleteFunc(list, func(p productOutcome) bool {
		return len(p.users) == 0 && p.before.Units == p.after.Units && p.before.Consumed == p.after.Consumed &&
			p.before.Subscribed == p.after.Subscribed
	})
}

// name returns the skuPartNumber; "" if the catalog has no such product.
func (p productOutcome) name() string {
	for _, s := range []productSide{p.after, p.before} {
		if s.Product != nil {
			return s.Product.SKUPartNumber
		}
	}
	return ""
}

func (p productOutcome) append(b []byte) []byte {
	b = jsontext.AppendID(append(b, `{"skuId":`...), p.after.SKUID)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "skuPartNumber"), p.name())
	b = p.appendSide(jsontext.AppendName(b, "before"), &p.before)
	b = p.appendSide(jsontext.AppendName(b, "after"), &p.after)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "currency"), p.price.Currency)
	return append(p.users.append(jsontext.AppendName(b, "users")), '}')
}

// appendSide writes the seats of a product, and what those that are held, and those that users wait
// for, cost per month; null for a product without a price.
func (p *productOutcome) appendSide(b []byte, s *productSide) []byte {
	b = jsontext.AppendInt(append(b, `{"seats":`...), s.Units.Enabled+s.Units.Warning)
	b = jsontext.AppendInt(jsontext.AppendName(b, "held"), s.Consumed)
	b = jsontext.AppendInt(jsontext.AppendName(b, "unassigned"), max(0, s.Free()))
	waits := int(s.waiting.GetCardinality())
	b = jsontext.AppendInt(jsontext.AppendName(b, "waiting"), waits)
	b = p.appendCost(jsontext.AppendName(b, "heldPerMonth"), s.Consumed)
	return append(p.appendCost(jsontext.AppendName(b, "waitingPerMonth"), waits), '}')
}

func (p *productOutcome) appendCost(b []byte, seats int) []byte {
	if !p.priced {
		return append(b, "null"...)
	}
	var total money.Total
	total.Add(p.price.Amount, p.price.Each, seats)
	return jsontext.AppendText(b, total.String())
}

// groupOutcome is what becomes of the members of a group by its licenses.
type groupOutcome struct {
	group uint32
	all   uint64 // users
	users byKind
}

// groupsOf returns the groups whose licenses change for members, those with the most first.
func groupsOf(o *outcome.Outcome) (list []*groupOutcome) {
	byGroup := map[uint32]*groupOutcome{}
	for _, c := range o.Cells() {
		for _, group := range c.Groups {
			if byGroup[group] == nil {
				byGroup[group] = &groupOutcome{group: group, users: byKind{}}
				list = append(list, byGroup[group])
			}
			byGroup[group].users.add(c)
		}
	}
	for _, g := range list {
		all := roaring.New()
		for _, users := range g.users {
			all.Or(users)
		}
		g.all = all.GetCardinality()
	}
	slices.SortFunc(list, func(a, b *groupOutcome) int {
		return cmp.Or(cmp.Compare(b.all, a.all), cmp.Compare(a.group, b.group))
	})
	return list
}

func (g *groupOutcome) append(b []byte, p *preview) []byte {
	b = p.appendGroup(append(b, '{'), g.group)
	return append(g.users.append(jsontext.AppendName(b, "users")), '}')
}

// groupNamed returns the names of a group, which may exist in only one of the images.
func (p *preview) groupNamed(group uint32) tenant.Named {
	if img := p.after; group < img.Directory.Groups() && !img.Directory.GroupPurged(group) {
		return img.GroupNamed(group)
	}
	return p.before.GroupNamed(group)
}

// appendGroup writes the id and name of a group.
func (p *preview) appendGroup(b []byte, group uint32) []byte {
	named := p.groupNamed(group)
	b = jsontext.AppendID(jsontext.AppendName(b, "id"), named.ID)
	return jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), named.Name)
}
