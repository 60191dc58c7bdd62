package identity

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

// Permission is a permission of Microsoft Graph for an application: for itself, which Graph calls
// an app role, or on behalf of a user, which Graph calls a scope. The same name has different ids
// as an app role and as a scope.
type Permission struct {
	ID           uuid.UUID // the real service's
	Value        string    // such as User.Read.All
	DisplayName  string
	AdminConsent bool // an administrator must consent; otherwise users may, for themselves
}

// ApplicationPermissions are those that an application can have for itself: those of Needs, and
// those that clients request along with them. Only administrators can grant them. The id of
// AppRegistration.Create is not published; the one here is derived from its name.
var ApplicationPermissions = permissions(`
	134fd756-38ce-4afd-ba33-e9623dbe66c2 AdministrativeUnit.Read.All * Read all administrative units
	5eb59dd3-1da2-4329-8733-9dabdc435916 AdministrativeUnit.ReadWrite.All * Read and write all administrative units
	9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30 Application.Read.All * Read all applications
	1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9 Application.ReadWrite.All * Read and write all applications
	18a4783c-866b-4cc7-a460-3d5e5662c884 Application.ReadWrite.OwnedBy * Manage apps that this app creates or owns
	458f6219-d76d-59a3-9212-dcae470b65b7 AppRegistration.Create * Register new applications
	06b708a9-e830-4db3-a914-8e69da51d44f AppRoleAssignment.ReadWrite.All * Manage app permission grants and app role assignments
	b0afded3-3588-46d8-8b3d-9842eff778da AuditLog.Read.All * Read all audit log data
	81b4724a-58aa-41c1-8a55-84ef97466587 DelegatedPermissionGrant.Read.All * Read all delegated permission grants
	8e8e4742-1d95-4f68-9d56-6ee75648c72a DelegatedPermissionGrant.ReadWrite.All * Manage all delegated permission grants
	7438b122-aefc-4978-80ed-43db9fcc7715 Device.Read.All * Read all devices
	1138cb37-bd11-4084-a2b7-9f71582aeddb Device.ReadWrite.All * Read and write devices
	7ab1d382-f21e-4acd-a863-ba3e13f7da61 Directory.Read.All * Read directory data
	19dbc75e-c2e2-444c-a770-ec69d8559fc7 Directory.ReadWrite.All * Read and write directory data
	dbb9058a-0e50-45d7-ae91-66909b5d4664 Domain.Read.All * Read domains
	7e05723c-0bb0-42da-be95-ae9f08a6e53c Domain.ReadWrite.All * Read and write domains
	bf7b1a76-6e77-406b-b258-bf5c7720e98f Group.Create * Create groups
	60f8cea0-2476-45c9-ab18-70e79e60ad14 Group.ManageProtection.All * Manage the Microsoft Information Protection (MIP) label for M365 and security groups.
	603ce4e3-fb05-4b63-91ba-729bb1dca667 Group-PreferredDataLocation.ReadWrite.All * Read and write all groups' preferred data location property
	5b567255-7703-4780-807c-7be8301ae99b Group.Read.All * Read all groups
	07d67222-3a10-4d3b-9ddc-b8aa43198a00 Group.ReadBasic.All * Read all groups' basic property
	62a82d76-70ea-41e2-9197-370581804d09 Group.ReadWrite.All * Read and write all groups
	35b96aac-d839-4362-abd4-7381f2b27ccd Group-XTenantIdentitySync.Read.All * Read all Group Cross-Tenant Identity Synchronization properties
	98830695-27a2-44f7-8c18-0c3ebc9698f6 GroupMember.Read.All * Read all group memberships
	8222c640-cae5-4860-8d11-b32cfad95e03 GroupMember.ReadBasic.All * Read all group memberships
	dbaae8cf-10b5-4b86-a4a1-f871c94c6695 GroupMember.ReadWrite.All * Read and write all group memberships
	e2f98668-2877-4f38-a2f4-8202e0717aa1 LicenseAssignment.Read.All * Read all license assignments
	5facf0c1-8979-4e95-abcf-ff3d079771c0 LicenseAssignment.ReadWrite.All * Manage all license assignments
	498476ce-e0fe-48b0-b801-37ba7e2685c6 Organization.Read.All * Read organization information
	292d869f-3427-49a8-9dab-8c70152b74e9 Organization.ReadWrite.All * Read and write organization information
	246dd0d5-5bd0-4def-940b-0421030a5b68 Policy.Read.All * Read your organization's policies
	fb221be6-99f2-473f-bd32-01c6a0e9ca3b Policy.ReadWrite.Authorization * Read and write your organization's authorization policy
	c7fbd983-d9aa-4fa7-84b8-17382c103bc4 RoleManagement.Read.All * Read role management data for all RBAC providers
	483bed4a-2ad3-4361-a73b-c83ccdbdc53c RoleManagement.Read.Directory * Read all directory RBAC settings
	9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8 RoleManagement.ReadWrite.Directory * Read and write all directory RBAC settings
	eccc023d-eccf-4e7b-9683-8813ab36cecc User.DeleteRestore.All * Delete and restore user accounts
	3011c876-62b7-4ada-afa2-506cbbecc68c User.EnableDisableAccount.All * Enable and disable user accounts
	280d0935-0796-47d1-8d26-273470a3f17a User-Mail.ReadWrite.All * Update other mails property for all users
	c529cfca-c91b-489c-af2b-d92990b66ce6 User.ManageIdentities.All * Manage all users' identities
	cc117bb9-00cf-4eb8-b580-ea2a878fe8f7 User-PasswordProfile.ReadWrite.All * Read and write all password profiles and reset user passwords
	86ceff06-c822-49ff-989a-d912845ffe69 User-Phone.ReadWrite.All * Update business phones and mobile phone properties for all users
	df021288-bdef-4463-88db-98f22de89214 User.Read.All * Read all users' full profiles
	97235f07-e226-4f63-ace3-39588e11d3a1 User.ReadBasic.All * Read all users' basic profiles
	741f803b-c850-494e-b5df-cde7c675a1ca User.ReadWrite.All * Read and write all users' full profiles
	5652f862-b626-407b-a3e6-248aeb95763c User.ReadWrite.CrossCloud * Read and write profiles of users that originate from an external cloud.
	77f3a031-c388-4f99-b373-dc68676a979e User.RevokeSessions.All * Revoke all sign in sessions for a user
`)

