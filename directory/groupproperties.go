package directory

import (
	"time"

	"github.com/google/uuid"
)

// groupTable has every structural property of Graph's group but those of licenses. Those that Graph keeps for the signed-in
// reader, such as unseenCount, are there with no value.
var groupTable = newTable(
	"Group",
	[]string{"assignedLicenses", "hasMembersWithLicenseErrors", "licenseProcessingState"},
	fixed[Group]("accessType", String, "null"),
	option("allowExternalSenders", func(g *Group) **bool { return &g.AllowExternalSenders }),
	fixed[Group]("assignedLabels", ComplexCollection, "[]"),
	option("autoSubscribeNewMembers", func(g *Group) **bool { return &g.AutoSubscribeNewMembers }),
	text("classification", func(g *Group) *string { return &g.Classification }).max(1024).byDefault(),
	moment("createdDateTime", func(g *Group) *time.Time { return &g.CreatedDateTime }).readOnly().byDefault(),
	moment("deletedDateTime", func(g *Group) *time.Time { return &g.DeletedDateTime }).readOnly().byDefault(),
	text("description", func(g *Group) *string { return &g.Description }).max(1024).byDefault(),
	text("displayName", func(g *Group) *string { return &g.DisplayName }).max(256).needed().byDefault(),
	moment("expirationDateTime", func(g *Group) *time.Time { return &g.ExpirationDateTime }).readOnly().byDefault(),
	texts("groupTypes", func(g *Group) *[]string { return &g.GroupTypes }).oneOf(Unified, DynamicMembership).byDefault(),
	option("hideFromAddressLists", func(g *Group) **bool { return &g.HideFromAddressLists }),
	option("hideFromOutlookClients", func(g *Group) **bool { return &g.HideFromOutlookClients }),
	identity("id", func(g *Group) *uuid.UUID { return &g.ID }).byDefault(),
	fixed[Group]("infoCatalogs", StringCollection, "[]"),
	fixed[Group]("isArchived", Bool, "null"),
	option("isAssignableToRole", func(g *Group) **bool { return &g.IsAssignableToRole }).byDefault(),
	fixed[Group]("isFavorite", Bool, "null"),
	fixed[Group]("isManagementRestricted", Bool, "null"),
	option("isSubscribedByMail", func(g *Group) **bool { return &g.IsSubscribedByMail }),
	text("mail", func(g *Group) *string { return &g.Mail }).must(wantMail, isMail).readOnly().byDefault(),
	flag("mailEnabled", func(g *Group) *bool { return &g.MailEnabled }).byDefault(),
	text("mailNickname", func(g *Group) *string { return &g.MailNickname }).max(64).must(wantNickname, isNickname).needed().byDefault(),
	text("membershipRule", func(g *Group) *string { return &g.MembershipRule }).max(3072).byDefault(),
	text("membershipRuleProcessingState", func(g *Group) *string { return &g.MembershipRuleProcessingState }).oneOf("On", "Paused").byDefault(),
	text("onPremisesDomainName", func(g *Group) *string { return &g.OnPremisesDomainName }).readOnly().byDefault(),
	fixed[Group]("onPremisesExtensionAttributes", Complex, "null"),
	moment("onPremisesLastSyncDateTime", func(g *Group) *time.Time { return &g.OnPremisesLastSyncDateTime }).readOnly().byDefault(),
	text("onPremisesNetBiosName", func(g *Group) *string { return &g.OnPremisesNetBIOSName }).readOnly().byDefault(),
	fixed[Group]("onPremisesProvisioningErrors", ComplexCollection, "[]").byDefault(),
	text("onPremisesSamAccountName", func(g *Group) *string { return &g.OnPremisesSamAccountName }).readOnly().byDefault(),
	text("onPremisesSecurityIdentifier", func(g *Group) *string { return &g.OnPremisesSecurityIdentifier }).readOnly().byDefault(),
	option("onPremisesSyncEnabled", func(g *Group) **bool { return &g.OnPremisesSyncEnabled }).readOnly().byDefault(),
	fixed[Group]("organizationId", String, "null"),
	text("preferredDataLocation", func(g *Group) *string { return &g.PreferredDataLocation }).max(64).byDefault(),
	text("preferredLanguage", func(g *Group) *string { return &g.PreferredLanguage }).must(wantLanguage, isLanguage).byDefault(),
	texts("proxyAddresses", func(g *Group) *[]string { return &g.ProxyAddresses }).max(1123).must(wantProxy, isProxyAddress).readOnly().byDefault(),
	moment("renewedDateTime", func(g *Group) *time.Time { return &g.RenewedDateTime }).readOnly().byDefault(),
	texts("resourceBehaviorOptions", func(g *Group) *[]string { return &g.ResourceBehaviorOptions }).max(128).byDefault(),
	texts("resourceProvisioningOptions", func(g *Group) *[]string { return &g.ResourceProvisioningOptions }).max(128).byDefault(),
	flag("securityEnabled", func(g *Group) *bool { return &g.SecurityEnabled }).byDefault(),
	computed("securityIdentifier", String, func(dst []byte, g *Group) []byte { return appendSID(dst, g.ID) }).byDefault(),
	fixed[Group]("serviceProvisioningErrors", ComplexCollection, "[]").byDefault(),
	text("theme", func(g *Group) *string { return &g.Theme }).oneOf("Teal", "Purple", "Green", "Blue", "Pink", "Orange", "Red").byDefault(),
	text("uniqueName", func(g *Group) *string { return &g.UniqueName }).readOnly().byDefault(),
	fixed[Group]("unseenConversationsCount", Int32, "null"),
	fixed[Group]("unseenCount", Int32, "null"),
	fixed[Group]("unseenMessagesCount", Int32, "null"),
	text("visibility", func(g *Group) *string { return &g.Visibility }).oneOf("Public", "Private", "HiddenMembership").byDefault(),
	option("welcomeMessageEnabled", func(g *Group) **bool { return &g.WelcomeMessageEnabled }),
)
