package oauth

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// documents routes the public documents, which pages of any origin may read, too.
func (s *Server) documents(mux *http.ServeMux) {
	for _, path := range []string{"/{tenant}/v2.0/.well-known/openid-configuration", "/{tenant}/.well-known/openid-configuration"} {
		mux.HandleFunc(path, s.answer(forAll(s.discovery)))
	}
	for _, path := range []string{"/{tenant}/discovery/v2.0/keys", "/{tenant}/discovery/keys"} {
		mux.HandleFunc(path, s.answer(forAll(s.publicKeys)))
	}
	for _, path := range []string{"/common/discovery/instance", "/organizations/discovery/instance"} {
		mux.HandleFunc(path, s.answer(forAll(s.instance)))
	}
	mux.HandleFunc("/{tenant}/userrealm/{upn}", s.answer(forAll(s.userRealm)))
	for _, path := range []string{"/{tenant}/getuserrealm.srf", "/getuserrealm.srf"} {
		mux.HandleFunc(path, s.answer(forAll(s.oldUserRealm)))
	}
	mux.HandleFunc("/subscriptions", s.answer(forAll(s.subscriptions)))
	mux.HandleFunc("/tenants", s.answer(forAll(s.azureTenants)))
	mux.HandleFunc("/metadata/endpoints", s.answer(forAll(s.endpoints)))
}

// forAll lets pages of all origins read an endpoint.
func forAll(endpoint func(*call) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		c.w.Header().Set("Access-Control-Allow-Origin", "*")
		if c.Method != http.MethodGet && c.Method != http.MethodHead {
			return nil, onlyGET(c.Method)
		}
		return endpoint(c)
	}
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
	AuthAlgorithms        []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	Scopes                []string `json:"scopes_supported"`
	Claims                []string `json:"claims_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	HTTPLogout            bool     `json:"http_logout_supported"`
	TenantRegionScope     *string  `json:"tenant_region_scope"`
	CloudInstanceName     string   `json:"cloud_instance_name"`
	CloudGraphHost        string   `json:"cloud_graph_host_name"`
	GraphHost             string   `json:"msgraph_host"`
	AccessURL             string   `json:"rbac_url"`
}

// discovery answers with the configuration of a tenant, whose URLs all contain its id, or of any
// tenant, whose issuer is then a template as in the real service. The older URL has the older token
// endpoint; there is one kind of token, and so one issuer.
func (s *Server) discovery(c *call) (any, error) {
	_, graph, _ := strings.Cut(graphRoot(c.root), "://")
	base, issuer, region := c.root+"/"+c.tenant.String(), identity.Issuer(c.root, c.tenant), new(identity.Region)
	if c.anyTenant() {
		base, issuer, region = c.root+"/"+c.name(), c.root+"/{tenantid}/v2.0", nil
	}
	endpoints, types := base+"/oauth2/v2.0/", []string{"code", "id_token", "code id_token", "id_token token"}
	if !strings.HasSuffix(strings.TrimSuffix(c.URL.Path, "/.well-known/openid-configuration"), "/v2.0") {
		endpoints, types = base+"/oauth2/", []string{"code", "id_token", "code id_token", "token id_token", "token"}
	}
	return configuration{
		Issuer:                issuer,
		AuthorizationEndpoint: endpoints + "authorize",
		TokenEndpoint:         endpoints + "token",
		DeviceEndpoint:        endpoints + "devicecode",
		UserinfoEndpoint:      c.root + "/oidc/userinfo",
		EndSessionEndpoint:    base + "/oauth2/v2.0/logout",
		KeysURI:               base + "/discovery/v2.0/keys",
		AuthMethods:           []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "none"},
		AuthAlgorithms:        []string{"RS256", "PS256"},
		ResponseTypes:         types,
		ResponseModes:         []string{"query", "fragment", "form_post"},
		GrantTypes: []string{
			grantCode, grantRefresh, grantCredentials, grantDevice, grantOnBehalfOf, grantPassword, "implicit",
		},
		ChallengeMethods:  []string{"S256"},
		SubjectTypes:      []string{"pairwise"},
		SigningAlgorithms: []string{"RS256"},
		Scopes:            []string{"openid", "profile", "email", "offline_access"},
		Claims:            []string{"sub", "iss", "aud", "exp", "iat", "nbf", "auth_time", "nonce", "preferred_username", "name", "tid", "oid", "ver", "email"},
		HTTPLogout:        true,
		TenantRegionScope: region,
		CloudInstanceName: cloudName,
		CloudGraphHost:    cloudGraphHost,
		GraphHost:         graph,
		AccessURL:         cloudAccessURL,
	}, nil
}

// publicKeys answers with the keys that verify our tokens; they are the same for all tenants.
func (s *Server) publicKeys(*call) (any, error) { return s.config.Authority.PublicKeys(), nil }

// instances is the description of an authority that a client reads before it trusts its URL (A1).
type instances struct {
	TenantEndpoint string     `json:"tenant_discovery_endpoint"`
	APIVersion     string     `json:"api-version"`
	Metadata       []instance `json:"metadata"`
}

type instance struct {
	Network string   `json:"preferred_network"`
	Cache   string   `json:"preferred_cache"`
	Aliases []string `json:"aliases"`
}

// instance answers with the URL of the configuration for an authorization endpoint. There is one
// authority here, so it only reads the tenant from the URL.
func (s *Server) instance(c *call) (any, error) {
	wanted := c.URL.Query().Get("authorization_endpoint")
	if wanted == "" {
		return nil, missingQuery("authorization_endpoint")
	}
	_, rest, _ := strings.Cut(wanted, "://")
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(strings.ToLower(path), "/")
	tenant := name
	if name != common && name != organizations {
		id, err := s.config.Tenants.Tenant(c.Context(), name)
		if err != nil {
			return nil, err
		}
		if id == uuid.Nil {
			return nil, unknownTenant(name)
		}
		tenant = id.String()
	}
	_, host, _ := strings.Cut(c.root, "://")
	return instances{
		TenantEndpoint: c.root + "/" + tenant + "/v2.0/.well-known/openid-configuration", APIVersion: "1.1",
		Metadata: []instance{{Network: host, Cache: host, Aliases: []string{host}}},
	}, nil
}
