package tenant

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"licensor/internal/store"

	"github.com/google/uuid"
)

// mostDuplicates bounds the lines about duplicates of a tenant.
const mostDuplicates = 100

// reportDuplicates logs what a tenant that is loaded has twice though it must be unique: earlier
// versions let it in. It is kept as it is, because only an administrator can say which one is
// right.
func (all *Tenants) reportDuplicates(t *Tenant, others []store.Claim) {
	found, img := 0, t.Image()
	for problem := range img.duplicates(others) {
		if found++; found <= mostDuplicates {
			t.options.Log.Warn("a value that must be unique is stored more than once", "tenant", t.id, "duplicate", problem)
		}
	}
	if found > mostDuplicates {
		t.options.Log.Warn("more values that must be unique are stored more than once",
			"tenant", t.id, "shown", mostDuplicates, "all", found)
	}
}

// duplicates returns a text for each value that an image has twice, and for the names that another
// tenant has. Users are only compared with the others, which are few: no version has let
// two of them have the same id or name.
func (img *Image) duplicates(others []store.Claim) iter.Seq[string] {
	return func(yield func(string) bool) {
		has := img.names()
		for _, other := range others {
			name, ok := has[other.Name] // others may have the same applications
			if ok && !yield(fmt.Sprintf("tenant %s has the %s, too", other.Tenant, name)) {
				return
			}
		}
		if img.duplicateIDs(yield) && img.duplicateURIs(yield) {
			img.duplicateNicknames(yield)
		}
	}
}

// duplicateIDs reports false when yield did.
func (img *Image) duplicateIDs(yield func(string) bool) bool {
	seen := map[uuid.UUID]bool{}
	for id, is := range img.fewIDs() {
		if seen[id] {
			continue
		}
		kinds := img.kindsWith(id, img.Directory)
		if is == "appId" {
			kinds = append(kinds, is)
		}
		if len(kinds) > 1 {
			seen[id] = true
			if !yield(fmt.Sprintf("id %s is that of several: %s", id, strings.Join(kinds, ", "))) {
				return false
			}
		}
	}
	return true
}

// fewIDs yields the ids of all objects but users, and the appIds of applications.
func (img *Image) fewIDs() iter.Seq2[uuid.UUID, string] {
	return func(yield func(uuid.UUID, string) bool) {
		for group := range img.Directory.Groups() {
			if !img.Directory.GroupPurged(group) && !yield(img.Directory.GroupID(group), "") {
				return
			}
		}
		for ordinal := range img.Applications.Len() {
			if a := img.Applications.At(ordinal); a != nil && (!yield(a.ID, "") || !yield(a.AppID, "appId")) {
				return
			}
		}
		for ordinal := range img.Principals.Len() {
			if p := img.Principals.At(ordinal); p != nil && (!yield(p.ID, "") || !yield(p.AppID, "appId")) {
				return
			}
		}
		for ordinal := range img.Units.Len() {
			if u := img.Units.At(ordinal); u != nil && !yield(u.ID, "") {
				return
			}
		}
	}
}

// duplicateURIs reports the identifierUris that several applications have, until yield returns
// false.
func (img *Image) duplicateURIs(yield func(string) bool) bool {
	of := map[string][]string{}
	for _, a := range img.Applications.All() {
		for _, uri := range a.IdentifierURIs() {
			if id := a.ID.String(); !slices.Contains(of[uri], id) {
				of[uri] = append(of[uri], id)
			}
		}
	}
	return several(of, "identifierUri %q is of the applications %s", yield)
}

// duplicateNicknames reports the mailNicknames that several Microsoft 365 groups have.
func (img *Image) duplicateNicknames(yield func(string) bool) bool {
	of := map[string][]string{}
	for group := range img.Directory.Groups() {
		if name, ok := img.Directory.Nickname(group); ok && img.Directory.NicknameTaken(name, group) {
			name = strings.ToLower(name)
			of[name] = append(of[name], img.Directory.GroupID(group).String())
		}
	}
	return several(of, "mailNickname %q is of the Microsoft 365 groups %s", yield)
}

// several yields what more than one object has, until yield returns false.
func several(of map[string][]string, text string, yield func(string) bool) bool {
	for _, value := range slices.Sorted(maps.Keys(of)) {
		if len(of[value]) > 1 && !yield(fmt.Sprintf(text, value, strings.Join(of[value], ", "))) {
			return false
		}
	}
	return true
}