// DelegatedPermissions are those that an application can have to act on behalf of a user.
var DelegatedPermissions = permissions(`
	3361d15d-be43-4de6-b441-3c746d05163d AdministrativeUnit.Read.All * Read administrative units
	7b8a2d34-6b3f-4542-a343-54651608ad81 AdministrativeUnit.ReadWrite.All * Read and write administrative units
	c79f8feb-a9db-4090-85f9-90d820caa0eb Application.Read.All * Read applications
	bdfbf15f-ee85-4955-8675-146e8e5296b5 Application.ReadWrite.All * Read and write all applications
	df939ad6-10e0-5568-9edc-c8592d1c57a5 AppRegistration.Create * Register new applications
	84bccea3-f856-4a8a-967b-dbe0a3d53a64 AppRoleAssignment.ReadWrite.All * Manage app permission grants and app role assignments
	e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20 AuditLog.Read.All * Read audit log data
	a197cdc4-a8e8-4d49-9d35-4ca7c83887b4 DelegatedPermissionGrant.Read.All * Read delegated permission grants
	41ce6ca6-6826-4807-84f1-1c82854f7ee5 DelegatedPermissionGrant.ReadWrite.All * Manage all delegated permission grants
	951183d1-1a61-466f-a6d1-1fde911bfd95 Device.Read.All * Read all devices
	0e263e50-5827-48a4-b97c-d940288653c7 Directory.AccessAsUser.All * Access directory as the signed in user
	06da0dbc-49e2-44d2-8312-53f166ab848a Directory.Read.All * Read directory data
	c5366453-9fb0-48a5-a156-24f0c49a4b84 Directory.ReadWrite.All * Read and write directory data
	2f9ee017-59c1-4f1d-9472-bd5529a7b311 Domain.Read.All * Read domains.
	0b5d694c-a244-4bde-86e6-eb5cd07730fe Domain.ReadWrite.All * Read and write domains
	64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0 email - View users' email address
	36263ed6-285e-4f84-b25a-62ec2ba17d29 Group.ManageProtection.All * Manage the Microsoft Information Protection (MIP) label for M365 and security groups.
	7ba6c25f-c181-4bfd-80b1-3ac184ac5629 Group-PreferredDataLocation.ReadWrite.All * Read and write all groups' preferred data location property that user can access
	5f8c59db-677d-491f-a6b8-5f174b11ec1d Group.Read.All * Read all groups
	ba1917bc-a64b-4c71-b66d-229d4a520e66 Group.ReadBasic.All * Read all groups' basic property
	4e46008b-f24c-477d-8fff-7bb4ec7aafe0 Group.ReadWrite.All * Read and write all groups
	f7c0661b-4247-48ac-a371-05ff047614c6 Group-XTenantIdentitySync.Read.All * Read all Group Cross-Tenant Identity Synchronization properties
	bc024368-1153-4739-b217-4326f2e966d0 GroupMember.Read.All * Read group memberships
	28539367-358c-4ed9-b7f0-793eccb8fd34 GroupMember.ReadBasic.All * Read group memberships
	f81125ac-d3b7-4573-a3b2-7099cc39df9e GroupMember.ReadWrite.All * Read and write group memberships
	f395577a-0960-456b-979f-7228de0c5996 LicenseAssignment.Read.All * Read all license assignments.
	f55016cc-149c-447e-8f21-7cf3ec1d6350 LicenseAssignment.ReadWrite.All * Manage all license assignments
	7427e0e9-2fba-42fe-b0c0-848c9e6a8182 offline_access - Maintain access to data you have given it access to
	37f7f235-527c-4136-accd-4a02d197296e openid - Sign users in
	4908d5b9-3fb2-4b1e-9336-1888b7937185 Organization.Read.All * Read organization information
	46ca0847-7e6b-426e-9775-ea810a948356 Organization.ReadWrite.All * Read and write organization information
	572fea84-0151-49b2-9301-11cb16974376 Policy.Read.All * Read your organization's policies
	edd3c878-b384-41fd-95ad-e7407dd775be Policy.ReadWrite.Authorization * Read and write your organization's authorization policy
	14dad69e-099b-42c9-810b-d002981feec1 profile - View users' basic profile
	48fec646-b2ba-4019-8681-8eb31435aded RoleManagement.Read.All * Read role management data for all RBAC providers
	741c54c3-0c1e-44a1-818b-3f97ab4e8c83 RoleManagement.Read.Directory * Read directory RBAC settings
	d01b97e9-cbc0-49fe-810a-750afd5527a3 RoleManagement.ReadWrite.Directory * Read and write directory RBAC settings
	4bb440cd-2cf2-4f90-8004-aa2acd2537c5 User.DeleteRestore.All * Delete and restore user accounts
	f92e74e7-2563-467f-9dd0-902688cb5863 User.EnableDisableAccount.All * Enable and disable user accounts
	6166886a-9576-433b-8544-658177bdef1d User-Mail.ReadWrite.All * Update other mails property for all users
	637d7bec-b31e-4deb-acc9-24275642a2c9 User.ManageIdentities.All * Manage user identities
	56760768-b641-451f-8906-e1b8ab31bca7 User-PasswordProfile.ReadWrite.All * Read and write password profiles and reset user passwords
	e29d5979-5b06-4a7f-ae24-6a9348d2e1ff User-Phone.ReadWrite.All * Update business phones and mobile phone properties for all users
	e1fe6dd8-ba31-4d61-89e7-88639da4683d User.Read - Sign in and read user profile
	a154be20-db9c-4678-8ab7-66f6cc099a59 User.Read.All * Read all users' full profiles
	b340eb25-3456-403f-be2f-af7a0d370277 User.ReadBasic.All - Read all users' basic profiles
	b4e74841-8e56-480b-be8b-910348b18b4c User.ReadWrite - Read and write access to user profile
	204e0828-b5ca-4ad8-b9f3-f32a958e7cc4 User.ReadWrite.All * Read and write all users' full profiles
	fc30e98b-8810-4501-81f5-c20a3196387b User.RevokeSessions.All * Revoke all sign in sessions for a user
`)

