package graph

import (
	"os"
	"slices"
	"strings"
	"testing"

	"licensor/internal/identity"
)

// matrixRule is an entry of testdata/matrix.txt: what some operations ask of their caller.
type matrixRule struct {
	permissions, delegated, application []string
	own, owned, personal, parts, roles  []string
	owners, self, anyone, open          bool
}

// readMatrix reads testdata/matrix.txt: the rule of each operation, by method and path.
func readMatrix(t *testing.T) map[string]*matrixRule {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]*matrixRule{}
	rule, open := &matrixRule{}, false // open: the entry has had no line of its rule yet
	for n, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case line[0] == '\t':
			open = false
			if !rule.read(words) {
				t.Fatalf("testdata/matrix.txt:%d: %q is no part of a rule", n+1, line)
			}
		default:
			if !open {
				rule, open = &matrixRule{}, true
			}
			for _, path := range words[1:] {
				name := words[0] + " " + path
				if rules[name] != nil {
					t.Fatalf("testdata/matrix.txt:%d: duplicate %s", n+1, name)
				}
				rules[name] = rule
			}
		}
	}
	return rules
}

func (rule *matrixRule) read(words []string) bool {
	flags := map[string]*bool{"owners": &rule.owners, "self": &rule.self, "anyone": &rule.anyone, "open": &rule.open}
	lists := map[string]*[]string{
		"permissions": &rule.permissions, "delegated": &rule.delegated, "application": &rule.application,
		"own": &rule.own, "owned": &rule.owned, "personal": &rule.personal, "parts": &rule.parts,
	}
	switch rest := words[1:]; {
	case lists[words[0]] != nil:
		*lists[words[0]] = append(*lists[words[0]], rest...)
	case words[0] == "roles":
		rule.roles = append(rule.roles, strings.Split(strings.Join(rest, " "), ", ")...)
	case flags[words[0]] != nil && len(rest) == 0:
		*flags[words[0]] = true
	default:
		return false
	}
	return true
}

// mighty are the roles that the rule is satisfied with.
func (rule *matrixRule) mighty() (roles []identity.Role) {
	for _, role := range identity.Roles {
		if role.Name == "Global Administrator" || slices.Contains(rule.roles, role.Name) {
			roles = append(roles, role)
		}
	}
	return roles
}

// enough are the permissions, "X+Y" among them, that are enough for someone.
func (rule *matrixRule) enough() []string {
	return slices.Concat(
		rule.permissions, rule.delegated, rule.application, rule.own, rule.owned, rule.personal, rule.parts,
	)
}

// allows is the answer that the rule gives for a caller to whom the object is something.
func (rule *matrixRule) allows(c matrixCaller, object identity.Relation) bool {
	has := func(lists ...[]string) bool {
		return slices.ContainsFunc(slices.Concat(lists...), func(p string) bool {
			return len(lacking(strings.Split(p, "+"), c.permissions)) == 0
		})
	}
	mighty := rule.mighty()
	byRole := len(rule.roles) == 0 || slices.ContainsFunc(c.roles, func(role identity.Role) bool {
		return slices.Contains(mighty, role)
	})
	self := c.delegated && object == identity.RelationSelf
	unasked := rule.self && self || rule.owners && object == identity.RelationOwned
	switch {
	case rule.anyone, rule.open:
		return true
	case c.personal:
		delegated := lacking(rule.personal, rule.own)
		return (has(delegated) || self && has(lacking(rule.personal, delegated))) && (byRole || unasked)
	case !c.delegated:
		return has(rule.permissions, rule.application, rule.parts) ||
			object == identity.RelationOwned && has(rule.owned) || len(c.roles) > 0 && byRole
	}
	permitted := has(rule.permissions, rule.delegated) || self && has(rule.own)
	return permitted && (byRole || unasked) || has(rule.parts) && byRole
}
