package oauth

// list is a page of Azure Resource Manager with all elements.
type list[T any] struct {
	Value []T `json:"value"`
}

type azureTenant struct {
	ID       string `json:"id"`
	TenantID string `json:"tenantId"`
	Category string `json:"tenantCategory"`
}

// subscriptions answers GET /subscriptions of Azure Resource Manager, which az requests after each
// sign-in: there are no Azure subscriptions here.
func (s *Server) subscriptions(c *call) (any, error) {
	_, err := s.bearer(c)
	return list[struct{}]{Value: []struct{}{}}, err
}

// azureTenants answers GET /tenants of Azure Resource Manager: the tenant of the caller.
func (s *Server) azureTenants(c *call) (any, error) {
	caller, err := s.bearer(c)
	if err != nil {
		return nil, err
	}
	id := caller.Tenant.String()
	return list[azureTenant]{[]azureTenant{{ID: "/tenants/" + id, TenantID: id, Category: "Home"}}}, nil
}
