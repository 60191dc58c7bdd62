package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
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

// applicationTemplates are those that there are here: the one for applications that are not in the
// gallery.
var applicationTemplates = []applicationTemplate{{
	id: uuid.MustParse("8adf8e6e-67b2-4cf2-a259-e3dc5476c621"), displayName: "Custom",
	description: "An application that is not in the gallery.",
	signOn:      []string{"password", "saml", "external"}, provisioning: []string{"sync"},
	tagOf: []string{"WindowsAzureActiveDirectoryCustomSingleSignOnApplication", "WindowsAzureActiveDirectoryIntegratedApp"},
}}

// applicationTemplateFields are the properties of applicationTemplate.
var applicationTemplateFields = newFieldSet("microsoft.graph.applicationTemplate", slices.Concat(
	[]field[applicationTemplate]{
		{name: "categories", write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.categories, jsontext.AppendText)
		}, when: directory.ByDefault},
		{name: "description", write: func(b []byte, t *applicationTemplate) []byte { return jsontext.AppendText(b, t.description) }, when: directory.ByDefault},
		{name: "displayName", write: func(b []byte, t *applicationTemplate) []byte { return jsontext.AppendText(b, t.displayName) }, when: directory.ByDefault},
		{name: "id", write: func(b []byte, t *applicationTemplate) []byte { return jsontext.AppendID(b, t.id) }, when: directory.ByDefault},
		{name: "supportedProvisioningTypes", write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.provisioning, jsontext.AppendText)
		}, when: directory.ByDefault},
		{name: "supportedSingleSignOnModes", write: func(b []byte, t *applicationTemplate) []byte {
			return jsontext.AppendList(b, t.signOn, jsontext.AppendText)
		}, when: directory.ByDefault},
	},
	notKept[applicationTemplate]([]string{"homePageUrl", "logoUrl", "publisher"}, nil),
)).in("applicationTemplates")

var applicationTemplateTexts = textsOf[applicationTemplate]{
	"displayName": func(t *applicationTemplate) string { return t.displayName },
	"id":          func(t *applicationTemplate) string { return t.id.String() },
}

// listApplicationTemplates answers GET /applicationTemplates.
func listApplicationTemplates(r *request) error {
	if err := r.allow("$select", "$filter", "$top", "$count", "$skiptoken"); err != nil {
		return err
	}
	fields, err := applicationTemplateFields.selected(r)
	if err != nil {
		return err
	}
	rows := inOrder(slices.Clone(applicationTemplates), func(t applicationTemplate) rowKey { return keyOf(t.id, t.id) })
	if rows, err = rows.passing(r, applicationTemplateTexts); err != nil {
		return err
	}
	return sendByKey(r, "applicationTemplates", rows, objects(fields))
}

// namedTemplate is the one that the path names.
func namedTemplate(r *request) (*applicationTemplate, error) {
	id, _ := guid.Parse(r.keys[0])
	at := slices.IndexFunc(applicationTemplates, func(t applicationTemplate) bool { return t.id == id })
	if at < 0 {
		return nil, problem.NotFound(r.keys[0])
	}
	return &applicationTemplates[at], nil
}

// getApplicationTemplate answers GET /applicationTemplates/{template}.
func getApplicationTemplate(r *request) error {
	if err := r.allow("$select"); err != nil {
		return err
	}
	t, err := namedTemplate(r)
	if err != nil {
		return err
	}
	fields, err := applicationTemplateFields.selected(r)
	if err != nil {
		return err
	}
	return sendEntity(r, applicationTemplateFields, http.StatusOK, "applicationTemplates", fields, t)
}

// instantiate answers POST /applicationTemplates/{template}/instantiate {"displayName":…}: a new
// application with its service principal.
func instantiate(r *request) error {
	t, err := namedTemplate(r)
	if err != nil {
		return err
	}
	var name json.RawMessage
	if err := r.parameters(map[string]any{"displayName": &name}, "displayName"); err != nil {
		return err
	}
	id, _ := json.Marshal(t.id)
	tags, _ := json.Marshal(t.tagOf)
	c := directory.Client{
		Application: directory.Application{
			ID: r.newID(), AppID: r.newID(), CreatedDateTime: r.now.UTC().Truncate(time.Second),
			Properties: map[string]json.RawMessage{templateID: id},
		},
		Principal: directory.ServicePrincipal{ID: r.newID(), Properties: map[string]json.RawMessage{templateID: id, "tags": tags}},
	}
	if err := setAppName(editor{}, &c, placeIn{applicationResource, "displayName"}, name); err != nil {
		return err
	}
	done, err := r.do(tenant.SetClient{Client: c, Creator: r.caller.ObjectID})
	if err != nil {
		return err
	}
	made, _ := done.Image.ClientByID(c.ID)
	a := application{Client: made, image: done.Image}
	b := r.appendHead(r.begin(), "microsoft.graph.applicationServicePrincipal")
	b = append(appendFields(append(jsontext.AppendName(b, "application"), '{'), applicationFields.shown(r).defaults, &a), '}')
	b = append(appendFields(append(jsontext.AppendName(b, "servicePrincipal"), '{'), principalFields.shown(r).defaults, &a), '}')
	return r.send(http.StatusCreated, append(b, '}'))
}
