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

// Duplicates returns a text for each duplicate value of an image, and for the names that other
// tenants have. Users are only compared with objects of other kinds, which are few: no version has
// allowed two users with the same id or name.
func (img *Image) Duplicates(others []store.Claim) iter.Seq[string] {
	return func(yield func(string) bool) {
		has := img.Names()
		for _, other := range others {
			name, ok := has[other.Name] // other tenants may have the same applications
			if ok && !yield(fmt.Sprintf("tenant %s has the %s, too", other.Tenant, name)) {
				return
			}
		}
		if img.duplicateIDs(yield) && img.duplicateURIs(yield) {
			img.duplicateNicknames(yield)
		}
	}
}

// duplicateIDs returns false if yield did.
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

// duplicateURIs reports identifierUris of several applications, until yield returns false.
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

// duplicateNicknames reports mailNicknames of several Microsoft 365 groups.
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

// several yields values of more than one object, until yield returns false.
func several(of map[string][]string, text string, yield func(string) bool) bool {
	for _, value := range slices.Sorted(maps.Keys(of)) {
		if len(of[value]) > 1 && !yield(fmt.Sprintf(text, value, strings.Join(of[value], ", "))) {
			return false
		}
	}
	return true
}
