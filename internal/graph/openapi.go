package graph

import (
	_ "embed"
	"net/http"

	"licensor/internal/graph/wire"
)

// openAPI describes our own operations, as $metadata describes Graph's.
//
//go:embed openapi.yaml
var openAPI []byte

// getOpenAPI answers GET /licensor/v1/openapi.yaml. It contains no data of any tenant, so it needs
// no token.
func getOpenAPI(r *wire.Request) error {
	return r.SendAs(http.StatusOK, "application/yaml", openAPI)
}
