package identity

import (
	"slices"

	"github.com/google/uuid"
)

// FirstParty are Microsoft's own clients, which every tenant of the real service has and which
// people use with existing tools. They are public clients; a tenant here accepts those whose
// service principal it has. Requested are the permissions of each in the real service, as far as
// they are supported: for two of them Directory.AccessAsUser.All, which means everything that the
// user may do in the directory, and which further permissions represent here.
var FirstParty = []App{
	firstParty("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI", nil, everythingOfTheUser...),
	firstParty("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools", nil),
	firstParty("1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell", nil, everythingOfTheUser...),
	firstParty("de8bc8b5-d9f9-48b1-a8ae-b748da725064", "Graph Explorer", []string{
		"https://developer.microsoft.com/en-us/graph/graph-explorer", "https://developer.microsoft.com/graph/graph-explorer",
		"http://localhost:3000", "http://localhost:3000/",
	}),
}

var everythingOfTheUser = []string{
	"Application.ReadWrite.All", "Directory.AccessAsUser.All", "Directory.ReadWrite.All", "Group.ReadWrite.All", "User.ReadWrite.All",
}

// firstParty returns a client with the redirect addresses that MSAL uses for programs, and those of
// its pages.
func firstParty(appID, name string, pages []string, requested ...string) App {
	return App{
		AppID: uuid.MustParse(appID), DisplayName: name, PublicClient: true,
		Redirects: Redirects{SPA: pages, Public: []string{
			"http://localhost", "http://127.0.0.1", "https://login.microsoftonline.com/common/oauth2/nativeclient", "urn:ietf:wg:oauth:2.0:oob",
			"ms-appx-web://Microsoft.AAD.BrokerPlugin/" + appID,
		}},
		Requested: func() []string { return requested },
	}
}

// FirstPartyByID returns the client with a client id.
func FirstPartyByID(appID uuid.UUID) (App, bool) {
	at := slices.IndexFunc(FirstParty, func(a App) bool { return a.AppID == appID })
	if at < 0 {
		return App{}, false
	}
	return FirstParty[at], true
}
