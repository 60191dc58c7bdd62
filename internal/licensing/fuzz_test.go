package licensing_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/licensing"
)

// What is stored can be damaged. It is refused or read, whatever it is, and what is read can be
// used without a panic.

// use does with an image all that is done with images.
func use(img *licensing.Image) {
	for user := range uint32(img.Users()) {
		img.Entries(user)
		for range img.States(user) {
			continue
		}
		for range img.Held(user) {
			continue
		}
		img.Plans(user, time.Unix(5000, 0))
		img.Explain(user, true)
		img.Location(user)
	}
	for g := range uint32(img.Groups()) {
		img.GroupLicenses(g)
	}
	img.SKUs()
	img.Head()
	for part := range img.Parts() {
		img.AppendPart(nil, part)
		img.AppendSets(nil, part)
	}
	d := img.Draft(2000, time.Unix(5000, 0))
	d.Reprocess(img.Everybody())
	for user := range uint32(img.Users()) {
		_ = d.AssignUser(user, []licensing.Assign{{SKUID: product("PHONE")}}, nil)
		switch {
		case img.Deleted(user):
			d.RestoreUser(user)
		case !img.Purged(user):
			d.DeleteUser(user)
		}
	}
	for g := range uint32(img.Groups()) {
		_ = d.AssignGroup(g, []licensing.Assign{{SKUID: product("E3")}}, nil)
		d.AddMembers(g, img.Everybody())
		_ = d.PurgeGroup(g)
	}
	d.Finish()
}

func FuzzRestore(f *testing.F) {
	s := history(f).image
	sets := s.AppendSets(nil, 0)
	f.Add(s.AppendPart(nil, 0), sets, []byte{}, 0, []byte{})
	f.Add([]byte{1, 0, 0, 0, 0}, sets[:len(sets)-1], []byte{}, -5, []byte{})
	for what := range byte(18) { // each kind of damage once
		f.Add(s.AppendPart(nil, 0), sets, []byte{what, 0, 250}, 0, packed(1, 2, 70_000))
		f.Add(s.AppendPart(nil, 0), sets, []byte{what, 1, 1}, 300, packed(0, 3))
	}
	f.Fuzz(func(t *testing.T, part, sets, damage []byte, users int, set []byte) {
		h := s.Head()
		if users != 0 {
			h.Users = users
		}
		for len(damage) >= 3 {
			spoil(h, damage[0], damage[1], damage[2], set)
			damage = damage[3:]
		}
		if img, err := licensing.Restore(h, [][]byte{part}, [][]byte{sets}); err == nil {
			use(img)
		}
	})
}

// spoil damages one thing in a head.
func spoil(h *licensing.Head, what, at, value byte, set []byte) {
	sku, group := &h.SKUs[int(at)%len(h.SKUs)], &h.Groups[int(at)%len(h.Groups)]
	variant := &h.Variants[int(at)%len(h.Variants)]
	switch what % 18 {
	case 0:
		h.Deleted = set
	case 1:
		h.Purged = set
	case 2:
		sku.Holders = set
	case 3:
		sku.Waiting = set
	case 4:
		group.Members = set
	case 5:
		group.Errors = set
	case 6:
		variant.SKU = licensing.SKU(value)
	case 7:
		variant.Disabled = []uuid.UUID{{value}}
	case 8:
		group.Licenses = []licensing.GroupGrants{{SKU: licensing.SKU(value), Variant: licensing.Variant(at)}}
	case 9:
		group.Licenses = []licensing.GroupGrants{{SKU: licensing.SKU(at), Variant: licensing.Variant(value)}}
	case 10:
		sku.ID = uuid.UUID{value}
	case 11:
		sku.Units.Enabled = int(value) - 128
	case 12:
		h.Groups = h.Groups[:1]
	case 13:
		h.Variants = h.Variants[:1]
	case 14:
		h.Catalog = readCatalog(office)
		h.Catalog.ServicePlans = h.Catalog.ServicePlans[:int(value)%len(h.Catalog.ServicePlans)]
	case 15:
		h.Settings.GroupBundles = licensing.Bundles(set)
	case 16:
		h.SKUs = append(h.SKUs, h.SKUs[0])
	case 17:
		h.Catalog = nil
	}
}

