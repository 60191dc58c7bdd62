package own

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// takeActivity removes signInActivity from the properties of a user: when the user was last seen to
// sign in elsewhere (docs/spec/audit.md U35). It returns nil for never.
func takeActivity(members []directory.Member) (seen *store.Activity, rest []directory.Member, err error) {
	at := slices.IndexFunc(members, func(m directory.Member) bool { return m.Is("signInActivity") })
	if at < 0 {
		return nil, members, nil
	}
	value := members[at].Value
	rest = slices.Delete(members, at, at+1)
	if string(value) == "null" {
		return nil, rest, nil
	}
	inner, err := directory.Members(value)
	if err != nil {
		return nil, rest, &directory.InvalidError{
			Kind: directory.InvalidType, Resource: "user", Property: "signInActivity", Value: string(value),
			Want: "an object with the times of sign-ins, or null",
		}
	}
	a := new(store.Activity)
	into := map[string]any{}
	for name, seen := range activityTimes(a) {
		into[name+"DateTime"], into[name+"RequestId"] = &seen.At, (*wire.ID)(&seen.ID)
	}
	inner = slices.DeleteFunc(inner, func(m directory.Member) bool { return string(m.Value) == "null" })
	if err := wire.Read("signInActivity", inner, into); err != nil {
		return nil, rest, err
	}
	for name, seen := range activityTimes(a) {
		switch {
		case seen.At.IsZero():
			*seen = store.Seen{}
		case seen.At.Unix() <= 0: // which stores do not have
			return nil, rest, &directory.InvalidError{
				Kind: directory.InvalidValue, Resource: "signInActivity", Property: name + "DateTime",
				Value: seen.At.Format(time.RFC3339), Want: "a time after 1970",
			}
		}
		seen.At = seen.At.UTC().Truncate(time.Millisecond)
	}
	if *a == (store.Activity{}) {
		return nil, rest, nil
	}
	return a, rest, nil
}

// activityTimes returns the times of an activity, by the beginnings of the names in Graph.
func activityTimes(a *store.Activity) map[string]*store.Seen {
	return map[string]*store.Seen{
		"lastSignIn": &a.Interactive, "lastNonInteractiveSignIn": &a.NonInteractive, "lastSuccessfulSignIn": &a.Successful,
	}
}

// clocksDiffer is how far the clock of another directory may be ahead.
const clocksDiffer = 5 * time.Minute

// checkSeen refuses times to come: since times only move forward, no sign-in would show until then.
func checkSeen(a *store.Activity, now time.Time) error {
	if a == nil {
		return nil
	}
	times := activityTimes(a)
	for _, name := range slices.Sorted(maps.Keys(times)) {
		if at := times[name].At; at.After(now.Add(clocksDiffer)) {
			return problem.Refuse("%sDateTime is %s, which is in the future.", name, at.Format(time.RFC3339))
		}
	}
	return nil
}

// storeSeen stores when imported users were last seen, after their commit. It includes lines that
// are skipped, so an import whose commit succeeded and whose times could not be stored can be sent
// again: times only move forward.
func (t *taking) storeSeen(rows []tenant.ImportRow, done tenant.Done) error {
	return t.r.SignIns.Import(t.ctx, seenIn(rows, done, t.r.Caller.Tenant))
}

// seenIn returns the activities of users that an import has, without those of refused rows.
func seenIn(rows []tenant.ImportRow, done tenant.Done, of uuid.UUID) (list []store.Activity) {
	refused := map[int64]bool{}
	for _, p := range done.Rows {
		refused[p.Line] = true
	}
	for _, row := range rows {
		if row.User == nil || row.User.Seen == nil || refused[row.Line] {
			continue
		}
		user, ok := done.Image.Directory.UserByID(row.User.ID)
		if row.User.ID == uuid.Nil {
			user, ok = done.Image.Directory.UserByName(directory.NameIn(row.User.Patch))
		}
		if ok {
			seen := *row.User.Seen
			seen.Tenant, seen.User = of, user
			list = append(list, seen)
		}
	}
	return list
}
