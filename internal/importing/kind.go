package importing

import "slices"

// Kind is the kind of objects in a file.
type Kind string

// The kinds of files of other directories.
const (
	Users         Kind = "users"
	Groups        Kind = "groups"
	Members       Kind = "members"
	Subscriptions Kind = "subscriptions"
)

// The other kinds, which only exports have.
const (
	Settings Kind = "settings"
	Managers Kind = "managers"
	Owners   Kind = "owners"
	Licenses Kind = "licenses"
	States   Kind = "states"
)

// kinds are those of files of other directories.
var kinds = []Kind{Users, Groups, Members, Subscriptions}

// inOrder are all kinds in the order in which they are imported: objects come before those that
// refer to them.
var inOrder = []Kind{Settings, Users, Groups, Managers, Members, Owners, Subscriptions, Licenses, States}

// line returns the name of the kind in a line of the API's import.
func (k Kind) line() string { return string(k[:len(k)-1]) }

func (k Kind) known() bool { return slices.Contains(kinds, k) }
