package directory

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/fold"
)

// groupTable has every structural property of Graph's group except those of licenses. Properties
// that depend on the signed-in user in Graph, such as unseenCount, have no value here.
var groupTable = newTable(
	"Group",
	[]string{"assignedLicenses", "hasMembersWithLicenseErrors", "licenseProcessingState"},
	fixed[Group]("accessType", KindString, "null"),
	option("allowExternalSenders", func(g *Group) **bool { return &g.AllowExternalSenders }),
	fixed[Group]("assignedLabels", KindComplexCollection, "[]"),
	option("autoSubscribeNewMembers", func(g *Group) **bool { return &g.AutoSubscribeNewMembers }),
	text("classification", func(g *Group) *string { return &g.Classification }).max(1024).byDefault().
		column(1).filtered(basic, basic, never, never),
	moment("createdDateTime", func(g *Group) *time.Time { return &g.CreatedDateTime }).readOnly().byDefault().
		column(2).ordered(advanced),
	moment("deletedDateTime", func(g *Group) *time.Time { return &g.DeletedDateTime }).readOnly().byDefault().
		column(3).filtered(basic, never, basic, never),
	text("description", func(g *Group) *string { return &g.Description }).max(1024).byDefault().
		column(4).mostly().filtered(advanced, advanced, never, never).searched(SearchByWords),
	text("displayName", func(g *Group) *string { return &g.DisplayName }).max(256).needed().byDefault().
		column(5).mostly().filtered(basic, basic, never, advanced).searched(SearchByWords).ordered(basic),
	moment("expirationDateTime", func(g *Group) *time.Time { return &g.ExpirationDateTime }).readOnly().byDefault().
		column(6).filtered(advanced, never, advanced, never),
	texts("groupTypes", func(g *Group) *[]string { return &g.GroupTypes }).oneOf(Unified, DynamicMembership).byDefault().
		column(7).filtered(basic, never, never, never).searched(SearchByStart),
	option("hideFromAddressLists", func(g *Group) **bool { return &g.HideFromAddressLists }),
	option("hideFromOutlookClients", func(g *Group) **bool { return &g.HideFromOutlookClients }),
	identity("id", func(g *Group) *uuid.UUID { return &g.ID }).byDefault().filtered(basic, never, never, never),
	fixed[Group]("infoCatalogs", KindStringCollection, "[]").filtered(basic, basic, never, never),
	fixed[Group]("isArchived", KindBool, "null"),
	option("isAssignableToRole", func(g *Group) **bool { return &g.IsAssignableToRole }).byDefault().
		column(8).filtered(basic, never, never, never),
	fixed[Group]("isFavorite", KindBool, "null"),
	fixed[Group]("isManagementRestricted", KindBool, "null"),
	option("isSubscribedByMail", func(g *Group) **bool { return &g.IsSubscribedByMail }),
	text("mail", func(g *Group) *string { return &g.Mail }).must(wantMail, isMail).readOnly().byDefault().
		column(9).mostly().filtered(basic, basic, never, advanced).ends().searched(SearchByStart).ordered(advanced),
	flag("mailEnabled", func(g *Group) *bool { return &g.MailEnabled }).byDefault().
		column(10).filtered(basic, never, never, never),
	text("mailNickname", func(g *Group) *string { return &g.MailNickname }).
		max(64).must(wantNickname, isNickname).needed().byDefault().
		column(11).mostly().filtered(basic, basic, never, advanced).searched(SearchByStart),
	// docs/spec/dynamic-membership.md D6.
	text("membershipRule", func(g *Group) *string { return &g.MembershipRule }).max(3072).byDefault().
		column(12).mostly().filtered(basic, basic, never, never),
	text("membershipRuleProcessingState", func(g *Group) *string { return &g.MembershipRuleProcessingState }).oneOf(RuleOn, RulePaused).byDefault().
		column(13).filtered(basic, never, never, never),
	text("onPremisesDomainName", func(g *Group) *string { return &g.OnPremisesDomainName }).readOnly().byDefault().column(26),
	fixed[Group]("onPremisesExtensionAttributes", KindComplex, "null"),
	moment("onPremisesLastSyncDateTime", func(g *Group) *time.Time { return &g.OnPremisesLastSyncDateTime }).readOnly().byDefault().
		column(14).filtered(basic, never, basic, never),
	text("onPremisesNetBiosName", func(g *Group) *string { return &g.OnPremisesNetBIOSName }).readOnly().byDefault().column(27),
	fixed[Group]("onPremisesProvisioningErrors", KindComplexCollection, "[]").byDefault().filtered(basic, never, never, never).elements("category", "propertyCausingError"),
	text("onPremisesSamAccountName", func(g *Group) *string { return &g.OnPremisesSamAccountName }).readOnly().byDefault().
		column(15).mostly().filtered(advanced, advanced, never, never),
	text("onPremisesSecurityIdentifier", func(g *Group) *string { return &g.OnPremisesSecurityIdentifier }).readOnly().byDefault().
		column(16).mostly().filtered(basic, never, never, advanced),
	option("onPremisesSyncEnabled", func(g *Group) **bool { return &g.OnPremisesSyncEnabled }).readOnly().byDefault().
		column(17).filtered(basic, never, never, advanced),
	fixed[Group]("organizationId", KindString, "null"),
	text("preferredDataLocation", func(g *Group) *string { return &g.PreferredDataLocation }).max(64).byDefault().column(28),
	text("preferredLanguage", func(g *Group) *string { return &g.PreferredLanguage }).must(wantLanguage, isLanguage).byDefault().
		column(18).filtered(advanced, advanced, never, advanced),
	texts("proxyAddresses", func(g *Group) *[]string { return &g.ProxyAddresses }).
		max(1123).must(wantProxy, isProxyAddress).readOnly().byDefault().
		column(19).mostly().filtered(basic, basic, never, never).ends().counted().searched(SearchByStart),
	moment("renewedDateTime", func(g *Group) *time.Time { return &g.RenewedDateTime }).readOnly().byDefault().
		column(20).filtered(basic, never, basic, never),
	texts("resourceBehaviorOptions", func(g *Group) *[]string { return &g.ResourceBehaviorOptions }).max(128).byDefault().
		column(21).filtered(basic, basic, never, never),
	texts("resourceProvisioningOptions", func(g *Group) *[]string { return &g.ResourceProvisioningOptions }).max(128).byDefault().
		column(22).filtered(basic, basic, never, never),
	flag("securityEnabled", func(g *Group) *bool { return &g.SecurityEnabled }).byDefault().
		column(23).filtered(basic, never, never, never),
	computed("securityIdentifier", KindString, func(dst []byte, g *Group) []byte { return AppendSID(dst, g.ID) }).byDefault(),
	fixed[Group]("serviceProvisioningErrors", KindComplexCollection, "[]").byDefault(),
	text("theme", func(g *Group) *string { return &g.Theme }).oneOf("Teal", "Purple", "Green", "Blue", "Pink", "Orange", "Red").byDefault().column(29),
	text("uniqueName", func(g *Group) *string { return &g.UniqueName }).readOnly().byDefault().column(24).mostly(),
	fixed[Group]("unseenConversationsCount", KindInt32, "null"),
	fixed[Group]("unseenCount", KindInt32, "null"),
	fixed[Group]("unseenMessagesCount", KindInt32, "null"),
	text("visibility", func(g *Group) *string { return &g.Visibility }).oneOf("Public", "Private", "HiddenMembership").byDefault().
		column(25).filtered(basic, basic, basic, basic).searched(SearchByStart),
	option("welcomeMessageEnabled", func(g *Group) **bool { return &g.WelcomeMessageEnabled }),
	nested("writebackConfiguration", writebackTable,
		func(g *Group) **WritebackConfiguration { return &g.WritebackConfiguration }).byDefault(),
).lacks(
	Asked{Path: "createdByAppId", Kind: KindString, Filterable: Filterable{Equal: basic}},
	Asked{Path: "createdOnBehalfOf/deletedDateTime", Kind: KindDateTime, Filterable: Filterable{Equal: basic, Range: basic}},
	Asked{Path: "createdOnBehalfOf/id", Kind: KindString, Filterable: Filterable{Equal: basic}},
)

// writebackTable stores onPremisesGroupType in the letter case of the request, as the real service
// does.
var writebackTable = newTable(
	"groupWritebackConfiguration", nil,
	option("isEnabled", func(w *WritebackConfiguration) **bool { return &w.IsEnabled }),
	text("onPremisesGroupType", func(w *WritebackConfiguration) *string { return &w.OnPremisesGroupType }).
		must("one of "+strings.Join(writebackTypes, ", "), isWritebackType),
)

var writebackTypes = []string{"universalDistributionGroup", "universalSecurityGroup", "universalMailEnabledSecurityGroup"}

func isWritebackType(name string) bool {
	_, ok := fold.Among(writebackTypes, name)
	return ok
}
