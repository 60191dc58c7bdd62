package graph

import (
	"os"
	"slices"
	"strings"
	"testing"

	"licensor/identity"
)

// matrixRule is an entry of testdata/matrix.txt: what some operations ask of their caller.
type matrixRule struct {
	permissions, roles, own              []string
	owners, self, personal, anyone, open bool
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
					t.Fatalf("testdata/matrix.txt:%d: %s stands there twice", n+1, name)
				}
				rules[name] = rule
			}
		}
	}
	return rules
}

func (rule *matrixRule) read(words []string) bool {
	flags := map[string]*bool{
		"owners": &rule.owners, "self": &rule.self, "personal": &rule.personal, "anyone": &rule.anyone, "open": &rule.open,
	}
	switch rest := words[1:]; {
	case words[0] == "permissions":
		rule.permissions = append(rule.permissions, rest...)
	case words[0] == "own":
		rule.own = append(rule.own, rest...)
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

// allows is the answer that the rule gives for a caller to whom the object is something.
func (rule *matrixRule) allows(c matrixCaller, object identity.Relation) bool {
	has := func(permissions []string) bool {
		return slices.ContainsFunc(c.permissions, func(p string) bool { return slices.Contains(permissions, p) })
	}
	mayByRole := func() bool {
		mighty := rule.mighty()
		return len(rule.roles) == 0 || slices.ContainsFunc(c.roles, func(role identity.Role) bool { return slices.Contains(mighty, role) })
	}
	self := c.delegated && object == identity.Self
	switch {
	case rule.anyone, rule.open:
		return true
	case c.personal && (!rule.personal || !self):
		return false
	case !c.delegated:
		return has(rule.permissions)
	}
	permitted := has(rule.permissions) || self && has(rule.own)
	return permitted && (mayByRole() || rule.self && self || rule.owners && object == identity.Owned)
}