func packed(users ...uint32) []byte {
	data, err := roaring.BitmapOf(users...).ToBytes()
	if err != nil {
		panic(err)
	}
	return data
}

func FuzzApply(f *testing.F) {
	img := history(f).image
	f.Add([]byte{})
	for what := range byte(16) {
		f.Add([]byte{what, 0, 0, 0, 0, 0, 0, 0, what, 1, 250, 1, 1, 250, 1, 1})
		f.Add([]byte{what, 0, 1, 1, 1, 0, 0, 1, 0xff, 3, 2, 1, 4, 5, 6, 7, what, 200, 1, 1, 1, 1, 1, 1})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		effects := invented(data)
		next, err := img.Apply(effects, 1000, time.Unix(5000, 0))
		if err != nil {
			return
		}
		use(next)
	})
}

// invented makes effects of bytes, eight for each.
func invented(data []byte) *licensing.Effects {
	f := &licensing.Effects{}
	for ; len(data) >= 8; data = data[8:] {
		b := data[1:8]
		switch data[0] % 8 {
		case 0:
			f.Catalog = &licensing.Catalog{
				Products: []licensing.Product{
					{SKUID: product("E3"), SKUPartNumber: "E3", ServicePlanIDs: plans([]string{"A", "B", "C"}[:b[0]%4]...)},
				},
				ServicePlans: []licensing.ServicePlan{
					{ID: plan("A"), Name: "A", Excludes: plans([]string{"B", "D"}[:b[1]%3]...)},
					{ID: plan("B"), Name: "B"},
				},
			}
		case 1:
			f.SKUs = append(f.SKUs, uuid.UUID{b[0]}, product("E3"))
			f.SKUs = f.SKUs[:len(f.SKUs)-1+int(b[1]%2)]
		case 2:
			f.Variants = append(f.Variants, licensing.NewVariant{
				SKU: licensing.SKU(b[0]), Disabled: []uuid.UUID{{b[1]}},
			})
		case 3:
			f.Units = append(f.Units, licensing.UnitsOf{
				SKU: licensing.SKU(b[0]), Units: licensing.Units{Enabled: int(b[1])}, Subscribed: b[2]%2 == 0,
			})
		case 4:
			f.Users = append(f.Users, licensing.NewUsers{
				Count: uint32(b[0]), Location: licensing.Country(b[1]), Flags: b[2],
			})
		case 5:
			f.Facts = append(f.Facts, licensing.FactOf{
				User: uint32(b[0]), Location: licensing.Country(b[1]), Flags: b[2],
			})
		case 6:
			f.Groups = append(f.Groups, inventedGroup(b))
		case 7:
			o := licensing.Outcome{
				Source: licensing.Source(b[0]), SKU: licensing.SKU(b[1]), Wished: licensing.Variant(b[2]),
				InForce: licensing.Variant(b[3]), Error: licensing.Violation(b[4]), Since: uint64(b[5]),
			}
			f.Changes = append(f.Changes, licensing.Change{Outcome: o, Users: inventedSet(b[5:])})
		}
	}
	return f
}

func inventedGroup(b []byte) licensing.GroupEffect {
	g := licensing.GroupEffect{Group: uint32(b[0]), Purged: b[1]&1 != 0}
	if b[1]&2 != 0 {
		g.New = &uuid.UUID{b[2]}
	}
	if b[1]&4 != 0 {
		g.Licenses = &[]licensing.GroupGrants{{SKU: licensing.SKU(b[3]), Variant: licensing.Variant(b[4])}}
	}
	if b[1]&8 != 0 {
		g.Joined = inventedSet(b[5:])
	} else {
		g.Left = inventedSet(b[5:])
	}
	return g
}

// inventedSet is a set of two users, or no set at all.
func inventedSet(b []byte) []byte {
	if b[1] == 0xff {
		return b
	}
	return packed(uint32(b[0]), uint32(b[1])*uint32(b[1]))
}

