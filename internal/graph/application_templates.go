package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// templateID is the property that says which template an application came from.
const templateID = "applicationTemplateId"

// applicationTemplate is a template of applications from the gallery.
type applicationTemplate struct {
	id                                      uuid.UUID
	displayName, description                string
	categories, provisioning, signOn, tagOf []string
}

// applicationTemplates are the existing templates: the one for applications that are not in the
// gallery.
var applicationTemplates = []applicationTemplate{{
	id: uuid.MustParse("8adf8e6e-67b2-4cf2-a259-e3dc5476c621"), displayName: "Custom",
	description: "An application that is not in the gallery.",
	signOn:      []string{"password", "saml", "external"}, provisioning: []string{"sync"},
	tagOf: []string{"WindowsAzureActiveDirectoryCustomSingleSignOnApplication", "WindowsAzureActiveDirectoryIntegratedApp"},
}}

// applicationTemplateFields are the properties of applicationTemplate.
var applicationTemplateFields = wire.NewFieldSet("microsoft.graph.applicationTemplate", slices.Concat(
	[]wire.Field[applicationTemplate]{
		{Name: "categories", When: directory.ReturnedByDefault, Write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.categories, jsontext.AppendText)
		}},
		wire.Default("description", jsontext.AppendText, func(t *applicationTemplate) string { return t.description }),
		wire.Default("displayName", jsontext.AppendText, func(t *applicationTemplate) string { return t.displayName }),
		wire.Default("id", jsontext.AppendID, func(t *applicationTemplate) uuid.UUID { return t.id }),
		{Name: "supportedProvisioningTypes", When: directory.ReturnedByDefault, Write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.provisioning, jsontext.AppendText)
		}},
		{Name: "supportedSingleSignOnModes", When: directory.ReturnedByDefault, Write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.signOn, jsontext.AppendText)
		}},
	},
	wire.NotKept[applicationTemplate]([]string{"homePageUrl", "logoUrl", "publisher"}, nil),
)).In("applicationTemplates")

var applicationTemplateTexts = wire.Texts[applicationTemplate]{
	"displayName": func(t *applicationTemplate) string { return t.displayName },
	"id":          func(t *applicationTemplate) string { return t.id.String() },
}

// listApplicationTemplates answers GET /applicationTemplates.
func listApplicationTemplates(r *wire.Request) error {
	if err := r.Allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := applicationTemplateFields.Selected(r)
	if err != nil {
		return err
	}
	rows := wire.InOrder(slices.Clone(applicationTemplates), func(t applicationTemplate) wire.Key {
		return wire.KeyOf(t.id, t.id)
	})
	if rows, err = rows.Passing(r, applicationTemplateTexts); err != nil {
		return err
	}
	return wire.SendByKey(r, "applicationTemplates", rows, wire.ObjectWriter(fields))
}

// namedTemplate returns the template that the path names.
func namedTemplate(r *wire.Request) (*applicationTemplate, error) {
	id, _ := guid.Parse(r.Keys[0])
	at := slices.IndexFunc(applicationTemplates, func(t applicationTemplate) bool { return t.id == id })
	if at < 0 {
		return nil, problem.NotFound(r.Keys[0])
	}
	return &applicationTemplates[at], nil
}

// getApplicationTemplate answers GET /applicationTemplates/{template}.
func getApplicationTemplate(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	t, err := namedTemplate(r)
	if err != nil {
		return err
	}
	fields, err := applicationTemplateFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, applicationTemplateFields, http.StatusOK, "applicationTemplates", fields, t)
}

// instantiate answers POST /applicationTemplates/{template}/instantiate {"displayName":…}: a new
// application with its service principal.
func instantiate(r *wire.Request) error {
	t, err := namedTemplate(r)
	if err != nil {
		return err
	}
	var name json.RawMessage
	if err := r.Parameters(map[string]any{"displayName": &name}, "displayName"); err != nil {
		return err
	}
	id, _ := json.Marshal(t.id)
	tags, _ := json.Marshal(t.tagOf)
	c := directory.Client{
		Application: directory.Application{
			ID: r.NewID(), AppID: r.NewID(), CreatedDateTime: r.Now.UTC().Truncate(time.Second),
			Properties: map[string]json.RawMessage{templateID: id},
		},
		Principal: directory.ServicePrincipal{ID: r.NewID(), Properties: map[string]json.RawMessage{
			templateID: id, "tags": tags,
		}},
	}
	if err := setAppName(editor{}, &c, wire.Place{Resource: applicationResource, Path: "displayName"}, name); err != nil {
		return err
	}
	done, err := r.Do(tenant.SetClient{Client: c, Creator: r.Caller.ObjectID})
	if err != nil {
		return err
	}
	made, _ := done.Image.ClientByID(c.ID)
	a := application{Client: made, image: done.Image}
	b := r.AppendHead(r.Begin(), "microsoft.graph.applicationServicePrincipal")
	b = append(wire.AppendFields(append(jsontext.AppendName(b, "application"), '{'), applicationFields.Shown(r).Defaults, &a), '}')
	b = append(wire.AppendFields(append(jsontext.AppendName(b, "servicePrincipal"), '{'), principalFields.Shown(r).Defaults, &a), '}')
	return r.Send(http.StatusCreated, append(b, '}'))
}
