package importing

import (
	"bytes"
	"encoding/json"
	"errors"

	"licensor/internal/directory"
)

// appendLine appends a row as a line of the API's import: {"user": {…}}.
func appendLine(b []byte, k Kind, object []byte) (_ []byte, err error) {
	if k == KindSubscriptions {
		if object, err = subscriptionOf(object); err != nil {
			return nil, err
		}
	}
	b = append(append(append(b, `{"`...), k.line()...), `":`...)
	return append(append(b, object...), '}'), nil
}

// bought are the properties of a subscription that an import accepts. The server sets the others,
// which Graph returns too.
var bought = map[string]bool{"skuId": true, "totalLicenses": true, "status": true, "isTrial": true, "nextLifecycleDateTime": true}

// subscriptionOf reads Graph's companySubscription or subscribedSku.
func subscriptionOf(object []byte) ([]byte, error) {
	all, err := directory.Members(object)
	if err != nil {
		return nil, err
	}
	var kept []directory.Member
	counted := false
	var units json.RawMessage
	for _, m := range all {
		switch {
		case m.Name == "prepaidUnits":
			units = m.Value
		case bought[m.Name] && !bytes.Equal(m.Value, []byte("null")):
			counted = counted || m.Name == "totalLicenses"
			kept = append(kept, m)
		}
	}
	if units != nil && !counted {
		licenses, err := unitsOf(units)
		if err != nil {
			return nil, err
		}
		kept = append(kept, licenses...)
	}
	return appendMembers(nil, kept), nil
}

// unitsOf converts the seats of a subscribedSku, which is the sum of all subscriptions, to those of
// one subscription. All seats must be in the same state.
func unitsOf(raw json.RawMessage) ([]directory.Member, error) {
	var units struct{ Enabled, Warning, Suspended, LockedOut int }
	if err := json.Unmarshal(raw, &units); err != nil {
		return nil, errors.New("prepaidUnits is not {enabled, warning, suspended, lockedOut} with whole numbers")
	}
	seats, status, states := 0, "Enabled", 0
	for _, u := range []struct {
		n      int
		status string
	}{{units.Enabled, "Enabled"}, {units.Warning, "Warning"}, {units.Suspended, "Suspended"}, {units.LockedOut, "LockedOut"}} {
		if u.n != 0 {
			seats, status, states = u.n, u.status, states+1
		}
	}
	if states > 1 {
		return nil, errors.New("prepaidUnits has seats in several states, which one subscription cannot have: " +
			"import Graph's /directory/subscriptions instead")
	}
	total, err := json.Marshal(seats)
	return []directory.Member{{Name: "totalLicenses", Value: total}, {Name: "status", Value: json.RawMessage(`"` + status + `"`)}}, err
}

func appendMembers(b []byte, list []directory.Member) []byte {
	b = append(b, '{')
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), m.Name...), '"', ':')
		b = append(b, m.Value...)
	}
	return append(b, '}')
}
