package licensing

// Provisioning is the provisioningStatus of the plan for a user. Nothing is provisioned here, so
// all is ready at once, but for what the company as a whole has (L13).
func (p *ServicePlan) Provisioning(disabled bool) string {
	switch {
	case disabled:
		return "Disabled"
	case p.AppliesTo == AppliesToCompany:
		return "PendingProvisioning"
	}
	return "Success"
}
