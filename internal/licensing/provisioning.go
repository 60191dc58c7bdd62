package licensing

// Provisioning returns the provisioningStatus of the plan for a user. Nothing is provisioned here,
// so all plans are ready immediately, except those of the company (L13).
func (p *ServicePlan) Provisioning(disabled bool) string {
	switch {
	case disabled:
		return "Disabled"
	case p.AppliesTo == AppliesToCompany:
		return "PendingProvisioning"
	}
	return "Success"
}