// Real effects whose sets of users are damaged bit by bit.
func FuzzApplyDamagedSets(f *testing.F) {
	img := history(f).image
	f.Add(packed(1), packed(2, 3), packed(0))
	f.Add([]byte{1}, []byte{58, 48, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0, 5, 0, 4, 0}, packed(1<<31))
	run := roaring.New()
	run.AddRange(0, 6)
	run.RunOptimize()
	data, err := run.ToBytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, data, data)
	f.Fuzz(func(t *testing.T, joined, left, changed []byte) {
		next, err := img.Apply(&licensing.Effects{
			Groups:  []licensing.GroupEffect{{Group: 0, Joined: joined}, {Group: 1, Left: left}},
			Changes: []licensing.Change{{Outcome: licensing.Outcome{Source: 1, Since: 1}, Users: changed}},
		}, 1000, time.Unix(5000, 0))
		if err == nil {
			use(next)
		}
	})
}

func TestApplyRefusesWhatTheImageDoesNotHave(t *testing.T) {
	t.Parallel()
	s := newStage(t, "ann")
	s.group("all", "ann")
	s.license("all", "E3")
	change := func(o licensing.Outcome, users ...uint32) licensing.Effects {
		return licensing.Effects{Changes: []licensing.Change{{Outcome: o, Users: packed(users...)}}}
	}
	for name, effects := range map[string]licensing.Effects{
		"a user":                change(licensing.Outcome{Wished: 1, SKU: 1}, 1),
		"a SKU":                 change(licensing.Outcome{SKU: 99}, 0),
		"a variant":             change(licensing.Outcome{Wished: 2, SKU: 1}, 0),
		"a variant of the SKU":  change(licensing.Outcome{InForce: 1, SKU: 2}, 0),
		"a group":               change(licensing.Outcome{Source: 2, SKU: 1, Wished: 1}, 0),
		"an error":              change(licensing.Outcome{Source: 1, SKU: 1, Wished: 1, Error: 7}, 0),
		"a user to know":        {Facts: []licensing.FactOf{{User: 1}}},
		"a group to change":     {Groups: []licensing.GroupEffect{{Group: 1, Purged: true}}},
		"a license of a group":  {Groups: []licensing.GroupEffect{{Licenses: &[]licensing.GroupGrants{{SKU: 1, Variant: 2}}}}},
		"a member":              {Groups: []licensing.GroupEffect{{Joined: packed(1)}}},
		"a SKU of a variant":    {Variants: []licensing.NewVariant{{SKU: 99}}},
		"a SKU with units":      {Units: []licensing.UnitsOf{{SKU: 99}}},
		"a SKU that is not new": {SKUs: []uuid.UUID{product("E3")}},
		"plans of the catalog":  {Catalog: &licensing.Catalog{Products: readCatalog(office).Products}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := s.image.Apply(&effects, 1000, s.now()); err == nil {
				t.Fatal("it was applied")
			}
		})
	}
}

func FuzzCatalog(f *testing.F) {
	text, err := json.Marshal(readCatalog(office))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"products":[{"skuId":"73453300-0000-0000-0000-000000000000","skuPartNumber":"E3","servicePlanIds":["70000000-0000-0000-0000-000000000000"]}],` +
		`"servicePlans":[{"servicePlanId":"70000000-0000-0000-0000-000000000000","servicePlanName":"A","prohibitedIn":["kp"],"requiresAnyOf":[[]]}]}`))
	img := history(f).image
	f.Fuzz(func(t *testing.T, text []byte) {
		var c licensing.Catalog
		if json.Unmarshal(text, &c) != nil {
			return
		}
		d := img.Draft(1000, time.Unix(5000, 0))
		err := d.SetCatalog(&c)
		if err == nil {
			next, _ := d.Finish()
			use(next)
		}
		if c.Validate() != nil {
			return
		}
		d = licensing.New(&c).Draft(1, time.Unix(1, 0))
		user := d.AddUser(country("DE"))
		group := d.AddGroup(id('g', "all"))
		for _, p := range c.Products {
			_ = d.SetUnits(p.SKUID, licensing.Units{Enabled: 1}, true)
			_ = d.AssignUser(user, []licensing.Assign{{SKUID: p.SKUID}}, nil)
			_ = d.AssignGroup(group, []licensing.Assign{{SKUID: p.SKUID}}, nil)
		}
		d.AddMembers(group, roaring.BitmapOf(user))
		next, _ := d.Finish()
		use(next)
	})
}