// permissions parses a table: an id, a name, * if an administrator must consent or - if a user may,
// and a display name.
func permissions(table string) []Permission {
	var list []Permission
	for line := range strings.Lines(strings.TrimSpace(table)) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 4)
		list = append(list, Permission{uuid.MustParse(parts[0]), parts[1], parts[3], parts[2] == "*"})
	}
	return list
}

// byValue and byID search a list.
var (
	applicationByValue, applicationByID = indexed(ApplicationPermissions)
	delegatedByValue, delegatedByID     = indexed(DelegatedPermissions)
)

func indexed(list []Permission) (byValue map[string]Permission, byID map[uuid.UUID]Permission) {
	byValue, byID = map[string]Permission{}, map[uuid.UUID]Permission{}
	for _, p := range list {
		if _, twice := byID[p.ID]; twice {
			panic(fmt.Sprintf("two permissions have the id %s", p.ID))
		}
		byValue[p.Value], byID[p.ID] = p, p
	}
	return byValue, byID
}

// ApplicationPermission finds an application permission by its name.
func ApplicationPermission(value string) (Permission, bool) {
	p, ok := applicationByValue[value]
	return p, ok
}

// ApplicationPermissionByID finds an application permission by its id.
func ApplicationPermissionByID(id uuid.UUID) (Permission, bool) {
	p, ok := applicationByID[id]
	return p, ok
}

// DelegatedPermission finds a delegated permission by its name.
func DelegatedPermission(value string) (Permission, bool) {
	p, ok := delegatedByValue[value]
	return p, ok
}

// DelegatedPermissionByID finds a delegated permission by its id.
func DelegatedPermissionByID(id uuid.UUID) (Permission, bool) {
	p, ok := delegatedByID[id]
	return p, ok
}

// GraphPrincipalID returns the object id that the service principal of Microsoft Graph, whose app
// roles and scopes the permissions are, has in a tenant. It is derived from the tenant's id, since
// every tenant has that principal without creating it.
func GraphPrincipalID(tenant uuid.UUID) uuid.UUID { return directory.GraphPrincipal(tenant).ID }
