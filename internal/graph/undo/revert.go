package undo

import (
	"encoding/json"
	"maps"
	"slices"

	"licensor/internal/graph/route"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// revert tries the requests that do the opposite of a command. Deleted objects are restored before
// they are changed, and new ones are deleted once they have no licenses.
func (u *undoing) revert(s *step) error {
	for _, part := range []func(*step) error{
		u.revertSettings, u.restore, u.revertProperties, u.revertManagers, u.revertTies,
		u.revertGroupLicenses, u.revertUserLicenses, u.revertMembers, u.remove, u.revertSubscriptions,
	} {
		if err := part(s); err != nil {
			return err
		}
	}
	return nil
}

func (u *undoing) revertSettings(s *step) error {
	changes := s.settings()
	current := settingsIn(u.Image())
	body := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if d := changes[name]; !equalJSON(current[name], d.New) {
			u.because(u.setting(name), whyChanged)
		} else {
			body = append(jsontext.AppendName(body, name), d.Old...)
		}
	}
	if len(body) == 1 {
		return nil
	}
	return u.try(u.setting(""), "PATCH", route.Own+"/settings", append(body, '}'))
}

// setting is a setting of the tenant.
func (u *undoing) setting(name string) subject {
	return subject{of: u.Base().Organization.ID, what: name}
}

// revertSubscriptions deletes subscriptions that were bought, buys again those that were deleted,
// and changes others back.
func (u *undoing) revertSubscriptions(s *step) error {
	for _, now := range slices.Backward(s.Subscriptions) {
		if err := u.revertSubscription(now, s); err != nil {
			return err
		}
	}
	return nil
}

func (u *undoing) revertSubscription(now tenant.SubscriptionNow, s *step) error {
	id := now.Subscription.ID
	about, path := subject{of: id}, route.Own+"/subscriptions"
	current, there := u.Image().Subscription(id)
	w := s.changed(tenant.ChangeableSubscription, 0, id)
	switch {
	case now.Removed && there, !now.Removed && !there:
		return nil
	case now.Removed:
		return u.try(about, "POST", path, purchase(&now.Subscription))
	case w == nil && !s.imports():
		u.because(about, whyUnknown)
		return nil
	case w == nil || w.New:
		if !sameSubscription(&current, &now.Subscription) {
			u.because(about, whyChanged)
			return nil
		}
		return u.try(about, "DELETE", path+"/"+id.String(), nil)
	}
	values := membersOf(&current)
	body := []byte{'{'}
	for _, d := range w.Properties {
		if property := (subject{of: id, what: d.Name}); !equalJSON(values[d.Name], d.New) {
			u.because(property, whyChanged)
		} else if len(d.Old) == 0 || string(d.Old) == "null" {
			u.because(property, whyNoRequest)
		} else {
			body = append(jsontext.AppendName(body, d.Name), d.Old...)
		}
	}
	if len(body) == 1 {
		return nil
	}
	return u.try(about, "PATCH", path+"/"+id.String(), append(body, '}'))
}

// purchase is the body of a request that buys a subscription again.
func purchase(s *tenant.Subscription) []byte {
	b := jsontext.AppendID([]byte(`{"skuId":`), s.SKUID)
	b = jsontext.AppendInt(jsontext.AppendName(b, "totalLicenses"), s.TotalLicenses)
	b = jsontext.AppendText(jsontext.AppendName(b, "status"), s.Status)
	b = jsontext.AppendBool(jsontext.AppendName(b, "isTrial"), s.IsTrial)
	if s.NextLifecycleDateTime != nil {
		b = jsontext.AppendTime(jsontext.AppendName(b, "nextLifecycleDateTime"), *s.NextLifecycleDateTime)
	}
	return append(b, '}')
}

// membersOf returns the members of a subscription as JSON.
func membersOf(s *tenant.Subscription) (members map[string]json.RawMessage) {
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil { // texts, numbers and times can always be encoded
		panic(err)
	}
	return members
}

// sameSubscription reports whether two subscriptions are equal.
func sameSubscription(a, b *tenant.Subscription) bool {
	return maps.EqualFunc(membersOf(a), membersOf(b), func(v, w json.RawMessage) bool { return equalJSON(v, w) })
}
