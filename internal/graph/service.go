package graph

import (
	"net/http"
	"strings"
	"sync"

	"licensor/internal/graph/auditlog"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// entityTypes returns the types of objects with an id.
var entityTypes = []edm.Type{
	userFields, groupFields, organizationFields,
	licenses.SKUFields, licenses.DetailFields, licenses.SubscriptionFields,
	domainFields, applicationFields, principalFields, federatedFields,
	roleAssignmentFields, grantFields, roleFields, templateFields, definitionFields, heldFields,
	applicationTemplateFields, unitFields, auditlog.Fields, auditlog.SignInFields,
}

// model is derived from the supported operations of Graph, without those that v1.0 lacks.
var model = sync.OnceValue(func() *edm.Model {
	var list []edm.Operation
	for i := range operations {
		if op := &operations[i]; op.Do != nil && !op.Beta && !strings.HasPrefix(op.Path, route.Own) {
			list = append(list, edm.Operation{Method: op.Method, Path: op.Path})
		}
	}
	return edm.NewModel(list)
})

var metadata = sync.OnceValue(func() []byte { return model().Metadata(entityTypes) })

// getMetadata answers GET /$metadata: the types of the field sets, and the operations on them. As
// in the real service, it needs no token.
func getMetadata(r *wire.Request) error {
	return r.SendAs(http.StatusOK, "application/xml", metadata())
}

// getService answers GET /, the service document: the existing sets.
func getService(r *wire.Request) error {
	b := r.Begin()
	if b = append(b, '{'); r.Metadata != "none" {
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.context"), r.Root+"/$metadata")
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	first := true
	for _, kind := range []struct {
		name  string
		names []string
	}{{"EntitySet", model().Sets()}, {"Singleton", model().Singletons()}} {
		for _, name := range kind.names {
			b = wire.AppendComma(b, &first)
			b = jsontext.AppendText(append(b, `{"name":`...), name)
			b = jsontext.AppendText(jsontext.AppendName(b, "kind"), kind.name)
			b = append(jsontext.AppendText(jsontext.AppendName(b, "url"), name), '}')
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}
