package directory_test

import (
	"strings"
	"testing"

	"licensor/internal/directory"
)

// TestStoredDocumentsWithUnknownPropertiesAreRefused, since the next write would lose them.
func TestStoredDocumentsWithUnknownPropertiesAreRefused(t *testing.T) {
	t.Parallel()
	for name, parse := range map[string]func([]byte) error{
		"User":         func(d []byte) error { _, err := directory.ParseUser(d); return err },
		"Group":        func(d []byte) error { _, err := directory.ParseGroup(d); return err },
		"Organization": func(d []byte) error { _, err := directory.ParseOrganization(d); return err },
		"Application":  func(d []byte) error { _, err := directory.ParseApplication(d); return err },
		"SignIn":       func(d []byte) error { _, err := directory.ParseSignIn(d); return err },
	} {
		if err := parse([]byte(`{}`)); err != nil {
			t.Errorf("an empty %s: %v", name, err)
		}
		for _, document := range []string{`{"newer":1}`, `{} {}`, `{}]`, ``, `[]`} {
			if err := parse([]byte(document)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: the error is %v", name, document, err)
			}
		}
	}
	for _, document := range []string{`{"secrets":[{"newer":1}]}`, `{"redirects":{"newer":[]}}`} {
		if _, err := directory.ParseApplication([]byte(document)); err == nil {
			t.Errorf("an application %s is read", document)
		}
	}
}
