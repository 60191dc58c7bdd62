package catalog

import (
	"testing"

	"licensor/internal/licensing"
)

// TestServicesAreThoseOfGraph has pairs as they stand in assignedPlans of real tenants.
func TestServicesAreThoseOfGraph(t *testing.T) {
	t.Parallel()
	for plan, want := range map[string]string{
		"EXCHANGE_S_ENTERPRISE": "exchange", "EXCHANGE_S_ARCHIVE_ADDON": "exchange", "EXCHANGE_ANALYTICS": "exchange",
		"MYANALYTICS_P2": "exchange", "LOCKBOX_ENTERPRISE": "exchange", "MIP_S_CLP2": "exchange", "SAFEDOCS": "exchange",
		"MICROSOFTBOOKINGS": "exchange", "BPOS_S_DlpAddOn": "exchange", "INSIDER_RISK_MANAGEMENT": "exchange",
		"INSIDER_RISK": "Office365InsiderRisk", "MIP_S_Exchange": "MIPExchangeSolutions",
		"MICROSOFT_COMMUNICATION_COMPLIANCE": "M365CommunicationCompliance", "Content_Explorer": "M365LabelAnalytics",
		"PURVIEW_DISCOVERY": "Microsoft.ProjectBabylon", "SHAREPOINTWAC": "SharePoint", "CLIPCHAMP": "SharePoint", "Nucleus": "SharePoint",
		"MCOSTANDARD": "MicrosoftCommunicationsOnline", "MCOEV": "MicrosoftCommunicationsOnline", "TEAMS1": "TeamspaceAPI",
		"OFFICESUBSCRIPTION": "MicrosoftOffice", "OFFICE_BUSINESS": "MicrosoftOffice", "EXCEL_PREMIUM": "MicrosoftOffice",
		"FORMS_PLAN_E5": "OfficeForms", "PROJECTWORKMANAGEMENT": "ProjectWorkManagement", "PROJECT_O365_P3": "ProjectProgramsAndPortfolios",
		"FLOW_O365_P3": "ProcessSimple", "POWERAPPS_O365_P1": "PowerAppsService", "POWER_VIRTUAL_AGENTS_O365_P3": "ccibotsprod",
		"BI_AZURE_P2": "PowerBI", "DYN365_CDS_O365_P3": "CRM", "CDS_O365_P3": "CRM", "DYN365BC_MS_INVOICING": "DynamicsNAV",
		"AAD_PREMIUM_P2": "AADPremiumService", "AAD_SMB": "AADPremiumService", "MFA_PREMIUM": "MultiFactorService",
		"RMS_S_PREMIUM2": "RMSOnline", "ADALLOM_S_STANDALONE": "Adallom", "ATA": "AzureAdvancedThreatAnalytics",
		"MTP": "MicrosoftThreatProtection", "MDE_SMB": "WindowsDefenderATP", "INTUNE_O365": "SCO", "INTUNE_SMBIZ": "SCO", "CLOUD_PKI": "SCO",
		"WINBIZ": "Windows", "WINDOWSUPDATEFORBUSINESS_DEPLOYMENTSERVICE": "WindowsUpdateforBusinessCloudExtensions",
		"UNIVERSAL_PRINT_01": "MicrosoftPrint", "BPOS_S_TODO_3": "To-Do", "STREAM_O365_E1": "MicrosoftStream", "SWAY": "Sway",
		"Deskless": "Deskless", "YAMMER_ENTERPRISE": "YammerEnterprise", "VIVAENGAGE_CORE": "YammerEnterprise",
		"VIVA_LEARNING_SEEDED": "LearningAppServiceInTeams", "WHITEBOARD_PLAN3": "WhiteboardServices",
		"KAIZALA_O365_P2": "MicrosoftKaizala", "MESH_AVATARS_FOR_TEAMS": "MixedRealityCollaborationServices",
		"MICROSOFT_SEARCH": "Bing", "Bing_Chat_Enterprise": "Bing", "MICROSOFT_LOOP": "Chapter5FluidApp",
	} {
		if got := serviceOf(plan); got != want {
			t.Errorf("%s belongs to %s, want %s", plan, got, want)
		}
	}
}

func TestAnUnknownPlanIsAServiceOfItsOwn(t *testing.T) {
	t.Parallel()
	if got := serviceOf("MINECRAFT_EDUCATION_EDITION"); got != "MINECRAFT_EDUCATION_EDITION" {
		t.Error(got)
	}
}

func TestNoServiceIsHiddenByAnEarlierPrefix(t *testing.T) {
	t.Parallel()
	for i, s := range services {
		for _, earlier := range services[:i] {
			if len(s.prefix) >= len(earlier.prefix) && s.prefix[:len(earlier.prefix)] == earlier.prefix {
				t.Errorf("%s stands after %s and is never reached", s.prefix, earlier.prefix)
			}
		}
	}
}

// TestProductsWithoutMailHaveNoExchangePlanOfTheUser is why L43 does not refuse Power BI to a user
// with a duplicate address.
func TestProductsWithoutMailHaveNoExchangePlanOfTheUser(t *testing.T) {
	t.Parallel()
	c := BuiltIn()
	plans := map[string]licensing.ServicePlan{}
	for _, p := range c.ServicePlans {
		plans[p.ID.String()] = p
	}
	withoutMail := map[string]bool{"POWER_BI_PRO": true, "EMS": true, "EMSPREMIUM": true, "AAD_PREMIUM": true, "VISIOCLIENT": true, "FLOW_FREE": true}
	for _, product := range c.Products {
		for _, id := range product.ServicePlanIDs {
			p := plans[id.String()]
			if withoutMail[product.SKUPartNumber] && p.Service == licensing.ExchangeService &&
				p.AppliesTo != licensing.AppliesToCompany {
				t.Errorf("%s has %s of the service exchange", product.SKUPartNumber, p.Name)
			}
		}
	}
}
