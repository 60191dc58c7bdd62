package edm

// BetaNames are properties that only the beta version of Graph has.
type BetaNames struct {
	Nulls, Lists []string // shown by default
	OnSelect     []string // null, and shown only if selected
	Settable     []string // of these, what clients can set without effect
	Kept         []string // properties of the type's own table
}

// BetaOnly has the names for each type. The properties are not stored, unless the type has a field
// for them. $select accepts them in both versions (P22), and bodies in beta.
var BetaOnly = map[string]BetaNames{
	"user": {
		Nulls: []string{
			"cloudRealtimeCommunicationInfo", "externalUserConvertedOn", "isLicenseReconciliationNeeded", "onPremisesObjectIdentifier",
			"onPremisesSipInfo", "refreshTokensValidFromDateTime",
		},
		Lists:    []string{"deviceKeys", "infoCatalogs"},
		OnSelect: []string{"perUserMfaState"},
		Settable: []string{"deviceKeys", "infoCatalogs"},
	},
	"group": {
		Nulls:    []string{"createdByAppId", "onPremisesObjectIdentifier"},
		OnSelect: []string{"membershipRuleProcessingStatus"},
		Kept:     []string{"writebackConfiguration"},
	},
	"application": {
		Nulls: []string{"isManagementRestricted", "migrationStatus", "onPremisesPublishing", "signInAudienceRestrictions", "windows"},
		Lists: []string{"orgRestrictions", "trustedSubjectNameAndIssuers"},
	},
	"servicePrincipal": {
		Nulls: []string{
			"certification", "errorUrl", "isAuthorizationServiceEnabled", "isManagementRestricted", "passwordSingleSignOnSettings",
			"preferredTokenSigningKeyEndDateTime", "publisherName", "samlMetadataUrl", "useCustomTokenSigningKey",
		},
	},
	"signIn": {
		Nulls: []string{"servicePrincipalId", "servicePrincipalName"}, Lists: []string{"signInEventTypes"},
	},
	"organization": {
		Nulls: []string{"directorySizeQuota", "isMultipleDataLocationsForServicesEnabled"},
		Lists: []string{"onPremisesSyncStatus"},
	},
	"companySubscription":         {Nulls: []string{"ocpSubscriptionId"}},
	"oAuth2PermissionGrant":       {Nulls: []string{"expiryTime", "startTime"}},
	"appRoleAssignment":           {Nulls: []string{"creationTimestamp"}},
	"federatedIdentityCredential": {Nulls: []string{"claimsMatchingExpression"}},
	"unifiedRoleDefinition":       {Nulls: []string{"isPrivileged"}, Lists: []string{"allowedPrincipalTypes"}},
	"unifiedRoleAssignment":       {Nulls: []string{"resourceScope"}},
}
