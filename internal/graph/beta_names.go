package graph

// betaNames are properties that only the beta version of Graph has.
type betaNames struct {
	nulls, lists []string // shown by default
	onSelect     []string // null, and shown only when asked for
	settable     []string // of these, what clients can set without effect
	kept         []string // properties of the type's own table
}

// betaOnly are those of each type. Nothing of them is kept, unless the type has a field of its
// own for one; $select takes them in both versions (P22), and bodies in beta.
var betaOnly = map[string]betaNames{
	"user": {
		nulls: []string{
			"cloudRealtimeCommunicationInfo", "externalUserConvertedOn", "isLicenseReconciliationNeeded", "onPremisesObjectIdentifier",
			"onPremisesSipInfo", "refreshTokensValidFromDateTime",
		},
		lists:    []string{"deviceKeys", "infoCatalogs"},
		onSelect: []string{"perUserMfaState"},
		settable: []string{"deviceKeys", "infoCatalogs"},
	},
	"group": {
		nulls:    []string{"createdByAppId", "onPremisesObjectIdentifier"},
		onSelect: []string{"membershipRuleProcessingStatus"},
		kept:     []string{"writebackConfiguration"},
	},
	"application": {
		nulls: []string{"isManagementRestricted", "migrationStatus", "onPremisesPublishing", "signInAudienceRestrictions", "windows"},
		lists: []string{"orgRestrictions", "trustedSubjectNameAndIssuers"},
	},
	"servicePrincipal": {
		nulls: []string{
			"certification", "errorUrl", "isAuthorizationServiceEnabled", "isManagementRestricted", "passwordSingleSignOnSettings",
			"preferredTokenSigningKeyEndDateTime", "publisherName", "samlMetadataUrl", "useCustomTokenSigningKey",
		},
	},
	"organization": {
		nulls: []string{"directorySizeQuota", "isMultipleDataLocationsForServicesEnabled"},
		lists: []string{"onPremisesSyncStatus"},
	},
	"companySubscription":         {nulls: []string{"ocpSubscriptionId"}},
	"oAuth2PermissionGrant":       {nulls: []string{"expiryTime", "startTime"}},
	"appRoleAssignment":           {nulls: []string{"creationTimestamp"}},
	"federatedIdentityCredential": {nulls: []string{"claimsMatchingExpression"}},
	"unifiedRoleDefinition":       {nulls: []string{"isPrivileged"}, lists: []string{"allowedPrincipalTypes"}},
	"unifiedRoleAssignment":       {nulls: []string{"resourceScope"}},
}
