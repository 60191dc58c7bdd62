package importing

import "slices"

// Kind is the kind of objects in a file.
type Kind string

// The kinds of files of other directories.
const (
	KindUsers         Kind = "users"
	KindGroups        Kind = "groups"
	KindMembers       Kind = "members"
	KindSubscriptions Kind = "subscriptions"
)

// The other kinds, which only exports have.
const (
	KindSettings Kind = "settings"
	KindManagers Kind = "managers"
	KindOwners   Kind = "owners"
	KindLicenses Kind = "licenses"
	KindStates   Kind = "states"
	KindPrices   Kind = "prices"
)

// kinds are those of files of other directories.
var kinds = []Kind{KindUsers, KindGroups, KindMembers, KindSubscriptions}

// inOrder are all kinds in the order in which they are imported: objects come before those that
// refer to them.
var inOrder = []Kind{
	KindSettings, KindUsers, KindGroups, KindManagers, KindMembers, KindOwners, KindSubscriptions, KindPrices,
	KindLicenses, KindStates,
}

// line returns the name of the kind in a line of the API's import.
func (k Kind) line() string { return string(k[:len(k)-1]) }

func (k Kind) known() bool { return slices.Contains(kinds, k) }
