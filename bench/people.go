package main

import (
	"fmt"

	"licensor/internal/directory"
)

// personPatch is a person as an import sends it.
func personPatch(i int) (directory.UserPatch, error) {
	members, err := directory.Members(fmt.Appendf(nil,
		`{"accountEnabled":true,"displayName":"Person %[1]d","givenName":"Person","surname":"Number `+
			`%[1]d","userPrincipalName":"person.%[1]d@bench.example",`+
			`"mailNickname":"person.%[1]d","mail":"person.%[1]d@bench.example","usageLocation":"DE",`+
			`"department":"Department %[2]d","jobTitle":"Tester"}`,
		i, i%40))
	if err != nil {
		return directory.UserPatch{}, err
	}
	return directory.ParseUserImport(members)
}

func groupPatch(g int) (directory.GroupPatch, error) {
	members, err := directory.Members(fmt.Appendf(nil,
		`{"displayName":"Everybody `+
			`%[1]d","mailEnabled":false,"mailNickname":"everybody-%[1]d","securityEnabled":true}`, g))
	if err != nil {
		return directory.GroupPatch{}, err
	}
	return directory.ParseGroupPatch(members)
}
