package oauth

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/guid"
	"licensor/internal/identity"
)

const (
	everything = ".default"
	maxScope   = 8192
)

// signInScopes are the scopes of OpenID Connect, which belong to no resource.
var signInScopes = []string{"openid", "profile", "email", "offline_access"}

// ourselves represents our own root as a resource: one authority has several, and a code may be
// redeemed at another one than where it was requested.
const ourselves = "self"

// scopes are the requested scopes of a client: some permissions of one resource by name, or all
// that it was granted (A14).
type scopes struct {
	Resource string    `json:"r,omitempty"` // one of Graph's two names, ourselves, or empty if only signing in is requested
	API      uuid.UUID `json:"a,omitzero"`  // the application whose own API is requested, instead of Graph
	Prefix   string    `json:"p,omitempty"` // the resource before each name, verbatim, for use in the response
	Names    []string  `json:"n,omitempty"`
	All      bool      `json:"d,omitempty"` // .default
	SignIn   []string  `json:"s,omitempty"` // of signInScopes
}

// parseScopes parses a scope parameter of a client that uses a root.
func parseScopes(text, root string) (scopes, error) {
	var s scopes
	if len(text) > maxScope {
		return s, tooLong("scope", maxScope)
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return s, missingParameter("scope")
	}
	for i, word := range words {
		if slices.Contains(words[:i], word) {
			continue
		}
		if slices.Contains(signInScopes, word) {
			s.SignIn = append(s.SignIn, word)
			continue
		}
		if err := s.add(word, root); err != nil {
			return s, err
		}
	}
	if s.All && len(s.Names) > 0 {
		return s, badScope(text, ".default stands for all permissions and cannot be asked for together with others")
	}
	return s, nil
}

func (s *scopes) add(word, root string) error {
	prefix, name := "", word
	if slash := strings.LastIndexByte(word, '/'); slash >= 0 {
		prefix, name = word[:slash], word[slash+1:]
	}
	resource, api, ok := resourceOf(strings.TrimSuffix(prefix, "/"), root)
	if !ok || strings.HasPrefix(word, "/") {
		return badScope(word, "it is of another resource; ask for permissions of "+identity.GraphURL+", or of "+root)
	}
	if s.Resource != "" && (s.Resource != resource || s.API != api) {
		return refuse(28000, "invalid_request",
			"Provided value for the input parameter scope is not valid because it contains more than one resource. "+
				"Scope %s is not valid.", short(word))
	}
	s.Resource, s.API, s.Prefix = resource, api, prefix
	if name == everything {
		s.All = true
		return nil
	}
	if api != uuid.Nil {
		if !isScopeName(name) {
			return badScope(word, "a permission of an application has a name of letters, digits, dots and underscores")
		}
	} else if _, known := identity.DelegatedPermission(name); !known {
		return badScope(word, "there is no delegated permission of this name")
	}
	s.Names = append(s.Names, name)
	return nil
}

// resourceOf returns the resource of the prefix of a permission's name. No prefix means Graph, as
// in the real service.
func resourceOf(prefix, root string) (resource string, api uuid.UUID, ok bool) {
	switch prefix {
	case "", identity.GraphURL:
		return identity.GraphURL, uuid.Nil, true
	case identity.GraphAppID:
		return prefix, uuid.Nil, true
	case root:
		return ourselves, uuid.Nil, true
	}
	id, ok := guid.Parse(strings.TrimPrefix(prefix, "api://"))
	return "api", id, ok && strings.HasSuffix(prefix, id.String()) && id != uuid.Nil
}

func isScopeName(name string) bool {
	return name != "" && len(name) <= 120 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

func (s scopes) has(signIn string) bool { return slices.Contains(s.SignIn, signIn) }

// audience returns the aud of the access token, for a client that uses a root.
func (s scopes) audience(root string) string {
	switch {
	case s.API != uuid.Nil:
		return s.API.String()
	case s.Resource == ourselves:
		return root
	case s.Resource == "":
		return identity.GraphURL
	}
	return s.Resource
}

// answer returns the scope of the response: names of permissions as in the request, because clients
// look tokens up by them.
func (s scopes) answer(names []string) string {
	prefix := s.Prefix
	if prefix != "" {
		prefix += "/"
	}
	var words []string
	for _, name := range names {
		words = append(words, prefix+name)
	}
	if s.All {
		words = append(words, prefix+everything)
	}
	return strings.Join(append(words, s.SignIn...), " ")
}
