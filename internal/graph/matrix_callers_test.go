package graph

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// matrixCaller is someone who asks: an application, or a signed-in user with roles.
type matrixCaller struct {
	permissions         []string
	delegated, personal bool
	roles               []identity.Role
}

func (c matrixCaller) String() string {
	text := "an application with " + strings.Join(c.permissions, ", ")
	if c.delegated {
		text = "a user with " + strings.Join(c.permissions, ", ")
	}
	for _, role := range c.roles {
		text += ", " + role.Name
	}
	if c.personal {
		text += ", personal"
	}
	return text
}

// knownPermissions are all that any operation of the server or of the matrix asks for, and some
// that none does.
func knownPermissions(rules map[string]*matrixRule) []string {
	known := map[string]bool{"": true, "Mail.Read": true, "user.readwrite.all": true, "User.ReadWrite.Al": true, "Directory.ReadWrite.All.x": true, "*": true}
	for _, need := range identity.Needs {
		for _, p := range slices.Concat(
			need.Full, need.Basic, need.Own, need.Delegated, need.Application, need.Owned, need.Personal,
		) {
			known[strings.Split(p, "+")[0]] = true
		}
		for p := range need.Parts {
			known[p] = true
		}
	}
	for _, rule := range rules {
		for _, p := range rule.enough() {
			known[strings.Split(p, "+")[0]] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// matrixCallers are those who ask for an operation of a rule. With each permission that is enough:
// as an application, as a user without a role, with each role alone where the rule has roles, and
// as a personal account; applications with a role and no permission; and those who have everything
// but what is enough.
func matrixCallers(rule *matrixRule, known []string) []matrixCaller {
	enough := rule.enough()
	rest := lacking(known, strings.Split(strings.Join(enough, "+"), "+"))
	all, others := identity.Roles, lacking(identity.Roles, rule.mighty())
	callers := []matrixCaller{
		{permissions: rest},
		{permissions: rest, delegated: true, roles: all},
		{permissions: known, delegated: true, roles: others},
		{permissions: known, delegated: true, roles: all, personal: true},
		{permissions: rest, roles: others},
	}
	for _, role := range rule.mighty() {
		callers = append(callers, matrixCaller{roles: []identity.Role{role}})
	}
	callers = append(callers, matrixCaller{roles: []identity.Role{identity.DirectoryReaders}})
	for n, p := range enough {
		one := strings.Split(p, "+")
		callers = append(
			callers, matrixCaller{permissions: one}, matrixCaller{permissions: one, delegated: true},
			matrixCaller{permissions: one, delegated: true, roles: all, personal: true},
		)
		for _, role := range all {
			if n == 0 || len(rule.roles) > 0 {
				callers = append(callers, matrixCaller{permissions: one, delegated: true, roles: []identity.Role{role}})
			}
		}
	}
	return callers
}

// unpermitted are those who have one permission each that is not enough: as an application, and as
// a user with all roles.
func unpermitted(rule *matrixRule, known []string) (callers []matrixCaller) {
	for _, p := range lacking(known, rule.enough()) {
		one := []string{p}
		callers = append(callers,
			matrixCaller{permissions: one},
			matrixCaller{permissions: one, delegated: true, roles: identity.Roles})
	}
	return callers
}

func lacking[T comparable](list, some []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(element T) bool { return slices.Contains(some, element) })
}

// matrixTokens are tokens of callers, each made once: signing one takes longer than asking with it.
type matrixTokens struct {
	w    *world
	user uuid.UUID
	mu   sync.Mutex
	made map[string]string
}

func (tokens *matrixTokens) of(c matrixCaller) string {
	tokens.mu.Lock()
	defer tokens.mu.Unlock()
	name := c.String()
	if token, ok := tokens.made[name]; ok {
		return token
	}
	var roles []uuid.UUID
	for _, role := range c.roles {
		roles = append(roles, role.ID)
	}
	token := ""
	if c.delegated {
		token = tokens.w.userToken(tokens.user, c.permissions, roles, c.personal)
	} else {
		token = tokens.w.appTokenWith(c.permissions, roles)
	}
	tokens.made[name] = token
	return token
}
