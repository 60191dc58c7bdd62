package catalog

import (
	"strings"

	"licensor/internal/licensing"
)

// services says which service a plan belongs to, by the beginning of its name; the first match
// counts. The names of services are those that Graph shows in assignedPlans, spelled as it spells
// them (exchange is not Exchange).
//
// Many plans that are sold as security or compliance belong to exchange there, and do so here: a
// product with such a plan is refused to a user whose address belongs to another user
// (docs/spec/licensing.md L43). Only plans that Graph shows as exchange, or that are named after
// it, are listed so. A plan that is merely likely to belong to exchange gets another service,
// because a wrong check is worse than a missing one.
var services = []struct{ prefix, service string }{
	{"EXCHANGE_S_FOUNDATION PBI_PREMIUM", "PowerBI"}, // two names that the published table joins
	{"EXCHANGE", licensing.ExchangeService},
	{"EOP_", licensing.ExchangeService},
	{"ATP_ENTERPRISE", licensing.ExchangeService},
	{"THREAT_INTELLIGENCE", licensing.ExchangeService},
	{"SAFEDOCS", licensing.ExchangeService},
	{"MDOLITE_", licensing.ExchangeService},
	{"LOCKBOX_", licensing.ExchangeService},
	{"MIP_S_EXCHANGE", "MIPExchangeSolutions"},
	{"MIP_S_CLP", licensing.ExchangeService},
	{"M365_ADVANCED_AUDITING", licensing.ExchangeService},
	{"RECORDS_MANAGEMENT", licensing.ExchangeService},
	{"INFO_GOVERNANCE", licensing.ExchangeService},
	{"INFORMATION_BARRIERS", licensing.ExchangeService},
	{"DATA_INVESTIGATIONS", licensing.ExchangeService},
	{"COMMUNICATIONS_", licensing.ExchangeService},
	{"ML_CLASSIFICATION", licensing.ExchangeService},
	{"PREMIUM_ENCRYPTION", licensing.ExchangeService},
	{"PAM_ENTERPRISE", licensing.ExchangeService},
	{"CUSTOMER_KEY", licensing.ExchangeService},
	{"EQUIVIO_ANALYTICS", licensing.ExchangeService},
	{"MYANALYTICS_", licensing.ExchangeService},
	{"MICROSOFT_MYANALYTICS", licensing.ExchangeService},
	{"INSIGHTS_BY_MYANALYTICS", licensing.ExchangeService},
	{"INSIDER_RISK_MANAGEMENT", licensing.ExchangeService},
	{"INSIDER_RISK", "Office365InsiderRisk"},
	{"GRAPH_CONNECTORS_SEARCH", licensing.ExchangeService},
	{"MICROSOFTBOOKINGS", licensing.ExchangeService},
	{"BPOS_S_DLPADDON", licensing.ExchangeService},
	{"O365_SB_RELATIONSHIP", licensing.ExchangeService},
	{"MICROSOFT_COMMUNICATION_COMPLIANCE", "M365CommunicationCompliance"},
	{"CONTENT_EXPLORER", "M365LabelAnalytics"},
	{"CONTENTEXPLORER", "M365LabelAnalytics"},
	{"PURVIEW_DISCOVERY", "Microsoft.ProjectBabylon"},

	{"VISIOONLINE", "SharePoint"},
	{"SHAREPOINT", "SharePoint"},
	{"ONEDRIVE", "SharePoint"},
	{"NUCLEUS", "SharePoint"},
	{"CLIPCHAMP", "SharePoint"},
	{"M365_COPILOT_SHAREPOINT", "SharePoint"},

	{"MCO_TEAMS", "TeamspaceAPI"},
	{"MCO_VIRTUAL_APPT", "TeamspaceAPI"},
	{"MCO", "MicrosoftCommunicationsOnline"},
	{"PSTN", "MicrosoftCommunicationsOnline"},
	{"SKYPE_FOR_BUSINESS", "MicrosoftCommunicationsOnline"},
	{"TEAMS", "TeamspaceAPI"},
	{"M365_COPILOT_TEAMS", "TeamspaceAPI"},

	{"OFFICE_FORMS", "OfficeForms"},
	{"FORMS_", "OfficeForms"},
	{"CUSTOMER_VOICE_", "OfficeForms"},
	{"OFFICE", "MicrosoftOffice"},
	{"EXCEL_PREMIUM", "MicrosoftOffice"},
	{"M365_COPILOT_APPS", "MicrosoftOffice"},
	{"VISIO_CLIENT", "MicrosoftOffice"},
	{"PROJECT_CLIENT", "MicrosoftOffice"},
	{"PROJECT_ESSENTIALS", "SharePoint"},
	{"PROJECT_MADEIRA", "DynamicsNAV"},
	{"PROJECTWORKMANAGEMENT", "ProjectWorkManagement"},
	{"PROJECT_", "ProjectProgramsAndPortfolios"},

	{"FLOW_", "ProcessSimple"},
	{"POWER_AUTOMATE", "ProcessSimple"},
	{"POWERAUTOMATE", "ProcessSimple"},
	{"POWERFLOWS", "ProcessSimple"},
	{"POWERAPPS", "PowerAppsService"},
	{"POWER_APPS", "PowerAppsService"},
	{"POWERPAGES", "PowerAppsService"},
	{"POWER_PAGES", "PowerAppsService"},
	{"POWER_VIRTUAL_AGENT", "ccibotsprod"},
	{"VIRTUAL_AGENT", "ccibotsprod"},
	{"CCIBOTS_", "ccibotsprod"},
	{"COPILOT_STUDIO", "ccibotsprod"},
	{"BI_AZURE", "PowerBI"},
	{"PBI_", "PowerBI"},

	{"DYN365BC_", "DynamicsNAV"},
	{"DYN365_BUSCENTRAL", "DynamicsNAV"},
	{"DYN365_FINANCIALS", "DynamicsNAV"},
	{"DYN365_", "CRM"},
	{"DDYN365_", "CRM"},
	{"DYNB365_", "CRM"},
	{"D365", "CRM"},
	{"CRM", "CRM"},
	{"CDS", "CRM"},
	{"DATAVERSE_", "CRM"},

	{"AAD_", "AADPremiumService"},
	{"ENTRA_", "AADPremiumService"},
	{"MFA_", "MultiFactorService"},
	{"RMS_", "RMSOnline"},
	{"ADALLOM_", "Adallom"},
	{"ATA", "AzureAdvancedThreatAnalytics"},
	{"MTP", "MicrosoftThreatProtection"},
	{"WINDEFATP", "WindowsDefenderATP"},
	{"MDE_", "WindowsDefenderATP"},
	{"INTUNE", "SCO"},
	{"REMOTE_HELP", "SCO"},
	{"CLOUD_PKI", "SCO"},
	{"WINDOWSUPDATEFORBUSINESS", "WindowsUpdateforBusinessCloudExtensions"},
	{"WIN", "Windows"},
	{"VIRTUALIZATION RIGHTS FOR WINDOWS", "Windows"},
	{"UNIVERSAL_PRINT", "MicrosoftPrint"},

	{"BPOS_S_TODO", "To-Do"},
	{"STREAM_", "MicrosoftStream"},
	{"MICROSOFT_STREAM", "MicrosoftStream"},
	{"SWAY", "Sway"},
	{"DESKLESS", "Deskless"},
	{"YAMMER_", "YammerEnterprise"},
	{"VIVAENGAGE_", "YammerEnterprise"},
	{"VIVA_LEARNING", "LearningAppServiceInTeams"},
	{"WHITEBOARD_", "WhiteboardServices"},
	{"KAIZALA_", "MicrosoftKaizala"},
	{"MESH_", "MixedRealityCollaborationServices"},
	{"MICROSOFT_SEARCH", "Bing"},
	{"BING_CHAT", "Bing"},
	{"MICROSOFT_LOOP", "Chapter5FluidApp"},
}

