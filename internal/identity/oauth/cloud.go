package oauth

import "strings"

// The description of the worldwide cloud of the real service. Clients compare it with built-in
// values, and send no requests to these addresses.
const (
	cloudName      = "microsoftonline.com"
	cloudGraphHost = "graph.windows.net"
	cloudAccessURL = "https://pas.windows.net"
	cloudIssuerURN = "urn:federation:MicrosoftOnline"
)

// graphRoot returns the scheme and host of Graph for a client that knows the authority by a root:
// the same root, except if the authority has the real service's name.
func graphRoot(root string) string {
	if root == "https://login.microsoftonline.com" {
		return "https://graph.microsoft.com"
	}
	return root
}

// environment has the URLs of the services of a cloud, in the form of Azure Resource Manager. All
// strings must be present; empty ones belong to services that this cloud does not have.
type environment struct {
	Portal          string         `json:"portal"`
	Authentication  authentication `json:"authentication"`
	Media           string         `json:"media"`
	GraphAudience   string         `json:"graphAudience"`
	Graph           string         `json:"graph"`
	Name            string         `json:"name"`
	Suffixes        suffixes       `json:"suffixes"`
	Batch           string         `json:"batch"`
	ResourceManager string         `json:"resourceManager"`
	ImageAliases    string         `json:"vmImageAliasDoc"`
	SQLManagement   string         `json:"sqlManagement"`
	MicrosoftGraph  string         `json:"microsoftGraphResourceId"`
	Gallery         string         `json:"gallery"`
}

type authentication struct {
	LoginEndpoint    string   `json:"loginEndpoint"`
	Audiences        []string `json:"audiences"`
	Tenant           string   `json:"tenant"`
	IdentityProvider string   `json:"identityProvider"`
}

type suffixes struct {
	Storage           string `json:"storage"`
	KeyVault          string `json:"keyVaultDns"`
	SQLServer         string `json:"sqlServerHostname"`
	ContainerRegistry string `json:"acrLoginServer"`
}

// firstEnvironment is the form of version 2015-01-01, which Azure Stack still uses.
type firstEnvironment struct {
	Gallery        string         `json:"galleryEndpoint"`
	Graph          string         `json:"graphEndpoint"`
	Portal         string         `json:"portalEndpoint"`
	Authentication authentication `json:"authentication"`
}

// endpoints answers GET /metadata/endpoints?api-version=…, which Terraform reads for its
// metadata_host, and az for registering a cloud. The versions between the first and 2022-09-01
// respond with a list of clouds.
func (s *Server) endpoints(c *call) (any, error) {
	graph := graphRoot(c.root)
	login := authentication{c.root, []string{c.root}, common, "AAD"}
	here := environment{
		Authentication: login, GraphAudience: graph, Graph: graph,
		Name: "Licensor", ResourceManager: c.root, MicrosoftGraph: graph,
	}
	switch version := c.URL.Query().Get("api-version"); {
	case version == "":
		return nil, missingQuery("api-version")
	case strings.HasPrefix(version, "2015-"):
		return firstEnvironment{Graph: graph, Authentication: login}, nil
	case version < "2022-09-01":
		return []environment{here}, nil
	}
	return here, nil
}
