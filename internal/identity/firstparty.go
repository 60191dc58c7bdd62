package identity

import (
	"slices"

	"github.com/google/uuid"
)

// FirstParty are Microsoft's own clients, which every tenant of the real service knows and which
// people sign in to with the tools they have: public clients, of which a tenant here has the
// service principal when it is to know them. Requested is what the real service lets each have, as
// far as it is served here: for two of them Directory.AccessAsUser.All, which there is whatever the
// user may do to the directory, and beside which other permissions stand for that here.
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

// firstParty makes one with the redirect addresses that MSAL has for programs, and those of its
// pages.
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

// FirstPartyByID finds one by its client id.
func FirstPartyByID(appID uuid.UUID) (App, bool) {
	at := slices.IndexFunc(FirstParty, func(a App) bool { return a.AppID == appID })
	if at < 0 {
		return App{}, false
	}
	return FirstParty[at], true
}
