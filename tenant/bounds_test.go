package tenant_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/tenant"
)

// Each property of an object is bounded, and so are all together.
func TestAnObjectIsNotTooLarge(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1<<30)
	notes := func(size int) map[string]json.RawMessage {
		return map[string]json.RawMessage{"notes": json.RawMessage(`"` + strings.Repeat("x", size) + `"`)}
	}
	app := directory.Client{Application: directory.Application{ID: uuid.UUID{2}, AppID: uuid.UUID{3}, DisplayName: "Large", Properties: notes(1 << 20)}}
	h.must(tenant.SetClient{Client: app})
	app.Properties = notes(2 << 20)
	h.refused(tenant.SetClient{Client: app}, tenant.Invalid)
}
