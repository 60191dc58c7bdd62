package graph

import (
	_ "embed"
	"net/http"
)

// openAPI describes our own surface, as $metadata describes Graph's.
//
//go:embed openapi.yaml
var openAPI []byte

// getOpenAPI answers GET /licensor/v1/openapi.yaml. It says nothing about any tenant, so nobody
// needs a token for it.
func getOpenAPI(r *request) error {
	return r.sendAs(http.StatusOK, "application/yaml", openAPI)
}