// serviceOf returns the service of a plan. A plan that the table does not list is a service of its
// own.
func serviceOf(plan string) string {
	upper := strings.ToUpper(plan)
	for _, s := range services {
		if strings.HasPrefix(upper, s.prefix) {
			return s.service
		}
	}
	return plan
}

// companyPlans are held by the company as a whole (L5); Graph shows them with appliesTo Company.
//
// EXCHANGE_S_FOUNDATION matters most: nearly every product contains it, also those unrelated to
// mail, and its service is exchange. Because the company holds it, not the user, a duplicate
// address does not prevent a Power BI license: L43 applies to the plans that a user gets.
var companyPlans = map[string]bool{
	"EXCHANGE_S_FOUNDATION":                true,
	"EXCHANGE_S_FOUNDATION_GOV":            true,
	"EXCHANGE_FOUNDATION_GOV":              true,
	"INTUNE_O365":                          true,
	"NUCLEUS":                              true,
	"CONTENT_EXPLORER":                     true,
	"MICROSOFT_SEARCH":                     true,
	"WORKPLACE_ANALYTICS_INSIGHTS_BACKEND": true,
}

func appliesTo(plan string) licensing.AppliesTo {
	if companyPlans[strings.ToUpper(plan)] {
		return licensing.AppliesToCompany
	}
	return licensing.AppliesToUser
}
