package guid_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/internal/guid"
)

func TestOnlyTheUsualFormIsAGUID(t *testing.T) {
	t.Parallel()
	const text = "6fd2c87f-b296-42f0-b197-1e91e994b900"
	for _, written := range []string{text, strings.ToUpper(text)} {
		if id, ok := guid.Parse(written); !ok || id != uuid.MustParse(text) {
			t.Errorf("%s is read as %v, %t", written, id, ok)
		}
	}
	for _, other := range []string{
		"", "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""),
		text[1:], text + "0", strings.Replace(text, "6f", "6g", 1),
	} {
		if id, ok := guid.Parse(other); ok {
			t.Errorf("%q is read as %v", other, id)
		}
	}
}
