package graph

import (
	_ "embed"
	"net/http"

	"licensor/internal/graph/wire"
)

// openAPI describes our own surface, as $metadata describes Graph's.
//
//go:embed openapi.yaml
var openAPI []byte

// getOpenAPI answers GET /licensor/v1/openapi.yaml. It says nothing about any tenant, so nobody
// needs a token for it.
func getOpenAPI(r *wire.Request) error {
	return r.SendAs(http.StatusOK, "application/yaml", openAPI)
}
