package undo

import (
	"bytes"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/jsontext"
	"licensor/internal/licensing"
)

// assignment is the body of assignLicense.
type assignment struct {
	add    []licensing.Assign
	remove []uuid.UUID
}

// put adds what makes a license what it was; None: it was not there.
func (a *assignment) put(img *licensing.Image, sku licensing.SKU, was licensing.Variant) {
	if was == licensing.None {
		a.remove = append(a.remove, img.SKUOf(sku))
	} else {
		a.add = append(a.add, img.VariantOf(was))
	}
}

func (a *assignment) body() []byte {
	b := jsontext.AppendList([]byte(`{"addLicenses":`), a.add, func(b []byte, one licensing.Assign) []byte {
		b = jsontext.AppendID(append(b, `{"skuId":`...), one.SKUID)
		return append(jsontext.AppendList(append(b, `,"disabledPlans":`...), one.DisabledPlans, jsontext.AppendID), '}')
	})
	return append(jsontext.AppendList(append(b, `,"removeLicenses":`...), a.remove, jsontext.AppendID), '}')
}

// assign tries an assignment; if it is refused, one product after another.
func (u *undoing) assign(of uuid.UUID, path string, a *assignment) error {
	if len(a.add)+len(a.remove) == 0 {
		return nil
	}
	refusal, err := u.Try(u.ctx, "POST", path+"/assignLicense", a.body())
	if err != nil || refusal == "" {
		return err
	}
	for _, skuID := range a.remove {
		one := assignment{remove: []uuid.UUID{skuID}}
		if err := u.try(licenseOf(of, skuID), "POST", path+"/assignLicense", one.body()); err != nil {
			return err
		}
	}
	for _, license := range a.add {
		one := assignment{add: []licensing.Assign{license}}
		if err := u.try(licenseOf(of, license.SKUID), "POST", path+"/assignLicense", one.body()); err != nil {
			return err
		}
	}
	return nil
}

func licenseOf(of, skuID uuid.UUID) subject { return subject{of: of, what: licenses, sku: skuID} }

// licenses is what stays different of a user or group whose license does.
const licenses = "assignedLicenses"

// revertGroupLicenses gives groups the licenses that they had.
func (u *undoing) revertGroupLicenses(s *step) error {
	for _, g := range slices.Backward(s.groupEffects()) {
		if g.Licenses == nil || stateIn(u.Image(), groupKey(g.Group)) == absent {
			continue
		}
		o, _ := u.object(groupKey(g.Group))
		img := u.Image().Licensing
		was, now := s.grantsBefore(g.Group), bySKU(*g.Licenses)
		if g.New != nil {
			was = licensesOf{}
		}
		if was == nil {
			u.because(subject{of: o.id}, whyUnknown)
			continue
		}
		current := bySKU(*img.Grants(g.Group))
		var a assignment
		for _, sku := range sortedSKUs(was, now) {
			switch {
			case was[sku] == now[sku]:
			case current[sku] != now[sku]:
				u.because(licenseOf(o.id, img.SKUOf(sku)), whyChanged)
			default:
				a.put(img, sku, was[sku])
			}
		}
		if err := u.assign(o.id, o.path(), &a); err != nil {
			return err
		}
	}
	return nil
}

// revertUserLicenses gives users the direct licenses that they had. Those of users who were
// created, deleted or restored by the command follow from that.
func (u *undoing) revertUserLicenses(s *step) error {
	all := map[uint32]*assignment{}
	users := roaring.New()
	for i := range s.cells {
		c := &s.cells[i]
		if c.now.Source != licensing.Direct || c.now.Wished == c.was.Wished {
			continue
		}
		for user := range roaring.Values(c.users) {
			if err := u.pace(); err != nil {
				return err
			}
			if s.marked[user] || u.before.created(userKey(user)) || stateIn(u.Image(), userKey(user)) != live {
				continue
			}
			img := u.Image()
			if entryAt(img.Licensing, user, placeOf(&c.was)).Wished != c.now.Wished {
				u.because(licenseOf(img.Directory.UserID(user), img.Licensing.SKUOf(c.was.SKU)), whyChanged)
				continue
			}
			if users.CheckedAdd(user) {
				all[user] = new(assignment)
			}
			all[user].put(img.Licensing, c.was.SKU, c.was.Wished)
		}
	}
	for user := range roaring.Values(users) {
		o, _ := u.object(userKey(user))
		if err := u.assign(o.id, o.path(), ordered(all[user])); err != nil {
			return err
		}
	}
	return nil
}

// ordered orders an assignment by product.
func ordered(a *assignment) *assignment {
	slices.SortFunc(a.add, func(v, w licensing.Assign) int { return bytes.Compare(v.SKUID[:], w.SKUID[:]) })
	slices.SortFunc(a.remove, func(v, w uuid.UUID) int { return bytes.Compare(v[:], w[:]) })
	return a
}
