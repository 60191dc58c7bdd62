package licensor

import _ "embed"

// Notices are the notice of this program, its license, and those of all software that is linked
// into it, for any operating system. The licenses of that software require that they are
// distributed with the program.
func Notices() string { return notice + "\n" + license + "\n" + thirdParty }

var (
	//go:embed NOTICE
	notice string
	//go:embed LICENSE
	license string
	//go:embed THIRD_PARTY_NOTICES
	thirdParty string
)
