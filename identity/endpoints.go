package identity

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// Handler serves the authority's addresses (A1). They all begin with a tenant's name, so it is to be mounted at the root,
// behind the addresses of Graph.
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", a.answer(a.discovery))
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", a.answer(a.publicKeys))
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", a.answer(a.token))
	mux.HandleFunc("/{tenant}/oauth2/token", a.answer(a.tokenV1))
	return mux
}

// answer makes a handler of a function that reads a request and says what to answer.
func (a *Authority) answer(endpoint func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		body, err := endpoint(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	}
}

// The names an authority may be asked by instead of a tenant's; consumers, the personal accounts, we refuse (A1).
const (
	common        = "common"
	organizations = "organizations"
)

// named answers the tenant in the request's path; the zero id and true for common and organizations.
func (a *Authority) named(r *http.Request) (tenant uuid.UUID, anyTenant bool, err error) {
	name := strings.ToLower(r.PathValue("tenant"))
	if name == common || name == organizations {
		return uuid.Nil, true, nil
	}
	tenant, ok := a.tenants.Tenant(name)
	if !ok {
		return uuid.Nil, false, unknownTenant(name)
	}
	return tenant, false, nil
}

// configuration is the discovery document (A2, A3).
type configuration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	Scopes                []string `json:"scopes_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	TenantRegionScope     *string  `json:"tenant_region_scope"`
	CloudInstanceName     string   `json:"cloud_instance_name"`
	GraphHost             string   `json:"msgraph_host"`
}

// discovery answers the configuration of a tenant, whose addresses all carry its id, or of any tenant, whose issuer is then
// a template as in the real service.
func (a *Authority) discovery(r *http.Request) (any, error) {
	tenant, anyTenant, err := a.named(r)
	if err != nil {
		return nil, err
	}
	root := a.Root(r)
	_, host, _ := strings.Cut(root, "://")
	base, issued := root+"/"+tenant.String(), issuer{root, tenant}.String()
	region := (*string)(nil)
	if anyTenant {
		base, issued = root+"/"+strings.ToLower(r.PathValue("tenant")), root+"/{tenantid}"+issuerSuffix
	} else {
		region = new("WW")
	}
	return configuration{
		Issuer:                issued,
		AuthorizationEndpoint: base + "/oauth2/v2.0/authorize",
		TokenEndpoint:         base + "/oauth2/v2.0/token",
		DeviceEndpoint:        base + "/oauth2/v2.0/devicecode",
		UserinfoEndpoint:      root + "/oidc/userinfo",
		EndSessionEndpoint:    base + "/oauth2/v2.0/logout",
		KeysURI:               base + "/discovery/v2.0/keys",
		AuthMethods:           []string{"client_secret_post", "client_secret_basic"},
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query", "fragment", "form_post"},
		SubjectTypes:          []string{"public"},
		SigningAlgorithms:     []string{"RS256"},
		Scopes:                []string{"openid", "profile", "email", "offline_access"},
		TenantRegionScope:     region,
		CloudInstanceName:     host,
		GraphHost:             host,
	}, nil
}

// publicKeys answers the keys our tokens can be verified with; they are the same for all tenants.
func (a *Authority) publicKeys(r *http.Request) (any, error) {
	if _, _, err := a.named(r); err != nil {
		return nil, err
	}
	return a.keys.public, nil
}
